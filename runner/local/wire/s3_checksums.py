"""Checksums that S3 knows, computed as the bytes go by.

In: pieces of a body.  Out: base64 texts.  CRC32C and CRC64NVME have no fast implementation in the
standard library: they are computed up to a length, beyond which they are not known.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SLOW_LIMIT = 1 << 18
"""Bytes: some 30 ms."""
_POLYNOMIALS = {32: 0x82F63B78, 64: 0x9A6C9329AC4BC9B5}


class Digest(Protocol):
    """A checksum that grows."""

    def update(self, piece: bytes, /) -> object:
        """Take the next bytes."""
        ...

    def digest(self) -> bytes:
        """Give the checksum so far; nothing if it is not known."""
        ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, piece: bytes) -> None:
        self._value = zlib.crc32(piece, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


class _SlowCrc:
    """A reflected CRC, byte by byte."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._all = (1 << bits) - 1
        self._value = self._all
        self._length = 0

    def update(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length > _SLOW_LIMIT:
            return
        table, value = _table(self._bits), self._value
        for byte in piece:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        if self._length > _SLOW_LIMIT:
            return b""
        return (self._value ^ self._all).to_bytes(self._bits // 8, "big")


@cache
def _table(bits: int) -> Sequence[int]:
    polynomial, table = _POLYNOMIALS[bits], []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)  # noqa: PLW2901 - it shifts on
        table.append(value)
    return tuple(table)


def _md5() -> Digest:
    return hashlib.md5(usedforsecurity=False)


def _sha1() -> Digest:
    return hashlib.sha1(usedforsecurity=False)


SLOW = {"crc32c", "crc64nvme"}
ALGORITHMS: dict[str, tuple[Callable[[], Digest], int]] = {
    "crc32": (_Crc32, 4),
    "crc32c": (lambda: _SlowCrc(32), 4),
    "crc64nvme": (lambda: _SlowCrc(64), 8),
    "md5": (_md5, 16),
    "sha1": (_sha1, 20),
    "sha256": (hashlib.sha256, 32),
    "sha512": (hashlib.sha512, 64),
}
"""How each is made, and how many bytes it has."""


def is_known(algorithm: str, length: int) -> bool:
    """Tell whether a checksum is computed of so many bytes (-1: who knows)."""
    return algorithm in ALGORITHMS and (algorithm not in SLOW or length <= _SLOW_LIMIT)


def text_of(digest: Digest) -> str:
    """Give a checksum as headers write it.

    >>> crc = ALGORITHMS["crc32c"][0]()
    >>> crc.update(b"123456789")
    >>> text_of(crc)
    '4waSgw=='
    """
    return base64.b64encode(digest.digest()).decode()
