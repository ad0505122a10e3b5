"""An execution of this process that has not ended: waited for, asked for, stopped.

In: who waits and who stops, on threads of their own.  Out: an event when it has ended.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.local.athena.engine import Handle

POLL_S = 0.02


class Progress:
    """Where an execution stands."""

    def __init__(self) -> None:
        """Begin before anything runs."""
        self.ended = threading.Event()
        self.asked = False
        """Whether anyone has asked for its state."""
        self.stopped = False
        self.cursor: Handle | None = None

    def stop(self) -> bool:
        """Let nothing begin any more, and interrupt what runs; tells whether anything ever ran."""
        self.stopped = True
        return self.cursor is not None and self.cursor.interrupt()

    def stop_to_the_end(self) -> None:
        """Stop it again and again: one interrupt is lost on a statement that just begins."""
        while not self.ended.is_set():
            self.stop()
            self.ended.wait(POLL_S)
