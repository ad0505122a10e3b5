"""Texts with something wrong in them, which functions must tell from those that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def mutants(text: bytes) -> Iterator[bytes]:
    """Put each of some pieces at each place of a text of ASCII, and take each letter out."""
    for at in range(len(text) + 1):
        yield text[:at] + text[at + 1 :]
        for piece in _PIECES:
            yield (text[:at] + piece + text[at:]).strip(b" \t\r\n")
