"""Ctrl-C while a stack is being changed: the change goes on at AWS, whoever watches.

The first says so, the second cancels the update, the third leaves without waiting for the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.app.stack_following import Wish
from runner.cli.listening import Listening

if TYPE_CHECKING:
    from collections.abc import Callable

_CANCEL, _LEAVE = 2, 3


class DeployInterrupts(Listening):
    """Counts while an operation goes on; before that, Ctrl-C ends the command."""

    def __init__(self, say: Callable[[int], None]) -> None:
        """Take what is told the number of each Ctrl-C."""
        super().__init__()
        self._say = say
        self._going_on = False
        self._count = 0

    def began(self) -> None:
        """Say that an operation goes on from now."""
        self._going_on = True

    def wish(self) -> Wish:
        """Give what has been wished so far."""
        if self._count >= _LEAVE:
            return Wish.LEAVE
        return Wish.CANCEL if self._count == _CANCEL else Wish.GO_ON

    def interrupted(self) -> None:
        """Count, once the operation goes on."""
        if not self._going_on:
            raise KeyboardInterrupt
        self._count += 1
        self._say(self._count)
