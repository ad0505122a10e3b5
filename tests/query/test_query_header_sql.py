"""SQL in a header's tests: conditions, queries over the staged rows, and what is neither."""

from __future__ import annotations

import pickle

import pytest

from runner.errors import Fault, Place
from runner.model.header import Header
from runner.model.names import TableName
from runner.model.places import Places
from runner.query import TestSql as Sql
from runner.query import read_test_sql

NAME = TableName("marts", "t")
PLACES = Places("sql/marts/t.sql", values={("tests", 0, "sql"): (4, 10)})


def read(text: str) -> tuple[tuple[Sql, ...], tuple[Fault, ...]]:
    header = Header.model_validate({"tests": [{"sql": text}]})
    return read_test_sql(header, PLACES, NAME)


def one(text: str) -> Sql:
    (found,), faults = read(text)
    assert faults == ()
    return found


@pytest.mark.parametrize(
    "text",
    [
        "delay < -120",
        "(delay < -120)",
        "delay < -120 -- two hours",
        "a BETWEEN 1 AND 2 OR b IS NOT NULL",
        "cardinality(filter(tags, t -> t = 'x')) > 0",
        "json_extract_scalar(raw, '$.a') IS NULL",
    ],
)
def test_a_condition_stays_as_it_is_written(text: str) -> None:
    found = one(text)
    assert not found.is_query
    assert found.text(found.rendered.sample) == text


@pytest.mark.parametrize(
    "text", ["SELECT * FROM {{ this }}", "with x as (select dt from {{this}}) select dt from x;"]
)
def test_a_query_names_the_staged_rows(text: str) -> None:
    found = one(text)
    assert found.is_query
    assert '"staged_rows"' in found.text(found.rendered.sample)
    assert not found.text(found.rendered.sample).endswith(";")
    assert [mention.table for mention in found.analysis.mentions] == ["marts.staged_rows"]


@pytest.mark.parametrize(
    ("text", "code", "found"),
    [
        ("delay <", "sql-syntax", "a condition that ends too early"),
        ("delay < 1) OR (a", "test-sql", "brackets that do not pair"),
        ("max(delay) > 1", "test-sql", "an aggregate function in a condition"),
        ("rank() OVER (ORDER BY a) > 1", "test-sql", "a window function in a condition"),
        ("a IN (SELECT 1)", "test-sql", "a query inside a condition"),
        ("a = {{ this }}", "test-sql", "`{{ this }}` in a condition"),
        ("dt < '{{ start }}'", "test-sql", "`{{` in a test's SQL"),
        ("{# all #} a = 1", "test-sql", "`{#` in a test's SQL"),
        ("SELECT 1 AS a", "test-sql", "a query that does not read the staged rows"),
        ("SELECT a, FROM {{ this }}", "sql-syntax", "a comma before FROM"),
        ("DELETE FROM {{ this }}", "test-sql", "`{{ this }}` in a condition"),
        ("SELECT a FROM {{ this }}; SELECT 1", "sql-statements", "a second statement: SELECT ..."),
    ],
)
def test_what_is_neither_is_a_fault_where_it_begins(text: str, code: str, found: str) -> None:
    tests, faults = read(text)
    assert tests == ()
    assert [(f.code, f.found) for f in faults] == [(code, found)]
    assert faults[0].place == Place("sql/marts/t.sql", 4, 10)


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("SELECT 1 AS n FROM {{ this }}", "s dt, hour"),
        ("SELECT dt FROM {{ this }}", " hour"),
        ("SELECT dt, hour FROM {{ this }}", ""),
        ("SELECT t.* FROM {{ this }} AS t", ""),
        ("n > 5", ""),
    ],
)
def test_a_query_gives_the_columns_that_tell_a_row_s_partition(query: str, missing: str) -> None:
    partition = {"dt": {"type": "date"}, "hour": {"type": "integer"}}
    header = Header.model_validate({"partition": partition, "tests": [{"sql": query}]})
    _, faults = read_test_sql(header, PLACES, NAME)
    said = f"a query that does not give the partition column{missing}"
    assert [fault.found for fault in faults] == ([said] if missing else [])


def test_the_facts_can_be_remembered_with_their_places() -> None:
    found = one("SELECT dt FROM {{ this }}")
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert again == found
    assert again.rendered.locate(3) == Place("sql/marts/t.sql", 4, 10)
