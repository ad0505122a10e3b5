"""Hashes that Python's library lacks: xxHash64, MurmurHash3 (x64, 128 bits), SpookyHash V2.

In: bytes; the seed is 0.  Out: numbers without sign.
"""

from __future__ import annotations

import struct

_MASK = 2**64 - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_C1, _C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
_DEADBEEF = 0xDEADBEEFDEADBEEF
_STRIPE, _WORD, _HALF, _BLOCK = 32, 8, 4, 16
_SHORT = 192


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _round(state: int, word: int) -> int:
    return _rotate((state + word * _P2) & _MASK, 31) * _P1 & _MASK


def xxh64(data: bytes) -> int:
    """Give xxHash64."""
    place = len(data) // _STRIPE * _STRIPE
    if place:
        states = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        for words in struct.iter_unpack("<4Q", data[:place]):
            states = [_round(state, word) for state, word in zip(states, words, strict=True)]
        total = sum(map(_rotate, states, (1, 7, 12, 18))) & _MASK
        for state in states:
            total = ((total ^ _round(0, state)) * _P1 + _P4) & _MASK
    else:
        total = _P5
    return _xxh_end((total + len(data)) & _MASK, data[place:])


def _xxh_end(total: int, rest: bytes) -> int:
    while len(rest) >= _WORD:
        word = int.from_bytes(rest[:_WORD], "little")
        total = (_rotate(total ^ _round(0, word), 27) * _P1 + _P4) & _MASK
        rest = rest[_WORD:]
    if len(rest) >= _HALF:
        word = int.from_bytes(rest[:_HALF], "little")
        total = (_rotate(total ^ (word * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
        rest = rest[_HALF:]
    for byte in rest:
        total = _rotate(total ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    total = (total ^ (total >> 33)) * _P2 & _MASK
    total = (total ^ (total >> 29)) * _P3 & _MASK
    return total ^ (total >> 32)


def _finish(value: int) -> int:
    value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCD & _MASK
    value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ (value >> 33)


def murmur3_128(data: bytes) -> tuple[int, int]:
    """Give MurmurHash3_x64_128's two words."""
    first = second = 0
    place = len(data) // _BLOCK * _BLOCK
    for one, two in struct.iter_unpack("<2Q", data[:place]):
        first ^= _rotate(one * _C1 & _MASK, 31) * _C2 & _MASK
        first = (((_rotate(first, 27) + second) & _MASK) * 5 + 0x52DCE729) & _MASK
        second ^= _rotate(two * _C2 & _MASK, 33) * _C1 & _MASK
        second = (((_rotate(second, 31) + first) & _MASK) * 5 + 0x38495AB5) & _MASK
    rest = data[place:]
    one, two = int.from_bytes(rest[:_WORD], "little"), int.from_bytes(rest[_WORD:], "little")
    second ^= _rotate(two * _C2 & _MASK, 33) * _C1 & _MASK
    first ^= _rotate(one * _C1 & _MASK, 31) * _C2 & _MASK
    first ^= len(data)
    second ^= len(data)
    first = (first + second) & _MASK
    second = (second + first) & _MASK
    first, second = _finish(first), _finish(second)
    first = (first + second) & _MASK
    return first, (second + first) & _MASK


def spooky_short(data: bytes) -> int:
    """Give SpookyHash V2's first word for less than 192 bytes; more are refused."""
    if len(data) >= _SHORT:
        raise ValueError(
            "NOT_SUPPORTED: SpookyHash of 192 bytes and more is not supported by the local engine"
        )
    state = [0, 0, _DEADBEEF, _DEADBEEF]
    place = 0
    while len(data) - place >= _STRIPE:
        words = struct.unpack_from("<4Q", data, place)
        state[2] = (state[2] + words[0]) & _MASK
        state[3] = (state[3] + words[1]) & _MASK
        _short_mix(state)
        state[0] = (state[0] + words[2]) & _MASK
        state[1] = (state[1] + words[3]) & _MASK
        place += _STRIPE
    rest = data[place:]
    if len(rest) >= _BLOCK:
        one, two = struct.unpack_from("<2Q", rest)
        state[2] = (state[2] + one) & _MASK
        state[3] = (state[3] + two) & _MASK
        _short_mix(state)
        rest = rest[_BLOCK:]
    state[3] = (state[3] + (len(data) << 56)) & _MASK
    _short_rest(state, rest)
    _short_end(state)
    return state[0]


def _short_rest(state: list[int], rest: bytes) -> None:
    if not rest:
        state[2] = (state[2] + _DEADBEEF) & _MASK
        state[3] = (state[3] + _DEADBEEF) & _MASK
        return
    state[2] = (state[2] + int.from_bytes(rest[:_WORD], "little")) & _MASK
    state[3] = (state[3] + int.from_bytes(rest[_WORD:], "little")) & _MASK


_MIX = (
    (2, 50, 3, 0),
    (3, 52, 0, 1),
    (0, 30, 1, 2),
    (1, 41, 2, 3),
    (2, 54, 3, 0),
    (3, 48, 0, 1),
    (0, 38, 1, 2),
    (1, 37, 2, 3),
    (2, 62, 3, 0),
    (3, 34, 0, 1),
    (0, 5, 1, 2),
    (1, 36, 2, 3),
)


def _short_mix(state: list[int]) -> None:
    for turned, bits, added, mixed in _MIX:
        state[turned] = (_rotate(state[turned], bits) + state[added]) & _MASK
        state[mixed] ^= state[turned]


_END = (
    (3, 2, 15),
    (0, 3, 52),
    (1, 0, 26),
    (2, 1, 51),
    (3, 2, 28),
    (0, 3, 9),
    (1, 0, 47),
    (2, 1, 54),
    (3, 2, 32),
    (0, 3, 25),
    (1, 0, 63),
)


def _short_end(state: list[int]) -> None:
    for mixed, turned, bits in _END:
        state[mixed] ^= state[turned]
        state[turned] = _rotate(state[turned], bits)
        state[mixed] = (state[mixed] + state[turned]) & _MASK
