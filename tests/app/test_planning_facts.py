"""What the bundle keeps of a table for planning: history, layout of files, shares of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.planning_facts import Layout
from tests.semantics.little import insert, project, sql

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.bundle import TableFacts

WINDOW = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"


def facts(folder: Path, name: str, files: dict[str, str]) -> TableFacts:
    root = project(folder, files)
    open_bundle(root)
    return next(t for t in open_bundle(root).tables if t.name == name)  # read from the cache


@pytest.mark.parametrize(
    ("partition", "header", "first", "last"),
    [
        (
            'dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}',
            "",
            "2013-01-01",
            "NOW+1DAYS",
        ),
        (
            'dt: {type: date, format: yyyyMMdd, range: "20130105,20131231"}',
            "",
            "2013-01-05",
            "2013-12-31",
        ),
        (
            'dt: {type: date, format: yyyy-MM-dd, range: "NOW-3YEARS,NOW+1DAYS"}',
            "",
            "NOW-3YEARS",
            "NOW+1DAYS",
        ),
        (
            'dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}',
            "backfill: {from: 2013-06-01}",
            "2013-06-01",
            "NOW+1DAYS",
        ),
    ],
)
def test_the_history_of_a_table(
    partition: str, header: str, first: str, last: str, tmp_path: Path
) -> None:
    query = "SELECT 1 AS id, '{{ start }}' AS dt"
    found = facts(tmp_path, "s.t", {"s/t": insert(query, header, partition=partition)})
    assert (found.first, found.last, found.time[0][0]) == (first, last, "dt")


def test_years_and_months_as_numbers_have_a_history(tmp_path: Path) -> None:
    partition = (
        'year: {type: integer, range: "2013,2030", digits: 4}\n'
        '  month: {type: integer, range: "1,12", digits: 2}'
    )
    query = (
        "SELECT 1 AS id, '{{ start.format('yyyy') }}' AS year, '{{ start.format('MM') }}' AS month"
    )
    found = facts(tmp_path, "s.t", {"s/t": insert(query, partition=partition)})
    assert (found.grain, found.first, found.last) == ("month", "2013-01", "2030-12")


def ddl(partitions: str, properties: str) -> str:
    return sql(
        f"CREATE EXTERNAL TABLE raw.r (id int) PARTITIONED BY ({partitions}) STORED AS PARQUET "
        f"LOCATION 's3://raw/r' TBLPROPERTIES ('projection.enabled' = 'true', {properties})",
        "kind: ddl",
    )


DATE = (
    "'projection.dt.type' = 'date', 'projection.dt.format' = 'yyyy/MM/dd', "
    "'projection.dt.range' = '2013/01/01,NOW'"
)
ENUM = "'projection.kind.type' = 'enum', 'projection.kind.values' = 'a,b'"


@pytest.mark.parametrize(
    ("partitions", "properties", "template"),
    [
        ("dt string", DATE, "dt=${}/"),
        ("dt string, kind string", f"{DATE}, {ENUM}", "dt=${}/"),
        ("kind string, dt string", f"{DATE}, {ENUM}", ""),
        ("dt string", f"{DATE}, 'storage.location.template' = 's3://raw/r/x/${{dt}}/'", "x/${}/"),
        (
            "kind string, dt string",
            f"{DATE}, {ENUM}, 'storage.location.template' = 's3://raw/r/${{kind}}/${{dt}}/'",
            "",
        ),
        ("dt string", f"{DATE}, 'storage.location.template' = 's3://other/${{dt}}/'", ""),
    ],
)
def test_the_folders_of_a_raw_tables_periods(
    partitions: str, properties: str, template: str, tmp_path: Path
) -> None:
    found = facts(tmp_path, "raw.r", {"raw/r": ddl(partitions, properties)}).layout
    grain = "day" if template else ""
    assert found == Layout("s3://raw/r/", template, "yyyy/MM/dd", grain)


@pytest.mark.parametrize(
    ("query", "share"),
    [
        (f"SELECT id, dt FROM s.a {WINDOW}", 0.5),  # id and n: types unknown, 8 bytes each
        (f"SELECT id, n, dt FROM s.a {WINDOW}", 1.0),
        (f"SELECT * FROM s.a {WINDOW}", 1.0),
        (f"SELECT count(*) AS x, dt FROM s.a {WINDOW} GROUP BY dt", 0.0),
    ],
)
def test_the_share_of_the_columns_that_are_named(query: str, share: float, tmp_path: Path) -> None:
    upstream = insert("SELECT 1 AS id, 2 AS n, '{{ start }}' AS dt")
    found = facts(tmp_path, "s.b", {"s/a": upstream, "s/b": insert(query)})
    assert [(one.table, one.windowed, one.share) for one in found.inputs] == [("s.a", True, share)]


def test_a_format_by_row_is_read_whole(tmp_path: Path) -> None:
    upstream = insert("SELECT 1 AS id, 2 AS n, '{{ start }}' AS dt", "format: json")
    found = facts(
        tmp_path, "s.b", {"s/a": upstream, "s/b": insert(f"SELECT id, dt FROM s.a {WINDOW}")}
    )
    assert found.inputs[0].share == 1.0
