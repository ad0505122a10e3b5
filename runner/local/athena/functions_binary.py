"""Functions of varbinary: encodings, digests and numbers in bytes; NULL arguments never arrive."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import re
import struct
import zlib

from runner.local.athena.hashes import murmur3_128, spooky_short, xxh64

_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]*={0,2}")
_BASE32 = re.compile(rb"[A-Z2-7]*=*")
_GROUP, _WIDE_GROUP = 4, 8
_LONGEST_PAD = 2**31 - 1


def _bad(message: str) -> ValueError:
    return ValueError(f"INVALID_FUNCTION_ARGUMENT: {message}")


def crc32(data: bytes) -> int:
    """Give the CRC-32."""
    return zlib.crc32(data)


def to_hex(data: bytes) -> str:
    """Write hexadecimal digits in upper case."""
    return data.hex().upper()


def from_hex(text: str) -> bytes:
    """Read hexadecimal digits."""
    if len(text) % 2:
        raise _bad(f"invalid input length {len(text)}")
    if not re.fullmatch(r"[0-9a-fA-F]*", text):
        raise _bad("Invalid hex character")
    return bytes.fromhex(text)


def to_base64(data: bytes) -> str:
    """Write base 64."""
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Read base 64; the padding may be left out."""
    return _read(text.encode(), _BASE64)


def to_base64url(data: bytes) -> str:
    """Write base 64 with the alphabet for URLs."""
    return base64.urlsafe_b64encode(data).decode()


def from_base64url(text: str) -> bytes:
    """Read base 64 with the alphabet for URLs."""
    return _read(text.encode(), _BASE64URL)


def _read(data: bytes, alphabet: re.Pattern[bytes]) -> bytes:
    bare = data.rstrip(b"=")
    padding = len(data) - len(bare)
    if not alphabet.fullmatch(data):
        strange = next((each for each in bare if not alphabet.fullmatch(bytes([each]))), None)
        raise _bad(
            "Input byte array has incorrect ending byte"
            if strange is None
            else f"Illegal base64 character {strange:x}"
        )
    if len(bare) % _GROUP == 1:
        raise _bad("Last unit does not have enough valid bits")
    if padding and len(data) % _GROUP:
        raise _bad("Input byte array has wrong 4-byte ending unit")
    return base64.b64decode(
        bare + b"=" * (-len(bare) % _GROUP), altchars=b"-_" if alphabet is _BASE64URL else None
    )


def to_base32(data: bytes) -> str:
    """Write base 32."""
    return base64.b32encode(data).decode()


def from_base32(text: str) -> bytes:
    """Read base 32; the padding may be left out."""
    data = text.encode()
    if not _BASE32.fullmatch(data):
        raise _bad(f"Unrecognized character: {text}")
    bare = data.rstrip(b"=")
    try:
        return base64.b32decode(bare + b"=" * (-len(bare) % _WIDE_GROUP))
    except binascii.Error as error:
        raise _bad(f"Invalid input length {len(bare)}") from error


def to_big_endian_32(number: int) -> bytes:
    """Write four bytes."""
    return struct.pack(">i", number)


def to_big_endian_64(number: int) -> bytes:
    """Write eight bytes."""
    return struct.pack(">q", number)


def from_big_endian_32(data: bytes) -> int:
    """Read four bytes."""
    return int(_unpack(">i", data, "expected 4-byte input, but got instead: {}"))


def from_big_endian_64(data: bytes) -> int:
    """Read eight bytes."""
    return int(_unpack(">q", data, "expected 8-byte input, but got instead: {}"))


def to_ieee754_32(number: float) -> bytes:
    """Write a real in four bytes."""
    return struct.pack(">f", number)


def to_ieee754_64(number: float) -> bytes:
    """Write a double in eight bytes."""
    return struct.pack(">d", number)


def from_ieee754_32(data: bytes) -> float:
    """Read a real from four bytes."""
    return _unpack(">f", data, "Input floating-point value must be exactly 4 bytes long")


def from_ieee754_64(data: bytes) -> float:
    """Read a double from eight bytes."""
    return _unpack(">d", data, "Input floating-point value must be exactly 8 bytes long")


def _unpack(layout: str, data: bytes, message: str) -> float:
    if len(data) != struct.calcsize(layout):
        raise _bad(message.format(len(data)))
    number: float = struct.unpack(layout, data)[0]
    if math.isnan(number):  # DuckDB would take it for NULL
        raise ValueError("NOT_SUPPORTED: NaN from bytes is not supported by the local engine")
    return number


def from_utf8(data: bytes, replacement: str) -> str:
    """Decode; what is not UTF-8 becomes the replacement."""
    if len(replacement) > 1:
        raise _bad("Replacement character string must be empty or a single character")
    text, rest = "", data
    while rest:
        try:
            return text + rest.decode()
        except UnicodeDecodeError as error:
            text += rest[: error.start].decode() + replacement
            rest = rest[error.end :]
    return text


def md5(data: bytes) -> bytes:
    """Give the MD5 digest."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def sha1(data: bytes) -> bytes:
    """Give the SHA-1 digest."""
    return hashlib.sha1(data, usedforsecurity=False).digest()


def sha256(data: bytes) -> bytes:
    """Give the SHA-256 digest."""
    return hashlib.sha256(data).digest()


def sha512(data: bytes) -> bytes:
    """Give the SHA-512 digest."""
    return hashlib.sha512(data).digest()


def _keyed(data: bytes, key: bytes, name: str) -> bytes:
    if not key:
        raise ValueError("GENERIC_INTERNAL_ERROR: Empty key")
    return hmac.digest(key, data, name)


def hmac_md5(data: bytes, key: bytes) -> bytes:
    """Give the HMAC with MD5."""
    return _keyed(data, key, "md5")


def hmac_sha1(data: bytes, key: bytes) -> bytes:
    """Give the HMAC with SHA-1."""
    return _keyed(data, key, "sha1")


def hmac_sha256(data: bytes, key: bytes) -> bytes:
    """Give the HMAC with SHA-256."""
    return _keyed(data, key, "sha256")


def hmac_sha512(data: bytes, key: bytes) -> bytes:
    """Give the HMAC with SHA-512."""
    return _keyed(data, key, "sha512")


def xxhash64(data: bytes) -> bytes:
    """Give the 64 bit xxHash with seed 0."""
    return xxh64(data).to_bytes(8, "big")


def murmur3(data: bytes) -> bytes:
    """Give the 128 bit MurmurHash3 (x64) with seed 0, its words as they lie in memory."""
    low, high = murmur3_128(data)
    return low.to_bytes(8, "little") + high.to_bytes(8, "little")


def spooky_hash_v2_32(data: bytes) -> bytes:
    """Give 32 bits of SpookyHash V2 with seed 0."""
    return (spooky_short(data) % 2**32).to_bytes(4, "big")


def spooky_hash_v2_64(data: bytes) -> bytes:
    """Give 64 bits of SpookyHash V2 with seed 0."""
    return spooky_short(data).to_bytes(8, "big")


def lpad_binary(data: bytes, size: int, padding: bytes) -> bytes:
    """Pad on the left, or cut, to a size."""
    return _padding(data, size, padding) + data[: max(size, 0)]


def rpad_binary(data: bytes, size: int, padding: bytes) -> bytes:
    """Pad on the right, or cut, to a size."""
    return data[: max(size, 0)] + _padding(data, size, padding)


def _padding(data: bytes, size: int, padding: bytes) -> bytes:
    if not 0 <= size <= _LONGEST_PAD:
        raise _bad(f"Target length must be in the range [0..{_LONGEST_PAD}]")
    if not padding:
        raise _bad("Padding bytes must not be empty")
    missing = size - len(data)
    return (padding * (missing // len(padding) + 1))[:missing] if missing > 0 else b""


def reverse_binary(data: bytes) -> bytes:
    """Give the bytes backwards."""
    return data[::-1]


def substr_binary(data: bytes, start: int, size: int) -> bytes:
    """Give the bytes from a place, counted from 1, or from the end if it is negative."""
    if start == 0 or size <= 0 or abs(start) > len(data):
        return b""
    first = start - 1 if start > 0 else len(data) + start
    return data[first : first + size]
