"""Rows of a load, told now and then instead of at every batch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def paced(tell: Callable[[int, float], None], every_s: float) -> Callable[[int], None]:
    """Hand on rows so far and the seconds since now, at most once in `every_s` seconds."""
    started = last = time.monotonic()

    def heard(rows: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= every_s:
            last = now
            tell(rows, now - started)

    return heard
