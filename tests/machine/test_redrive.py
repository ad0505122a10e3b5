"""A redriven execution does again what had failed, and nothing else."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.machine import (
    Event,
    EventKind,
    Fail,
    FaultPlan,
    InjectedFault,
    MemoryJournal,
    NotRedrivable,
    Outcome,
    VirtualClock,
    parse_definition,
    redrive,
    run,
)
from runner.machine.history import HistoryEvent, history
from runner.model.ports import ServiceError
from tests.machine.machines import CONTEXT, Fails, Script, jsonata, jsonpath

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = Any

TASK = {"Type": "Task", "Resource": "r"}


class Life:
    """One execution, and everything that happens to it."""

    def __init__(self, definition: Mapping[str, Json], data: Json = None) -> None:
        self.definition = parse_definition(definition)
        self.data = {} if data is None else data
        self.journal = MemoryJournal()
        self.clock = VirtualClock()

    def run(self, service: Any = None, **options: Any) -> Outcome:  # noqa: ANN401
        return run(
            self.definition,
            self.data,
            service=service or Script(),
            clock=self.clock,
            context=CONTEXT,
            random=Random(7),  # noqa: S311
            journal=self.journal,
            **options,
        )

    def run_and_pass_days(self, service: Script, days: int) -> None:
        self.run(service)
        self.clock = VirtualClock(self.clock.now() + timedelta(days=days))

    def redrive(self, service: Any = None, **options: Any) -> Outcome:  # noqa: ANN401
        redrive(self.journal, self.clock)
        return self.run(service, **options)

    def history(self) -> tuple[HistoryEvent, ...]:
        return history(self.definition, self.journal.events())

    def keys(self, kind: EventKind) -> list[str]:
        return [event.key for event in self.journal.events() if event.kind is kind]


def test_a_failed_task_is_called_again_and_nothing_before_it() -> None:
    life = Life(jsonata({"A": {**TASK, "Next": "B"}, "B": {**TASK, "End": True}}))
    first = Script(A=1, B=Fails("Boom"))
    assert life.run(first).error == "Boom"
    second = Script(B=2)
    outcome = life.redrive(second)
    assert (outcome.status, outcome.output) == ("SUCCEEDED", 2)
    assert second.keys == ["B#1.r1.0"]
    assert second.requests[0].arguments == 1


def test_the_context_object_counts_redrives() -> None:
    life = Life(
        jsonata({"T": {**TASK, "Arguments": "{% $states.context.Execution %}", "End": True}})
    )
    life.run(Script(T=Fails("Boom")))
    life.redrive(Script(T=Fails("Boom")))
    told = life.redrive().output
    assert told["RedriveCount"] == 2
    assert told["RedriveTime"] == "2000-01-01T00:00:00.000Z"
    started = next(iter(life.journal.events()))
    assert started.data["context"]["Execution"]["RedriveCount"] == 0


def test_retriers_begin_anew() -> None:
    retry = [{"ErrorEquals": ["E"], "MaxAttempts": 2}]
    count = {"count": "{% $states.context.State.RetryCount %}"}
    life = Life(jsonata({"T": {**TASK, "Arguments": count, "Retry": retry, "End": True}}))
    first = Script(T=Fails("E"))
    life.run(first)
    second = Script(T=[Fails("E"), Fails("E"), lambda request: request.arguments["count"]])
    assert life.redrive(second).output == 2
    assert first.keys == ["T#1.0", "T#1.1", "T#1.2"]
    assert second.keys == ["T#1.r1.0", "T#1.r1.1", "T#1.r1.2"]


@pytest.mark.parametrize(("condition", "again"), [({"first": True}, 0), ({"visit": 1}, 1)])
def test_a_redriven_visit_is_the_same_but_not_the_first(
    condition: dict[str, Any], again: int
) -> None:
    struck: list[InjectedFault] = []
    fault = InjectedFault("T", Fail("Boom"), **condition)
    life = Life(jsonata({"T": {**TASK, "End": True}}))
    assert life.run(faults=FaultPlan((fault,))).error == "Boom"
    life.redrive(faults=FaultPlan((fault,), struck.append))
    assert len(struck) == again


def test_only_failed_and_aborted_branches_run_again() -> None:
    branches = [
        {"StartAt": "Done", "States": {"Done": {**TASK, "End": True}}},
        {
            "StartAt": "Nap",
            "States": {
                "Nap": {"Type": "Wait", "Seconds": 5, "Next": "Bad"},
                "Bad": {**TASK, "End": True},
            },
        },
        {
            "StartAt": "Before",
            "States": {
                "Before": {**TASK, "Next": "Long"},
                "Long": {"Type": "Wait", "Seconds": 60, "Next": "After"},
                "After": {**TASK, "End": True},
            },
        },
    ]
    life = Life(jsonata({"P": {"Type": "Parallel", "Branches": branches, "End": True}}))
    first = Script(Done="d", Bad=Fails("Boom"), Before="b")
    assert life.run(first, max_workers=1).error == "Boom"
    second = Script(Bad="now", After="a")
    outcome = life.redrive(second)
    assert outcome.output == ["d", "now", "a"]
    assert [request.state for request in second.requests] == ["Bad", "After"]
    assert (outcome.ended - outcome.started).total_seconds() == 65


def test_only_failed_iterations_run_again() -> None:
    inner = {"StartAt": "T", "States": {"T": {**TASK, "End": True}}}
    states = {
        "M": {
            "Type": "Map",
            "Items": [1, 2, 3, 4],
            "MaxConcurrency": 1,
            "ItemProcessor": inner,
            "End": True,
        }
    }
    life = Life(jsonata(states))
    first = Script(T=[1, 2, Fails("Boom")])
    life.run(first)
    second = Script()
    assert life.redrive(second).output == [1, 2, 3, 4]
    assert second.keys == ["M#1.0[2]/T#1.r1.0", "M#1.0[3]/T#1.0"]


def test_an_iteration_whose_selector_failed_begins_anew() -> None:
    """Its states had not begun; the others keep what they gave."""
    inner = {"StartAt": "T", "States": {"T": {**TASK, "End": True}}}
    selector = (
        "{% $states.context.Map.Item.Value = 2 and $states.context.Execution.RedriveCount = 0"
        " ? $error('no') : $states.context.Map.Item.Value %}"
    )
    states = {
        "M": {
            "Type": "Map",
            "Items": [1, 2, 3],
            "MaxConcurrency": 1,
            "ItemSelector": selector,
            "ItemProcessor": inner,
            "End": True,
        }
    }
    life = Life(jsonata(states))
    assert life.run().error == "States.QueryEvaluationError"
    second = Script()
    assert life.redrive(second).output == [1, 2, 3]
    assert second.keys == ["M#1.0[1]/T#1.0", "M#1.0[2]/T#1.0"]


def test_a_parallel_whose_own_work_failed_begins_again_whole() -> None:
    branches = [{"StartAt": "T", "States": {"T": {**TASK, "End": True}}}]
    output = "{% $states.context.Execution.RedriveCount = 0 ? $error('no') : $states.result %}"
    life = Life(
        jsonata({"P": {"Type": "Parallel", "Branches": branches, "Output": output, "End": True}})
    )
    assert life.run(Script(T=1)).error == "States.QueryEvaluationError"
    second = Script(T=2)
    assert life.redrive(second).output == [2]
    assert second.keys == ["P#1.r1.0[0]/T#1.0"]


def test_retries_of_a_redriven_parallel_begin_anew() -> None:
    branches = [{"StartAt": "T", "States": {"T": {**TASK, "End": True}}}]
    retry = [{"ErrorEquals": ["E"], "MaxAttempts": 1}]
    life = Life(
        jsonata({"P": {"Type": "Parallel", "Branches": branches, "Retry": retry, "End": True}})
    )
    first = Script(T=Fails("E"))
    life.run(first)
    assert first.keys == ["P#1.0[0]/T#1.0", "P#1.1[0]/T#1.0"]
    second = Script(T=Fails("E"))
    assert life.redrive(second).error == "E"
    assert second.keys == ["P#1.1[0]/T#1.r1.0", "P#1.r1.1[0]/T#1.0"]
    third = Script(T=3)
    assert life.redrive(third).output == [3]
    assert third.keys == ["P#1.r1.1[0]/T#1.r2.0"]


def test_what_was_caught_stays_caught() -> None:
    """Only what ended the execution is done again; a failure that was handled is history."""
    branches = [{"StartAt": "T", "States": {"T": {**TASK, "End": True}}}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Last"}]
    states = {
        "P": {"Type": "Parallel", "Branches": branches, "Catch": catch, "Next": "Last"},
        "Last": {**TASK, "End": True},
    }
    life = Life(jsonata(states))
    life.run(Script(T=Fails("Handled"), Last=Fails("Boom")))
    second = Script(Last=2)
    assert life.redrive(second).output == 2
    assert second.keys == ["Last#1.r1.0"]


def test_a_fail_state_fails_again_and_a_choice_chooses_again() -> None:
    failing = Life(jsonata({"F": {"Type": "Fail", "Error": "Mine"}}))
    failing.run()
    assert failing.redrive().error == "Mine"
    condition = "{% $states.context.Execution.RedriveCount = 0 ? $error('no') : true %}"
    states = {
        "C": {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "S"}], "Default": "S"},
        "S": {"Type": "Succeed", "Output": 1},
    }
    choosing = Life(jsonata(states))
    assert choosing.run().status == "FAILED"
    assert choosing.redrive().output == 1


def test_a_jsonpath_failure_that_nothing_catches_can_be_redriven() -> None:
    life = Life(jsonpath({"T": {**TASK, "OutputPath": "$.there", "End": True}}))
    assert life.run(Script(T={})).error == "States.Runtime"
    assert life.redrive(Script(T={"there": 1})).output == 1


def test_a_machine_that_timed_out_has_all_its_time_again() -> None:
    states = {
        "W": {"Type": "Wait", "Seconds": 50, "Next": "T"},
        "T": {**TASK, "Next": "W2"},
        "W2": {"Type": "Wait", "Seconds": 30, "End": True},
    }
    life = Life(jsonata(states, TimeoutSeconds=60))
    assert life.run().status == "TIMED_OUT"
    second = Script()
    assert life.redrive(second).status == "SUCCEEDED"
    assert second.keys == []


def test_a_wait_for_an_instant_that_has_passed_is_over_at_once() -> None:
    states = {
        "P": {"Type": "Wait", "Timestamp": "2000-01-01T00:01:00Z", "Next": "T"},
        "T": {**TASK, "End": True},
    }
    life = Life(jsonata(states, TimeoutSeconds=30))
    assert life.run().status == "TIMED_OUT"
    life.clock.wait(life.clock.now() + timedelta(hours=1), None, busy=False)  # type: ignore[arg-type]  # not used
    outcome = life.redrive()
    assert outcome.status == "SUCCEEDED"
    assert (outcome.ended - outcome.started).total_seconds() == 3630


def test_an_aborted_execution_is_redriven_from_where_it_was() -> None:
    class Stop:
        asked = False

        def is_set(self) -> bool:
            return self.asked

    stop = Stop()

    def answer(_request: object) -> Json:
        stop.asked = True
        return 1

    life = Life(jsonata({"A": {**TASK, "Next": "B"}, "B": {**TASK, "End": True}}))
    assert life.run(Script(A=answer), abort=stop).status == "ABORTED"
    outcome = life.redrive(Script(A=5, B=2))
    assert (outcome.status, outcome.output) == ("SUCCEEDED", 2)
    ends = [e.data["status"] for e in life.journal.events() if e.kind is EventKind.EXECUTION_ENDED]
    assert ends == ["ABORTED", "SUCCEEDED"]


def test_tolerated_failures_of_a_map_are_run_again_when_there_were_too_many() -> None:
    inner = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "T",
        "States": {"T": {**TASK, "End": True}},
    }
    states = {
        "M": {
            "Type": "Map",
            "Items": [1, 2, 3],
            "MaxConcurrency": 1,
            "ToleratedFailureCount": 1,
            "ItemProcessor": inner,
            "End": True,
        }
    }
    life = Life(jsonata(states))
    first = Script(T=[Fails("X"), Fails("Y")])
    assert life.run(first).error == "States.ExceedToleratedFailureThreshold"
    second = Script()
    assert life.redrive(second).output == [1, 2, 3]
    assert sorted(request.arguments for request in second.requests) == [1, 2, 3]


@pytest.mark.parametrize(
    ("break_it", "found"),
    [
        (lambda life: life.run(Script(T=1)), "an execution that succeeded"),
        (lambda _life: None, "an execution that has not ended"),
        (
            lambda life: life.run_and_pass_days(Script(T=Fails("E")), 15),
            "an execution that ended at 2000-01-01 00:00Z",
        ),
    ],
)
def test_what_cannot_be_redriven(break_it: Any, found: str) -> None:  # noqa: ANN401
    life = Life(jsonata({"T": {**TASK, "End": True}}))
    break_it(life)
    with pytest.raises(NotRedrivable) as refused:
        redrive(life.journal, life.clock)
    assert refused.value.faults[0].found == found


# -- laws -------------------------------------------------------------------------------------


def task(name: str) -> dict[str, Json]:
    return {"StartAt": name, "States": {name: {**TASK, "End": True}}}


def nested() -> dict[str, Json]:
    """A machine of tasks only, with a Parallel in a Map in a Parallel; state names are hard."""
    inner = {
        "StartAt": "in]/[0]/#1",
        "States": {
            "in]/[0]/#1": {**TASK, "Next": "both"},
            "both": {"Type": "Parallel", "Branches": [task("x.r1"), task("y")], "Next": "z"},
            "z": {
                **TASK,
                "Output": "{% $states.result %}",
                "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
                "End": True,
            },
        },
    }
    loop = {
        "Type": "Map",
        "Items": [1, 2, 3],
        "MaxConcurrency": 2,
        "ItemProcessor": inner,
        "End": True,
    }
    branches = [task("a"), {"StartAt": "m", "States": {"m": loop}}, task("b")]
    return jsonata(
        {
            "p": {"Type": "Parallel", "Branches": branches, "Next": "last"},
            "last": {**TASK, "Output": "{% $states.input %}", "End": True},
        }
    )


def visit_of(call: str) -> str:
    """Leave out at which attempt and redrive a call of a visit was."""
    return re.sub(r"(\.r\d+)?\.\d+$", "", call)


class Moody:
    """Fails some calls by plan; remembers what it did."""

    def __init__(self, failures: list[bool]) -> None:
        self._failures = failures
        self.done: list[tuple[str, str]] = []

    def call(self, request: Any) -> Json:  # noqa: ANN401
        if self._failures and self._failures.pop():
            raise ServiceError("E", "by plan")
        self.done.append((request.state, json.dumps(request.arguments)))
        return [request.state, request.arguments]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.booleans(), max_size=40), st.integers(1, 3))
def test_redrives_end_as_if_nothing_had_failed_and_repeat_no_success(
    failures: list[bool], workers: int
) -> None:
    undisturbed = Moody([])
    expected = Life(nested()).run(undisturbed, max_workers=workers)
    life, service = Life(nested()), Moody(failures)
    outcome = life.run(service, max_workers=workers)
    while outcome.status != "SUCCEEDED":
        outcome = life.redrive(service, max_workers=workers)
    assert outcome.output == expected.output
    succeeded = [visit_of(key) for key in life.keys(EventKind.TASK_SUCCEEDED)]
    assert len(succeeded) == len(set(succeeded)), "a success was repeated"
    assert set(service.done) == set(undisturbed.done)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.booleans(), min_size=20, max_size=30), st.data())
def test_a_redriven_journal_continues_at_every_cut(
    failures: list[bool], data: st.DataObject
) -> None:
    life, service = Life(nested()), Moody(failures)
    outcome = life.run(service, max_workers=1)
    while outcome.status != "SUCCEEDED":
        outcome = life.redrive(service, max_workers=1)
    events = life.journal.events()
    cut = data.draw(st.integers(1, len(events)))
    later: list[Event] = list(events[:cut])
    life.journal = MemoryJournal(later)
    again = life.run(Moody([]), max_workers=1)
    while again.status != "SUCCEEDED":
        again = life.redrive(Moody([]), max_workers=1)
    assert again.output == outcome.output
    kept = life.journal.events()[:cut]
    assert kept == tuple(later)


def test_the_history_goes_on_after_the_redrive() -> None:
    life = Life(jsonata({"T": {**TASK, "End": True}}))
    life.run(Script(T=Fails("Boom")))
    life.redrive(Script(T=1))
    told = [(event.number, event.previous, event.kind) for event in life.history()]
    assert told == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "TaskStateEntered"),
        (3, 2, "TaskScheduled"),
        (4, 3, "TaskStarted"),
        (5, 4, "TaskFailed"),
        (6, 5, "ExecutionFailed"),
        (7, 6, "ExecutionRedriven"),
        (8, 7, "TaskScheduled"),
        (9, 8, "TaskStarted"),
        (10, 9, "TaskSucceeded"),
        (11, 10, "TaskStateExited"),
        (12, 11, "ExecutionSucceeded"),
    ]
    assert life.history()[6].details == {"redriveCount": 1}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.booleans(), min_size=5, max_size=40), st.integers(1, 3))
def test_a_redrive_changes_nothing_of_the_history_so_far(
    failures: list[bool], workers: int
) -> None:
    life, service = Life(nested()), Moody(failures)
    outcome = life.run(service, max_workers=workers)
    while outcome.status != "SUCCEEDED":
        before = life.history()
        outcome = life.redrive(service, max_workers=workers)
        after = life.history()
        assert after[: len(before)] == before
        assert after[len(before)].kind == "ExecutionRedriven"
    assert [event.number for event in life.history()] == list(range(1, len(life.history()) + 1))
