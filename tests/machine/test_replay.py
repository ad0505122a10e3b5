"""A journal continues its execution: nothing done twice, nothing told differently."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.machine import (
    Crash,
    Event,
    EventKind,
    Fail,
    FaultPlan,
    InjectedFault,
    JournalMismatch,
    MemoryJournal,
    SimulatedCrash,
    TaskRequest,
    TimeOut,
    VirtualClock,
    When,
    parse_definition,
    run,
)
from tests.machine.machines import CONTEXT, Fails, Script, jsonata, play

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Json = Any

TASK = {"Type": "Task", "Resource": "r"}
MACHINE = jsonata(
    {
        "First": {
            **TASK,
            "Arguments": {"id": "{% $uuid() %}", "n": "{% $random() %}", "t": "{% $now() %}"},
            "Retry": [{"ErrorEquals": ["E"], "JitterStrategy": "FULL"}],
            "Assign": {"x": "{% $states.result.id %}"},
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "Items": [3, 1, 2],
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "StartAt": "Nap",
                "States": {
                    "Nap": {"Type": "Wait", "Seconds": "{% $states.input %}", "Next": "Do"},
                    "Do": {
                        **TASK,
                        "Arguments": ["{% $states.input %}", "{% $x %}"],
                        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Gave up"}],
                        "End": True,
                    },
                    "Gave up": {"Type": "Pass", "Output": "gave up", "End": True},
                },
            },
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "L", "States": {"L": {**TASK, "End": True}}},
                {
                    "StartAt": "R",
                    "States": {"R": {"Type": "Pass", "Output": "{% $uuid() %}", "End": True}},
                },
            ],
            "Next": "Last",
        },
        "Last": {"Type": "Wait", "Seconds": 10, "Output": "{% $states.input %}", "End": True},
    }
)


def script() -> Script:
    return Script(First=[Fails("E"), lambda request: request.arguments], Do=[1, Fails("No"), 3])


def recorded() -> tuple[Event, ...]:
    journal = MemoryJournal()
    play(MACHINE, {"a": 1}, script(), journal=journal)
    return journal.events()


def essence(events: Sequence[Event]) -> list[tuple[str, str, Json]]:
    """Events without their times and the marks of a resumption."""
    return [
        (event.kind.value, event.key, json.loads(json.dumps(event.to_json()["data"])))
        for event in events
        if event.kind is not EventKind.EXECUTION_RESUMED
    ]


class Once:
    """A service that does not say that its calls may be made again."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def call(self, request: TaskRequest) -> Json:
        self.keys.append(request.key)
        return 1


class Forbidden:
    """A service that must not be called."""

    def call(self, request: object) -> Json:
        message = f"called again: {request}"
        raise AssertionError(message)


def again(events: Sequence[Event], service: Any, **options: Any) -> tuple[Any, tuple[Event, ...]]:  # noqa: ANN401
    journal = MemoryJournal(events)
    start = events[-1].time + timedelta(days=1) if events else None
    clock = VirtualClock(start) if start else VirtualClock()
    random = Random(99)  # noqa: S311
    outcome = run(
        parse_definition(options.pop("definition", MACHINE)),
        options.pop("data", {"a": 1}),
        service=service,
        clock=clock,
        context=CONTEXT._replace(execution_id="another"),
        random=random,
        journal=journal,
        **options,
    )
    return outcome, journal.events()


def test_a_finished_journal_gives_its_outcome_and_calls_nothing() -> None:
    events = recorded()
    outcome, after = again(events, Forbidden())
    assert outcome.status == "SUCCEEDED"
    assert outcome.output == events[-1].data["output"]
    assert after == events


def test_every_cut_of_a_journal_continues_to_the_same_end() -> None:
    """What had completed is not called again; what was only scheduled is, and says so."""
    events = recorded()
    full = essence(events)
    for cut in range(1, len(events)):
        kept = events[:cut]
        scheduled = [e.key for e in kept if e.kind is EventKind.TASK_SCHEDULED]
        ended = [e.key for e in kept if e.kind.startswith("task_") and e.key in scheduled]
        done = {key for key in ended if ended.count(key) == 2}
        answers = {
            e.key: e.data for e in events if e.kind in {EventKind.TASK_SUCCEEDED, "task_failed"}
        }
        service = Answering(answers)
        outcome, after = again(kept, service)
        assert outcome.output == events[-1].data["output"], cut
        assert after[:cut] == kept
        assert sorted(map(str, essence(after))) == sorted(map(str, _retimed(full, after)))
        assert not set(service.called) & done
        assert {key for key, repeated in service.called.items() if repeated} == set(
            scheduled
        ) - done


def _retimed(full: list[tuple[str, str, Json]], after: Sequence[Event]) -> list[Any]:
    """Timers that were set anew, and what `$now` told, differ by the day that has passed."""
    renewed = {(e.kind.value, e.key): e for e in after}
    made = []
    for kind, key, data in full:
        event = renewed[kind, key]
        told = kind in {"timer_set", "task_scheduled"} or "id" in str(data)
        made.append((kind, key, json.loads(json.dumps(dict(event.data))) if told else data))
    return made


class Answering:
    """Gives each call the answer that its key had, and remembers who was called."""

    def __init__(self, answers: dict[str, Json]) -> None:
        self._answers = answers
        self.called: dict[str, bool] = {}

    def may_repeat(self, _request: Any) -> bool:  # noqa: ANN401
        return True

    def call(self, request: Any) -> Json:  # noqa: ANN401
        from runner.model.ports import ServiceError

        self.called[request.key] = request.repeated
        data = self._answers[request.key]
        if "error" in data:
            raise ServiceError(data["error"], data["cause"])
        return data["result"]


def test_times_ids_and_chance_are_those_of_the_record() -> None:
    events = recorded()
    first = next(e for e in events if e.kind is EventKind.TASK_SCHEDULED)
    cut = events.index(first) + 1
    service = Script(Do=[1, 2, 3])
    again(events[:cut], service)
    assert service.requests[0].repeated
    assert service.requests[0].arguments == first.data["arguments"]
    assert service.requests[0].context["Execution"]["Id"] == "arn:execution"


def test_a_call_that_may_not_be_repeated_fails_as_if_its_answer_were_lost() -> None:
    """The definition's Retry decides whether it is made again, as on AWS."""
    retry = [{"ErrorEquals": ["Lambda.SdkClientException"], "MaxAttempts": 1}]
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    for retriers, expected in ((retry, ("SUCCEEDED", 1)), ([], ("FAILED", None))):
        definition = jsonata({"T": {**task, "Retry": retriers}})
        journal = MemoryJournal()
        crash = FaultPlan((InjectedFault("T", Crash(), When.AFTER),))
        with pytest.raises(SimulatedCrash):
            play(definition, {}, Once(), journal=journal, faults=crash)
        service = Once()
        outcome, _ = again(journal.events(), service, definition=definition, data={})
        assert (outcome.status, outcome.output) == expected
        assert service.keys == (["T#1.1"] if retriers else [])
        if not retriers:
            assert outcome.error == "Lambda.SdkClientException"


def test_a_timer_keeps_its_recorded_end() -> None:
    definition = jsonata({"W": {"Type": "Wait", "Seconds": 3600, "End": True}})
    journal = MemoryJournal()
    play(definition, {}, journal=journal)
    events = journal.events()
    _, after = again(events[:3], Forbidden(), definition=definition, data={})
    fired = next(e for e in after if e.kind is EventKind.TIMER_FIRED)
    assert fired.time == events[2].time + timedelta(days=1)  # the hour had passed long ago


def test_a_resumption_is_written_down_once() -> None:
    events = recorded()
    _, after = again(events[:5], script())
    assert [e.kind for e in after].count(EventKind.EXECUTION_RESUMED) == 1
    assert after[5].kind is EventKind.EXECUTION_RESUMED
    _, last = again(after[:9], script())
    assert [e.kind for e in last].count(EventKind.EXECUTION_RESUMED) == 2


def test_the_observer_sees_new_events_only() -> None:
    events = recorded()
    seen: list[Event] = []
    _, after = again(events[:7], script(), observer=seen.append)
    assert tuple(seen) == after[7:]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"definition": jsonata({"Other": {"Type": "Succeed"}})}, "journal-definition"),
        ({"data": {"a": 2}}, "journal-input"),
    ],
)
def test_a_journal_of_something_else_is_refused(changed: Json, code: str) -> None:
    with pytest.raises(JournalMismatch) as caught:
        again(recorded()[:4], Forbidden(), **changed)
    assert caught.value.faults[0].code == code


def test_a_journal_that_does_not_fit_is_refused() -> None:
    events = list(recorded())
    with pytest.raises(JournalMismatch) as caught:
        again([*events[:2], *events[3:6]], Forbidden())
    assert caught.value.faults[0].code == "journal-diverged"


def test_an_aborted_execution_continues() -> None:
    definition = jsonata(
        {"A": {**TASK, "Next": "B"}, "B": {**TASK, "End": True}},
    )

    class AfterOne:
        def __init__(self, service: Script) -> None:
            self._service = service

        def is_set(self) -> bool:
            return bool(self._service.requests)

    service = Script(A=1, B=2)
    service.may_repeat = lambda _request: False  # type: ignore[method-assign]  # B was not made
    journal = MemoryJournal()
    assert (
        play(definition, {}, service, journal=journal, abort=AfterOne(service)).status == "ABORTED"
    )
    outcome, after = again(journal.events(), service, definition=definition, data={})
    assert (outcome.status, outcome.output) == ("SUCCEEDED", 2)
    assert service.keys == ["A#1.0", "B#1.0"]
    assert again(after, Forbidden(), definition=definition, data={})[0].output == 2


events = st.builds(
    Event,
    kind=st.sampled_from(EventKind),
    key=st.text(max_size=20),
    state=st.text(max_size=20),
    time=st.datetimes(timezones=st.just(__import__("datetime").UTC)),
    data=st.dictionaries(st.text(), st.one_of(st.none(), st.integers(), st.text()), max_size=3),
)


@given(events)
def test_events_survive_json(event: Event) -> None:
    assert Event.from_json(json.loads(json.dumps(event.to_json()))) == event


# -- crashes ----------------------------------------------------------------------------------


class Effects:
    """Counts effects by key: what a service with idempotent calls would have done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def may_repeat(self, _request: Any) -> bool:  # noqa: ANN401
        return True

    def call(self, request: Any) -> Json:  # noqa: ANN401
        if request.key not in self.done:
            self.done.append(request.key)
        elif not request.repeated:
            message = f"{request.key} was called twice in silence"
            raise AssertionError(message)
        return len(request.state)


CRASHES = [
    InjectedFault(state, Crash(), when=when)
    for state in ("First", "Each", "Nap", "Do", "Both", "L", "R", "Last")
    for when in When
]


@pytest.mark.parametrize("crash", CRASHES, ids=lambda fault: f"{fault.state}-{fault.when}")
def test_a_crash_anywhere_loses_and_doubles_nothing(crash: InjectedFault) -> None:
    definition = json.loads(json.dumps(MACHINE))
    definition["States"]["First"]["Assign"] = {"x": 1}
    clean = MemoryJournal()
    expected = play(definition, {"a": 1}, Effects(), journal=clean)
    service, journal = Effects(), MemoryJournal()
    with pytest.raises(SimulatedCrash):
        play(definition, {"a": 1}, service, journal=journal, faults=FaultPlan((crash,)))
    outcome, after = again(journal.events(), service, definition=definition)
    assert outcome.status == "SUCCEEDED"
    assert outcome.output[0] == expected.output[0]
    assert sorted(service.done) == sorted(
        e.key for e in clean.events() if e.kind is EventKind.TASK_SCHEDULED
    )
    scheduled = [e.key for e in after if e.kind is EventKind.TASK_SCHEDULED]
    assert len(scheduled) == len(set(scheduled))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, 60), max_size=4))
def test_crashes_at_any_events_lose_and_double_nothing(lives: list[int]) -> None:
    class Cut(MemoryJournal):
        left = 0

        def append(self, event: Event) -> None:
            if self.left == 0:
                raise SimulatedCrash
            self.left -= 1
            super().append(event)

    service, kept = Effects(), ()
    definition = json.loads(json.dumps(MACHINE))
    definition["States"]["First"]["Assign"] = {"x": 1}
    for life in [*lives, 10_000]:
        journal = Cut(kept)
        journal.left = life
        try:
            outcome = play(definition, {"a": 1}, service, journal=journal)
        except SimulatedCrash:
            kept = journal.events()  # type: ignore[assignment]  # longer each time
            continue
        assert outcome.output[0] == 1
        break
    assert len(service.done) == len(set(service.done)) == 5


def test_what_led_to_a_call_is_written_before_the_call() -> None:
    """A crash during a call finds the call in the journal, and all that happened before it."""

    class Journal(MemoryJournal):
        writes = 0

        def append_all(self, events: Iterable[Event]) -> None:
            self.writes += 1
            super().append_all(events)

    class Watching(Effects):
        def call(self, request: Any) -> Json:  # noqa: ANN401
            written = [(event.kind, event.key) for event in journal.events()]
            assert (EventKind.TASK_SCHEDULED, request.key) in written
            assert len(written) > len(self.done)
            return super().call(request)

    journal = Journal()
    seen: list[Event] = []
    definition = json.loads(json.dumps(MACHINE))
    definition["States"]["First"]["Assign"] = {"x": 1}
    service: Any = Watching()
    outcome = play(definition, {"a": 1}, service, journal=journal, observer=seen.append)
    assert outcome.status == "SUCCEEDED"
    assert tuple(seen) == journal.events()
    assert journal.writes < len(seen) / 2


@pytest.mark.parametrize(
    ("fault", "error", "called"),
    [
        (InjectedFault("T", Fail("Boom")), "Boom", 0),
        (InjectedFault("T", Fail("Boom"), when=When.AFTER), "Boom", 1),
        (InjectedFault("T", TimeOut()), "States.Timeout", 0),
        (InjectedFault("T*", Fail("Boom"), attempt=0), None, 1),
        (InjectedFault("T", Fail("Boom"), attempt=3), None, 1),
        (InjectedFault("T#1", Fail("Boom"), visit=1), "Boom", 0),
        (InjectedFault("T", Fail("Boom"), visit=2), None, 1),
        (InjectedFault("Other", Fail("Boom")), None, 1),
    ],
)
def test_injected_faults(fault: InjectedFault, error: str | None, called: int) -> None:
    retry = [{"ErrorEquals": ["Boom"], "MaxAttempts": 1}] if fault.attempt == 0 else []
    definition = jsonata({"T": {**TASK, "Retry": retry, "End": True}})
    service = Script()
    outcome = play(definition, {}, service, faults=FaultPlan((fault,)))
    assert outcome.error == error
    assert len(service.requests) == called


def test_a_crash_calls_the_port() -> None:
    class Died(BaseException):
        pass

    def die() -> None:
        raise Died

    definition = jsonata({"T": {**TASK, "End": True}})
    plan = FaultPlan((InjectedFault("T", Crash(), when=When.AFTER),))
    service = Script()
    with pytest.raises(Died):
        play(definition, {}, service, faults=plan, crash=die)
    assert len(service.requests) == 1
