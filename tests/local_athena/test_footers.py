"""Parquet files that are alike are one scan, with filters pushed into it; others are united."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb
import pytest

from runner.local.athena.footers import FooterCache

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

CREATE = "CREATE EXTERNAL TABLE t ({}) STORED AS PARQUET LOCATION 's3://b/t/'"


def put(world: World, name: str, select: str) -> str:
    """Write a file of another tool into the table's folder."""
    path = world.s3.path_of(f"s3://b/t/{name}.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return str(path)


def planned(world: World, sql: str) -> str:
    """Give DuckDB's plan of a query, as EXPLAIN shows it."""
    with world.athena._session("x", "db", "") as session:  # noqa: SLF001 - what DuckDB gets
        text = session.planner.plan(session.cursor, sql, database="db").sql
        return str(session.engine.run(session.cursor, f"EXPLAIN {text}").rows[0][1])


def test_files_alike_are_one_scan_with_the_filter_inside(world: World) -> None:
    for number in range(3):
        put(world, f"f{number}", f"SELECT {number}::BIGINT AS n, 'x{number}' AS s")
    world.run(CREATE.format("n bigint, s string"))
    assert world.rows("SELECT s FROM t WHERE n >= 1 ORDER BY s") == [("x1",), ("x2",)]
    plan = planned(world, "SELECT s FROM t WHERE n >= 1")
    assert plan.count("READ_PARQUET") == 1
    assert "UNION" not in plan.upper()
    assert "Filters:" in plan.replace("\n", " ")


def test_count_needs_no_column(world: World) -> None:
    put(world, "f", "SELECT 1::BIGINT AS n, 'x' AS s FROM range(5)")
    world.run(CREATE.format("n bigint, s string"))
    assert world.rows("SELECT count(*) FROM t") == [(5,)]
    assert "Projections" not in planned(world, "SELECT count(*) FROM t")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SELECT 1::BIGINT AS n, 'x' AS s", "SELECT 2::BIGINT AS n"),
        ("SELECT 2::INTEGER AS n", "SELECT 1::BIGINT AS n, 'x' AS s"),
        ("SELECT 1::BIGINT AS n, 'x' AS s", "SELECT NULL::VARCHAR AS s, 2::SMALLINT AS n"),
    ],
)
def test_files_that_differ_are_united_by_name(world: World, first: str, second: str) -> None:
    put(world, "a", first)
    put(world, "b", second)
    world.run(CREATE.format("n bigint, s string"))
    assert world.rows("SELECT n, s FROM t ORDER BY n") == [(1, "x"), (2, None)]


def test_a_column_that_no_file_has_is_null(world: World) -> None:
    put(world, "a", "SELECT 1::BIGINT AS N")
    world.run(CREATE.format("n bigint, late double"))
    assert world.rows("SELECT n, late FROM t") == [(1, None)]


def test_rows_and_arrays_are_read_from_files_alike(world: World) -> None:
    for number in range(2):
        put(world, f"f{number}", f"SELECT {{'a': {number}, 'b': 'x'}} AS r, [{number}, 7] AS l")
    world.run(CREATE.format("r struct<a:int,b:string>, l array<int>, late int"))
    rows = world.rows("SELECT r.a, l[2], late FROM t ORDER BY 1")
    assert rows == [(0, 7, None), (1, 7, None)]


def test_a_file_that_changes_in_place_is_looked_into_again(world: World) -> None:
    path = put(world, "f", "SELECT 1::BIGINT AS n")
    world.run(CREATE.format("n bigint, s string"))
    assert world.rows("SELECT n, s FROM t") == [(1, None)]
    put(world, "f", "SELECT 2::BIGINT AS n, 'x' AS s")
    os.utime(path, ns=(1, 1))
    assert world.rows("SELECT n, s FROM t") == [(2, "x")]


def test_columns_are_told_from_their_parts(world: World) -> None:
    path = put(world, "f", "SELECT {'x': 1, 'y': [1]} AS Outer, 1 AS plain, MAP {'k': 1} AS m")
    engine = world.athena._engine  # noqa: SLF001 - there is no other
    cache = FooterCache(engine)
    with engine.cursor() as cursor:
        found = cache.columns(cursor, [path, f"{path}.none"])
    assert set(found) == {path}
    assert found[path].names == {"outer", "plain", "m"}


def test_a_broken_file_is_told_by_the_statement(world: World) -> None:
    world.put("t/f.parquet", "this is no Parquet file")
    world.run(CREATE.format("n bigint"))
    assert "HIVE_BAD_DATA" in world.failure("SELECT n FROM t")
