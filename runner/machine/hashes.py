"""The hash algorithms of `$hash` and `States.Hash`."""

from __future__ import annotations

import hashlib

ALGORITHMS = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}


def hexadecimal(text: str, algorithm: object) -> str | None:
    """Hash the UTF-8 bytes of a text; None for an unknown algorithm.

    >>> hexadecimal("", "MD5")
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    name = ALGORITHMS.get(algorithm) if isinstance(algorithm, str) else None
    if name is None:
        return None
    return hashlib.new(name, text.encode(errors="replace"), usedforsecurity=False).hexdigest()
