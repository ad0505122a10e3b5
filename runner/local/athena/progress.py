"""An execution of this process that has not ended: waited for, asked for, stopped.

In: who waits and who stops, on threads of their own.  Out: an event when it has ended.
"""

from __future__ import annotations

import threading
import time
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.engine import Handle

POLL_S = 0.02
_PATIENCE = 10
"""Interrupts before an execution counts as one that does not heed them."""


class Progress:
    """Where an execution stands."""

    def __init__(self) -> None:
        """Begin before anything runs."""
        self.began = time.monotonic()
        self.ended = threading.Event()
        self.asked = False
        """Whether anyone has asked for its state."""
        self.stopped = False
        self.cursor: Handle | None = None
        self._settled = threading.Lock()

    def settle(self) -> bool:
        """Tell the first who asks, and nobody else, to record how it ended."""
        return self._settled.acquire(blocking=False)

    def stop(self, overdue: Callable[[], None] | None = None) -> None:
        """Interrupt it, again and again: one interrupt is lost on a statement that just begins.

        `overdue` is called once if it does not heed that soon: Python code cannot be interrupted.
        """
        self.stopped = True
        for number in count():
            if self.ended.is_set():
                return
            if self.cursor is not None:
                self.cursor.interrupt()
            if overdue is not None and number == _PATIENCE:
                overdue()
            self.ended.wait(POLL_S)
