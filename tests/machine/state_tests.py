"""Tests of one state in a line: what they are given, what comes back, what is refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from runner.machine import VirtualClock
from runner.machine.state_mocks import StateTestRefused
from runner.machine.state_test import InspectionLevel, StateResult, StateTest
from runner.machine.state_testing import run_state_test

Json = Any


def tried(definition: Json, data: Json = None, mock: Any = None, **given: Any) -> StateResult:  # noqa: ANN401
    given.setdefault("level", InspectionLevel.DEBUG)
    test = StateTest(definition, {} if data is None else data, mock=mock, **given)
    return run_state_test(test, clock=VirtualClock(), random=Random(0))  # noqa: S311


def refused(definition: Json, mock: Any = None, **given: Any) -> tuple[str, str]:  # noqa: ANN401
    with pytest.raises(StateTestRefused) as caught:
        tried(definition, given.pop("data", {}), mock, **given)
    assert caught.value.faults[0].found == caught.value.message
    return caught.value.code, caught.value.message


def task(**fields: Json) -> dict[str, Json]:
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True, **fields}


def a_map(**fields: Json) -> dict[str, Json]:
    states = {"One": {"Type": "Pass", "End": True}}
    return {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One",
            "States": states,
        },
        "End": True,
        **fields,
    }


def reader(**config: Json) -> dict[str, Json]:
    return {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": {"Bucket": "b", "Key.$": "$.key"},
    }
