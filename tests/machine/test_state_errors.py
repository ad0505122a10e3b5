"""Who takes the error of a state that is tested alone; where it stands, and its context object."""

from __future__ import annotations

from typing import Any

from runner.machine.state_mocks import MockedError, MockedResult
from runner.machine.state_test import StateConfiguration
from runner.machine.templates import UNDEFINED
from tests.machine.machines import jsonpath
from tests.machine.state_tests import a_map, refused, task, tried

Json = Any
TOO_MANY = "Lambda.TooManyRequestsException"


def test_a_retrier_takes_the_error() -> None:
    retriers = [
        {"ErrorEquals": ["Other"]},
        {"ErrorEquals": [TOO_MANY], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2.0},
    ]
    mock = MockedError(TOO_MANY, "Service error")
    result = tried(task(Retry=retriers), {}, mock, configuration=StateConfiguration(retries=1))
    assert (result.status, result.error, result.cause) == ("RETRIABLE", TOO_MANY, "Service error")
    assert (result.output, result.next_state) == (UNDEFINED, None)
    details = {"retryIndex": 1, "retryBackoffIntervalSeconds": 4}
    assert result.inspection["errorDetails"] == details
    assert tried(task(Retry=retriers), {}, mock).inspection["errorDetails"] == {
        "retryIndex": 1,
        "retryBackoffIntervalSeconds": 2,
    }


def test_retries_so_far_may_come_from_the_context() -> None:
    state = task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 2, "MaxDelaySeconds": 2}])
    once = {"State": {"RetryCount": 1}}
    assert tried(state, {}, MockedError("E"), context=once).status == "RETRIABLE"
    twice = {"State": {"RetryCount": 2}}
    ended = tried(state, {}, MockedError("E"), context=twice)
    assert (ended.status, ended.inspection["errorDetails"]) == ("FAILED", {"retryIndex": 0})


def test_a_catcher_takes_the_error_when_no_attempt_is_left() -> None:
    state = task(
        Retry=[{"ErrorEquals": [TOO_MANY], "MaxAttempts": 1}],
        Catch=[
            {"ErrorEquals": ["Other"], "Next": "Elsewhere"},
            {
                "ErrorEquals": [TOO_MANY],
                "ResultPath": "$.error",
                "Next": "HandleThrottling",
                "Assign": {"failed.$": "$.Error"},
            },
        ],
    )
    mock = MockedError(TOO_MANY, "Rate exceeded")
    result = tried(state, {"data": "value"}, mock, configuration=StateConfiguration(retries=1))
    assert (result.status, result.next_state) == ("CAUGHT_ERROR", "HandleThrottling")
    assert (result.error, result.cause) == (TOO_MANY, "Rate exceeded")
    assert result.output == {
        "data": "value",
        "error": {"Error": TOO_MANY, "Cause": "Rate exceeded"},
    }
    assert result.inspection["errorDetails"] == {"retryIndex": 0, "catchIndex": 1}
    assert result.inspection["variables"] == {"failed": TOO_MANY}


def test_a_catcher_may_fail_itself() -> None:
    catcher = {"ErrorEquals": ["States.ALL"], "Next": "N", "Output": "{% $missing %}"}
    state = task(QueryLanguage="JSONata", Catch=[catcher])
    result = tried(state, {}, MockedError("E"))
    assert (result.status, result.error) == ("FAILED", "States.QueryEvaluationError")


def test_the_errors_of_output_are_caught_too() -> None:
    catcher = {"ErrorEquals": ["States.QueryEvaluationError"], "Next": "N"}
    state = task(QueryLanguage="JSONata", Output="{% $missing %}", Catch=[catcher])
    assert tried(state, {}, MockedResult({})).next_state == "N"


def test_errors_go_out_to_the_states_around() -> None:
    inner = a_map(Catch=[{"ErrorEquals": ["Boom"], "Next": "Mend"}])
    del inner["End"]
    inner["Next"] = "Mend"
    definition = jsonpath({"Each": inner, "Mend": {"Type": "Pass", "End": True}})
    states = definition["States"]["Each"]["ItemProcessor"]["States"]
    states["One"] = task()
    result = tried(definition, {"x": 1}, MockedError("Boom"), state_name="One")
    assert (result.status, result.next_state) == ("CAUGHT_ERROR", "Mend")
    assert result.inspection["errorDetails"] == {"catchIndex": 0}
    assert tried(definition, {}, MockedError("Else"), state_name="One").status == "FAILED"


def test_a_mocked_error_of_a_map_names_the_state_that_failed() -> None:
    mock, inside = MockedError("Boom"), StateConfiguration(error_caused_by="One")
    result = tried(a_map(ToleratedFailureCount=5), [1], mock, configuration=inside)
    assert (result.status, result.error) == ("FAILED", "Boom")
    assert result.inspection["toleratedFailureCount"] == 5
    nowhere = StateConfiguration(error_caused_by="Two")
    assert refused(a_map(), mock, data=[1], configuration=nowhere)[1] == (
        "State not found in definition"
    )


def test_the_context_object_is_made_up_or_given() -> None:
    state = task(ResultSelector={"context.$": "$$"})
    made = tried(state, {"a": 1}, MockedResult({})).output
    assert isinstance(made, dict)
    context = made["context"]
    assert context["State"] == {
        "Name": "StateName",
        "EnteredTime": "2000-01-01T00:00:00.000Z",
        "RetryCount": 0,
    }
    assert context["Execution"]["Input"] == {"a": 1}
    assert set(context) == {"Execution", "State", "StateMachine"}
    given = {"Execution": {}, "State": {"Name": "Mine"}}
    assert tried(state, {}, MockedResult({}), context=given).output == {"context": given}


def test_a_state_of_a_map_sees_its_first_item() -> None:
    definition = jsonpath({"Each": a_map()})
    inner = {"Type": "Pass", "Parameters": {"item.$": "$$.Map.Item"}, "End": True}
    definition["States"]["Each"]["ItemProcessor"]["States"]["One"] = inner
    assert tried(definition, {"v": 1}, state_name="One").output == {
        "item": {"Index": 0, "Value": {"v": 1}}
    }


def test_a_state_is_found_in_branches() -> None:
    branch = {"StartAt": "B", "States": {"B": {"Type": "Pass", "Result": 1, "End": True}}}
    definition = jsonpath({"P": {"Type": "Parallel", "Branches": [branch], "End": True}})
    assert tried(definition, {}, state_name="B").output == 1
    assert refused(definition, state_name="C") == (
        "ValidationException",
        "State not found in definition",
    )
