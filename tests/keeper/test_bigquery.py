"""BigQuery's schema of a table: Glue's types as BigQuery's load of Parquet has them."""

from __future__ import annotations

from typing import Any

import pytest

from runner.keeper.bigquery import CIVIL, INSTANT, schema
from runner.keeper.faults import NotForBigQuery


def fields(kind: str, *, name: str = "c", timestamps: str = INSTANT) -> dict[str, Any]:
    """Give the one field of a type, without its name."""
    (field,) = schema([{"Name": name, "Type": kind}], timestamps=timestamps)
    assert field.pop("name") == name
    return field


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("tinyint", "INT64"),
        ("smallint", "INT64"),
        ("int", "INT64"),
        ("bigint", "INT64"),
        ("float", "FLOAT64"),
        ("double", "FLOAT64"),
        ("boolean", "BOOL"),
        ("string", "STRING"),
        ("varchar(10)", "STRING"),
        ("char(3)", "STRING"),
        ("date", "DATE"),
        ("timestamp", "TIMESTAMP"),
        ("timestamp(3)", "TIMESTAMP"),
        ("timestamp(6) with time zone", "TIMESTAMP"),
        ("binary", "BYTES"),
    ],
)
def test_plain_types(kind: str, wanted: str) -> None:
    assert fields(kind) == {"type": wanted, "mode": "NULLABLE"}
    assert fields(f"array<{kind}>") == {"type": wanted, "mode": "REPEATED"}


def test_civil_time_is_said_where_it_is_wanted() -> None:
    assert fields("timestamp", timestamps=CIVIL)["type"] == "DATETIME"
    assert fields("timestamp(3) with time zone", timestamps=CIVIL)["type"] == "TIMESTAMP"
    inner = fields("struct<a:timestamp>", timestamps=CIVIL)["fields"]
    assert inner == [{"name": "a", "type": "DATETIME", "mode": "NULLABLE"}]


@pytest.mark.parametrize(
    ("kind", "wanted", "precision", "scale"),
    [
        ("decimal", "NUMERIC", "10", "0"),
        ("decimal(10,2)", "NUMERIC", "10", "2"),
        ("decimal(38,9)", "NUMERIC", "38", "9"),
        ("decimal(38, 10)", "BIGNUMERIC", "38", "10"),
        ("decimal(30,0)", "BIGNUMERIC", "30", "0"),
        ("decimal(29,0)", "NUMERIC", "29", "0"),
        ("decimal(38,38)", "BIGNUMERIC", "38", "38"),
    ],
)
def test_decimals_are_numeric_up_to_29_digits_and_9_behind_the_point(
    kind: str, wanted: str, precision: str, scale: str
) -> None:
    assert fields(kind) == {
        "type": wanted,
        "mode": "NULLABLE",
        "precision": precision,
        "scale": scale,
    }


def test_records_nest() -> None:
    found = fields("array<struct<a:int,b:struct<c:decimal(4,1),d:array<string>>>>")
    inner = {
        "name": "b",
        "type": "STRUCT",
        "mode": "NULLABLE",
        "fields": [
            {"name": "c", "type": "NUMERIC", "mode": "NULLABLE", "precision": "4", "scale": "1"},
            {"name": "d", "type": "STRING", "mode": "REPEATED"},
        ],
    }
    assert found == {
        "type": "STRUCT",
        "mode": "REPEATED",
        "fields": [{"name": "a", "type": "INT64", "mode": "NULLABLE"}, inner],
    }


def test_a_map_is_a_record_of_repeated_pairs() -> None:
    pairs = [
        {"name": "key", "type": "STRING", "mode": "REQUIRED"},
        {"name": "value", "type": "INT64", "mode": "REPEATED"},
    ]
    assert fields("map<string,array<int>>")["fields"] == [
        {"name": "key_value", "type": "STRUCT", "mode": "REPEATED", "fields": pairs}
    ]


def test_comments_are_descriptions() -> None:
    found = schema([{"Name": "a", "Type": "array<int>", "Comment": "all of them"}])
    assert found == [
        {"name": "a", "type": "INT64", "mode": "REPEATED", "description": "all of them"}
    ]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("a", "array<array<int>>", "list of lists"),
        ("a", "map<string,array<array<int>>>", "list of lists"),
        ("a", "interval", "interval"),
        ("2nd", "int", "no digit first"),
        ("a b", "int", "letters, digits and _"),
        ("_table_x", "int", "_TABLE_"),
        ("a", "struct<`x y`:int>", "the column x y"),
        ("a", "struct<x:" * 16 + "int" + ">" * 16, "15 levels"),
    ],
)
def test_what_bigquery_has_no_place_for_is_told(name: str, kind: str, words: str) -> None:
    with pytest.raises(NotForBigQuery, match=words):
        fields(kind, name=name)
