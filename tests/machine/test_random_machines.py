"""Laws of execution, over random machines whose services fail at random.

A machine ends under a step bound; its journal, cut anywhere, goes on to the same end without
calling again what had ended; redriven until nothing fails it ends well; its history numbers every
event and a redrive changes nothing of what was told before.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.machine import (
    Event,
    EventKind,
    MemoryJournal,
    Outcome,
    VirtualClock,
    parse_definition,
    redrive,
    run,
)
from runner.machine.full_query import compile_full
from runner.machine.history import history
from runner.model.ports import ServiceError
from tests.machine.machines import CONTEXT
from tests.support.machine_grammar import machines

if TYPE_CHECKING:
    from runner.machine import Definition, TaskRequest

Json = Any
Machine = tuple[dict[str, Json], Json]
MOST_EVENTS = 20_000
compile_full("1")  # the library sets the recursion limit, which hypothesis watches
LAWS = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


class Moody:
    """Fails the calls of some keys, always the same; remembers what was called."""

    def __init__(self, mood: int) -> None:
        self._mood = mood
        self.called: list[str] = []

    def may_repeat(self, _request: TaskRequest) -> bool:
        return True

    def call(self, request: TaskRequest) -> Json:
        self.called.append(request.key)
        chance = Random(f"{self._mood} {request.key}").random()  # noqa: S311
        if self._mood and chance < 0.5:
            error = "States.TaskFailed" if chance < 0.25 else "Custom"
            raise ServiceError(error, "by mood")
        return request.arguments


def execute(definition: Definition, data: Json, service: Moody, journal: MemoryJournal) -> Outcome:
    events = tuple(journal.events())
    start = events[-1].time if events else None
    return run(
        definition,
        data,
        service=service,
        clock=VirtualClock(start) if start else VirtualClock(),
        context=CONTEXT,
        random=Random(3),  # noqa: S311
        journal=journal,
        max_workers=1,
        history_limit=MOST_EVENTS,
    )


def essence(outcome: Outcome) -> tuple[Json, ...]:
    return outcome.status, outcome.output, outcome.error, outcome.cause


@LAWS
@given(machines(), st.integers(0, 3), st.data())
def test_a_journal_cut_anywhere_goes_on_to_the_same_end(
    machine: Machine, mood: int, data: st.DataObject
) -> None:
    definition, given_input = parse_definition(machine[0]), machine[1]
    journal = MemoryJournal()
    outcome = execute(definition, given_input, Moody(mood), journal)
    events = journal.events()
    assert len(events) < MOST_EVENTS
    cut = data.draw(st.integers(1, len(events)))
    kept = MemoryJournal(events[:cut])
    service = Moody(mood)
    again = execute(definition, given_input, service, kept)
    assert essence(again) == essence(outcome)
    assert kept.events()[:cut] == events[:cut]
    assert not ended(events[:cut]) & set(service.called)


def ended(events: tuple[Event, ...]) -> set[str]:
    ends = {EventKind.TASK_SUCCEEDED, EventKind.TASK_FAILED, EventKind.TASK_TIMED_OUT}
    return {event.key for event in events if event.kind in ends}


@LAWS
@given(machines(), st.integers(1, 5))
def test_redrives_end_and_the_history_only_grows(machine: Machine, mood: int) -> None:
    definition, given_input = parse_definition(machine[0]), machine[1]
    journal, clock = MemoryJournal(), VirtualClock()
    outcome = execute(definition, given_input, Moody(mood), journal)
    told = history(definition, journal.events(), history_limit=MOST_EVENTS)
    for _ in range(2):
        if outcome.status == "SUCCEEDED":
            break
        redrive(journal, clock)
        outcome = execute(definition, given_input, Moody(0), journal)
        more = history(definition, journal.events(), history_limit=MOST_EVENTS)
        assert more[: len(told)] == told
        told = more
    assert [event.number for event in told] == list(range(1, len(told) + 1))
    assert all(event.previous < event.number for event in told)
    assert told[-1].kind == f"Execution{outcome.status.title()}"
