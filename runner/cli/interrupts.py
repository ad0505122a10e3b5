"""Ctrl-C during a run: the first asks it to stop, a second ends the process at once.

A run that is asked to stop ends its journal properly and says how it is continued; statements at
work are left behind, which harms nothing: a continued run makes them again.  An execution on AWS
is stopped there with its statements; a second Ctrl-C does not wait for that, and says so.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from runner.cli.listening import Listening
from runner.cli.texts import STOPPING, STOPPING_THERE

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.stopping import Stopper


class Interrupts(Listening):
    """Listens while a run is made ready and executed."""

    def __init__(self, stopper: Stopper, stopping: Callable[[str], None]) -> None:
        """Take what stops the run, and what says that it is stopping."""
        super().__init__()
        self._stopper = stopper
        self._stopping = stopping
        self._running = False

    def running(self) -> None:
        """Say that a run has begun: from now on Ctrl-C stops the run, not the process."""
        self._running = True

    def interrupted(self) -> None:
        """Stop the run; end the process where nothing runs, or at the second."""
        if not self._running:
            raise KeyboardInterrupt
        there = self._stopper.left
        if there and self._stopper.is_set():
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            raise KeyboardInterrupt(there)
        if not there:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self._stopping(STOPPING_THERE if there else STOPPING)
        self._stopper.stop()
