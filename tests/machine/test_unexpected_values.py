"""Values that nobody expects end in an error of the state, never in one of the interpreter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.machine.machines import Script, error_of, jsonata, jsonpath, output_of, play
from tests.machine.maps import LIST, PASS, READ, WRITE, Store, map_of, path_map_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any
INFINITE = float("inf")
HALF = "\ud800"
"""Half a character: JSON may name one."""


@pytest.fixture
def few_frames() -> Iterator[None]:
    """Let calls nest as deep as Python does by itself: a library of JSONata allows more."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("few_frames")
def test_data_that_grows_too_deep_fails_the_state() -> None:
    deeper = {"n": "{% $states.input.n + 1 %}", "in": "{% $states.input %}"}
    states = {
        "Deeper": {"Type": "Pass", "Output": deeper, "Next": "Again"},
        "Again": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n < 2000 %}", "Next": "Deeper"}],
            "Default": "End",
        },
        "End": {"Type": "Succeed"},
    }
    outcome = play(jsonata(states), {"n": 0})
    assert outcome.error == "States.Runtime"
    assert (outcome.cause or "").endswith("The state's data is too deeply nested")


@pytest.mark.usefixtures("few_frames")
@pytest.mark.parametrize("function", ["States.JsonToString($)", "States.Format('{}', $)"])
def test_a_function_may_meet_data_too_deep(function: str) -> None:
    data: Json = 0.5
    for _ in range(600):
        data = [data]
    state = {"Type": "Pass", "Parameters": {"text.$": function}, "End": True}
    assert error_of(jsonpath({"P": state}), data) == "States.Runtime"


@pytest.mark.parametrize("seconds", [10**12, 10**400, 1e300])
def test_a_timeout_beyond_all_time_is_the_longest(seconds: Json) -> None:
    state = {"Type": "Task", "Resource": "r", "TimeoutSecondsPath": "$.t", "End": True}
    assert output_of(jsonpath({"T": state}), {"t": seconds}, T=1) == 1


@pytest.mark.parametrize("seconds", [INFINITE, float("nan")])
def test_a_timeout_must_be_a_number(seconds: float) -> None:
    state = {"Type": "Task", "Resource": "r", "TimeoutSecondsPath": "$.t", "End": True}
    assert error_of(jsonpath({"T": state}), {"t": seconds}) == "States.Runtime"


def test_half_a_character_can_be_batched_and_written() -> None:
    batched = path_map_of(PASS, ItemBatcher={"MaxItemsPerBatch": 2})
    assert output_of(batched, [HALF]) == [{"Items": [HALF]}]
    store = Store()
    assert play(map_of(PASS, Items=[HALF], ResultWriter=WRITE), {}, store).status == "SUCCEEDED"
    listed = play(map_of(PASS, ItemReader=LIST), {}, store).output
    assert [one["Size"] > 0 for one in listed] == [True, True]


@pytest.mark.parametrize("arguments", ["{% 5 %}", {"Prefix": "out"}, {"Bucket": 5}])
def test_a_writer_needs_a_bucket(arguments: Json) -> None:
    writer = {**WRITE, "Arguments": arguments}
    assert error_of(map_of(PASS, Items=[1], ResultWriter=writer)) == "States.ResultWriterFailed"


@pytest.mark.parametrize("form", ["{% [1] %}", {"a": 1}])
def test_the_form_of_results_must_be_a_known_one(form: Json) -> None:
    writer = {"WriterConfig": {"Transformation": form}}
    error = error_of(map_of(PASS, Items=[1], ResultWriter=writer))
    assert error == "States.QueryEvaluationError"


@pytest.mark.parametrize("reader", [READ, LIST])
def test_the_arguments_of_a_reader_must_be_an_object(reader: Json) -> None:
    outcome = play(map_of(PASS, ItemReader={**reader, "Arguments": "{% 5 %}"}), {}, Store())
    assert outcome.error == "States.ItemReaderFailed"


@pytest.mark.parametrize("arguments", [{"Prefix": 5}, {"MaxKeys": "many"}, {"Bucket": []}])
def test_what_a_listing_cannot_be_asked_is_refused(arguments: Json) -> None:
    reader = {**LIST, "Arguments": {"Bucket": "b", **arguments}}
    outcome = play(map_of(PASS, ItemReader=reader), {}, Store({"k": "1"}))
    assert outcome.error == "States.ItemReaderFailed"


def test_the_headers_of_a_file_must_be_an_array() -> None:
    config = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": 5}
    reader = {**READ, "ReaderConfig": config}
    outcome = play(map_of(PASS, ItemReader=reader), {"key": "k"}, Store({"k": "1\n"}))
    assert outcome.error == "States.ItemReaderFailed"


def test_a_file_may_be_too_deep() -> None:
    outcome = play(map_of(PASS, ItemReader=READ), {"key": "k"}, Store({"k": "[" * 5000}))
    assert outcome.error == "States.ItemReaderFailed"


def test_a_function_may_be_called_activity() -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:activity:live"
    service = Script()
    play(jsonpath({"T": {"Type": "Task", "Resource": function, "End": True}}), {}, service)
    assert [request.token for request in service.requests] == [None]
