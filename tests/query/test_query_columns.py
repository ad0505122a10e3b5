"""Columns: unknown, ambiguous, and what a query gives."""

from __future__ import annotations

import pytest

from runner.errors import Fault, Place
from runner.model.header import Kind
from runner.model.project import Column
from runner.query import check_columns
from tests.query.cases import PATH, analysed

SCHEMAS = {
    "staging.flights": (
        Column("carrier", "string"),
        Column("dep_delay", "double"),
        Column("seats", "int"),
        Column("tags", "array<string>"),
        Column("place", "struct<lat:double>"),
        Column("at", "timestamp"),
        Column("dt", "string"),
    ),
    "staging.weather": (Column("temp", "double"), Column("dt", "string")),
    "marts.own": (Column("id", "bigint"),),
    "staging.untyped": (Column("a"), Column("b", "int")),
}


def checked(text: str, kind: Kind = Kind.INSERT) -> tuple[tuple[Column, ...], tuple[Fault, ...]]:
    rendered, analysis = analysed(text, kind=kind)
    return check_columns(rendered, analysis, SCHEMAS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SELECT carier, f.nope AS n FROM staging.flights f",
            [(8, "unknown-column", "carrier"), (18, "unknown-column", "f.nope")],
        ),
        (
            "SELECT dt FROM staging.flights f JOIN staging.weather w ON f.dt = w.dt",
            [(8, "ambiguous-column", "write f.dt or w.dt")],
        ),
        ("SELECT g.dt FROM staging.flights f", [(8, "unknown-column", "called g")]),
        (
            "WITH q AS (SELECT carrier AS c FROM staging.flights) SELECT carrier FROM q",
            [(61, "unknown-column", "one of c")],
        ),
        (
            "SELECT carrier AS c FROM staging.flights WHERE c = 'AA'",
            [(48, "unknown-column", "unknown column c")],
        ),
        (
            (
                "SELECT carrier FROM staging.flights f WHERE EXISTS "
                "(SELECT 1 FROM staging.weather w WHERE w.dt = f.dt AND tmp > 1)"
            ),
            [(107, "unknown-column", "temp")],
        ),
        (
            "SELECT dt, at FROM staging.flights UNION ALL SELECT day, temp FROM staging.weather",
            [(53, "unknown-column", "day")],
        ),
        ("SELECT idd FROM own", [(8, "unknown-column", "did you mean id?")]),
        (
            (
                "SELECT q.x FROM (SELECT f.*, temp FROM staging.flights f "
                "JOIN staging.weather w ON f.dt = w.dt) q"
            ),
            [(10, "unknown-column", "q.x")],
        ),
    ],
)
def test_faults(text: str, expected: list[tuple[int, str, str]]) -> None:
    _, faults = checked(text)
    assert [(fault.place, fault.code) for fault in faults] == [
        (Place(PATH, 1, column), code) for column, code, _ in expected
    ]
    for fault, (_, _, words) in zip(faults, expected, strict=True):
        assert words in f"{fault.found} {fault.expected} {fault.advice}"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT CARRIER, f.Dt FROM staging.flights F",
        "SELECT staging.flights.dt FROM staging.flights",
        "SELECT carrier AS c FROM staging.flights ORDER BY c",
        "SELECT dt, temp FROM staging.flights JOIN staging.weather USING (dt)",
        "SELECT place.lat AS lat, f.place.lat AS l2 FROM staging.flights f",
        "SELECT t.tag, n FROM staging.flights CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(tag, n)",
        "SELECT filter(tags, x -> x <> carrier) AS k FROM staging.flights",
        "SELECT reduce(tags, '', (s, x) -> s || x, s -> s) AS k FROM staging.flights",
        "SELECT anything, b.c FROM raw.unknown b",
        "SELECT anything, carrier FROM raw.unknown, staging.flights",
        "SELECT v.a, b FROM (VALUES (1, 2)) AS v(a, b)",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
        (
            "SELECT carrier FROM staging.flights f WHERE dt = "
            "(SELECT max(dt) FROM staging.weather w WHERE w.temp < f.dep_delay)"
        ),
        "SELECT row_number() OVER w AS n FROM staging.flights WINDOW w AS (ORDER BY dt)",
        "SELECT a.carrier FROM staging.flights a JOIN staging.flights b ON a.dt = b.dt",
    ],
)
def test_what_is_right(text: str) -> None:
    assert checked(text)[1] == ()


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("carrier", "string"),
        ("seats", "int"),
        ("count(*)", "bigint"),
        ("count_if(seats > 1)", "bigint"),
        ("sum(seats)", "bigint"),
        ("sum(dep_delay)", "double"),
        ("avg(seats)", "double"),
        ("max(at)", "timestamp"),
        ("seats / 2", "int"),
        ("seats * count(*)", "bigint"),
        ("seats + dep_delay", "double"),
        ("seats * 1.5", ""),
        ("round(dep_delay, 1)", "double"),
        ("'abc'", "varchar(3)"),
        ("coalesce(carrier, 'none')", "string"),
        ("lower('AB')", "varchar(2)"),
        ("tags || tags", ""),
        ("concat(carrier, '-', dt)", "string"),
        ("regexp_extract(carrier, 'A')", "string"),
        ("date_format(at, '%Y')", "string"),
        ("date_trunc('hour', at)", "timestamp"),
        ("date_parse(carrier, '%Y')", "timestamp"),
        ("date_add('day', 1, DATE '2013-01-01')", "date"),
        ("max(seats, 3)", ""),
        ("1", "int"),
        ("3000000000", "bigint"),
        ("1e0", "double"),
        ("seats > 1", "boolean"),
        ("true", "boolean"),
        ("CAST(seats AS varchar)", "string"),
        ("CAST(seats AS varchar(5))", "varchar(5)"),
        ("CAST(seats AS decimal(10, 2))", "decimal(10,2)"),
        ("TRY_CAST(carrier AS bigint)", "bigint"),
        ("DATE '2013-01-01'", "date"),
        ("row_number() OVER (ORDER BY dt)", "bigint"),
        ("lag(at) OVER (ORDER BY dt)", "timestamp"),
        ("year(at)", "bigint"),
        ("date_diff('day', at, at)", "bigint"),
        ("lower(carrier)", "string"),
        ("carrier || dt", "string"),
        ("coalesce(seats, 0)", "int"),
        ("CASE WHEN seats > 1 THEN 'a' ELSE 'bc' END", "varchar(2)"),
        ("CASE WHEN seats > 1 THEN 'a' ELSE 1 END", ""),
        ("if(seats > 1, dep_delay)", "double"),
        ("nullif(seats, 0)", "int"),
        ("my_function(seats)", ""),
        ("NULL", ""),
    ],
)
def test_types_follow_where_they_are_certain(expression: str, kind: str) -> None:
    columns, faults = checked(f"SELECT {expression} AS x FROM staging.flights")
    assert (columns, faults) == ((Column("x", kind),), ())


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("SELECT * FROM staging.weather", [("temp", "double"), ("dt", "string")]),
        (
            "SELECT w.*, 1 AS n FROM staging.weather w",
            [("temp", "double"), ("dt", "string"), ("n", "int")],
        ),
        (
            (
                "WITH q AS (SELECT seats AS s, count(*) AS n FROM staging.flights GROUP BY 1) "
                "SELECT * FROM q"
            ),
            [("s", "int"), ("n", "bigint")],
        ),
        (
            "SELECT seats AS s FROM staging.flights UNION ALL SELECT 1 FROM staging.flights",
            [("s", "int")],
        ),
        (
            "SELECT seats AS s FROM staging.flights UNION ALL SELECT temp FROM staging.weather",
            [("s", "")],
        ),
        ("SELECT id FROM own", [("id", "bigint")]),
        ("SELECT a, b FROM staging.untyped", [("a", ""), ("b", "int")]),
        ("SELECT * FROM staging.untyped", [("a", ""), ("b", "int")]),
        ("SELECT * FROM raw.unknown", []),
        ("SELECT x, y FROM raw.unknown", [("x", ""), ("y", "")]),
        ("SELECT nope, dt FROM staging.weather", [("nope", ""), ("dt", "")]),
    ],
)
def test_output(text: str, columns: list[tuple[str, str]]) -> None:
    assert [(column.name, column.type) for column in checked(text)[0]] == columns


def test_an_external_table_has_its_own_columns() -> None:
    text = "CREATE EXTERNAL TABLE marts.x (a int) PARTITIONED BY (dt string) LOCATION 's3://b/'"
    assert checked(text, Kind.DDL) == ((Column("a", "int"), Column("dt", "string")), ())
