"""Injected faults: their names by service, where they strike, what happens meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from runner.machine import (
    Crash,
    Fail,
    FaultPlan,
    InjectedFault,
    Meanwhile,
    SimulatedCrash,
    Throttle,
    Unknown,
    When,
)
from tests.machine.machines import Script, jsonata, play

RETRY = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 2}]


def one_task(resource: str) -> dict[str, Any]:
    return jsonata({"T": {"Type": "Task", "Resource": resource, "End": True}})


@pytest.mark.parametrize(
    ("resource", "throttled", "unknown"),
    [
        (
            "arn:aws:states:::athena:startQueryExecution.sync",
            "Athena.TooManyRequestsException",
            "Athena.SdkClientException",
        ),
        (
            "arn:aws:states:::aws-sdk:glue:getTable",
            "Glue.ThrottlingException",
            "Glue.SdkClientException",
        ),
        (
            "arn:aws:states:::lambda:invoke",
            "Lambda.TooManyRequestsException",
            "Lambda.SdkClientException",
        ),
        ("arn:aws:states:::ecs:runTask.sync", "ECS.ThrottlingException", "ECS.SdkClientException"),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            "StepFunctions.ThrottlingException",
            "StepFunctions.SdkClientException",
        ),
        (
            "arn:aws:states:::aws-sdk:rds:startExportTask",
            "Rds.ThrottlingException",
            "Rds.SdkClientException",
        ),
        (
            "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "Lambda.TooManyRequestsException",
            "Lambda.SdkClientException",
        ),
    ],
)
def test_each_service_has_names_of_its_own(resource: str, throttled: str, unknown: str) -> None:
    found = []
    for action in (Throttle(), Unknown()):
        faults = FaultPlan((InjectedFault("T", action),))
        service = Script(T="done")
        found.append(play(one_task(resource), {}, service, faults=faults).error)
        assert service.requests == []
    assert found == [throttled, unknown]


def test_an_unknown_outcome_may_hide_an_effect() -> None:
    service = Script(T="done")
    faults = FaultPlan((InjectedFault("T", Unknown(), When.AFTER),))
    outcome = play(one_task("arn:aws:states:::lambda:invoke"), {}, service, faults=faults)
    assert (outcome.error, len(service.requests)) == ("Lambda.SdkClientException", 1)


@pytest.mark.parametrize("when", list(When), ids=str)
@pytest.mark.parametrize("state", ["T", "P"])
def test_meanwhile_something_happens_and_the_run_goes_on(state: str, when: When) -> None:
    happened: list[int] = []
    service = Script(T="done")
    definition = jsonata(
        {
            "P": {"Type": "Pass", "Next": "T"},
            "T": {"Type": "Task", "Resource": "r", "End": True},
        }
    )
    action = Meanwhile(lambda: happened.append(len(service.requests)))
    outcome = play(definition, {}, service, faults=FaultPlan((InjectedFault(state, action, when),)))
    assert outcome.output == "done"
    assert happened == [int(state == "T" and when is When.AFTER)]


def test_a_state_that_is_no_task_neither_fails_nor_hides_a_crash_that_follows() -> None:
    definition = jsonata({"P": {"Type": "Pass", "End": True}})
    fail = InjectedFault("P", Fail("Boom"))
    assert play(definition, {}, faults=FaultPlan((fail,))).status == "SUCCEEDED"
    with pytest.raises(SimulatedCrash):
        play(definition, {}, faults=FaultPlan((fail, InjectedFault("P", Crash()))))


@pytest.mark.parametrize("first", [True, False])
def test_first_strikes_what_is_entered_for_the_first_time(*, first: bool) -> None:
    """A Map whose first item fails is tried again from its start, twice at most."""
    definition = jsonata(
        {
            "Each": {
                "Type": "Map",
                "Items": [1, 2],
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "StartAt": "T",
                    "States": {"T": {"Type": "Task", "Resource": "r", "End": True}},
                },
                "Retry": RETRY,
                "End": True,
            }
        }
    )
    service = Script(T="done")
    fault = InjectedFault("T", Fail("Again"), When.AFTER, first=first)
    outcome = play(definition, {}, service, faults=FaultPlan((fault,)))
    assert (outcome.status, len(service.requests)) == (("SUCCEEDED" if first else "FAILED"), 3)
