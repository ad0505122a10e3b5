"""What an execution writes down: events, and the journal that keeps them.

The journal is a line of events in the order in which they took effect.  Replaying it puts the
interpreter back to where the line ends; so events are plain JSON values and never change meaning.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.model.ports import Json


class EventKind(StrEnum):
    """What happened."""

    EXECUTION_STARTED = "execution_started"
    EXECUTION_RESUMED = "execution_resumed"
    """A journal was replayed to its end; what follows happens anew."""
    STATE_ENTERED = "state_entered"
    STATE_EXITED = "state_exited"
    TASK_SCHEDULED = "task_scheduled"
    """Written before the call: from here on its effect may exist."""
    TASK_SUBMITTED = "task_submitted"
    """The work was begun elsewhere and goes on there; `output` is what answered the call."""
    TASK_SUCCEEDED = "task_succeeded"
    TASK_FAILED = "task_failed"
    TASK_TIMED_OUT = "task_timed_out"
    MAP_RUN_STARTED = "map_run_started"
    """A distributed Map has a Map Run: its ARN, its concurrency, what it tolerates."""
    MAP_RUN_ENDED = "map_run_ended"
    """Its status, and how many items and child executions came to what end."""
    TIMER_SET = "timer_set"
    TIMER_FIRED = "timer_fired"
    EXECUTION_ENDED = "execution_ended"
    EXECUTION_REDRIVEN = "execution_redriven"
    """Somebody asked that what failed be done again; the end before it is none any more."""


COMPLETIONS = frozenset(
    {
        EventKind.TASK_SUBMITTED,
        EventKind.TASK_SUCCEEDED,
        EventKind.TASK_FAILED,
        EventKind.TASK_TIMED_OUT,
        EventKind.TIMER_FIRED,
    }
)
"""Events that come from outside; all others follow from these and the input."""


class Event(NamedTuple):
    """One thing that happened."""

    kind: EventKind
    key: str
    """Where: branch path, state name, visit (`Load#1`, `Each#1[3]/Load#2`); `` for the whole."""
    state: str
    """The state's name, or `` for the execution itself."""
    time: datetime
    """When, in UTC."""
    data: Mapping[str, Json]

    def to_json(self) -> Json:
        """Give the event as a JSON value that `from_json` reads back."""
        return {
            "kind": self.kind.value,
            "key": self.key,
            "state": self.state,
            "time": self.time.isoformat(),
            "data": dict(self.data),
        }

    @classmethod
    def from_json(cls, value: Json) -> Event:
        """Read what `to_json` gave."""
        return cls(
            kind=EventKind(value["kind"]),
            key=value["key"],
            state=value["state"],
            time=datetime.fromisoformat(value["time"]),
            data=value["data"],
        )


class Journal(Protocol):
    """Where events are kept; events are durable when `append_all` returns."""

    def append_all(self, events: Iterable[Event]) -> None:
        """Keep events, in order."""
        ...

    def events(self) -> Iterable[Event]:
        """Give the events kept so far, in order."""
        ...


class MemoryJournal:
    """A journal that lives as long as the object."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Begin with the given events."""
        self._events = list(events)

    def append(self, event: Event) -> None:
        """Keep one event."""
        self._events.append(event)

    def append_all(self, events: Iterable[Event]) -> None:
        """Keep events, in order."""
        for event in events:
            self.append(event)

    def events(self) -> tuple[Event, ...]:
        """Give the events kept so far, in order."""
        return tuple(self._events)
