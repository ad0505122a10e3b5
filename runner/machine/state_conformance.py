"""Answers the conformance cases of TestState: the call as the API has it, the answer likewise.

In: a case of the kind `test_state`.  Out: status, output, error, cause, nextState, inspectionData,
or the refusal.  Values that are JSON texts in the API are shown as the cases show them: objects
as objects, anything else as the text.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

from runner.machine.failures import InvalidDefinition
from runner.machine.ports import VirtualClock
from runner.machine.refusals import create_message
from runner.machine.state_mocks import (
    INVALID,
    StateTestRefused,
    read_mock,
)
from runner.machine.state_test import InspectionLevel, StateConfiguration, StateTest
from runner.machine.state_testing import run_state_test
from runner.machine.templates import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.machine.state_mocks import ResultModels
    from runner.machine.state_test import StateResult

Json = Any

_SCHEMA = "SCHEMA_VALIDATION_FAILED"
_LONGEST_NAME = 80
_WHOLE = frozenset(
    {
        "errorDetails",
        "maxConcurrency",
        "toleratedFailureCount",
        "toleratedFailurePercentage",
    }
)
"""Fields of inspectionData that are not JSON texts."""


def answer_state(case: Mapping[str, Json], models: ResultModels) -> dict[str, Json]:
    """Run one case."""
    call = case["call"]
    if call.get("stateName") == "":
        told = "Invalid length for parameter stateName, value: 0, valid min length: 1"
        return {
            "id": case["id"],
            "status": "INVALID",
            "exception_typename": "ParamValidationError",
            "exception_value": f"Parameter validation failed:\n{told}",
        }
    try:
        test = read_call(call)
        # A fixed seed: the same case gives the same answer.
        result = run_state_test(test, clock=VirtualClock(), random=Random(0), models=models)  # noqa: S311
    except InvalidDefinition as refused:
        return _refused(case, INVALID, create_message(refused.refusals))
    except StateTestRefused as refused:
        return _refused(case, refused.code, refused.message)
    return {"id": case["id"], **to_api(result, inspected=test.level is not InspectionLevel.INFO)}


def read_call(call: Mapping[str, Json]) -> StateTest:
    """Read a call of the API; `definition`, `input`, `context`, `variables` may be JSON values."""
    name, level = call.get("stateName"), call.get("inspectionLevel", "INFO")
    if name is not None and len(name) > _LONGEST_NAME:
        told = f"Member must have length less than or equal to {_LONGEST_NAME}"
        raise _constraint("Value at 'stateName'", told)
    if level not in set(InspectionLevel):
        told = f"Member must satisfy enum value set: [{', '.join(InspectionLevel)}]"
        raise _constraint(f"Value '{level}' at 'inspectionLevel'", told)
    mock = call.get("mock")
    return StateTest(
        definition=call["definition"],
        data=call.get("input", {}),
        state_name=name,
        mock=None if mock is None else read_mock(mock),
        variables=_object(call, "variables") or {},
        context=_object(call, "context"),
        level=InspectionLevel(level),
        configuration=_configuration(call.get("stateConfiguration") or {}),
        role_arn=call.get("roleArn"),
        reveal_secrets=bool(call.get("revealSecrets")),
    )


def _constraint(what: str, told: str) -> StateTestRefused:
    return StateTestRefused(
        f"1 validation error detected: {what} failed to satisfy constraint: {told}"
    )


def _object(call: Mapping[str, Json], name: str) -> Json:
    """Give a field that holds an object, as JSON text or as it is."""
    value = call.get(name)
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        read = value
    if read is None or isinstance(read, dict):
        return read
    told = f"Invalid {name.capitalize()} object provided: {name.capitalize()} object is not JSON"
    raise StateTestRefused(told)


def _configuration(source: Mapping[str, Json]) -> StateConfiguration:
    return StateConfiguration(
        retries=source.get("retrierRetryCount"),
        error_caused_by=source.get("errorCausedByState"),
        failed_iterations=source.get("mapIterationFailureCount", 0),
        reader_data=source.get("mapItemReaderData"),
    )


def _refused(case: Mapping[str, Json], code: str, message: str) -> dict[str, Json]:
    told = f"An error occurred ({code}) when calling the TestState operation: {message}"
    return {
        "id": case["id"],
        "status": "INVALID",
        "Error": {"Code": code, "Message": message},
        "message": message,
        "exception_typename": code,
        "exception_value": told,
    }


def to_api(result: StateResult, *, inspected: bool) -> dict[str, Json]:
    """Write a result with the names of the API; a field that says nothing is left out."""
    told: dict[str, Json] = {"status": result.status.value}
    if result.output is not UNDEFINED:
        told["output"] = _shown(result.output)
    texts = {"error": result.error, "cause": result.cause, "nextState": result.next_state}
    told.update({name: text for name, text in texts.items() if text is not None})
    if inspected:
        told["inspectionData"] = {
            name: value if name in _WHOLE else _shown(value)
            for name, value in result.inspection.items()
        }
    return told


def _shown(value: Json) -> Json:
    return value if isinstance(value, dict) else json.dumps(value, ensure_ascii=False)
