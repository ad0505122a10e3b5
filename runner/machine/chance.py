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
