"""Distributed Maps: items from S3, batches, tolerated failures, results written to S3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.machine.distributed import S3Objects
from runner.model.ports import ServiceError
from tests.machine.machines import Fails, Script, jsonata, play

if TYPE_CHECKING:
    from runner.machine import Outcome, TaskRequest

Json = Any

READ = {
    "Resource": "arn:aws:states:::s3:getObject",
    "Arguments": {"Bucket": "b", "Key": "{% $states.input.key %}"},
}


class Store:
    """S3, and a script for everything else."""

    def __init__(self, objects: dict[str, str], **answers: Json) -> None:
        self.objects = S3Objects({f"b/{key}": text for key, text in objects.items()})
        self.script = Script(**answers)

    def call(self, request: TaskRequest) -> Json:
        if request.resource not in S3Objects.RESOURCES:
            return self.script.call(request)
        try:
            return self.objects.call(request.resource, request.arguments)
        except KeyError as error:
            raise ServiceError("S3.NoSuchKeyException", "no such key") from error


def over(objects: dict[str, str], data: Json = None, *, state: Json, **answers: Json) -> Outcome:
    """Run one distributed Map over one task per item."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I",
        "States": {"I": {"Type": "Task", "Resource": "r", "End": True}},
    }
    definition = jsonata({"M": {"Type": "Map", "ItemProcessor": processor, "End": True, **state}})
    return play(definition, data or {"key": "k"}, Store(objects, **answers))  # type: ignore[arg-type]  # a service


def read(text: str, **config: Json) -> Json:
    return over({"k": text}, state={"ItemReader": {**READ, "ReaderConfig": config}})


@pytest.mark.parametrize(
    ("text", "config", "expected"),
    [
        ("[1, 2, 3]", {"InputType": "JSON"}, [1, 2, 3]),
        ("[1, 2, 3]", {"InputType": "JSON", "MaxItems": 2}, [1, 2]),
        ("[1, 2]", {"InputType": "JSON", "MaxItems": 0}, [1, 2]),
        ("[1, 2, 3]", {"InputType": "JSON", "MaxItems": "{% 1 %}"}, [1]),
        ('{"a": {"b": [5]}}', {"InputType": "JSON", "ItemsPointer": "/a/b"}, [5]),
        ('{"a": 1}\n\n{"a": 2}\n', {"InputType": "JSONL"}, [{"a": 1}, {"a": 2}]),
        (
            "a,b\n1,2\n3\n4,5,6\n",
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            [{"a": "1", "b": "2"}, {"a": "3", "b": ""}, {"a": "4", "b": "5"}],
        ),
        (
            '1|"x|y"\n',
            {
                "InputType": "CSV",
                "CSVHeaderLocation": "GIVEN",
                "CSVHeaders": ["a", "b"],
                "CSVDelimiter": "PIPE",
            },
            [{"a": "1", "b": "x|y"}],
        ),
        ("", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, []),
    ],
)
def test_readers(text: str, config: Json, expected: Json) -> None:
    assert read(text, **config).output == expected


@pytest.mark.parametrize(
    ("text", "config", "cause"),
    [
        ("{}", {"InputType": "JSON"}, "non-iterable"),
        ("{", {"InputType": "JSON"}, "not valid JSON"),
        ("[]", {"InputType": "JSON", "ItemsPointer": "/x"}, "leads nowhere"),
        ("a,a\n1,2", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "duplicates"),
        ("", {"InputType": "PARQUET"}, "not supported"),
    ],
)
def test_readers_that_fail(text: str, config: Json, cause: str) -> None:
    outcome = read(text, **config)
    assert outcome.error == "States.ItemReaderFailed"
    assert cause in (outcome.cause or "")


def test_a_missing_object_fails_the_reader() -> None:
    outcome = over({}, state={"ItemReader": READ})
    assert (outcome.error, outcome.cause) == ("States.ItemReaderFailed", "no such key")


def test_objects_are_listed() -> None:
    listing = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Arguments": {"Bucket": "b", "Prefix": "x/"},
    }
    state = {"ItemReader": listing, "ItemSelector": "{% $states.context.Map.Item.Value.Key %}"}
    outcome = over({"x/1": "a", "x/2": "b", "y/3": "c"}, state=state)
    assert outcome.output == ["x/1", "x/2"]


def test_items_are_selected_and_then_batched() -> None:
    state = {
        "Items": [1, 2, 3],
        "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}"},
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"of": "{% $states.input.key %}"}},
    }
    assert over({}, state=state).output == [
        {"BatchInput": {"of": "k"}, "Items": [{"n": 1}, {"n": 2}]},
        {"BatchInput": {"of": "k"}, "Items": [{"n": 3}]},
    ]


def test_batches_have_a_largest_size() -> None:
    state = {"Items": ["x" * 40] * 3, "ItemBatcher": {"MaxInputBytesPerBatch": 100}}
    assert [len(batch["Items"]) for batch in over({}, state=state).output] == [2, 1]


@pytest.mark.parametrize(
    ("tolerated", "failures", "error"),
    [
        ({}, 1, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailureCount": 1}, 1, None),
        ({"ToleratedFailureCount": 1}, 2, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailurePercentage": 50}, 2, None),
        ({"ToleratedFailurePercentage": 49}, 2, "States.ExceedToleratedFailureThreshold"),
    ],
)
def test_tolerated_failures(tolerated: Json, failures: int, error: str | None) -> None:
    answers = [*[Fails("E")] * failures, 1]
    state = {"Items": [1, 2, 3, 4], "MaxConcurrency": 1, **tolerated}
    outcome = over({}, state=state, I=answers)
    assert outcome.error == error
    if error is None:
        told = {"Error": "E", "Cause": "because"}
        assert outcome.output == [told] * failures + [1] * (4 - failures)


def test_results_are_written() -> None:
    state = {
        "Items": [1, 2],
        "Label": "Mine",
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": "b", "Prefix": "out"},
        },
    }
    store = Store({})
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I",
        "States": {"I": {"Type": "Task", "Resource": "r", "End": True}},
    }
    definition = jsonata({"M": {"Type": "Map", "ItemProcessor": processor, "End": True, **state}})
    output = play(definition, {}, store).output  # type: ignore[arg-type]  # a service
    assert "/Mine:" in output["MapRunArn"]
    get = "arn:aws:states:::s3:getObject"
    manifest = json.loads(store.objects.call(get, output["ResultWriterDetails"])["Body"])
    part = manifest["ResultFiles"]["SUCCEEDED"][0]["Key"]
    lines = json.loads(store.objects.call(get, {"Bucket": "b", "Key": part})["Body"])
    assert [line["Output"] for line in lines] == ["1", "2"]


def test_a_distributed_map_does_not_see_outer_variables() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "Output": "{% $exists($x) %}", "End": True}},
    }
    definition = jsonata(
        {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "M"},
            "M": {"Type": "Map", "Items": [1], "ItemProcessor": processor, "End": True},
        }
    )
    assert play(definition).output == [False]
