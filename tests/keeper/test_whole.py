"""Whole tables: judged, flipped by one call, recorded (SEMANTICS 2, 5, 12, 13)."""

from __future__ import annotations

from typing import Any

import pytest

from runner.keeper import faults
from tests.support.lake import ARN, LAKE, PARQUET, Lake, Turn, ctas_spec, target

STAGED = {
    "StorageDescriptor": {
        "Columns": [{"Name": "origin", "Type": "string", "Comment": "x"}],
        "Location": "ignored",
    },
    "PartitionKeys": [],
}


def accept(
    lake: Lake,
    spec: dict[str, Any],
    rows: list[list[str | int | None]],
    *,
    files: dict[str, str] | None = None,
    found: dict[str, Any] | None = None,
    staged: dict[str, Any] | None = None,
) -> tuple[Turn, dict[str, Any]]:
    turn = Turn(lake, spec)
    plan = turn.call("prepare", window=turn.window, target=found)
    result = turn.stage(plan["stage"], files or {"data/part-0": "abc"}, rows)
    change = turn.call("accept", plan=plan, target=found, staged=staged or STAGED, result=result)
    return turn, change


def test_a_flip_points_the_table_at_its_stage(any_lake: Lake) -> None:
    spec = ctas_spec(marks={"m0": {"base": "end", "steps": [], "format": "yyyy"}})
    turn, change = accept(any_lake, spec, [[3]], found=target(spec))
    location = f"{LAKE}_runner/stage/marts/routes/daily.r1/0/1/data/"
    assert change == {
        "action": "update",
        "version": "7",
        "location": location,
        "table_input": {
            "Name": "routes",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {
                "EXTERNAL": "TRUE",
                "classification": "parquet",
                "runner.project": "flights",
                "runner.fingerprint": "f" * 64,
            },
            "PartitionKeys": [],
            "StorageDescriptor": {
                "Columns": [{"Name": "origin", "Type": "string"}],
                "Location": location,
                "Compressed": False,
                **PARQUET,
            },
        },
        "rows": {"all": 3},
        "tests": [],
    }
    assert any_lake.body("_runner/leases/marts/routes.json")["execution"] == ARN + "r1"
    (begun,) = any_lake.keys("_runner/records/")
    assert begun.endswith(".writing")
    assert turn.call("finish", change=change, scanned=99) == {
        "start": "all",
        "end": "all",
        "rows": 3,
        "bytes": 3,
        "files": 1,
        "partitions": 1,
        "warnings": [],
    }
    (key,) = any_lake.keys("_runner/records/")
    body = any_lake.body(key)
    (stored,) = any_lake.storage.list(any_lake.storage.key(location))
    assert body["files"] == [{"key": stored.key, "size": 3, "etag": stored.etag, "partition": {}}]
    assert (body["location"], body["scanned"]) == (location, 99)
    assert any_lake.keys("_runner/leases/") == []


def test_the_first_flip_creates_the_table(lake: Lake) -> None:
    _, change = accept(lake, ctas_spec(), [[3]])
    assert (change["action"], change["version"]) == ("create", "")


def test_a_partitioned_table_records_its_partition_values(lake: Lake) -> None:
    spec = ctas_spec(partitions=["origin"], allowed={"origin": ["EWR", "JFK"]})
    staged = {
        "StorageDescriptor": {"Columns": [{"Name": "place", "Type": "bigint"}]},
        "PartitionKeys": [{"Name": "origin", "Type": "string"}],
    }
    files = {"data/origin=EWR/p": "a", "data/origin=JFK/p": "bb", "data/_hidden": "x"}
    turn, change = accept(lake, spec, [["EWR", 1], ["JFK", 2]], files=files, staged=staged)
    assert change["rows"] == {"all": 3}
    assert change["table_input"]["PartitionKeys"] == [{"Name": "origin", "Type": "string"}]
    assert turn.call("finish", change=change)["files"] == 2
    (key,) = lake.keys("_runner/records/")
    assert [file["partition"] for file in lake.body(key)["files"]] == [
        {"origin": "EWR"},
        {"origin": "JFK"},
    ]


def test_partitions_that_are_not_text_are_refused(lake: Lake) -> None:
    spec = ctas_spec(partitions=["day"])
    staged = {
        "StorageDescriptor": {"Columns": [{"Name": "place", "Type": "bigint"}]},
        "PartitionKeys": [{"Name": "day", "Type": "date"}],
    }
    with pytest.raises(faults.SchemaChanged, match="'day' is date"):
        accept(lake, spec, [["2013-01-05", 1]], staged=staged)


def test_semantics_4_a_partition_that_projection_would_not_find_is_refused(lake: Lake) -> None:
    spec = ctas_spec(partitions=["origin"], allowed={"origin": ["EWR"]})
    with pytest.raises(faults.RowsOutsideWindow, match=r"origin=LAX \(2 rows\)"):
        accept(lake, spec, [["EWR", 1], ["LAX", 2]])


def test_semantics_12_no_rows_are_refused_unless_the_header_allows_them(lake: Lake) -> None:
    with pytest.raises(faults.EmptyTable, match="the published table stays.*allow_empty: true"):
        accept(lake, ctas_spec(), [[0]], found=target(ctas_spec()))
    assert lake.keys("_runner/records/") == []
    _, change = accept(lake, ctas_spec(allow_empty=True), [[0]])
    assert change["rows"] == {"all": 0}


@pytest.mark.parametrize(
    ("test", "rows", "said"),
    [
        ({"test": "count"}, [[3, 1]], "the test: 1 offending. Nothing"),
        ({"test": "min_rows", "value": 4}, [[3]], "the test: 1 offending in all. Nothing"),
        ({"test": "max_rows", "value": 2}, [[3]], "the test: 1 offending in all"),
    ],
)
def test_semantics_13_tests_stop_the_flip(
    lake: Lake, test: dict[str, Any], rows: list[list[str | int | None]], said: str
) -> None:
    spec = ctas_spec(tests=[{"name": "the test", "severity": "error", **test}])
    with pytest.raises(faults.TestsFailed, match=said):
        accept(lake, spec, rows)


@pytest.mark.parametrize(
    "test", [{"test": "min_rows", "value": 3}, {"test": "max_rows", "value": 3}]
)
def test_semantics_13_limits_of_rows_are_inclusive(lake: Lake, test: dict[str, Any]) -> None:
    spec = ctas_spec(tests=[{"name": "rows", "severity": "error", **test}])
    _, change = accept(lake, spec, [[3]])
    said = {"test": "rows", "severity": "error", "offending": 0, "where": [], "counts": []}
    assert change["tests"] == [{**said, "failing": 0, "partitions": 1, "rows": 3}]


def test_semantics_8_a_strangers_table_that_appeared_meanwhile_is_not_flipped(lake: Lake) -> None:
    spec = ctas_spec()
    turn = Turn(lake, spec)
    plan = turn.prepare(target(spec))
    result = turn.stage(plan["stage"], {"data/p": "x"}, [[1]])
    theirs = {**target(spec), "Parameters": {}}
    with pytest.raises(faults.NotOurs):
        turn.call("accept", plan=plan, target=theirs, staged=STAGED, result=result)
    assert lake.keys("_runner/records/") == []


def test_a_record_that_is_gone_is_said(lake: Lake) -> None:
    turn, change = accept(lake, ctas_spec(), [[3]])
    lake.storage.empty("prod/_runner/records/")
    with pytest.raises(faults.PromotionFailed, match="the record that this attempt began is gone"):
        turn.call("finish", change=change)
