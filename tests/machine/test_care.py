"""Retry and Catch: who takes which error, how often, and after how long."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from runner.machine import EventKind, MemoryJournal
from tests.machine.machines import Fails, Script, error_of, jsonata, jsonpath, output_of, play

Json = Any


def machine(retry: Json = (), catch: Json = (), **fields: Json) -> dict[str, Json]:
    task = {
        "Type": "Task",
        "Resource": "r",
        "Retry": list(retry),
        "Catch": list(catch),
        "End": True,
        **fields,
    }
    states = {"T": task}
    if catch:
        states["H"] = {"Type": "Pass", "End": True}
    return jsonata(states)


def delays(definition: Json, failures: int) -> list[float]:
    """The seconds between the calls of a task that fails so often."""
    journal = MemoryJournal()
    play(definition, {}, Script(T=[*[Fails("E")] * failures, "done"]), journal=journal)
    called = [e.time for e in journal.events() if e.kind is EventKind.TASK_SCHEDULED]
    pairs = itertools.pairwise(called)
    return [(after - before).total_seconds() for before, after in pairs]


@pytest.mark.parametrize(
    ("retrier", "expected"),
    [
        ({}, [1, 2, 4]),
        ({"IntervalSeconds": 3, "BackoffRate": 1.0}, [3, 3, 3]),
        ({"IntervalSeconds": 2, "BackoffRate": 3.0, "MaxDelaySeconds": 7}, [2, 6, 7]),
        ({"MaxAttempts": 1}, [1]),
        ({"MaxAttempts": 0}, []),
        ({"MaxAttempts": 5, "BackoffRate": 1.5}, [1, 1.5, 2.25, 3.375, 5.0625]),
    ],
)
def test_delays(retrier: Json, expected: list[float]) -> None:
    assert delays(machine([{"ErrorEquals": ["E"], **retrier}]), 9) == expected


def test_full_jitter_waits_between_nothing_and_the_delay() -> None:
    retrier = {"ErrorEquals": ["E"], "IntervalSeconds": 100, "JitterStrategy": "FULL"}
    waited = delays(machine([retrier]), 9)
    assert len(waited) == 3
    assert all(0 <= wait <= most for wait, most in zip(waited, (100, 200, 400), strict=True))
    assert waited != [100, 200, 400]


def test_each_retrier_counts_for_itself() -> None:
    retry = [
        {"ErrorEquals": ["A"], "MaxAttempts": 1},
        {"ErrorEquals": ["B", "A"], "MaxAttempts": 2},
    ]
    service = Script(T=[Fails("A"), Fails("B"), Fails("B"), "done"])
    assert play(machine(retry), {}, service).output == "done"
    service = Script(T=[Fails("A"), Fails("A"), "done"])
    assert play(machine(retry), {}, service).error == "A"


@pytest.mark.parametrize(
    ("error", "names", "taken"),
    [
        ("Glue.X", ["Glue.X"], True),
        ("Glue.X", ["Glue"], False),
        ("Glue.X", ["States.TaskFailed"], True),
        ("Glue.X", ["States.ALL"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.ALL"], True),
        ("States.HeartbeatTimeout", ["States.Timeout"], True),
        ("States.DataLimitExceeded", ["States.ALL"], False),
        ("States.DataLimitExceeded", ["States.DataLimitExceeded"], True),
        ("States.Runtime", ["States.ALL"], False),
    ],
)
def test_which_errors_a_catcher_takes(error: str, names: list[str], *, taken: bool) -> None:
    outcome = play(machine(catch=[{"ErrorEquals": names, "Next": "H"}]), {}, Script(T=Fails(error)))
    assert (outcome.status == "SUCCEEDED") is taken


def test_a_catcher_puts_out_and_assigns() -> None:
    definition = jsonata(
        {
            "T": {
                "Type": "Task",
                "Resource": "r",
                "Assign": {"never": 1},
                "Catch": [
                    {
                        "ErrorEquals": ["E"],
                        "Assign": {"why": "{% $states.errorOutput.Cause %}"},
                        "Output": {"in": "{% $states.input %}"},
                        "Next": "H",
                    }
                ],
                "End": True,
            },
            "H": {
                "Type": "Pass",
                "Output": "{% [$states.input, $why, $exists($never)] %}",
                "End": True,
            },
        }
    )
    assert output_of(definition, 5, T=Fails("E", "c")) == [{"in": 5}, "c", False]


def test_an_expression_that_fails_in_a_task_can_be_retried_and_caught() -> None:
    definition = machine(
        [{"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 2}],
        [{"ErrorEquals": ["States.ALL"], "Next": "H"}],
        Output="{% $states.result.missing %}",
    )
    service = Script(T=[{}, {}, {}])
    output = play(definition, {}, service).output
    assert output["Error"] == "States.QueryEvaluationError"
    assert [request.attempt for request in service.requests] == [0, 1, 2]


def test_the_retry_count_is_seen() -> None:
    definition = machine(
        [{"ErrorEquals": ["E"]}], Arguments="{% $states.context.State.RetryCount %}"
    )
    service = Script(T=[Fails("E"), lambda request: request.arguments])
    assert play(definition, {}, service).output == 1


def test_a_parallel_is_retried_whole_with_fresh_keys() -> None:
    branch = {"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "r", "End": True}}}
    definition = jsonata(
        {
            "P": {
                "Type": "Parallel",
                "Branches": [branch],
                "Retry": [{"ErrorEquals": ["E"]}],
                "End": True,
            }
        }
    )
    service = Script(B=[Fails("E"), "done"])
    assert play(definition, {}, service).output == ["done"]
    assert service.keys == ["P#1.0[0]/B#1.0", "P#1.1[0]/B#1.0"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ({}, {"Error": "E", "Cause": "c"}),
        ({"ResultPath": "$.why"}, {"a": 1, "why": {"Error": "E", "Cause": "c"}}),
        ({"ResultPath": None}, {"a": 1}),
    ],
)
def test_a_jsonpath_catcher_places_the_error(path: Json, expected: Json) -> None:
    definition = jsonpath(
        {
            "T": {
                "Type": "Task",
                "Resource": "r",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "H", **path}],
                "End": True,
            },
            "H": {"Type": "Pass", "End": True},
        }
    )
    assert output_of(definition, {"a": 1}, T=Fails("E", "c")) == expected


def test_a_jsonpath_miss_cannot_be_caught() -> None:
    definition = jsonpath(
        {
            "T": {
                "Type": "Task",
                "Resource": "r",
                "Parameters": {"x.$": "$.missing"},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "H"}],
                "End": True,
            },
            "H": {"Type": "Pass", "End": True},
        }
    )
    assert error_of(definition) == "States.Runtime"
