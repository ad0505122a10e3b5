"""Iceberg's bucket transform: the hash of its specification, over one row's value.

Iceberg hashes with 32-bit Murmur3: whole numbers, dates and timestamps as eight bytes, text as
UTF-8, decimals as the shortest big-endian bytes of their digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.udfs import Udf

if TYPE_CHECKING:
    from collections.abc import Mapping

_MASK = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF
_FIRST, _SECOND = 0xCC9E2D51, 0x1B873593
_WORD, _LONG = 4, 8


def murmur3_32(data: bytes) -> int:
    """Give the hash, as a number without sign.

    >>> murmur3_32((34).to_bytes(8, "little")), murmur3_32(b"iceberg")
    (2017239379, 1210000089)
    """
    found, whole = 0, len(data) // _WORD * _WORD
    for start in range(0, whole, _WORD):
        found ^= _mixed(int.from_bytes(data[start : start + _WORD], "little"))
        found = (_turned(found, 13) * 5 + 0xE6546B64) & _MASK
    if len(data) > whole:
        found ^= _mixed(int.from_bytes(data[whole:], "little"))
    found ^= len(data)
    found = ((found ^ found >> 16) * 0x85EBCA6B) & _MASK
    found = ((found ^ found >> 13) * 0xC2B2AE35) & _MASK
    return found ^ found >> 16


def _mixed(word: int) -> int:
    return _turned(word * _FIRST & _MASK, 15) * _SECOND & _MASK


def _turned(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) & _MASK


def _bucket(data: bytes, count: int) -> int:
    return (murmur3_32(data) & _POSITIVE) % count


def _of_long(value: int | None, count: int) -> int | None:
    if value is None:
        return None
    return _bucket(value.to_bytes(_LONG, "little", signed=True), count)


def _of_bytes(value: bytes | None, count: int) -> int | None:
    return None if value is None else _bucket(value, count)


def _of_digits(value: str | None, count: int) -> int | None:
    """Hash a decimal's digits, written as a whole number."""
    return None if value is None else _bucket(shortest(int(value)), count)


def shortest(number: int) -> bytes:
    r"""Give the fewest bytes that hold a number in two's complement, the highest first.

    >>> shortest(1420), shortest(-1), shortest(128)
    (b'\x05\x8c', b'\xff', b'\x00\x80')
    """
    size = ((number if number >= 0 else ~number).bit_length() + 8) // 8
    return number.to_bytes(size, "big", signed=True)


FUNCTIONS: Mapping[str, Udf] = {
    "__iceberg_bucket_long": Udf(_of_long, ("BIGINT", "INTEGER"), "INTEGER"),
    "__iceberg_bucket_bytes": Udf(_of_bytes, ("BLOB", "INTEGER"), "INTEGER"),
    "__iceberg_bucket_digits": Udf(_of_digits, ("VARCHAR", "INTEGER"), "INTEGER"),
}
