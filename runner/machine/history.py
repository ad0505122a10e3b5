"""An execution's history in the shape of GetExecutionHistory, from its journal.

In: the definition and the journal's events.  Out: AWS's events.  The journal is read again by the
interpreter itself, so the numbers are those that the execution's own texts name; what a journal
does not say (iterations, failed evaluations, aborted branches) follows from it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from runner.machine.calls import Caller, Workers
from runner.machine.events import EventKind, MemoryJournal
from runner.machine.execution import HISTORY_LIMIT
from runner.machine.failures import StateError, mismatch
from runner.machine.faults import FaultPlan
from runner.machine.fibers import Frame, Shared
from runner.machine.flows import run_flow
from runner.machine.history_details import ended_event, event_of, member_of, started_details
from runner.machine.ledger import Ledger
from runner.machine.ports import Status, VirtualClock
from runner.machine.recorder import Recorder
from runner.machine.redrive import Redrives
from runner.machine.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from runner.machine.definition import Definition
    from runner.machine.events import Event
    from runner.machine.ports import TaskRequest
    from runner.model.ports import Json

_REGION = 3
"""Where an ARN has its Region."""


class HistoryEvent(NamedTuple):
    """One event as AWS tells it."""

    number: int
    """AWS's `id`."""
    previous: int
    """AWS's `previousEventId`."""
    kind: str
    """AWS's `type`."""
    time: datetime
    details: Mapping[str, Json] | None
    """What stands under `<type>EventDetails`; None for types that have no details."""

    @property
    def member(self) -> str:
        """Name the member that holds the details."""
        return member_of(self.kind)

    def to_boto(self) -> dict[str, Json]:
        """Give the event as boto3 does: the timestamp is a datetime."""
        told = {
            "timestamp": self.time,
            "type": self.kind,
            "id": self.number,
            "previousEventId": self.previous,
        }
        return told if self.details is None else told | {self.member: dict(self.details)}

    def to_wire(self) -> dict[str, Json]:
        """Give the event as the API sends it: the timestamp is seconds since 1970."""
        return self.to_boto() | {"timestamp": round(self.time.timestamp(), 3)}


def history(
    definition: Definition, events: Iterable[Event], *, history_limit: int | None = HISTORY_LIMIT
) -> tuple[HistoryEvent, ...]:
    """Give the history of an execution so far.

    `history_limit` is what the execution was run with.  Raises JournalMismatch when the events
    are not of an execution of this definition.
    """
    recorded = list(events)
    if not recorded:
        return ()
    started = recorded[0].data
    _check(started, definition)
    last = recorded[-1] if recorded[-1].kind is EventKind.EXECUTION_ENDED else None
    context = started["context"]
    execution = context["Execution"]
    details = started_details(started["input"], execution.get("RoleArn", ""))
    found = [HistoryEvent(1, 0, "ExecutionStarted", recorded[0].time, details)]
    kept, tail = _read_again(definition, recorded[:-1] if last else recorded, history_limit)
    region = (str(execution["Id"]).split(":") + [""] * 4)[_REGION] or "local"
    for number, previous, kind, told, time in kept:
        name, details_of_it = event_of(kind, told, region)
        found.append(HistoryEvent(number, previous, name, time, details_of_it))
    if last is not None:
        ended, details = ended_event(last.data)
        previous = tail if last.data["status"] in _CHAINED else 0
        found.append(HistoryEvent(len(found) + 1, previous, ended, last.time, details))
    return tuple(found)


_CHAINED = (Status.SUCCEEDED.value, Status.FAILED.value)
"""The ends that come out of the chain; one from outside comes after nothing, on AWS as well."""


def _check(started: Mapping[str, Json], definition: Definition) -> None:
    digest = started.get("definition", "")
    if digest != definition.digest:
        raise mismatch(
            "journal-definition",
            found=f"a journal of definition {digest[:12]}",
            expected=f"one of definition {definition.digest[:12]}",
        )


_Kept = tuple[int, int, str, "tuple[Json, ...]", "datetime"]


def _read_again(
    definition: Definition, recorded: list[Event], limit: int | None
) -> tuple[list[_Kept], int]:
    """Run the execution as far as its journal goes; give what was numbered, and the last chain."""
    kept: list[_Kept] = []
    recorder = _Rereader(MemoryJournal(recorded), VirtualClock(recorded[0].time), None)
    started = recorder.emit(EventKind.EXECUTION_STARTED, "", "", {}).data

    def keep(number: int, previous: int, kind: str, told: tuple[Json, ...]) -> None:
        kept.append((number, previous, kind, told, recorder.time))

    numbers = Ledger(limit, keep)
    recorder.paused = numbers.resumed
    clock = VirtualClock(recorded[0].time)
    shared = Shared(
        recorder,
        clock,
        execution=dict(started["context"]),
        seed=started["seed"],
        faults=FaultPlan(),
        crash=_never,
        ledger=numbers,
        redrives=Redrives(recorder.recorded()),
    )
    workers = Workers(Caller(_NoService(), FaultPlan(), _never), 0)
    scheduler = Scheduler(
        recorder, clock, workers, most_calls=0, abort=None, timeout_s=None, shared=shared
    )
    root = Frame(shared, "", {})
    with suppress(_NoMore, StateError):
        scheduler.run(run_flow(root, definition.flow, started["input"]))
    return kept, root.tail


class _NoMore(Exception):
    """The journal goes no further."""


class _Rereader(Recorder):
    """Gives recorded events only."""

    def emit(self, kind: EventKind, key: str, state: str, data: Mapping[str, Json]) -> Event:
        """Give the recorded event that is due."""
        if not self.replaying():
            raise _NoMore
        return super().emit(kind, key, state, data)

    def next_completion(self) -> Event | None:
        """Give the recorded completion that is due."""
        if not self.replaying():
            raise _NoMore
        return super().next_completion()


class _NoService:
    """Stands where a service would: nothing is called when a journal is read."""

    def call(self, request: TaskRequest) -> NoReturn:
        """Refuse."""
        raise AssertionError(request.key)  # pragma: no cover - nothing asks it


def _never() -> None:
    raise AssertionError  # pragma: no cover - there are no faults to inject
