"""Batches of a distributed Map: how many items, how many bytes, what is around them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.machine.machines import play
from tests.machine.maps import PASS, Store, map_of, path_map_of

Json = Any


def batches(items: Json, **batcher: Json) -> Json:
    outcome = play(map_of(PASS, Items=items, ItemBatcher=batcher), {"n": 2})
    return [batch["Items"] for batch in outcome.output]


def test_items_are_selected_and_then_batched() -> None:
    definition = map_of(
        PASS,
        Items=[1, 2, 3],
        ItemSelector={"n": "{% $states.context.Map.Item.Value %}"},
        ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"of": "{% $states.input.key %}"}},
    )
    assert play(definition, {"key": "k"}).output == [
        {"BatchInput": {"of": "k"}, "Items": [{"n": 1}, {"n": 2}]},
        {"BatchInput": {"of": "k"}, "Items": [{"n": 3}]},
    ]


def test_pairs_are_batched() -> None:
    assert batches({"x": 1}, MaxItemsPerBatch=2) == [[{"Key": "x", "Value": 1}]]


def test_no_items_make_no_batch() -> None:
    assert batches([], MaxItemsPerBatch=2) == []


@pytest.mark.parametrize(
    ("items", "batcher", "expected"),
    [
        ([1, 2, 3], {"MaxItemsPerBatch": "{% $states.input.n %}"}, [[1, 2], [3]]),
        # {"Items":["xxxx","xxxx"]} has 25 bytes.
        (["x" * 4] * 3, {"MaxInputBytesPerBatch": 25}, [["xxxx", "xxxx"], ["xxxx"]]),
        (["x" * 4] * 3, {"MaxInputBytesPerBatch": 24}, [["xxxx"]] * 3),
        (["x" * 4] * 3, {"MaxInputBytesPerBatch": "{% 25 %}"}, [["xxxx", "xxxx"], ["xxxx"]]),
        (["é" * 4] * 2, {"MaxInputBytesPerBatch": 25}, [["éééé"], ["éééé"]]),
        # Whichever limit is reached first.
        ([1, 2, 3], {"MaxItemsPerBatch": 1, "MaxInputBytesPerBatch": 1_000}, [[1], [2], [3]]),
        # A larger item has a batch of its own.
        (["x", "x" * 50, "y"], {"MaxInputBytesPerBatch": 20}, [["x"], ["x" * 50], ["y"]]),
    ],
)
def test_batches_have_limits(items: Json, batcher: Json, expected: Json) -> None:
    assert batches(items, **batcher) == expected


def test_what_is_around_the_items_counts() -> None:
    # {"BatchInput":"xx","Items":["a"]} has 33 bytes, and two characters more with another item's.
    fields = {"MaxInputBytesPerBatch": 36, "BatchInput": "xx"}
    assert batches(["a", "b"], **fields) == [["a"], ["b"]]
    assert batches(["a", "b"], **{**fields, "MaxInputBytesPerBatch": 37}) == [["a", "b"]]


def test_no_batch_is_larger_than_an_input_may_be() -> None:
    count = {"I": {"Type": "Pass", "Output": "{% $count($states.input.Items) %}", "End": True}}
    batcher = {"MaxItemsPerBatch": 3}
    definition = map_of(count, Items="{% $states.input %}", ItemBatcher=batcher)
    assert play(definition, ["x" * 100_000] * 2 + ["x" * 62_200]).output == [2, 1]


def test_limits_may_come_from_paths() -> None:
    batcher = {
        "MaxItemsPerBatchPath": "$.most",
        "MaxInputBytesPerBatchPath": "$.bytes",
        "BatchInput": {"of.$": "$.of"},
    }
    definition = path_map_of(PASS, ItemsPath="$.items", ItemBatcher=batcher)
    data = {"items": [1, 2, 3], "most": 2, "bytes": 1_000, "of": "x"}
    assert play(definition, data).output == [
        {"BatchInput": {"of": "x"}, "Items": [1, 2]},
        {"BatchInput": {"of": "x"}, "Items": [3]},
    ]


def test_a_batch_of_what_was_read() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Arguments": {"Bucket": "b", "Key": "k"},
    }
    definition = map_of(PASS, ItemReader=reader, ItemBatcher={"MaxItemsPerBatch": 2})
    outcome = play(definition, {}, Store({"k": "[1, 2, 3]"}))
    assert outcome.output == [{"Items": [1, 2]}, {"Items": [3]}]
