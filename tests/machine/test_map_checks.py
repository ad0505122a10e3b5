"""What a Map's definition may say, and what is refused when it is read."""

from __future__ import annotations

from typing import Any

import pytest

from runner.machine import InvalidDefinition, parse_definition
from tests.machine.maps import LIST, PASS, READ, WRITE, map_of, path_map_of

Json = Any


def faults(definition: Json) -> list[tuple[str, str, str]]:
    try:
        parse_definition(definition)
    except InvalidDefinition as refused:
        return [(one.place.file, one.found, one.expected) for one in refused.faults]
    return []


@pytest.mark.parametrize(
    "fields",
    [
        {"Label": "a" * 40},
        {"Label": "Größe_1-2.(x)!"},
        {"ItemReader": {**READ, "ReaderConfig": {"InputType": "PARQUET", "MaxItems": 0}}},
        {"ItemReader": {**READ, "ReaderConfig": {"InputType": "CSV", "MaxItems": "{% 1 %}"}}},
        {"ItemReader": {**READ, "ReaderConfig": {"MaxItems": 100_000_000}}},
        {"ItemReader": {**READ, "ReaderConfig": {"InputType": "{% 'CSV' %}"}}},
        {"ItemReader": {**LIST, "ReaderConfig": {"Transformation": "NONE"}}},
        {"ItemBatcher": {"MaxItemsPerBatch": 1, "MaxInputBytesPerBatch": "{% 1 %}"}},
        {"ResultWriter": {**WRITE, "WriterConfig": {"OutputType": "JSONL"}}},
        {"ResultWriter": {"WriterConfig": {"Transformation": "FLATTEN"}}},
        {"ResultWriter": {}},
    ],
)
def test_what_is_allowed(fields: Json) -> None:
    assert faults(map_of(PASS, **fields)) == []


M = "/States/M"
CONFIG = f"{M}/ItemReader/ReaderConfig"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"Label": ""}, (f"{M}/Label", "a label of 0 characters", "1 to 40 characters")),
        ({"Label": "a" * 41}, (f"{M}/Label", "a label of 41 characters", "1 to 40 characters")),
        (
            {"Label": "a b"},
            (f"{M}/Label", "The label has the character ' '", "a name without it"),
        ),
        (
            {"Label": "a\x7f"},
            (f"{M}/Label", "The label has the character '\\x7f'", "a name without it"),
        ),
        (
            {"ItemReader": {**READ, "ReaderConfig": []}},
            (f"{M}/ItemReader/ReaderConfig", "[]", "object"),
        ),
        (
            {"ItemReader": {**READ, "ReaderConfig": {"InputType": "XML"}}},
            (f"{CONFIG}/InputType", "'XML'", "one of CSV, JSON, JSONL, MANIFEST, PARQUET"),
        ),
        (
            {"ItemReader": {**READ, "ReaderConfig": {"MaxItems": -1}}},
            (f"{CONFIG}/MaxItems", "-1", "number"),
        ),
        (
            {"ItemReader": {**READ, "ReaderConfig": {"CSVHeaders": "a"}}},
            (f"{CONFIG}/CSVHeaders", "'a'", "list"),
        ),
        (
            {"ItemBatcher": {"MaxItemsPerBatch": "2"}},
            (f"{M}/ItemBatcher/MaxItemsPerBatch", "'2'", "count"),
        ),
        (
            {"ResultWriter": {"WriterConfig": {"OutputType": "CSV"}}},
            (f"{M}/ResultWriter/WriterConfig/OutputType", "'CSV'", "one of JSON, JSONL"),
        ),
    ],
)
def test_what_is_refused(fields: Json, fault: Json) -> None:
    assert fault in faults(map_of(PASS, **fields))


def test_a_limit_and_its_path_exclude_each_other() -> None:
    batcher = {"MaxItemsPerBatch": 1, "MaxItemsPerBatchPath": "$.n"}
    found = "both 'MaxItemsPerBatch' and 'MaxItemsPerBatchPath'"
    fault = (f"{M}/ItemBatcher", found, "one of them")
    assert faults(path_map_of(PASS, ItemBatcher=batcher)) == [fault]


def test_a_mode_is_inline_or_distributed() -> None:
    definition = map_of(PASS)
    definition["States"]["M"]["ItemProcessor"]["ProcessorConfig"]["Mode"] = "BOTH"
    at = f"{M}/ItemProcessor/ProcessorConfig/Mode"
    assert faults(definition) == [(at, "'BOTH'", "one of DISTRIBUTED, INLINE")]


def test_a_processor_config_is_an_object() -> None:
    definition = map_of(PASS)
    definition["States"]["M"]["ItemProcessor"]["ProcessorConfig"] = "INLINE"
    at = f"{M}/ItemProcessor/ProcessorConfig"
    assert faults(definition) == [(at, "'INLINE'", "an object")]


@pytest.mark.parametrize("name", ["ItemReader", "ItemBatcher", "ResultWriter"])
def test_parts_are_no_expressions(name: str) -> None:
    fault = (f"{M}/{name}", "'{% 1 %}'", "an object")
    fields: Json = {name: "{% 1 %}"}
    assert fault in faults(map_of(PASS, **fields))
