"""Ctrl-C while a stack is being changed: the change goes on at AWS, whoever watches.

The first says so, the second cancels the update, the third leaves without waiting for the end.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Self

from runner.app.stack_following import Wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

_CANCEL, _LEAVE = 2, 3


class DeployInterrupts:
    """Counts while an operation goes on; before that, Ctrl-C ends the command."""

    def __init__(self, say: Callable[[int], None]) -> None:
        """Take what is told the number of each Ctrl-C."""
        self._say = say
        self._going_on = False
        self._count = 0
        self._former: object = None

    def began(self) -> None:
        """Say that an operation goes on from now."""
        self._going_on = True

    def wish(self) -> Wish:
        """Give what has been wished so far."""
        if self._count >= _LEAVE:
            return Wish.LEAVE
        return Wish.CANCEL if self._count == _CANCEL else Wish.GO_ON

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self._going_on:
            raise KeyboardInterrupt
        self._count += 1
        self._say(self._count)

    def __enter__(self) -> Self:
        """Begin to listen; another thread than the main one cannot."""
        if threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave Ctrl-C as it was."""
        if callable(self._former) or isinstance(self._former, int):
            signal.signal(signal.SIGINT, self._former)
