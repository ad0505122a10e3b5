"""Durations as users write them: a number and a unit, as in 90s, 30m, 12h, 2d."""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([1-9][0-9]{0,7})([smhd])\Z")


def seconds(text: str) -> int:
    """Read a duration; ValueError for anything but a positive number and s, m, h or d.

    >>> seconds("30m")
    1800
    """
    found = _DURATION.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration such as 90s, 30m, 12h or 2d")
    return int(found[1]) * _UNITS[found[2]]
