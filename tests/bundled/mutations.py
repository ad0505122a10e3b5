"""Texts with something wrong in them, which functions must tell from those that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_PIECES = (
    *(
        b'"',
        b"\\",
        b"\\u0041",
        b"\\x",
        b"\0",
        b'\0"\0',
        b"\n",
        b"\t",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
    ),
    *(b" ", b"0", b"-", b".5", b"e5", b"1", b"null", b"NaN", b"x", "é".encode(), b"{}", b'"a":1,'),
)


def mutated(random_: random.Random, text: bytes) -> bytes:
    """Put something into a text, take something out of it, or both; it stays UTF-8."""
    at = random_.randrange(len(text) + 1)
    end = at + random_.choice([0, 0, 1, 1, 2, 5])
    changed = text[:at] + random_.choice([*_PIECES, b""]) + text[end:]
    return changed.decode(errors="ignore").encode().strip(b" \t\r\n")
