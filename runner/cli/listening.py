"""Hears Ctrl-C for as long as a block runs, and leaves it afterwards as it was."""

from __future__ import annotations

import signal
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType


class Listening(ABC):
    """A context manager whose `interrupted` is called at each Ctrl-C."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._former: object = None

    @abstractmethod
    def interrupted(self) -> None:
        """Do what a Ctrl-C asks for; KeyboardInterrupt ends the command."""

    def _heard(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.interrupted()

    def __enter__(self) -> Self:
        """Begin to listen; another thread than the main one cannot."""
        if threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGINT, self._heard)
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
