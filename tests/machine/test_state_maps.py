"""A Map alone: the inputs that its iterations would get, and the failures that it bears."""

from __future__ import annotations

from typing import Any

import pytest

from runner.machine.state_mocks import MockedResult
from runner.machine.state_test import StateConfiguration
from tests.machine.machines import jsonpath, play
from tests.machine.state_tests import a_map, reader, refused, tried

Json = Any


def test_a_map_shows_the_inputs_of_its_iterations() -> None:
    state = a_map(
        ItemsPath="$.items",
        ItemSelector={"value.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index"},
        MaxConcurrency=3,
        ToleratedFailurePercentage=50,
    )
    result = tried(state, {"items": [1, 2]}, MockedResult([10, 20]))
    assert result.output == [10, 20]
    assert result.inspection == {
        "input": {"items": [1, 2]},
        "afterInputPath": {"items": [1, 2]},
        "afterItemsPath": [1, 2],
        "afterItemSelector": [{"value": 1, "index": 0}, {"value": 2, "index": 1}],
        "maxConcurrency": 3,
        "toleratedFailurePercentage": 50.0,
        "afterResultSelector": [10, 20],
        "afterResultPath": [10, 20],
    }


def test_a_map_shows_its_batches() -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"fixed": True}}
    state = a_map(ItemBatcher=batcher, ItemSelector={"v.$": "$$.Map.Item.Value"})
    result = tried(state, ["a", "b", "c"], MockedResult(["x", "y"]))
    assert result.inspection["afterItemsPath"] == ["a", "b", "c"]
    assert result.inspection["afterItemSelector"] == [{"v": "a"}, {"v": "b"}, {"v": "c"}]
    assert result.inspection["afterItemBatcher"] == [
        {"BatchInput": {"fixed": True}, "Items": ['{"v":"a"}', '{"v":"b"}']},
        {"BatchInput": {"fixed": True}, "Items": ['{"v":"c"}']},
    ]
    by_item = tried(state, ["a", "b", "c"], MockedResult([1, 2, 3]))
    assert by_item.output == [1, 2, 3]
    assert refused(state, MockedResult([1]), data=["a", "b", "c"])[1] == (
        "Input array does not equal the mocked result array's size."
    )


@pytest.mark.parametrize(
    ("config", "text", "stage"),
    [
        ({"InputType": "JSON"}, '["a", "b"]', "afterItemsPath"),
        ({"InputType": "JSON", "ItemsPointer": "/x"}, '{"x": ["a", "b"]}', "afterItemsPointer"),
        ({"InputType": "JSONL"}, '"a"\n"b"\n', "afterItemsPath"),
    ],
)
def test_a_reader_reads_the_given_data(config: Json, text: str, stage: str) -> None:
    state = a_map(ItemReader=reader(**config), ItemSelector={"v.$": "$$.Map.Item.Value"})
    given = StateConfiguration(reader_data=text)
    result = tried(state, {"key": "k"}, MockedResult([1, 2]), configuration=given)
    assert result.inspection[stage] == ["a", "b"]
    assert result.inspection["afterItemSelector"] == [{"v": "a"}, {"v": "b"}]


def test_a_reader_lists_the_given_objects() -> None:
    listing = reader()
    listing["Resource"] = "arn:aws:states:::s3:listObjectsV2"
    listing["Parameters"] = {"Bucket": "b"}
    for text in ('[{"Key": "k", "Size": 1}]', '{"Contents": [{"Key": "k", "Size": 1}]}'):
        given = StateConfiguration(reader_data=text)
        result = tried(a_map(ItemReader=listing), {}, MockedResult([1]), configuration=given)
        assert result.inspection["afterItemsPath"] == [{"Key": "k", "Size": 1}]
    given = StateConfiguration(reader_data="{")
    told = refused(a_map(ItemReader=listing), MockedResult([1]), configuration=given)
    assert told[1] == "ItemReader data must be valid JSON."


@pytest.mark.parametrize(
    ("fields", "failures", "status"),
    [
        ({"ToleratedFailureCount": 1}, 1, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1}, 2, "FAILED"),
        ({"ToleratedFailurePercentage": 50}, 2, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 50}, 3, "FAILED"),
        ({"ToleratedFailureCount": 0}, 1, "FAILED"),
        ({}, 4, "SUCCEEDED"),
    ],
)
def test_failed_iterations_count_against_what_is_tolerated(
    fields: Json, failures: int, status: str
) -> None:
    given = StateConfiguration(failed_iterations=failures)
    result = tried(a_map(**fields), [1, 2, 3, 4], MockedResult([1, 2, 3, 4]), configuration=given)
    assert result.status == status
    if status == "FAILED":
        assert result.error == "States.ExceedToleratedFailureThreshold"
        assert result.cause == "The specified tolerated failure threshold was exceeded"


def test_a_map_that_writes_its_results_gives_an_object() -> None:
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "b", "Prefix": "p"},
    }
    written = {"MapRunArn": "arn", "ResultWriterDetails": {"Bucket": "b", "Key": "p/manifest.json"}}
    state = a_map(ResultWriter=writer)
    assert tried(state, [1, 2], MockedResult(written)).output == written
    assert refused(state, MockedResult([1, 2]), data=[1, 2])[1] == (
        "Mocked result must be a JSON object."
    )


def test_a_selector_that_fails_fails_the_map_as_in_a_run() -> None:
    state = a_map(ItemSelector={"v.$": "$.missing"})
    result, ran = tried(state, [1], MockedResult([1])), play(jsonpath({"StateName": state}), [1])
    assert (result.status, ran.status) == ("FAILED", "FAILED")
    assert (result.error, result.cause) == (ran.error, ran.cause)
