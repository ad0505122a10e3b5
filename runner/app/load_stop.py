"""SIGTERM as an exception: ECS sends it and kills the task half a minute later.

A load that is stopped rolls back, removes its files and says so.  Where it hangs in a call that
does not come back, a watchdog ends the process in time; the server rolls back by itself then.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.loads.exits import STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

PATIENCE_S = 20.0
"""ECS kills 30 seconds after SIGTERM, unless the task definition says another `stopTimeout`."""


class Stopped(BaseException):
    """The task was told to stop; no `Exception`, so that nobody takes it for an error."""


class Stop:
    """Whether a stop is still of use: until the rows are in."""

    def __init__(self) -> None:
        """Begin with listening."""
        self._listening = True

    def close(self) -> None:
        """Let the rest finish: it takes a moment, and the rows are in or never will be."""
        self._listening = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Raise once, in the main thread."""
        del number, frame
        if self._listening:
            self._listening = False
            raise Stopped


@contextmanager
def stoppable(folder: Path) -> Iterator[Stop]:
    """Turn SIGTERM into `Stopped` while the block runs; `folder` is what the watchdog removes.

    In another thread than the main one nothing happens: signals arrive there only.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(reader, True)
    previous_fd = signal.set_wakeup_fd(writer)
    previous = signal.signal(signal.SIGTERM, stop.on_signal)
    ended = threading.Event()
    watchdog = threading.Thread(target=_watch, args=(reader, ended, folder), daemon=True)
    watchdog.start()
    try:
        yield stop
    finally:
        ended.set()
        signal.signal(signal.SIGTERM, previous)
        signal.set_wakeup_fd(previous_fd)
        os.close(writer)  # the watchdog reads the end
        watchdog.join()
        os.close(reader)


def _watch(reader: int, ended: threading.Event, folder: Path) -> None:
    """Wait for a signal's byte; the interpreter writes it even while C code holds the thread."""
    while number := os.read(reader, 1):
        if number[0] == signal.SIGTERM and not ended.wait(PATIENCE_S):
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(STOPPED)
