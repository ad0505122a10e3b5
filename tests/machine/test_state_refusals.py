"""What a test of one state refuses, in AWS's words, and how its mocks are read."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from runner.machine import InvalidDefinition, VirtualClock
from runner.machine.state_mocks import (
    FieldValidation,
    MockedError,
    MockedResult,
    StateTestRefused,
    read_mock,
)
from runner.machine.state_test import StateConfiguration, StateResult, StateTest
from runner.machine.state_testing import run_state_test
from tests.machine.state_tests import a_map, reader, refused, task, tried

Json = Any
NO_TOKEN = (
    "Invalid Context object provided: Context object contains 'Task' when state is not a Task"
    " state with a '.sync' or '.waitForTaskToken' service integration pattern"
)
FLOWS = (
    "TestState API does not support Map or Parallel states. Supported state types include:"
    " [Task, Wait, Pass, Succeed, Fail, Choice]"
)
BRANCH = {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}
PARALLEL = {"Type": "Parallel", "Branches": [BRANCH], "End": True}
SYNC = "arn:aws:states:::ecs:runTask.sync"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
REFUSALS: dict[str, tuple[Json, Any, dict[str, Any], str]] = {
    "a Map alone": (a_map(), None, {}, FLOWS),
    "a Parallel alone": (PARALLEL, None, {}, FLOWS),
    "a Task alone": (task(), None, {}, "RoleArn must be specified when testing a Task state"),
    "a Task with a role": (
        task(),
        None,
        {"role_arn": "arn:aws:iam::123456789012:role/r"},
        "A Task can be tested with a mock only: give a result or an error.",
    ),
    "a job alone": (
        task(Resource=SYNC),
        None,
        {},
        "TestState API does not support '.sync' or '.waitForTaskToken' integration patterns.",
    ),
    "an activity alone": (
        task(Resource=ACTIVITY),
        None,
        {},
        "TestState API does not support Activity tasks.",
    ),
    "a Pass with a mock": (
        {"Type": "Pass", "End": True},
        MockedResult(1),
        {},
        "State type 'Pass' is not supported when a mock is specified",
    ),
    "a Wait with a mock": (
        {"Type": "Wait", "Seconds": 1, "End": True},
        MockedError("E"),
        {},
        "State type 'Wait' is not supported when a mock is specified",
    ),
    "secrets": (
        task(),
        MockedResult({}),
        {"reveal_secrets": True},
        "TestState does not support RevealSecrets when a mock is specified.",
    ),
    "no array": (a_map(), MockedResult({}), {}, "Mocked result must be an array."),
    "no array of branches": (PARALLEL, MockedResult({}), {}, "Mocked result must be an array."),
    "too many branches": (
        PARALLEL,
        MockedResult([1, 2]),
        {},
        "Mocked result must contain the same number of items as number of Parallel branches.",
    ),
    "too many results": (
        a_map(),
        MockedResult([1, 2]),
        {"data": [1]},
        "Input array does not equal the mocked result array's size.",
    ),
    "too many failures": (
        a_map(),
        MockedResult([1]),
        {"data": [1], "configuration": StateConfiguration(failed_iterations=2)},
        "Map iteration failure count must be less than or equal to the number of Map iterations",
    ),
    "nothing to read": (
        a_map(ItemReader=reader()),
        MockedResult([1]),
        {"data": {"key": "k"}},
        "ItemReader data must be specified when testing a Map state with ItemReader specified.",
    ),
    "a context without a mock": (
        {"Type": "Succeed"},
        None,
        {"context": {}},
        "A Context object can only be specified when a mock is specified.",
    ),
    "a context that is none": (
        task(),
        MockedResult({}),
        {"context": [1]},
        "Invalid Context object provided: Context object is not a JSON object",
    ),
    "a token for a call": (
        task(),
        MockedResult({}),
        {"context": {"Task": {"Token": "t"}}},
        NO_TOKEN,
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    definition, mock, given, message = REFUSALS[name]
    code, told = refused(definition, mock, **given)
    assert told == message
    assert code == (
        "InvalidDefinition" if message.startswith("TestState API") else "ValidationException"
    )


def test_a_token_is_seen_where_one_is_waited_for() -> None:
    state = task(
        Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        Parameters={"token.$": "$$.Task.Token"},
    )
    given = {"Task": {"Token": "t"}}
    result = tried(state, {}, MockedResult({}), context=given)
    assert result.inspection["afterParameters"] == {"token": "t"}


def test_a_definition_is_checked_but_for_where_it_leads() -> None:
    assert tried({"Type": "Pass", "Next": "Anywhere"}).next_state == "Anywhere"
    with pytest.raises(InvalidDefinition) as caught:
        tried({"Type": "Pass", "Nxt": "Anywhere"})
    places = {fault.place.file for fault in caught.value.faults}
    assert places == {"/States/StateName", "/States/StateName/Nxt"}
    lost = {"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "Nowhere"}}}
    with pytest.raises(InvalidDefinition) as caught:
        tried({"Type": "Parallel", "Branches": [lost], "Next": "Anywhere"})
    (fault,) = caught.value.faults
    assert fault.found == "Missing 'Next' target: Nowhere"


def test_a_mock_of_the_api_is_read() -> None:
    assert read_mock({"result": '{"a": 1}'}) == MockedResult({"a": 1}, FieldValidation.STRICT)
    present = read_mock({"result": "1", "fieldValidationMode": "PRESENT"})
    assert present == MockedResult(1, FieldValidation.PRESENT)
    assert read_mock({"errorOutput": {"error": "E"}}) == MockedError("E", None)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"result": "1", "errorOutput": {"error": "E"}},
            "A test mock should have only one of the following fields: [result, errorOutput].",
        ),
        (
            {},
            "A test mock should have only one of the following fields: [result, errorOutput].",
        ),
        ({"result": "{"}, "Mocked result must be valid JSON"),
        ({"errorOutput": {}}, "An error was not specified in the mocked error output."),
    ],
)
def test_a_bad_mock_is_refused(source: Json, message: str) -> None:
    with pytest.raises(StateTestRefused) as caught:
        read_mock(source)
    assert caught.value.message == message


class NoGood:
    """Finds something in every result, and keeps how strictly it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def problem(self, resource: str, result: Json, *, strict: bool) -> str | None:  # noqa: ARG002
        self.asked.append((resource, strict))
        return "Field 'X' must be a string"


def checked(mock: MockedResult, models: NoGood) -> StateResult:
    test = StateTest(task(), mock=mock)
    return run_state_test(test, clock=VirtualClock(), random=Random(0), models=models)  # noqa: S311


def test_results_are_compared_as_strictly_as_asked() -> None:
    models = NoGood()
    for mode in (FieldValidation.STRICT, FieldValidation.PRESENT):
        with pytest.raises(StateTestRefused) as caught:
            checked(MockedResult({}, mode), models)
        told = "Mock result schema validation error: Field 'X' must be a string"
        assert caught.value.message == told
    result = checked(MockedResult({}, FieldValidation.NONE), models)
    assert (result.status, result.inspection) == ("SUCCEEDED", {})
    assert [strict for _, strict in models.asked] == [True, False]
