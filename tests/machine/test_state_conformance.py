"""The recorded answers of AWS's TestState, where the cases lie beside this checkout.

The cases are LocalStack's AWS-validated snapshots (Apache-2.0); without the folder that test is
skipped.
"""

from __future__ import annotations

import io
import json
import re
import sys
from typing import Any

import pytest

from runner.machine import conformance
from tests.machine.test_conformance import FOLDER

Json = Any
CASES = FOLDER / "teststate_dev.jsonl"
NEEDS_CASES = pytest.mark.skipif(not CASES.exists(), reason=f"no cases of TestState in {FOLDER}")
UUID = re.compile(r"<uuid:\d+>")

A_FUNCTION = "the answer is that of a Lambda function which is no part of the case"
_LAMBDA = "teststate:test_state.test_test_state_scenarios:test_base_lambda_task_state"
GAPS = {
    f"{_LAMBDA}[DEBUG]#test_case_response": A_FUNCTION,
    f"{_LAMBDA}[INFO]#test_case_response": A_FUNCTION,
    f"{_LAMBDA}[TRACE]#test_case_response": A_FUNCTION,
}
"""Cases that are known to end otherwise, and why.  This list may only shrink."""


def without(value: Json, pointers: list[str]) -> Json:
    """Leave out what a case calls volatile."""
    left = json.loads(json.dumps(value))
    for pointer in pointers:
        *path, last = pointer.split("/")[1:]
        inner = left
        for part in path:
            inner = inner.get(part, {}) if isinstance(inner, dict) else {}
        if isinstance(inner, dict):
            inner.pop(last, None)
    return left


def same(expected: Json, found: Json) -> bool:
    """Compare; a masked id is as good as any."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = expected.keys() == found.keys()
        return keys and all(same(value, found[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(found, list):
        pairs = zip(expected, found, strict=False)
        return len(expected) == len(found) and all(same(one, other) for one, other in pairs)
    if isinstance(expected, str) and UUID.fullmatch(expected):
        return isinstance(found, str)
    return bool(expected == found) and isinstance(expected, bool) is isinstance(found, bool)


def ends_as_recorded(case: Json) -> bool:
    public = {key: case[key] for key in ("id", "kind", "call")}
    told = without(conformance.answer(public), case["volatile"])
    expected = without(case["expect"], case["volatile"])
    if case["invalid"]:
        return all(same(value, told.get(key)) for key, value in expected.items())
    del told["id"]
    if told["status"] == "INVALID":
        return all(same(value, told.get(key)) for key, value in expected.items())
    return same(expected, told)


@NEEDS_CASES
def test_every_test_of_a_state_ends_as_it_did_on_aws() -> None:
    cases = [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]
    assert len(cases) > 60
    wrong = {case["id"] for case in cases if not ends_as_recorded(case)}
    assert wrong == set(GAPS)


def case_of(**call: Json) -> Json:
    return {"id": "one", "kind": "test_state", "call": call}


TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}


def test_a_call_is_answered_as_the_api_does(monkeypatch: pytest.MonkeyPatch) -> None:
    call = {
        "definition": {**TASK, "ResultSelector": {"a.$": "$.Payload"}},
        "input": [1],
        "inspectionLevel": "DEBUG",
        "variables": '{"v": 1}',
        "mock": {"result": '{"Payload": "x"}'},
    }
    out = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["conformance"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(case_of(**call)) + "\n"))
    monkeypatch.setattr(sys, "stdout", out)
    conformance.main()
    assert json.loads(out.getvalue()) == {
        "id": "one",
        "status": "SUCCEEDED",
        "output": {"a": "x"},
        "inspectionData": {
            "input": "[1]",
            "afterInputPath": "[1]",
            "afterParameters": "[1]",
            "result": {"Payload": "x"},
            "afterResultSelector": {"a": "x"},
            "afterResultPath": {"a": "x"},
            "variables": {"v": 1},
        },
    }


def refusal(message: str, code: str = "ValidationException") -> Json:
    return {
        "id": "one",
        "status": "INVALID",
        "Error": {"Code": code, "Message": message},
        "message": message,
        "exception_typename": code,
        "exception_value": (
            f"An error occurred ({code}) when calling the TestState operation: {message}"
        ),
    }


@pytest.mark.parametrize(
    ("call", "message", "code"),
    [
        (
            {"definition": TASK, "mock": {"result": '{"StatusCode": "200"}'}},
            "Mock result schema validation error: Field 'StatusCode' must be a number",
            "ValidationException",
        ),
        (
            {"definition": {"Type": "Parallel", "Branches": [], "End": True}},
            (
                "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Value cannot be"
                " empty at /States/StateName/Branches'"
            ),
            "InvalidDefinition",
        ),
        (
            {"definition": TASK, "context": "[1]", "mock": {"result": "1"}},
            "Invalid Context object provided: Context object is not JSON",
            "ValidationException",
        ),
        (
            {"definition": TASK, "variables": "{"},
            "Invalid Variables object provided: Variables object is not JSON",
            "ValidationException",
        ),
        (
            {"definition": TASK, "stateName": "x" * 81},
            (
                "1 validation error detected: Value at 'stateName' failed to satisfy constraint:"
                " Member must have length less than or equal to 80"
            ),
            "ValidationException",
        ),
        (
            {"definition": TASK, "inspectionLevel": "ALL"},
            (
                "1 validation error detected: Value 'ALL' at 'inspectionLevel' failed to satisfy"
                " constraint: Member must satisfy enum value set: [INFO, DEBUG, TRACE]"
            ),
            "ValidationException",
        ),
    ],
)
def test_a_call_is_refused_as_the_api_does(call: Json, message: str, code: str) -> None:
    assert conformance.answer(case_of(**call)) == refusal(message, code)


def test_a_definition_that_is_no_json_is_refused() -> None:
    told = conformance.answer(case_of(definition="{"))["Error"]
    assert told["Code"] == "InvalidDefinition"
    start = "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: "
    assert told["Message"].startswith(start)


def test_an_empty_name_does_not_leave_the_sdk() -> None:
    told = conformance.answer(case_of(definition=TASK, stateName=""))
    assert told["exception_typename"] == "ParamValidationError"
    assert told["exception_value"] == (
        "Parameter validation failed:\n"
        "Invalid length for parameter stateName, value: 0, valid min length: 1"
    )


def test_a_caught_error_is_answered_with_its_details() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "N"}]
    call = {
        "definition": {**TASK, "Catch": catch},
        "mock": {"errorOutput": {"error": "E", "cause": "c"}},
        "inspectionLevel": "TRACE",
        "stateConfiguration": {"retrierRetryCount": 1},
    }
    assert conformance.answer(case_of(**call)) == {
        "id": "one",
        "status": "CAUGHT_ERROR",
        "output": {"Error": "E", "Cause": "c"},
        "error": "E",
        "cause": "c",
        "nextState": "N",
        "inspectionData": {
            "input": {},
            "afterInputPath": {},
            "afterParameters": {},
            "errorDetails": {"catchIndex": 0},
        },
    }
