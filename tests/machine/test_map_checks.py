"""What a Map's definition may say, and what is refused when it is read."""

from __future__ import annotations

from typing import Any

import pytest

from runner.machine import InvalidDefinition, parse_definition
from tests.machine.maps import LIST, PASS, READ, WRITE, map_of, path_map_of

Json = Any
CSV = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}


def faults(definition: Json) -> list[str]:
    """Give the places of what is refused."""
    try:
        parse_definition(definition)
    except InvalidDefinition as refused:
        return [one.place.file for one in refused.faults]
    return []


@pytest.mark.parametrize(
    "fields",
    [
        {"Label": "a" * 40},
        {"Label": "Größe_1-2.(x)!"},
        {"ItemReader": {**READ, "ReaderConfig": {"InputType": "PARQUET", "MaxItems": 0}}},
        {"ItemReader": {**READ, "ReaderConfig": {**CSV, "MaxItems": "{% 1 %}"}}},
        {"ItemReader": {**READ, "ReaderConfig": {"MaxItems": 100_000_000}}},
        {"ItemReader": {**LIST, "ReaderConfig": {"Transformation": "NONE"}}},
        {"ItemBatcher": {"MaxItemsPerBatch": 1, "MaxInputBytesPerBatch": "{% 1 %}"}},
        {"ResultWriter": {**WRITE, "WriterConfig": {"OutputType": "JSONL"}}},
        {"ResultWriter": {"WriterConfig": {"Transformation": "FLATTEN"}}},
    ],
)
def test_what_is_allowed(fields: Json) -> None:
    assert faults(map_of(PASS, **fields)) == []


M = "/States/M"
CONFIG = f"{M}/ItemReader/ReaderConfig"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"Label": ""}, f"{M}/Label"),
        ({"Label": "a" * 41}, f"{M}/Label"),
        ({"Label": "a b"}, f"{M}/Label"),
        ({"Label": "a\x7f"}, f"{M}/Label"),
        ({"ItemReader": {**READ, "ReaderConfig": []}}, f"{M}/ItemReader/ReaderConfig"),
        ({"ItemReader": {**READ, "ReaderConfig": {"InputType": "XML"}}}, f"{CONFIG}/InputType"),
        ({"ItemReader": {**READ, "ReaderConfig": {"MaxItems": -1}}}, f"{CONFIG}/MaxItems"),
        ({"ItemReader": {**READ, "ReaderConfig": {"InputType": "CSV"}}}, CONFIG),
        ({"ResultWriter": {}}, f"{M}/ResultWriter"),
        ({"ItemBatcher": {"MaxItemsPerBatch": "2"}}, f"{M}/ItemBatcher/MaxItemsPerBatch"),
    ],
)
def test_what_is_refused(fields: Json, place: str) -> None:
    assert place in faults(map_of(PASS, **fields))


def test_a_limit_and_its_path_exclude_each_other() -> None:
    batcher = {"MaxItemsPerBatch": 1, "MaxItemsPerBatchPath": "$.n"}
    assert faults(path_map_of(PASS, ItemBatcher=batcher)) == [f"{M}/ItemBatcher"]


def test_a_mode_is_inline_or_distributed() -> None:
    definition = map_of(PASS)
    definition["States"]["M"]["ItemProcessor"]["ProcessorConfig"]["Mode"] = "BOTH"
    at = f"{M}/ItemProcessor/ProcessorConfig/Mode"
    assert at in faults(definition)


def test_a_processor_config_is_an_object() -> None:
    definition = map_of(PASS)
    definition["States"]["M"]["ItemProcessor"]["ProcessorConfig"] = "INLINE"
    at = f"{M}/ItemProcessor/ProcessorConfig"
    assert faults(definition) == [at]


@pytest.mark.parametrize("name", ["ItemReader", "ItemBatcher", "ResultWriter"])
def test_parts_are_no_expressions(name: str) -> None:
    fields: dict[str, Any] = {name: "{% 1 %}"}
    assert f"{M}/{name}" in faults(map_of(PASS, **fields))
