"""What a handler raised, in words; and what is no handler's exception, as it is."""

from __future__ import annotations

import json

import pytest

from runner.model.raised import message_of, traced

RAISED = {"errorType": "ValueError", "errorMessage": "bad", "stackTrace": ["  File x\n", "  y\n"]}


def test_the_message_and_where_it_was_raised() -> None:
    assert message_of(json.dumps(RAISED)) == "bad"
    assert traced(json.dumps(RAISED)) == "bad\n  File x\n  y"


@pytest.mark.parametrize(
    "cause",
    ["Task timed out", '"text"', "[1]", "null", "{}", '{"errorMessage": "x", "stackTrace": 3}', ""],
)
def test_anything_else_is_told_as_it_is(cause: str) -> None:
    assert (message_of(cause), traced(cause)) == (cause, cause)


@pytest.mark.parametrize("trace", [{}, {"stackTrace": None}, {"stackTrace": []}])
def test_a_message_alone(trace: dict[str, object]) -> None:
    assert traced(json.dumps({"errorMessage": "bad", **trace})) == "bad"
