"""Distributed Maps: the items, the child executions, what fails and how much may, the limits."""

from __future__ import annotations

import gc
import json
import re
from types import GeneratorType
from typing import Any

import pytest

from runner.machine import Event, EventKind, ExecutionContext
from tests.machine.machines import Fails, Script, jsonata, play
from tests.machine.maps import PASS, TASK, WRITE, Store, map_of, path_map_of, processor

Json = Any
TOLERANCE = "States.ExceedToleratedFailureThreshold"
ITEM = "{% $states.context.Map.Item %}"


# -- items ---------------------------------------------------------------------------------------


def test_the_context_tells_index_value_and_source_of_an_item() -> None:
    outcome = play(map_of(PASS, Items=["a", "b"], ItemSelector=ITEM))
    assert outcome.output == [
        {"Index": 0, "Value": "a", "Source": "STATE_DATA"},
        {"Index": 1, "Value": "b", "Source": "STATE_DATA"},
    ]


@pytest.mark.parametrize("items", [{"x": 1, "y": [2]}, "{% {'x': 1, 'y': [2]} %}"])
def test_an_object_is_iterated_pair_by_pair(items: Json) -> None:
    assert play(map_of(PASS, Items=items)).output == [
        {"Key": "x", "Value": 1},
        {"Key": "y", "Value": [2]},
    ]
    told = play(map_of(PASS, Items=items, ItemSelector=ITEM)).output
    assert told[1] == {"Index": 1, "Key": "y", "Value": [2], "Source": "STATE_DATA"}


def test_a_path_may_lead_to_an_object() -> None:
    selector = {"k.$": "$$.Map.Item.Key", "v.$": "$$.Map.Item.Value", "all.$": "$.n"}
    definition = path_map_of(PASS, ItemsPath="$.o", ItemSelector=selector)
    assert play(definition, {"o": {"x": 1}, "n": 9}).output == [{"k": "x", "v": 1, "all": 9}]


@pytest.mark.parametrize(
    ("definition", "error"),
    [
        (map_of(PASS, Items="{% 'x' %}"), "States.QueryEvaluationError"),
        (map_of(PASS), "States.QueryEvaluationError"),
        (path_map_of(PASS), "States.Runtime"),
    ],
)
def test_what_is_neither_an_array_nor_an_object_has_no_items(definition: Json, error: str) -> None:
    assert play(definition, "text").error == error


def test_an_object_is_no_input_of_an_inline_map() -> None:
    inner = {"StartAt": "I", "States": PASS}
    definition = jsonata({"M": {"Type": "Map", "ItemProcessor": inner, "End": True}})
    outcome = play(definition, {"x": 1})
    assert outcome.error == "States.QueryEvaluationError"
    assert (outcome.cause or "").endswith('Map state input must be an array but was: {"x":1}')


def test_a_selector_that_fails_fails_the_map_itself() -> None:
    outcome = play(
        map_of(PASS, Items=[1], ItemSelector="{% $states.input.none %}", ToleratedFailureCount=5)
    )
    assert outcome.error == "States.QueryEvaluationError"


# -- child executions ----------------------------------------------------------------------------

_SEEN = {
    "I": {"Type": "Task", "Resource": "r", "Arguments": "{% $states.context %}", "End": True},
}
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def test_a_child_is_an_execution_of_its_own() -> None:
    first, second = play(map_of(_SEEN, Items=["x", "y"], Label="Mine"), {"in": 1}).output
    assert first["StateMachine"] == {"Id": "arn:machine/Mine", "Name": "machine/Mine"}
    execution = first["Execution"]
    assert execution["Id"] == f"arn:machine/Mine:{execution['Name']}"
    assert execution["Name"] != second["Execution"]["Name"]
    assert execution["Input"] == "x"
    assert execution["RoleArn"] == "arn:role"
    assert execution["RedriveCount"] == 0
    assert execution["StartTime"] == "2000-01-01T00:00:00.000Z"
    assert first["State"]["Name"] == "I"
    assert "Map" not in first


def test_arns_tell_the_kind_of_a_child() -> None:
    arn = "arn:aws:states:eu-west-1:123456789012"
    context = ExecutionContext(f"{arn}:execution:m:e", "e", f"{arn}:stateMachine:m", "m")
    [standard] = play(map_of(_SEEN, Items=[1], Label="L"), context=context).output
    [express] = play(map_of(_SEEN, Items=[1], Label="L", express=True), context=context).output
    name = standard["Execution"]["Name"]
    assert standard["Execution"]["Id"] == f"{arn}:execution:m/L:{name}"
    assert express["Execution"]["Id"].startswith(f"{arn}:express:m/L:{name}:")
    assert standard["StateMachine"]["Id"] == f"{arn}:stateMachine:m/L"


def test_without_a_label_one_is_made() -> None:
    [seen] = play(map_of(_SEEN, Items=[1])).output
    assert re.fullmatch(f"machine/{_UUID}", seen["StateMachine"]["Name"])


def test_a_child_does_not_see_outer_variables() -> None:
    inner = {"I": {"Type": "Pass", "Output": "{% $exists($x) %}", "End": True}}
    definition = jsonata(
        {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "M"},
            "M": {"Type": "Map", "Items": [1], "ItemProcessor": processor(inner), "End": True},
        }
    )
    assert play(definition).output == [False]


def test_every_child_has_a_history_of_its_own() -> None:
    definition = map_of(PASS, Items=list(range(40)))
    assert play(definition, history_limit=20).status == "SUCCEEDED"


@pytest.mark.parametrize(("express", "status"), [(False, "FAILED"), (True, "SUCCEEDED")])
def test_a_childs_history_is_limited_unless_it_is_express(express: bool, status: str) -> None:  # noqa: FBT001
    states: Json = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(9)}
    states["S9"] = {"Type": "Pass", "End": True}
    definition = map_of(states, Items=[1], express=express)
    assert play(definition, history_limit=15).status == status


def test_the_parents_history_counts_the_map_run_and_not_the_children() -> None:
    # Events: 1 started, 2 to 7 the Map (entered, started, run started, run succeeded, succeeded,
    # exited), 8 Pass entered, as the recorded histories of Step Functions have them.
    definition = map_of(PASS, Items=[1, 2, 3])
    definition["States"]["M"] |= {"Next": "Bad"}
    del definition["States"]["M"]["End"]
    definition["States"]["Bad"] = {
        "Type": "Pass",
        "Output": "{% $states.input.none %}",
        "End": True,
    }
    assert "(entered at the event id #8)" in (play(definition).cause or "")


def test_an_input_that_is_too_large_fails_its_child() -> None:
    store = Store()
    items = "{% [$states.input & $states.input, 'y'] %}"
    definition = map_of(PASS, Items=items, ToleratedFailureCount=1, ResultWriter=WRITE)
    output = play(definition, "x" * 200_000, store).output
    folder = output["ResultWriterDetails"]["Key"].removesuffix("manifest.json")
    [failed] = json.loads(store.text(f"{folder}FAILED_0.json"))
    [succeeded] = json.loads(store.text(f"{folder}SUCCEEDED_0.json"))
    assert failed["Error"] == "States.DataLimitExceeded"
    assert succeeded["Output"] == '"y"'


# -- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tolerated", "failures", "fails"),
    [
        ({}, 1, True),
        ({"ToleratedFailureCount": 0}, 1, True),
        ({"ToleratedFailureCount": 1}, 1, False),
        ({"ToleratedFailureCount": 1}, 2, True),
        ({"ToleratedFailurePercentage": 50}, 2, False),
        ({"ToleratedFailurePercentage": 49}, 2, True),
        ({"ToleratedFailurePercentage": 100}, 4, False),
        ({"ToleratedFailureCount": 3, "ToleratedFailurePercentage": 25}, 2, True),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100}, 2, True),
        ({"ToleratedFailureCount": "{% 1 %}"}, 1, False),
        ({"ToleratedFailurePercentage": "{% 12.5 * 2 %}"}, 1, False),
    ],
)
def test_tolerated_failures(tolerated: Json, failures: int, fails: bool) -> None:  # noqa: FBT001
    answers = [*[Fails("E")] * failures, 1]
    definition = map_of(TASK, Items=[1, 2, 3, 4], MaxConcurrency=1, **tolerated)
    outcome = play(definition, {}, Script(I=answers))
    if fails:
        cause = "The specified tolerated failure threshold was exceeded"
        assert (outcome.error, outcome.cause) == (TOLERANCE, cause)
        return
    assert [one.get("Status", "") if one != 1 else 1 for one in outcome.output] == [
        *["FAILED"] * failures,
        *[1] * (4 - failures),
    ]


def test_a_tolerated_failure_is_told_as_its_execution() -> None:
    definition = map_of(TASK, Items=["x", "y"], ToleratedFailureCount=1, Label="L")
    failed, other = play(definition, {}, Script(I=[Fails("E", "why"), 2])).output
    name = failed["Name"]
    assert failed == {
        "Cause": "why",
        "Error": "E",
        "ExecutionArn": f"arn:machine/L:{name}",
        "Input": '"x"',
        "InputDetails": {"Included": True},
        "Name": name,
        "RedriveCount": 0,
        "StartDate": "2000-01-01T00:00:00.000Z",
        "StateMachineArn": "arn:machine/L",
        "Status": "FAILED",
        "StopDate": "2000-01-01T00:00:00.000Z",
    }
    assert other == 2


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        ("ToleratedFailureCount", -1, "ToleratedFailureCount cannot be negative."),
        ("ToleratedFailurePercentage", -1, "ToleratedFailurePercentage must be between 0 and 100."),
        (
            "ToleratedFailurePercentage",
            100.5,
            "ToleratedFailurePercentage must be between 0 and 100.",
        ),
        (
            "MaxConcurrency",
            -1,
            "Expected non-negative integer for MaxConcurrency, got '-1' instead.",
        ),
        (
            "MaxConcurrency",
            "no",
            'The MaxConcurrencyPath field refers to value "no" which is not a valid integer: $.n',
        ),
    ],
)
def test_numbers_from_paths_have_bounds(field: str, value: Json, cause: str) -> None:
    definition = path_map_of(PASS, ItemsPath="$.items", **{f"{field}Path": "$.n"})
    outcome = play(definition, {"items": [1], "n": value})
    assert outcome.error == "States.Runtime"
    assert (outcome.cause or "").endswith(f"(entered at the event id #2). {cause}")


# -- concurrency ---------------------------------------------------------------------------------


def scheduled_at_once(definition: Json) -> int:
    """Count the calls that wait before the first answer comes."""
    kinds: list[EventKind] = []

    def watch(event: Event) -> None:
        kinds.append(event.kind)

    assert play(definition, list(range(60)), observer=watch, max_workers=1).status == "SUCCEEDED"
    return kinds[: kinds.index(EventKind.TASK_SUCCEEDED)].count(EventKind.TASK_SCHEDULED)


@pytest.mark.parametrize(
    ("limit", "inline", "distributed"), [(None, 40, 60), (0, 40, 60), (5, 5, 5), (50, 40, 50)]
)
def test_so_many_iterations_run_at_a_time(limit: int | None, inline: int, distributed: int) -> None:
    fields: Json = {} if limit is None else {"MaxConcurrency": limit}
    plain = {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": TASK}, "End": True}
    assert scheduled_at_once(jsonata({"M": {**plain, **fields}})) == inline
    assert scheduled_at_once(map_of(TASK, **fields)) == distributed


def running(name: str) -> int:
    """Count the iterations that exist: generators of that name."""
    found = (one for one in gc.get_objects() if isinstance(one, GeneratorType))
    return sum(one.gi_code.co_name == name for one in found)


@pytest.mark.parametrize("distributed", [False, True])
def test_iterations_are_made_when_their_turns_come(distributed: bool) -> None:  # noqa: FBT001
    plain = {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": PASS}, "End": True}
    definition = map_of(PASS) if distributed else jsonata({"M": plain})
    most: list[int] = []
    gc.collect()  # what other tests left behind does not count

    def watch(event: Event) -> None:
        if event.state == "I":
            most.append(running("_execute" if distributed else "_run"))

    # Few items: each look goes through all objects of the process.
    assert play(definition, list(range(5)), observer=watch).output == list(range(5))
    assert set(most) == {1}


# -- what is told of the run ---------------------------------------------------------------------


def told(definition: Json, store: Script) -> tuple[Json, Json]:
    """Give what the events at the start and the end of the Map Run tell."""
    found: list[Event] = []
    play(definition, {}, store, observer=found.append)
    kinds = {EventKind.MAP_RUN_STARTED, EventKind.MAP_RUN_ENDED}
    started, ended = [event for event in found if event.kind in kinds]
    assert (started.key, ended.key) == ("M#1.0", "M#1.0")
    return started.data, ended.data


NOTHING = {"running": 0, "timedOut": 0, "resultsWritten": 0}


def test_the_run_is_told_with_its_counts() -> None:
    definition = map_of(
        TASK, Items=[1, 2, 3], Label="L", MaxConcurrency=2, ToleratedFailurePercentage=50
    )
    started, ended = told(definition, Store(I=[1, Fails("E"), 3]))
    assert started["mapRunArn"].startswith("arn:machine/L:")
    assert started == {
        "mapRunArn": ended["mapRunArn"],
        "maxConcurrency": 2,
        "toleratedFailureCount": 0,
        "toleratedFailurePercentage": 50.0,
    }
    counts = {**NOTHING, "aborted": 0, "failed": 1, "pending": 0, "succeeded": 2, "total": 3}
    assert ended["status"] == "SUCCEEDED"
    assert ended["executionCounts"] == counts
    assert ended["itemCounts"] == counts


def test_a_run_that_fails_counts_what_it_stopped_and_never_began() -> None:
    states = {"W": {"Type": "Wait", "Seconds": "{% $states.input %}", "Next": "I"}, **TASK}
    definition = map_of(states, Items=[1, 9, 9, 9], MaxConcurrency=2)
    _, ended = told(definition, Store(I=Fails("E", "why")))
    assert (ended["status"], ended["error"]) == ("FAILED", TOLERANCE)
    counts = {**NOTHING, "aborted": 1, "failed": 1, "pending": 2, "succeeded": 0, "total": 4}
    assert ended["executionCounts"] == counts


def test_items_of_batches_are_counted_and_tolerated_one_by_one() -> None:
    batches: Json = {"Items": [1, 2, 3], "ItemBatcher": {"MaxItemsPerBatch": 2}}
    definition = map_of(TASK, **batches, ToleratedFailureCount=1)
    _, ended = told(definition, Store(I=[Fails("E"), 1]))
    assert ended["error"] == TOLERANCE
    _, ended = told(map_of(TASK, **batches, ToleratedFailureCount=2), Store(I=[Fails("E"), 1]))
    assert ended["status"] == "SUCCEEDED"
    counts = {**NOTHING, "aborted": 0, "pending": 0}
    assert ended["executionCounts"] == {**counts, "failed": 1, "succeeded": 1, "total": 2}
    assert ended["itemCounts"] == {**counts, "failed": 2, "succeeded": 1, "total": 3}


def test_a_reader_that_fails_ends_the_run() -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Arguments": {"Bucket": "b", "Key": "k"}}
    _, ended = told(map_of(TASK, ItemReader=reader), Store())
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ItemReaderFailed")
