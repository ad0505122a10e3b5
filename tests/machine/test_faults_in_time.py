"""Faults and answers that take time: delays, silence, heartbeats; and who hears of a strike."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from runner.machine import (
    AnswerLater,
    Crash,
    Delay,
    Fail,
    FaultPlan,
    Hang,
    InjectedFault,
    Outcome,
    SimulatedCrash,
    When,
)
from runner.model.ports import ServiceError
from tests.machine.machines import Script, jsonata, play

if TYPE_CHECKING:
    from runner.machine import TaskRequest

DAY_S = 86_400


def task(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"Type": "Task", "Resource": "r", "End": True, **fields}


def struck(*faults: InjectedFault, service: Script, **fields: Any) -> Outcome:  # noqa: ANN401
    return play(jsonata({"T": task(**fields)}), {}, service, faults=FaultPlan(faults))


def seconds(outcome: Outcome) -> float:
    return (outcome.ended - outcome.started).total_seconds()


@pytest.mark.parametrize("when", list(When), ids=str)
def test_a_delay_lasts_by_the_clock_of_the_execution(when: When) -> None:
    service = Script(T="done")
    outcome = struck(InjectedFault("T", Delay(DAY_S), when), service=service)
    assert (outcome.output, seconds(outcome), len(service.requests)) == ("done", DAY_S, 1)


@pytest.mark.parametrize(("when", "calls"), [(When.BEFORE, 0), (When.AFTER, 1)], ids=str)
def test_a_timeout_ends_a_delayed_call(when: When, calls: int) -> None:
    service = Script(T="done")
    fault = InjectedFault("T", Delay(60), when)
    outcome = struck(fault, service=service, TimeoutSeconds=10)
    assert (outcome.error, seconds(outcome)) == ("States.Timeout", 10)
    assert len(service.requests) == calls, "before the effect, it must not happen any more"


def test_a_delayed_call_keeps_its_first_deadline() -> None:
    fault = InjectedFault("T", Delay(8))
    later = Script(T=Later("done", after_s=8))
    outcome = struck(fault, service=later, TimeoutSeconds=10)
    assert (outcome.error, seconds(outcome)) == ("States.Timeout", 10)


@pytest.mark.parametrize(("when", "calls"), [(When.BEFORE, 0), (When.AFTER, 1)], ids=str)
def test_silence_is_ended_by_the_timeout_only(when: When, calls: int) -> None:
    service = Script(T="done")
    outcome = struck(InjectedFault("T", Hang(), when), service=service, TimeoutSeconds=DAY_S)
    assert (outcome.error, seconds(outcome)) == ("States.Timeout", DAY_S)
    assert len(service.requests) == calls


def test_delays_of_siblings_pass_side_by_side() -> None:
    branch = {"StartAt": "T", "States": {"T": task()}}
    other = {"StartAt": "U", "States": {"U": task()}}
    definition = jsonata({"Both": {"Type": "Parallel", "Branches": [branch, other], "End": True}})
    faults = FaultPlan((InjectedFault("T", Delay(30)), InjectedFault("U", Delay(20))))
    outcome = play(definition, {}, Script(T=1, U=2), faults=faults)
    assert (outcome.output, seconds(outcome)) == ([1, 2], 30)


class Later:
    """An answer of `Script` that comes later."""

    def __init__(self, answer: object, **options: Any) -> None:  # noqa: ANN401
        self._later = AnswerLater(answer, **options)

    def __call__(self, request: TaskRequest) -> object:
        del request
        raise self._later


@pytest.mark.parametrize(
    ("later", "error", "lasted"),
    [
        (Later("done", after_s=25), "States.Timeout", 10),
        (Later("done", after_s=25, heartbeats=(9, 18)), None, 25),
        (Later("done", after_s=25, heartbeats=(18, 9)), None, 25),
        (Later("done", after_s=25, heartbeats=(9, 9.5)), "States.Timeout", 19.5),
        (Later("done", after_s=25, heartbeats=(11, 18)), "States.Timeout", 10),
        (Later(None, after_s=None, heartbeats=(5, 10)), "States.Timeout", 20),
        (Later("done", after_s=45, heartbeats=range(0, 45, 5)), "States.Timeout", 40),
        (Later(None, after_s=5, error=ServiceError("Nope")), "Nope", 5),
    ],
)
def test_heartbeats_keep_a_task_alive(later: Later, error: str | None, lasted: float) -> None:
    service = Script(T=later)
    outcome = struck(service=service, HeartbeatSeconds=10, TimeoutSeconds=40)
    assert (outcome.error, seconds(outcome)) == (error, lasted)


def test_a_delay_after_the_effect_adds_to_a_late_answer() -> None:
    fault = InjectedFault("T", Delay(10), When.AFTER)
    outcome = struck(fault, service=Script(T=Later("done", after_s=5)))
    assert (outcome.output, seconds(outcome)) == ("done", 15)


def test_a_late_answer_ends_with_its_state() -> None:
    """A sibling fails at once: the other's answer, due in a day, is not waited for."""
    branch = {"StartAt": "T", "States": {"T": task()}}
    other = {"StartAt": "U", "States": {"U": task()}}
    both = {"Type": "Parallel", "Branches": [branch, other], "Next": "W"}
    catch = [{"ErrorEquals": ["Boom"], "Next": "W"}]
    wait = {"Type": "Wait", "Seconds": 2 * DAY_S, "End": True}
    definition = jsonata({"Both": {**both, "Catch": catch}, "W": wait})
    faults = FaultPlan((InjectedFault("T", Delay(DAY_S)), InjectedFault("U", Fail("Boom"))))
    outcome = play(definition, {}, Script(), faults=faults)
    assert (outcome.status, seconds(outcome)) == ("SUCCEEDED", 2 * DAY_S)


def test_every_strike_is_heard_of() -> None:
    heard: list[InjectedFault] = []
    retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": DAY_S, "MaxAttempts": 2}]
    definition = jsonata({"P": {"Type": "Pass", "Next": "T"}, "T": task(Retry=retry)})
    fail, never = InjectedFault("T", Fail("Again"), attempt=1), InjectedFault("T", Hang(), visit=2)
    crash = InjectedFault("T", Crash(), When.AFTER, attempt=2)
    service = Script(T=[Later(None, after_s=1, error=ServiceError("Again")), "done"])
    with pytest.raises(SimulatedCrash):
        play(definition, {}, service, faults=FaultPlan((fail, never, crash), heard.append))
    assert heard == [fail, crash]
    heard.clear()
    at_pass = InjectedFault("P", Crash(), When.AFTER)
    with pytest.raises(SimulatedCrash):
        play(definition, {}, service, faults=FaultPlan((at_pass,), heard.append))
    assert heard == [at_pass]


def test_simulated_time_passes_in_a_retry_of_a_day() -> None:
    retry = [{"ErrorEquals": ["E"], "IntervalSeconds": DAY_S, "BackoffRate": 1}]
    fault = InjectedFault("T", Fail("E"), attempt=0)
    outcome = struck(fault, service=Script(T="done"), Retry=retry)
    assert outcome.ended - outcome.started == timedelta(days=1)
