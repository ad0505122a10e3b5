"""One state alone: its data after each field, and that a run of it agrees.

The expected values are those of AWS's pages "Testing state machines with TestState API" and
"InspectionData", or worked out by hand from the Amazon States Language.
"""

from __future__ import annotations

from typing import Any

import pytest

from runner.machine.state_mocks import MockedResult
from runner.machine.state_test import InspectionLevel, StateResult
from runner.machine.templates import UNDEFINED
from tests.machine.machines import Script, play
from tests.machine.state_tests import task, tried

Json = Any


def test_a_choice_tells_its_next_state() -> None:
    rules = [
        {"Variable": "$.number", "NumericEquals": 1, "Next": "Equals 1"},
        {"Variable": "$.number", "NumericEquals": 2, "Next": "Equals 2"},
    ]
    choice = {"Type": "Choice", "Choices": rules, "Default": "No Match"}
    result = tried(choice, {"number": 2}, level=InspectionLevel.INFO)
    assert result == StateResult(result.status, output={"number": 2}, next_state="Equals 2")
    assert result.status == "SUCCEEDED"
    assert tried(choice, {"number": 3}).next_state == "No Match"
    assert tried(choice, {"number": 3}).inspection == {
        "input": {"number": 3},
        "afterInputPath": {"number": 3},
    }


def test_a_pass_shows_every_field() -> None:
    state = {
        "Type": "Pass",
        "InputPath": "$.payload",
        "Parameters": {"data": 1},
        "ResultPath": "$.result",
        "OutputPath": "$.result.data",
        "Next": "Another State",
    }
    result = tried(state, {"payload": {"foo": "bar"}})
    assert (result.output, result.next_state) == (1, "Another State")
    assert result.inspection == {
        "input": {"payload": {"foo": "bar"}},
        "afterInputPath": {"foo": "bar"},
        "afterParameters": {"data": 1},
        "afterResultSelector": {"data": 1},
        "afterResultPath": {"payload": {"foo": "bar"}, "result": {"data": 1}},
    }


def test_a_pass_with_a_result_shows_no_input_fields() -> None:
    state = {"Type": "Pass", "Result": {"a": 1}, "ResultPath": "$.r", "End": True}
    result = tried(state, {"x": 0})
    assert result.output == {"x": 0, "r": {"a": 1}}
    assert result.inspection == {
        "input": {"x": 0},
        "afterResultSelector": {"a": 1},
        "afterResultPath": {"x": 0, "r": {"a": 1}},
    }


def test_a_task_shows_its_result_on_the_way() -> None:
    state = task(
        InputPath="$.in",
        Parameters={"FunctionName": "f", "Payload.$": "$"},
        ResultSelector={"got.$": "$.Payload"},
        ResultPath="$.out",
        OutputPath="$.out",
    )
    result = tried(state, {"in": [1]}, MockedResult({"Payload": 5, "StatusCode": 200}))
    assert result.output == {"got": 5}
    assert result.next_state is None
    assert result.inspection == {
        "input": {"in": [1]},
        "afterInputPath": [1],
        "afterParameters": {"FunctionName": "f", "Payload": [1]},
        "result": {"Payload": 5, "StatusCode": 200},
        "afterResultSelector": {"got": 5},
        "afterResultPath": {"in": [1], "out": {"got": 5}},
    }


def test_a_jsonata_task_shows_its_arguments_and_variables() -> None:
    state = task(
        QueryLanguage="JSONata",
        Arguments={"FunctionName": "{% $name %}"},
        Output="{% $states.result.Payload %}",
        Assign={"seen": "{% $states.result.Payload + $start %}"},
    )
    result = tried(
        state, {"x": 1}, MockedResult({"Payload": 4}), variables={"name": "f", "start": 2}
    )
    assert result.output == 4
    assert result.inspection == {
        "input": {"x": 1},
        "afterArguments": {"FunctionName": "f"},
        "result": {"Payload": 4},
        "variables": {"name": "f", "start": 2, "seen": 6},
    }


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ({"Type": "Wait", "Seconds": 86_400, "End": True}, {"input": {}, "afterInputPath": {}}),
        ({"Type": "Succeed"}, {"input": {}, "afterInputPath": {}}),
        ({"Type": "Succeed", "QueryLanguage": "JSONata"}, {"input": {}}),
        ({"Type": "Pass", "QueryLanguage": "JSONata", "End": True}, {"input": {}}),
    ],
)
def test_states_without_work(state: Json, shown: Json) -> None:
    result = tried(state)
    assert (result.status, result.output, result.inspection) == ("SUCCEEDED", {}, shown)


def test_a_fail_has_an_error_and_no_output() -> None:
    result = tried({"Type": "Fail", "Error": "E", "Cause": "why"})
    assert (result.status, result.error, result.cause) == ("FAILED", "E", "why")
    assert result.output is UNDEFINED
    bare = tried({"Type": "Fail"})
    assert (bare.error, bare.cause) == (None, None)


def test_a_failure_keeps_the_fields_before_it() -> None:
    result = tried(
        task(InputPath="$.a", Parameters={"x.$": "$.missing"}), {"a": {}}, MockedResult({})
    )
    assert (result.status, result.error) == ("FAILED", "States.Runtime")
    assert result.cause is not None
    assert result.cause.startswith(
        "An error occurred while executing the state 'StateName' (entered at the event id #2)."
    )
    assert result.inspection == {"input": {"a": {}}, "afterInputPath": {}}
    late = tried(task(ResultSelector={"x": 1}, OutputPath="$.y"), {}, MockedResult({}))
    assert late.inspection["afterResultSelector"] == {"x": 1}
    early = tried({"Type": "Pass", "InputPath": "$.b", "End": True}, {"a": {}})
    assert (early.status, early.inspection) == ("FAILED", {"input": {"a": {}}})
    between = tried({"Type": "Pass", "Parameters": {"x.$": "$.b"}, "End": True}, {"a": {}})
    assert between.inspection == {"input": {"a": {}}, "afterInputPath": {"a": {}}}


def test_a_parallel_shows_its_result_only() -> None:
    branch = {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}
    other = {"StartAt": "C", "States": {"C": {"Type": "Pass", "End": True}}}
    state = {"Type": "Parallel", "Branches": [branch, other], "ResultPath": "$.r", "End": True}
    result = tried(state, {"x": 1}, MockedResult(["a", "b"]))
    assert result.output == {"x": 1, "r": ["a", "b"]}
    assert result.inspection == {
        "input": {"x": 1},
        "afterResultSelector": ["a", "b"],
        "afterResultPath": {"x": 1, "r": ["a", "b"]},
    }


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "InputPath": "$.a", "Parameters": {"x.$": "$.b"}, "ResultPath": "$.r"},
        {"Type": "Pass", "OutputPath": "$.a"},
        {"Type": "Pass", "InputPath": None, "ResultPath": None},
        {"Type": "Pass", "InputPath": "$.none"},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.a.b + 1 %}"},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.a.c %}"},
        {"Type": "Wait", "Seconds": 3600, "OutputPath": "$.a"},
        {"Type": "Task", "Resource": "r", "ResultSelector": {"y.$": "$.k"}, "ResultPath": "$.a.z"},
        {"Type": "Task", "Resource": "r", "OutputPath": "$.none"},
        {"Type": "Task", "Resource": "r", "QueryLanguage": "JSONata", "Output": "{% $states %}"},
    ],
    ids=str,
)
def test_a_test_and_a_run_agree(state: Json) -> None:
    data, answer = {"a": {"b": 1}}, {"k": [1, 2]}
    machine = {"StartAt": "S", "States": {"S": {**state, "End": True}}}
    ran = play(machine, data, Script(S=answer))
    mock = MockedResult(answer) if state["Type"] == "Task" else None
    test = tried(machine, data, mock, state_name="S")
    assert (test.status, test.error, test.cause) == (ran.status.value, ran.error, ran.cause)
    if ran.error is None and state.get("Output") != "{% $states %}":
        assert test.output == ran.output
    elif ran.error is None:
        # All but what is of the execution: a test is one by itself.
        assert isinstance(test.output, dict)
        assert isinstance(ran.output, dict)
        assert {k: v for k, v in test.output.items() if k != "context"} == {
            k: v for k, v in ran.output.items() if k != "context"
        }
        assert test.output["context"]["State"] == ran.output["context"]["State"]
