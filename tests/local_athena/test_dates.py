"""Dates, times, time zones and intervals, by Trino's documentation: what Athena's results show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.render import render
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from tests.local_athena.conftest import World


def _read_cases() -> dict[str, dict[str, str]]:
    """Read dates.txt: statements and what they show, by topic."""
    topics: dict[str, dict[str, str]] = {}
    cases: dict[str, str] = {}
    for line in (Path(__file__).parent / "dates.txt").read_text().splitlines():
        if line.startswith("## "):
            cases = topics[line[3:]] = {}
        elif line and not line.startswith("#"):
            sql, _, shown = line.partition(" => ")
            cases[sql] = shown
    return topics


CASES = _read_cases()


def _text(world: World, sql: str) -> str:
    text = sql if sql.startswith(("SELECT", "WITH ")) else f"SELECT {sql}"
    try:
        found = world.athena.query(text, "db")
    except AthenaFailure as failure:
        return f"!{failure.reason}"
    kinds = [parse_type(kind) for _, kind in found.columns]
    rows = [
        " | ".join(
            "null" if (shown := render(value, kind)) is None else shown
            for value, kind in zip(row, kinds, strict=True)
        )
        for row in found.rows
    ]
    return " ; ".join(rows)


@pytest.mark.parametrize("topic", sorted(CASES))
def test_values(world: World, topic: str) -> None:
    expected = CASES[topic]
    assert expected
    assert {sql: _text(world, sql) for sql in expected} == expected


TYPES: tuple[tuple[str, str], ...] = (
    ("DATE '2020-01-01'", "date"),
    ("TIME '01:02:03'", "time(0)"),
    ("TIME '01:02:03+01:00'", "time with time zone"),
    ("TIMESTAMP '2020-01-01 00:00:00'", "timestamp(3)"),
    ("TIMESTAMP '2020-01-01 00:00:00 Asia/Tokyo'", "timestamp(3) with time zone"),
    ("INTERVAL '1' DAY", "interval day to second"),
    ("INTERVAL '1' MONTH", "interval year to month"),
    ("DATE '2020-01-31' + INTERVAL '1' MONTH", "date"),
    ("year(now())", "bigint"),
    ("to_unixtime(now())", "double"),
    ("from_unixtime(0)", "timestamp(3) with time zone"),
    ("from_iso8601_timestamp('2020-01-01T00:00:00')", "timestamp(3) with time zone"),
    ("date_parse('2020', '%Y')", "timestamp(3)"),
    ("sequence(DATE '2020-01-01', DATE '2020-01-02')", "array(date)"),
)


def test_types_of_results(world: World) -> None:
    found = {sql: world.athena.query(f"SELECT {sql}", "db").columns[0][1] for sql, _ in TYPES}
    assert found == dict(TYPES)


def test_columns_of_tables_have_milliseconds(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location='s3://b/t/') AS "
        "SELECT TIMESTAMP '2020-01-01 00:00:00' AS at, DATE '2020-01-31' AS d"
    )
    assert _text(world, "SELECT CAST(at AS varchar) FROM t") == "2020-01-01 00:00:00.000"
    assert _text(world, "SELECT at AT TIME ZONE 'Asia/Tokyo' FROM t") == (
        "2020-01-01 09:00:00.000 Asia/Tokyo"
    )
    assert _text(world, "SELECT d + INTERVAL '1' MONTH FROM t") == "2020-02-29"


def test_statements_of_one_shape_keep_their_own_precision(world: World) -> None:
    for fraction in ("", ".1", ".12", ".123"):
        sql = f"CAST(TIMESTAMP '2020-01-01 00:00:00{fraction}' AS varchar)"
        assert _text(world, sql) == f"2020-01-01 00:00:00{fraction}"


def test_the_present_does_not_change_within_a_statement(world: World) -> None:
    sql = "current_timestamp = now() AND localtimestamp = CAST(current_timestamp AS timestamp)"
    assert _text(world, sql) == "true"
    assert _text(world, "current_date = CAST(localtimestamp AS date)") == "true"
