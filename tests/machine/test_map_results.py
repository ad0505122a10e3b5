"""The results of a distributed Map: their form, and the files that a ResultWriter makes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from runner.machine.result_files import split_lines
from tests.machine.machines import Fails, play
from tests.machine.maps import PASS, TASK, WRITE, Store, map_of, path_map_of

Json = Any
TOLERANCE = "States.ExceedToleratedFailureThreshold"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def files_of(store: Store, output: Json = None) -> dict[str, Json]:
    """Read the files that a manifest names, by the status in their names."""
    [key] = [name for name in store.s3.objects if name.endswith("/manifest.json")]
    manifest = json.loads(store.s3.objects[key])
    if output is not None:
        where = {"Bucket": "b", "Key": key.removeprefix("b/")}
        assert output == {"MapRunArn": manifest["MapRunArn"], "ResultWriterDetails": where}
    found: dict[str, Json] = {}
    for status, files in manifest["ResultFiles"].items():
        for file in files:
            text = store.text(file["Key"])
            assert file["Size"] == len(text.encode())
            found[status] = text
    return found


def test_results_are_written_with_a_manifest() -> None:
    store = Store()
    definition = map_of(PASS, Items=["a", {"é": 2}], Label="Mine", ResultWriter=WRITE)
    output = play(definition, {}, store).output
    run = output["MapRunArn"].rpartition(":")[2]
    assert re.fullmatch(_UUID, run)
    assert output["MapRunArn"] == f"arn:machine/Mine:{run}"
    folder = f"out/{run}"
    assert output["ResultWriterDetails"] == {"Bucket": "b", "Key": f"{folder}/manifest.json"}
    text = store.text(f"{folder}/SUCCEEDED_0.json")
    assert json.loads(store.text(f"{folder}/manifest.json")) == {
        "DestinationBucket": "b",
        "MapRunArn": output["MapRunArn"],
        "ResultFiles": {
            "FAILED": [],
            "PENDING": [],
            "SUCCEEDED": [{"Key": f"{folder}/SUCCEEDED_0.json", "Size": len(text.encode())}],
        },
    }
    first, second = json.loads(text)
    assert first == {
        "ExecutionArn": f"arn:machine/Mine:{first['Name']}",
        "Input": '"a"',
        "InputDetails": {"Included": True},
        "Name": first["Name"],
        "Output": '"a"',
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "StartDate": "2000-01-01T00:00:00.000Z",
        "StateMachineArn": "arn:machine/Mine",
        "Status": "SUCCEEDED",
        "StopDate": "2000-01-01T00:00:00.000Z",
    }
    assert (second["Input"], second["Output"]) == ('{"é":2}', '{"é":2}')


def test_instants_tell_when_a_child_ran() -> None:
    store = Store()
    states = {"W": {"Type": "Wait", "Seconds": "{% $states.input %}", "End": True}}
    definition = map_of(states, Items=[2, 3], MaxConcurrency=1, ResultWriter=WRITE)
    records = json.loads(files_of(store, play(definition, {}, store).output)["SUCCEEDED"])
    assert [(one["StartDate"], one["StopDate"]) for one in records] == [
        ("2000-01-01T00:00:00.000Z", "2000-01-01T00:00:02.000Z"),
        ("2000-01-01T00:00:02.000Z", "2000-01-01T00:00:05.000Z"),
    ]


@pytest.mark.parametrize("prefix", [None, "", "out/", "a/b"])
def test_the_prefix_is_optional(prefix: str | None) -> None:
    store = Store()
    arguments = {"Bucket": "b"} if prefix is None else {"Bucket": "b", "Prefix": prefix}
    writer = {**WRITE, "Arguments": arguments}
    output = play(map_of(PASS, Items=[1], ResultWriter=writer), {}, store).output
    folder = output["ResultWriterDetails"]["Key"].removesuffix("/manifest.json")
    assert re.fullmatch(f"{(prefix or '').rstrip('/')}/?{_UUID}", folder)
    assert files_of(store, output).keys() == {"SUCCEEDED"}


def test_parameters_say_where_in_jsonpath() -> None:
    store = Store()
    writer = {
        "Resource": WRITE["Resource"],
        "Parameters": {"Bucket.$": "$.bucket", "Prefix.$": "$.prefix"},
    }
    definition = path_map_of(PASS, ItemsPath="$.items", ResultWriter=writer)
    output = play(definition, {"items": [1], "bucket": "b", "prefix": "p"}, store).output
    assert output["ResultWriterDetails"]["Key"].startswith("p/")
    assert files_of(store, output).keys() == {"SUCCEEDED"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"Transformation": "COMPACT"}, "[[1,2],3,[]]"),
        ({"Transformation": "FLATTEN"}, "[1,2,3]"),
        ({"Transformation": "COMPACT", "OutputType": "JSON"}, "[[1,2],3,[]]"),
        ({"Transformation": "COMPACT", "OutputType": "JSONL"}, "[1,2]\n3\n[]\n"),
        ({"Transformation": "FLATTEN", "OutputType": "JSONL"}, "1\n2\n3\n"),
    ],
)
def test_files_have_the_form_that_is_asked_for(config: Json, expected: str) -> None:
    store = Store()
    writer = {**WRITE, "WriterConfig": config}
    output = play(map_of(PASS, Items=[[1, 2], 3, []], ResultWriter=writer), {}, store).output
    assert files_of(store, output) == {"SUCCEEDED": expected}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"Transformation": "COMPACT"}, [[1, 2], 3]),
        ({"Transformation": "FLATTEN"}, [1, 2, 3]),
        ({"OutputType": "JSON"}, [[1, 2], 3]),
        ({"Transformation": "{% 'FLATTEN' %}"}, [1, 2, 3]),
    ],
)
def test_without_a_bucket_the_results_are_the_states(config: Json, expected: Json) -> None:
    definition = map_of(PASS, Items=[[1, 2], 3], ResultWriter={"WriterConfig": config})
    assert play(definition).output == expected


def test_without_a_bucket_they_may_be_told_as_executions() -> None:
    config = {"Transformation": "NONE"}
    definition = map_of(PASS, Items=[[1, 2], 3], ResultWriter={"WriterConfig": config})
    assert [(one["Status"], one["Output"]) for one in play(definition).output] == [
        ("SUCCEEDED", "[1,2]"),
        ("SUCCEEDED", "3"),
    ]


def test_an_unknown_form_fails_the_state() -> None:
    definition = map_of(
        PASS, Items=[1], ResultWriter={"WriterConfig": {"Transformation": "{% 'X' %}"}}
    )
    assert play(definition).error == "States.QueryEvaluationError"


def test_failed_children_have_a_file_of_their_own() -> None:
    store = Store(I=[1, Fails("E", "why"), 3])
    writer = {**WRITE, "WriterConfig": {"Transformation": "COMPACT"}}
    definition = map_of(
        TASK, Items=["x", "y", "z"], ToleratedFailureCount=1, MaxConcurrency=1, ResultWriter=writer
    )
    files = files_of(store, play(definition, {}, store).output)
    assert files["SUCCEEDED"] == "[1,3]"
    [failed] = json.loads(files["FAILED"])
    told = (failed["Input"], failed["Status"], failed["Error"], failed["Cause"])
    assert told == ('"y"', "FAILED", "E", "why")


def test_a_run_that_fails_is_written_too() -> None:
    states = {"W": {"Type": "Wait", "Seconds": "{% $states.input %}", "Next": "I"}, **TASK}
    store = Store(I=[1, Fails("E", "why")])
    writer = {**WRITE, "WriterConfig": {"Transformation": "COMPACT"}}
    definition = map_of(states, Items=[1, 2, 8, 9, 7], MaxConcurrency=3, ResultWriter=writer)
    assert play(definition, {}, store).error == TOLERANCE
    files = files_of(store)
    assert files["SUCCEEDED"] == "[1]"
    assert [(one["Input"], one["Status"]) for one in json.loads(files["FAILED"])] == [
        ("2", "FAILED"),
        ("8", "ABORTED"),
        ("9", "ABORTED"),
    ]
    [pending] = json.loads(files["PENDING"])
    assert (pending["Input"], pending["Status"]) == ("7", "PENDING")
    assert "StartDate" not in pending


def test_results_that_cannot_be_written_fail_the_state() -> None:
    writer = {**WRITE, "Arguments": {"Bucket": "none"}}
    outcome = play(map_of(PASS, Items=[1], ResultWriter=writer), {}, Store())
    assert outcome.error == "States.ResultWriterFailed"
    assert (outcome.cause or "").startswith("The specified bucket does not exist")


@pytest.mark.parametrize("field", ["Items", "Input"])
def test_only_a_writer_helps_against_results_that_are_too_large(field: str) -> None:
    items = ["x" * 1_000] * 300
    fields: Json = {"Items": f"{{% [1..300].('{'x' * 1_000}') %}}"} if field == "Items" else {}
    data = {} if field == "Items" else items
    if field == "Input":
        data = items[:250]
    states = {"I": {"Type": "Pass", "Output": "{% $states.input & $states.input %}", "End": True}}
    assert play(map_of(states, **fields), data).error == "States.DataLimitExceeded"
    store = Store()
    outcome = play(map_of(states, ResultWriter=WRITE, **fields), data, store)
    assert outcome.status == "SUCCEEDED"
    assert len(json.loads(files_of(store, outcome.output)["SUCCEEDED"])) == len(data or items)


def test_files_are_split_by_size() -> None:
    assert list(split_lines(["a", "bb", "ccc", "d"], most=3)) == [["a", "bb"], ["ccc"], ["d"]]
    assert list(split_lines(["abc"], most=3)) == [["abc"]]
    assert list(split_lines([], most=3)) == []
