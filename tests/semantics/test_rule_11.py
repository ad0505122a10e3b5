"""SEMANTICS 11: a partitioned `ctas` writes at most 100 partitions x buckets, provably."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.project import check_project
from tests.semantics.little import codes, go, project, read, rows_of, sql, statements

if TYPE_CHECKING:
    from pathlib import Path

DATES = 'd: {type: date, format: yyyy-MM-dd, range: "%s"}'


@pytest.mark.parametrize(
    ("partition", "more", "fine"),
    [
        pytest.param('n: {type: integer, range: "1,100"}', "", True, id="100 partitions"),
        pytest.param('n: {type: integer, range: "1,101"}', "", False, id="101 partitions"),
        pytest.param('n: {type: integer, range: "1,199", interval: 2}', "", True, id="interval"),
        pytest.param(
            'n: {type: integer, range: "1,25"}\n  s: {type: enum, values: [a, b, c, d]}',
            "",
            True,
            id="25 x 4",
        ),
        pytest.param(
            'n: {type: integer, range: "1,26"}\n  s: {type: enum, values: [a, b, c, d]}',
            "",
            False,
            id="26 x 4",
        ),
        pytest.param(
            'n: {type: integer, range: "1,50"}',
            "bucket: {columns: [id], count: 2}",
            True,
            id="50 x 2 buckets",
        ),
        pytest.param(
            'n: {type: integer, range: "1,50"}',
            "bucket: {columns: [id], count: 3}",
            False,
            id="50 x 3 buckets",
        ),
        pytest.param(DATES % "2024-01-01,2024-04-09", "", True, id="100 days"),
        pytest.param(DATES % "2024-01-01,2024-04-10", "", False, id="101 days"),
        pytest.param(DATES % "2024-01-01,NOW+1DAYS", "", False, id="grows with time"),
    ],
)
def test_semantics_11_partitions_and_buckets_of_a_ctas(
    partition: str, more: str, tmp_path: Path, *, fine: bool
) -> None:
    query = "SELECT 1 AS id, 1 AS n, 'a' AS s, '2024-01-01' AS d"
    files = {"marts/x": sql(query, f"kind: ctas\npartition:\n  {partition}\n{more}".rstrip())}
    assert codes(project(tmp_path, files)) == ([] if fine else ["ctas-partitions"])


def test_semantics_11_the_check_says_to_make_it_insert(tmp_path: Path) -> None:
    header = f"kind: ctas\npartition:\n  {DATES % '2024-01-01,NOW+1DAYS'}"
    (fault,) = check_project(project(tmp_path, {"marts/x": sql("SELECT 1 AS a, 'x' AS d", header)}))
    assert fault.advice.startswith("write kind: insert")
    assert str(fault.place) == "sql/marts/x.sql:3:1"


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("", ["iceberg-rows"]),
        ("keys: [a]", []),
        ("kind: view", ["key-unfit"]),
        ("partition: {d: {type: enum, values: ['2024-01-01']}}", []),
        ("keys: [a]\nbucket: {columns: [a], count: 2}", ["iceberg-setting"]),
        ("partition: {d: {type: injected, values: [x]}}", ["iceberg-setting"]),
        ("keys: [a]\ncompression: lz4", ["compression"]),
        ("keys: [a]\ncompression: zstd", []),
        ("keys: [a]\nproperties: {table_type: x}", ["property-reserved"]),
        ("keys: [a]\nproperties: {projection.enabled: 'x'}", ["property-reserved"]),
        ("keys: [nope]", ["header-column"]),
    ],
)
def test_semantics_11_iceberg_needs_keys_or_a_partition_and_has_settings_of_its_own(
    more: str, found: list[str], tmp_path: Path
) -> None:
    query = "SELECT 1 AS a, '2024-01-01' AS d"
    files = {"marts/x": sql(query, f"format: iceberg\n{more}".rstrip())}
    assert codes(project(tmp_path, files)) == found


def test_semantics_11_keys_belong_to_iceberg_tables(tmp_path: Path) -> None:
    files = {"marts/x": sql("SELECT 1 AS a", "keys: [a]")}
    assert codes(project(tmp_path, files)) == ["iceberg-setting"]


def test_semantics_11_a_partitioned_ctas_is_one_statement_with_the_partition_last(
    tmp_path: Path,
) -> None:
    source = rows_of((1, "b"), (2, "a"), columns="id, shop")
    header = "kind: ctas\npartition:\n  shop: {type: enum, values: [a, b]}"
    files = {"marts/x": sql(f"SELECT shop, id FROM {source}", header)}
    root = project(tmp_path, files)
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert read(root, "SELECT id, shop FROM marts.x ORDER BY id") == [(1, "b"), (2, "a")]
    (statement,) = statements(root, "CREATE TABLE")
    assert "partitioned_by = ARRAY['shop']" in statement
