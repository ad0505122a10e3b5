"""Chance that a replay repeats: every state's random numbers follow from the execution's seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


def seeded_random(*parts: object) -> Random:
    """Make the generator that belongs to these parts (seed, key of a state, ...)."""
    from random import Random  # noqa: PLC0415  (seldom used, and not free)

    return Random("\x1f".join(map(str, parts)))  # noqa: S311  (jitter and uuids, no secrets)


def uuid_of(random: Random) -> str:
    """Write a version 4 UUID."""
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


_MULTIPLIER = 0x5DEECE66D
_MASK = (1 << 48) - 1


def java_random(seed: int) -> float:
    """Give the first double of Java's generator, as AWS's `$random(seed)` does.

    >>> java_random(42)
    0.7275636800328681
    """
    state = (seed ^ _MULTIPLIER) & _MASK
    state = (state * _MULTIPLIER + 0xB) & _MASK
    high = state >> 22
    state = (state * _MULTIPLIER + 0xB) & _MASK
    return ((high << 27) + (state >> 21)) / (1 << 53)
