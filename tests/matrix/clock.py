"""A clock for runs of which nobody wants to wait for the pauses: it jumps over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import runner.app.local_places

if TYPE_CHECKING:
    import threading

_TICK_S = 0.2


class SwiftClock:
    """Real time plus what was skipped; it skips only while no call is at work."""

    _skipped = timedelta()

    @classmethod
    def install(cls) -> None:
        """Let the runs of this process, a child, use it."""
        setattr(runner.app.local_places, "WallClock", cls)  # noqa: B010 - mypy knows it as a class

    def now(self) -> datetime:
        """Give the present instant in UTC."""
        return datetime.now(UTC) + SwiftClock._skipped

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        """Wait for an answer; an instant is reached at once."""
        if busy or until is None:
            arrived.wait(_TICK_S)
            return
        SwiftClock._skipped += max(timedelta(), until - self.now())
