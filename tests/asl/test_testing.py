"""The test query's text: one statement, one mention of the stage, one row per partition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.asl import testing
from runner.asl.steps.tables import waves
from runner.model.header import ColumnTest
from runner.model.names import TableName
from runner.model.project import ReadByTests, Table
from tests.support import projects


def text(table: Table) -> str:
    return f'{testing.test_query(table)}"s"."x"{testing.test_query_end(table)}'


def insert(*tests: dict[str, Any], **more: Any) -> Table:  # noqa: ANN401 - fields of a Table
    return replace(projects.table("marts.t", tests=list(tests)), **more)


def test_tests_of_columns_are_counted_beside_the_rows() -> None:
    table = insert(
        {"unique": ["dt", "a"]},
        {"min_rows": 1},
        {"not_null": ["a", "b"]},
        {"accepted_values": {"a": ["x", "it's"], "n": [1]}},
        {"range": {"n": [0, 1.5], "m": [None, None]}},
        {"freshness": {"column": "at", "max_age": "2h"}},
    )
    assert text(table) == (
        'SELECT "dt", count(*) AS "rows", '
        'count(*) - count(DISTINCT ROW("dt", "a")) AS "t0", '
        'count_if("a" IS NULL OR "b" IS NULL) AS "t1", '
        "count_if(\"a\" NOT IN ('x', 'it''s') OR \"n\" NOT IN (1)) AS \"t2\", "
        'count_if(NOT ("n" >= 0) OR NOT ("n" <= 1.5)) AS "t3", '
        'CAST(max("at") AS varchar) AS "t4" '
        'FROM "s"."x" GROUP BY "dt"'
    )


def test_a_whole_table_has_no_groups() -> None:
    assert text(projects.table("marts.t", kind="ctas")) == 'SELECT count(*) AS "rows" FROM "s"."x"'


def test_other_tables_are_joined_by_their_distinct_values() -> None:
    table = insert(
        {"relationships": {"a": "raw.codes.code"}},
        tests_read=(ReadByTests("raw.codes", "raw_dev.codes", ours=True),),
    )
    assert text(table) == (
        'SELECT "dt", count(*) AS "rows", '
        'count_if("a" IS NOT NULL AND "_r0_0" IS NULL) AS "t0" '
        'FROM "s"."x" AS "staged_rows" LEFT JOIN (SELECT DISTINCT "code" AS "_r0_0" '
        'FROM "raw_dev"."codes" WHERE "code" IS NOT NULL) AS "_r0_0_in" '
        'ON "staged_rows"."a" = "_r0_0" GROUP BY "dt"'
    )


def test_the_rows_of_a_tests_query_are_added() -> None:
    query = 'SELECT dt FROM "staged_rows" WHERE a > 5'
    table = insert(
        {"sql": "a > 9"},
        {"sql": query},
        {"freshness": {"column": "at", "max_age": "2h"}},
        test_sql=("a > 9", query, ""),
    )
    assert text(table) == (
        'WITH "staged_rows" AS (SELECT * FROM "s"."x")\n'
        'SELECT "dt", sum("rows") AS "rows", sum("t0") AS "t0", sum("t1") AS "t1", '
        'max("t2") AS "t2" FROM (\n'
        'SELECT "dt", count(*) AS "rows", count_if((\na > 9\n)) AS "t0", 0 AS "t1", '
        'CAST(max("at") AS varchar) AS "t2" FROM "staged_rows" GROUP BY "dt"\n'
        "UNION ALL\n"
        'SELECT CAST("dt" AS varchar) AS "dt", 0, 0, count(*), CAST(NULL AS varchar) FROM (\n'
        f"{query}\n"
        ') AS "offending_" GROUP BY 1\n'
        ') AS "tested_" GROUP BY "dt"'
    )


@pytest.mark.parametrize(
    ("test", "name", "facts"),
    [
        ({"unique": ["a", "b"]}, "unique: a, b", {"test": "count"}),
        ({"max_rows": 0}, "max_rows: 0", {"test": "max_rows", "value": 0}),
        (
            {"relationships": {"a": "raw.codes.code"}, "severity": "warn"},
            "relationships: a in raw.codes.code",
            {"test": "count", "severity": "warn"},
        ),
        (
            {"freshness": {"column": "at", "max_age": "2d"}},
            "freshness: at within 2d",
            {"test": "freshness", "value": 172_800},
        ),
        ({"sql": "a\n  > 5"}, "sql: a > 5", {"test": "count"}),
        ({"sql": "a > 5", "name": "small"}, "small", {"test": "count"}),
        ({"sql": "x" * 100}, f"sql: {'x' * 72}...", {"test": "count"}),
    ],
)
def test_what_the_keeper_is_told(test: dict[str, Any], name: str, facts: dict[str, Any]) -> None:
    said = testing.test_facts(ColumnTest.model_validate(test))
    assert said == {"name": name, "severity": "error", **facts}


def test_a_table_waits_for_what_its_tests_read() -> None:
    """Whatever the names' order; a source is nothing to wait for."""
    read = (
        ReadByTests("marts.z", "marts.z", ours=True),
        ReadByTests("crm.x", "crm.x", ours=False),
    )
    tables = (projects.table("marts.z"), replace(projects.table("marts.a"), tests_read=read))
    names = [table.name for table in tables]
    found = waves(projects.project(*tables), names)
    assert found == ((TableName("marts", "z"),), (TableName("marts", "a"),))
    assert waves(projects.project(*tables), names[1:]) == ((TableName("marts", "a"),),)
