"""Numbers the events of AWS's history as they happen.

Texts of AWS name states by these numbers ("entered at the event id #4"), the quota of 25,000 events
counts them, and `history` shows them: all three ask here.  An event knows the one before it in its
own chain: a branch or an iteration has one that begins where its state started.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeAlias

from runner.machine.failures import RUNTIME, ReportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine.definition import Map, Parallel
    from runner.machine.failures import StateError
    from runner.machine.fibers import Frame

    Keep: TypeAlias = "Callable[[int, int, str, tuple[object, ...]], None]"
    """Hears of an event: its number, the number before it, its kind, what is known of it."""

STATE_ENTERED = "StateEntered"
STATE_EXITED = "StateExited"
STATE_STARTED = "StateStarted"
STATE_SUCCEEDED = "StateSucceeded"
STATE_FAILED = "StateFailed"
STATE_ABORTED = "StateAborted"
EVALUATION_FAILED = "EvaluationFailed"
ITERATION_STARTED = "MapIterationStarted"
ITERATION_SUCCEEDED = "MapIterationSucceeded"
ITERATION_FAILED = "MapIterationFailed"
ITERATION_ABORTED = "MapIterationAborted"
MAP_RUN_STARTED = "MapRunStarted"
MAP_RUN_SUCCEEDED = "MapRunSucceeded"
MAP_RUN_FAILED = "MapRunFailed"
EXECUTION_ABORTED = "ExecutionAborted"
EXECUTION_REDRIVEN = "ExecutionRedriven"

_FULL = "The execution reached the maximum number of history events ({})."


class Ledger:
    """The numbers of one execution's events."""

    __slots__ = ("_keep", "_limit", "_redrives", "count", "quiet_below")

    def __init__(self, limit: int | None, keep: Keep | None = None) -> None:
        """Begin after ExecutionStarted; the event with the number `limit` is the failure."""
        self.count = 1
        """Events that AWS's history would have by now."""
        self._limit = sys.maxsize if limit is None else limit
        self._keep = keep
        self.quiet_below = self._limit if keep is None else 0
        """Numbers below it may be taken by counting: nobody listens, and there is room."""
        self._redrives = 0

    def add(self, kind: str, previous: int, told: tuple[object, ...] = ()) -> int:
        """Give an event its number; raises States.Runtime when the history is full."""
        number = self.count + 1
        if number >= self._limit:
            raise ReportedError(RUNTIME, _FULL.format(self._limit))
        self.count = number
        if self._keep is not None:
            self._keep(number, previous, kind, told)
        return number

    def add_quietly(self, kind: str, previous: int, told: tuple[object, ...] = ()) -> int:
        """Give a number to an event that tells of a failure; a full history goes without it."""
        if self.count + 1 >= self._limit:
            return previous
        return self.add(kind, previous, told)

    def resumed(self) -> None:
        """Tell that an execution which was stopped goes on: AWS redrives it."""
        aborted = self.add_quietly(EXECUTION_ABORTED, 0)
        self._redrives += 1
        self.add_quietly(EXECUTION_REDRIVEN, aborted, (self._redrives,))

    def of_child(self) -> Ledger:
        """Begin the numbers of a child execution: they are not kept."""
        return Ledger(self._limit)


class Fork:
    """Where the chains of a state's branches or iterations begin and end."""

    __slots__ = ("_ledger", "_running", "_state", "end", "failed", "free", "start")

    def __init__(self, frame: Frame, state: Parallel | Map, told: tuple[object, ...] = ()) -> None:
        """Tell that the state's work starts."""
        self._ledger = frame.shared.ledger
        self._state = state
        self._running: dict[int, Frame] = {}
        self.start = start = self._ledger.add(STATE_STARTED, frame.last, (state, *told))
        frame.last = start
        self.free = start
        """What the next iteration comes after: the start, or the end of one that made room."""
        self.end = start
        """What the state's own next event comes after."""
        self.failed = start
        """The last event of the branch that failed."""

    def began(self, index: int, frame: Frame) -> None:
        """Take the frame of a branch that begins."""
        self._running[index] = frame

    def ended(self, index: int, last: int) -> None:
        """Tell that a branch ended well, and with which event."""
        self.free = self._running.pop(index).last
        self.end = max(self.end, last)

    def broke(self, index: int) -> None:
        """Tell that a branch failed."""
        self.failed = self._running.pop(index).last

    def cut(self, error: StateError) -> None:
        """Tell what the other branches leave unfinished; States.Runtime ends all in silence."""
        if error.error == RUNTIME:
            return
        for index, frame in sorted(self._running.items()):
            self._ledger.add_quietly(STATE_ABORTED, self.failed, (frame.inside,))
            if type(self._state).__name__ == "Map":
                self._ledger.add_quietly(ITERATION_ABORTED, self.failed, (self._state, index))
