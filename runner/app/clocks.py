"""Clocks for the interpreter: real time, and real time that passes faster or slower.

Simulated time, which jumps over every wait, is `runner.machine.VirtualClock`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

_TICK_S = 0.2
"""How long a wait may last before an abort is seen."""


class WallClock:
    """Real time, for the interpreter."""

    def now(self) -> datetime:
        """Give the present instant in UTC."""
        return datetime.now(UTC)

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        """Wait for an answer or an instant, a few times a second at least."""
        left_s = _TICK_S if until is None else (until - self.now()).total_seconds()
        _pause(left_s, arrived, busy=busy)


class ScaledClock:
    """Time that passes `factor` times as fast as real time, from a given instant on."""

    def __init__(self, factor: float, start: datetime) -> None:
        """Take the factor, above 0, and the instant that it is now."""
        self._factor = factor
        self._start = start
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Give the scaled instant in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._factor)

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        """Wait for an answer or a scaled instant, a few times a real second at least."""
        left_s = _TICK_S
        if until is not None:
            left_s = (until - self.now()).total_seconds() / self._factor
        _pause(left_s, arrived, busy=busy)


def _pause(left_s: float, arrived: threading.Event, *, busy: bool) -> None:
    """Let real time pass: until an answer arrives, that many seconds, or a tick."""
    seconds = min(_TICK_S, max(0.0, left_s))
    if busy:
        arrived.wait(seconds)
    else:
        time.sleep(seconds)
