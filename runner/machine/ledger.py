"""Numbers the events of AWS's history as they happen.

Texts of AWS name states by these numbers ("entered at the event id #4"), the quota of 25,000 events
counts them, and `history` shows them: all three ask here.  An event knows the one before it in its
own chain: a branch or an iteration has one that begins where its state started.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from runner.machine.failures import RUNTIME, ReportedError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from runner.machine.definition import Map, Parallel
    from runner.machine.fibers import Frame, Request, Spawn, Visit
    from runner.model.ports import Json

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
MAP_RUN_REDRIVEN = "MapRunRedriven"
MAP_RUN_SUCCEEDED = "MapRunSucceeded"
MAP_RUN_FAILED = "MapRunFailed"
EXECUTION_ABORTED = "ExecutionAborted"
EXECUTION_ENDED = "ExecutionEnded"
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

    def ended(self, end: Mapping[str, Json], previous: int) -> int:
        """Tell how an execution had ended that was redriven."""
        return self.add_quietly(EXECUTION_ENDED, previous, (end,))

    def redriven(self, count: int, previous: int) -> int:
        """Tell that an execution was redriven."""
        self._redrives = count
        return self.add_quietly(EXECUTION_REDRIVEN, previous, (count,))

    def of_child(self, limit: int | None) -> Ledger:
        """Begin the numbers of a child execution: they are not kept."""
        return Ledger(limit)

    @property
    def limit(self) -> int | None:
        """Give the number of events at which an execution fails; None for no limit."""
        return None if self._limit == sys.maxsize else self._limit


class Fork:
    """Where the chains of a state's branches or iterations begin and end."""

    __slots__ = (
        "_frame",
        "_freed",
        "_ledger",
        "_running",
        "_state",
        "_stuck",
        "end",
        "failed",
        "start",
        "within",
    )

    def __init__(self, visit: Visit, state: Parallel | Map, told: tuple[object, ...] = ()) -> None:
        """Tell that the state's work starts."""
        self._frame = frame = visit.frame
        self._ledger = frame.shared.ledger
        self._state = state
        self._running: dict[int, Frame] = {}
        self._stuck: set[int] = set()
        self.within = visit.attempt_key
        """What the keys of the children's states begin with."""
        self.start = start = self._ledger.add(STATE_STARTED, frame.last, (state, *told))
        frame.last = start
        self._freed: deque[int] = deque()
        self.end = start
        """What the state's own next event comes after."""
        self.failed = start
        """The last event of the branch that failed."""

    def spawn(self, spawn: Spawn) -> Generator[Request, Json, Json]:
        """Run branches or iterations, and take the chain of events on where they ended."""
        frame = self._frame
        try:
            result = yield spawn
        except StateError:
            frame.last = self.failed
            raise
        frame.last = self.end
        frame.add_aside(STATE_SUCCEEDED, (self._state,))
        return result

    def began(self, index: int, frame: Frame) -> None:
        """Take the frame of a branch that begins."""
        self._running[index] = frame

    def ended(self, index: int, last: int) -> None:
        """Tell that a branch ended well, and with which event."""
        self._freed.append(self._running.pop(index).last)
        self.end = max(self.end, last)

    def before(self, index: int, at_once: int) -> int:
        """Tell what an iteration comes after: the start, or the end of one that made room."""
        return self.start if index < at_once else self._freed.popleft()

    def broke(self, index: int, error: StateError) -> None:
        """Tell that a branch failed."""
        self._tell_failed(index, error)
        del self._running[index]

    def _tell_failed(self, index: int, error: StateError) -> None:
        frame = self._running[index]
        if self._is_map() and error.error != RUNTIME:
            frame.add_aside(ITERATION_FAILED, (self._state, index))
        self.failed = frame.last

    def _is_map(self) -> bool:
        return type(self._state).__name__ == "Map"

    def cut(self, error: StateError) -> None:
        """Tell what the other branches leave unfinished; States.Runtime ends all in silence."""
        if error.error == RUNTIME:
            return
        for index, frame in sorted(self._running.items()):
            if index in self._stuck:
                continue
            if frame.inside is not None:
                self._ledger.add_quietly(STATE_ABORTED, self.failed, (frame.inside,))
            if self._is_map():
                self._ledger.add_quietly(ITERATION_ABORTED, self.failed, (self._state, index))

    # -- failures that a redrive undid: the same is told, and the branches go on later -----------

    def stuck(self, index: int, error: StateError) -> None:
        """Tell that a branch failed that will go on at a redrive."""
        if index in self._running:  # an iteration whose selector failed never began
            self._tell_failed(index, error)
            self._stuck.add(index)

    def gave_up(self, error: StateError) -> None:
        """Tell that the state failed by its branches, which will go on at a redrive."""
        self._frame.last = self.failed
        if error.error != RUNTIME:
            self._frame.last = self._ledger.add_quietly(STATE_FAILED, self.failed, (self._state,))

    def goes_on(self) -> None:
        """Go on at a redrive."""
        self._stuck.clear()
