"""Definitions that AWS would refuse are refused, with every fault and where it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.machine import InvalidDefinition, parse_definition
from tests.machine.machines import jsonata, jsonpath

Json = Any

PASS = {"Type": "Pass", "End": True}
GET = "arn:aws:states:::s3:getObject"
TASK = {"Type": "Task", "Resource": "r", "End": True}


def pointers(definition: Json, *, express: bool = False) -> list[str]:
    """The places of a definition's faults; none when it is accepted."""
    try:
        parse_definition(definition, express=express)
    except InvalidDefinition as refused:
        return [fault.place.file for fault in refused.faults]
    return []


def state(**fields: Json) -> dict[str, Json]:
    return jsonata({"A": fields})


BROKEN = {
    "no start": ({"States": {"A": PASS}}, ["/"]),
    "no states": ({"StartAt": "A"}, ["/"]),
    "empty states": ({"StartAt": "A", "States": {}}, ["/StartAt", "/States"]),
    "states are a list": ({"StartAt": "A", "States": []}, ["/States"]),
    "a state is a text": (jsonata({"A": "x"}), ["/States/A"]),
    "unknown field above": (jsonata({"A": PASS}, Foo=1), ["/Foo"]),
    "unknown language": (
        {"QueryLanguage": "SQL", "StartAt": "A", "States": {"A": PASS}},
        ["/QueryLanguage"],
    ),
    "unknown version": (jsonata({"A": PASS}, Version="2.0"), ["/Version"]),
    "timeout of the machine": (jsonata({"A": PASS}, TimeoutSeconds="x"), ["/TimeoutSeconds"]),
    "start leads nowhere": (
        {"StartAt": "X", "States": {"A": PASS}},
        ["/StartAt", "/States/A"],
    ),
    "next leads nowhere": (state(Type="Pass", Next="X"), ["/", "/States/A/Next"]),
    "not reachable": (jsonata({"A": PASS, "B": PASS}), ["/States/B"]),
    "no type": (state(End=True), ["/States/A"]),
    "unknown type": (state(Type="Loop", End=True), ["/States/A/Type"]),
    "no end": (state(Type="Pass"), ["/States/A"]),
    "both next and end": (jsonata({"A": {**PASS, "Next": "B"}, "B": PASS}), ["/States/A"]),
    "end is false": (state(Type="Pass", End=False), ["/States/A"]),
    "unknown field": (state(**PASS, Foo=1), ["/States/A/Foo"]),
    "jsonpath in jsonata": (state(**PASS, InputPath="$"), ["/States/A/InputPath"]),
    "jsonata in jsonpath": (jsonpath({"A": {**PASS, "Output": 1}}), ["/States/A/Output"]),
    "downgrade": (state(**PASS, QueryLanguage="JSONPath"), ["/States/A/QueryLanguage"]),
    "long name": (jsonata({"A" * 81: PASS}), [f"/States/{'A' * 81}"]),
    "no resource": (state(Type="Task", End=True), ["/States/A"]),
    "timeout": (state(**TASK, TimeoutSeconds=-1), ["/States/A/TimeoutSeconds"]),
    "timeout of halves": (state(**TASK, TimeoutSeconds=1.5), ["/States/A/TimeoutSeconds"]),
    "credentials": (state(**TASK, Credentials={}), ["/States/A/Credentials"]),
    "both timeouts": (
        jsonpath({"A": {**TASK, "TimeoutSeconds": 1, "TimeoutSecondsPath": "$.t"}}),
        ["/States/A"],
    ),
    "no choices": (state(Type="Choice", Choices=[]), ["/States/A/Choices"]),
    "no condition": (
        jsonata({"C": {"Type": "Choice", "Choices": [{"Next": "A"}]}, "A": PASS}),
        ["/States/C/Choices[0]"],
    ),
    "no operator": (
        jsonpath({"C": {"Type": "Choice", "Choices": [{"Variable": "$", "Next": "A"}]}, "A": PASS}),
        ["/States/C/Choices[0]"],
    ),
    "operand of the wrong type": (
        jsonpath(
            {
                "C": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.x", "NumericEquals": "1", "Next": "A"}],
                },
                "A": PASS,
            }
        ),
        ["/States/C/Choices[0]/NumericEquals"],
    ),
    "two waits": (
        jsonpath({"A": {"Type": "Wait", "Seconds": 1, "SecondsPath": "$.s", "End": True}}),
        ["/States/A"],
    ),
    "no wait": (state(Type="Wait", End=True), ["/States/A"]),
    "no instant": (state(Type="Wait", Timestamp="noon", End=True), ["/States/A/Timestamp"]),
    "state in no language": (
        jsonpath({"A": {**PASS, "QueryLanguage": "SQL"}}),
        ["/States/A/QueryLanguage"],
    ),
    "a branch is a text": (
        state(Type="Parallel", Branches=["x"], End=True),
        ["/States/A/Branches[0]"],
    ),
    "a retrier is a text": (state(**TASK, Retry=["x"]), ["/States/A/Retry[0]"]),
    "a catcher is a text": (state(**TASK, Catch=["x"]), ["/States/A/Catch[0]"]),
    "a retrier's field": (
        state(**TASK, Retry=[{"ErrorEquals": ["E"], "Foo": 1}]),
        ["/States/A/Retry[0]/Foo"],
    ),
    "a catcher's path": (
        jsonpath(
            {
                "A": {**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "B", "ResultPath": "x"}]},
                "B": PASS,
            }
        ),
        ["/States/A/Catch[0]/ResultPath"],
    ),
    "a choice is a text": (
        jsonata({"A": {"Type": "Choice", "Choices": ["x"], "Default": "B"}, "B": PASS}),
        ["/States/A/Choices[0]"],
    ),
    "a choice without next": (
        jsonata(
            {"A": {"Type": "Choice", "Choices": [{"Condition": True}], "Default": "B"}, "B": PASS}
        ),
        ["/States/A/Choices[0]"],
    ),
    "a condition's field": (
        jsonata(
            {
                "A": {"Type": "Choice", "Choices": [{"Condition": True, "Next": "B", "Foo": 1}]},
                "B": PASS,
            }
        ),
        ["/States/A/Choices[0]/Foo"],
    ),
    "rules of every kind": (
        jsonpath(
            {
                "A": {
                    "Type": "Choice",
                    "Choices": [
                        {"Not": "x", "Next": "B"},
                        {"And": [], "Next": "B"},
                        {"Or": ["x", {"Variable": "v", "IsNull": 1, "Foo": 1}], "Next": "B"},
                        {"Variable": "$", "StringEqualsPath": "x", "Next": "B"},
                        {"Variable": "$", "StringEquals": 1, "Next": "B"},
                    ],
                },
                "B": PASS,
            }
        ),
        [
            "/States/A/Choices[0]/Not",
            "/States/A/Choices[1]/And",
            "/States/A/Choices[2]/Or[0]",
            "/States/A/Choices[2]/Or[1]/Foo",
            "/States/A/Choices[2]/Or[1]/IsNull",
            "/States/A/Choices[2]/Or[1]/Variable",
            "/States/A/Choices[3]/StringEqualsPath",
            "/States/A/Choices[4]/StringEquals",
        ],
    ),
    "payloads everywhere": (
        jsonpath(
            {
                "A": {
                    **TASK,
                    "Catch": [{"ErrorEquals": ["E"], "Next": "M", "Assign": {"x.$": 1}}],
                },
                "M": {
                    "Type": "Map",
                    "ItemReader": {"Resource": GET, "Parameters": {"Key.$": ""}},
                    "ItemProcessor": {"StartAt": "I", "States": {"I": PASS}},
                    "End": True,
                },
            }
        ),
        ["/States/A/Catch[0]/Assign/x.$", "/States/M/ItemReader/Parameters/Key.$"],
    ),
    "no branches": (state(Type="Parallel", Branches=[], End=True), ["/States/A/Branches"]),
    "no processor": (state(Type="Map", End=True), ["/States/A"]),
    "error names": (
        state(**TASK, Retry=[{"ErrorEquals": []}]),
        ["/States/A/Retry[0]/ErrorEquals"],
    ),
    "all is not last": (
        state(**TASK, Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]),
        ["/States/A/Retry[0]/ErrorEquals[0]"],
    ),
    "all is not alone": (
        state(**TASK, Retry=[{"ErrorEquals": ["States.ALL", "E"]}]),
        ["/States/A/Retry[0]/ErrorEquals[0]"],
    ),
    "retrier's numbers": (
        state(
            **TASK,
            Retry=[
                {
                    "ErrorEquals": ["E"],
                    "IntervalSeconds": -1,
                    "MaxAttempts": -1,
                    "BackoffRate": 0.5,
                    "JitterStrategy": "SOME",
                }
            ],
        ),
        [
            f"/States/A/Retry[0]/{name}"
            for name in ("BackoffRate", "IntervalSeconds", "JitterStrategy", "MaxAttempts")
        ],
    ),
    "catcher without next": (
        state(**TASK, Catch=[{"ErrorEquals": ["E"]}]),
        ["/States/A/Catch[0]"],
    ),
    "catcher leads nowhere": (
        state(**TASK, Catch=[{"ErrorEquals": ["E"], "Next": "X"}]),
        ["/States/A/Catch[0]/Next"],
    ),
    "path": (jsonpath({"A": {**PASS, "InputPath": "a.b"}}), ["/States/A/InputPath"]),
    "reference path": (jsonpath({"A": {**PASS, "ResultPath": "$.a[*]"}}), ["/States/A/ResultPath"]),
    "payload": (
        jsonpath({"A": {**PASS, "Parameters": {"l": [{"x.$": "plain"}]}}}),
        ["/States/A/Parameters/l[0]/x.$"],
    ),
    "intrinsic function": (
        jsonpath({"A": {**PASS, "Parameters": {"x.$": "States.None()"}}}),
        ["/States/A/Parameters/x.$"],
    ),
    "name used twice": (
        jsonata(
            {
                "A": {
                    "Type": "Parallel",
                    "Branches": [{"StartAt": "A", "States": {"A": PASS}}],
                    "End": True,
                }
            }
        ),
        ["/States/A/Branches[0]/States/A"],
    ),
    "inside a map": (
        state(
            Type="Map",
            ItemProcessor={"StartAt": "X", "States": {"B": {"Type": "Pass", "Next": "Y"}}},
            End=True,
        ),
        [
            "/States/A/ItemProcessor/StartAt",
            "/States/A/ItemProcessor/States/B",
            "/States/A/ItemProcessor/States/B/Next",
        ],
    ),
}


@pytest.mark.parametrize(("definition", "expected"), BROKEN.values(), ids=BROKEN)
def test_refused_definitions(definition: Json, expected: list[str]) -> None:
    assert pointers(definition) == expected


@pytest.mark.parametrize("text", ["", " ", "{", "[]", "null", b"\xff{", '"x"'])
def test_what_is_no_definition_at_all(text: str | bytes) -> None:
    with pytest.raises(InvalidDefinition, match="must be a valid JSON object"):
        parse_definition(text)


def test_a_definition_has_a_largest_size() -> None:
    comment = "x" * 1_048_576
    with pytest.raises(InvalidDefinition, match="at most 1048576 bytes"):
        parse_definition(json.dumps(jsonata({"A": PASS}, Comment=comment)))


def test_express_machines_wait_for_nobody() -> None:
    for resource in (
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:us-east-1:111111111111:activity:a",
    ):
        definition = state(**{**TASK, "Resource": resource})
        assert pointers(definition, express=True) == ["/States/A/Resource"]
        assert pointers(definition) == []


def test_bytes_text_and_json_make_the_same_definition() -> None:
    source = jsonata({"A": PASS}, TimeoutSeconds=5, Comment="é")
    text = json.dumps(source, ensure_ascii=False)
    digests = {parse_definition(form).digest for form in (source, text, text.encode())}
    assert len(digests) == 1
    assert parse_definition(text).timeout_s == 5
    assert parse_definition(jsonata({"A": PASS})).digest not in digests


def test_the_error_tells_what_to_do() -> None:
    with pytest.raises(InvalidDefinition) as caught:
        parse_definition(state(Type="Pass"))
    assert caught.value.exit_status == 2
    assert "should have only one of the following fields: [Next, End]" in str(caught.value)
