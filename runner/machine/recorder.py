"""Writes events to the journal, or reads them back from it: the hinge of a replay.

While recorded events are left, `emit` must be asked for exactly the next of them and gives it
(with its recorded time); afterwards it makes and shows new ones.  They are written together by
`write`: whoever causes an effect outside calls it first.  A crash before it loses the end of the
line and no effect, so a replay comes to the same events again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.events import COMPLETIONS, Event, EventKind
from runner.machine.failures import mismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.machine.events import Journal
    from runner.machine.ports import Clock
    from runner.model.ports import Json

_ABORTED = "ABORTED"
_MOST_UNWRITTEN = 1_000
"""Events that wait to be written together; more only cost memory."""


class Recorder:
    """The line of events of one execution."""

    def __init__(
        self, journal: Journal, clock: Clock, observer: Callable[[Event], None] | None
    ) -> None:
        """Begin at the start of what the journal holds."""
        self._journal = journal
        self._clock = clock
        self._observer = observer
        recorded: list[Event] = []
        self._pauses: set[int] = set()
        self.not_called: frozenset[str] = frozenset()
        """Calls that were written down and, as the process stopped in order, not made."""
        aborted: Event | None = None
        for event in journal.events():
            if aborted is not None:
                if event.kind is EventKind.EXECUTION_REDRIVEN:
                    recorded.append(aborted)
                else:
                    self._pauses.add(len(recorded))
            aborted = event if _is_abortion(event) else None
            if aborted is None and event.kind is not EventKind.EXECUTION_RESUMED:
                recorded.append(event)
            if aborted is not None:
                self.not_called = frozenset(aborted.data.get("not_called", ()))
        if aborted is not None:
            self._pauses.add(len(recorded))
        self._recorded = tuple(recorded)
        self._next = 0
        self.paused: Callable[[], None] = _unheard
        """Hears where the execution was stopped and goes on."""
        self._unwritten: list[Event] = []
        self.time = clock.now()
        """The time of the last event: what `$now()` tells, the same in a replay."""
        self.resumed = bool(self._recorded)
        """Whether the execution was begun by an earlier run."""

    def first(self) -> Event | None:
        """Give the first recorded event, if any."""
        return self._recorded[0] if self._recorded else None

    def last(self) -> Event | None:
        """Give the last recorded event, if any."""
        return self._recorded[-1] if self._recorded else None

    def recorded(self) -> tuple[Event, ...]:
        """Give what the journal held at the start, without its pauses."""
        return self._recorded

    def was_made(self, call: str) -> bool:
        """Tell whether a call that is about to be scheduled may have been made before."""
        return self.replaying() and call not in self.not_called

    def replaying(self) -> bool:
        """Tell whether recorded events are left."""
        return self._next < len(self._recorded)

    def emit(self, kind: EventKind, key: str, state: str, data: Mapping[str, Json]) -> Event:
        """Keep an event, or give the recorded one that is due."""
        if self._pauses:
            self._pass_pause()
        if self._next < len(self._recorded):
            return self._replay(kind, key)
        if self.resumed:
            self.resumed = False
            self._keep(Event(EventKind.EXECUTION_RESUMED, "", "", self._clock.now(), {}))
        return self._keep(Event(kind, key, state, self._clock.now(), data))

    def _pass_pause(self) -> None:
        if self._next in self._pauses:
            self._pauses.remove(self._next)
            self.paused()

    def write(self) -> None:
        """Make all events so far durable."""
        if self._unwritten:
            self._journal.append_all(self._unwritten)
            self._unwritten.clear()

    def _keep(self, event: Event) -> Event:
        self._unwritten.append(event)
        self.time = event.time
        if len(self._unwritten) >= _MOST_UNWRITTEN:
            self.write()
        if self._observer is not None:
            self._observer(event)
        return event

    def _replay(self, kind: EventKind, key: str) -> Event:
        event = self._recorded[self._next]
        if event.kind is not kind or event.key != key:
            raise mismatch(
                "journal-diverged",
                found=f"event {self._next + 1} is {event.kind} at {event.key!r}",
                expected=f"{kind} at {key!r}",
            )
        self._next += 1
        self.time = event.time
        return event

    def pass_end(self) -> Event:
        """Go past an end that a redrive undid, and give it."""
        return self.emit(EventKind.EXECUTION_ENDED, "", "", {})

    def pass_redrive(self) -> Event:
        """Go past the redrive that follows such an end, and give it."""
        return self.emit(EventKind.EXECUTION_REDRIVEN, "", "", {})

    def next_completion(self) -> Event | None:
        """Give what was recorded next when all flows wait: a completion, or an end that was undone.

        None when nothing is left.
        """
        if self._next >= len(self._recorded):
            return None
        if self._pauses:
            self._pass_pause()
        event = self._recorded[self._next]
        if event.kind is EventKind.EXECUTION_ENDED:
            return event
        if event.kind not in COMPLETIONS:
            raise mismatch(
                "journal-diverged",
                found=f"event {self._next + 1} is {event.kind} at {event.key!r}",
                expected="the end of a task or a timer",
            )
        self._next += 1
        self.time = event.time
        return event


def _unheard() -> None:
    """Hear nothing."""


def _is_abortion(event: Event) -> bool:
    """Tell whether an event only says that a process stopped, unless a redrive follows it."""
    return event.kind is EventKind.EXECUTION_ENDED and event.data.get("status") == _ABORTED
