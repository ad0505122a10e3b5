"""Trino's semantics where DuckDB's differ: pairs of an expression and its value in Athena."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals

CASES: tuple[tuple[str, object], ...] = (
    ("7 / 2", 3),
    ("-7 / 2", -3),
    ("7 / 2e0", 3.5),
    ("1e0 / 0", float("inf")),
    ("1 / 3.0", Decimal("0.3")),
    ("CAST(1 AS decimal(10, 2)) / 3", Decimal("0.33")),
    ("100.0 * 3 / 7", Decimal("42.9")),
    ("try(1 / 0)", None),
    ("try(CAST('x' AS integer))", None),
    ("DATE '2013-01-31' + INTERVAL '1' MONTH", date(2013, 2, 28)),
    ("date_trunc('month', DATE '2013-01-31')", date(2013, 1, 1)),
    ("date_trunc('hour', TIMESTAMP '2013-01-31 10:20:30')", datetime(2013, 1, 31, 10)),
    ("date_add('day', -7, DATE '2013-01-05')", date(2012, 12, 29)),
    ("date_add('minute', 90, TIMESTAMP '2013-01-05 00:00:00')", datetime(2013, 1, 5, 1, 30)),
    ("date_diff('day', TIMESTAMP '2013-01-01 23:00:00', TIMESTAMP '2013-01-02 01:00:00')", 0),
    ("date_diff('day', DATE '2013-01-01', DATE '2013-01-05')", 4),
    ("date_diff('month', DATE '2013-01-31', DATE '2013-02-27')", 0),
    ("DATE '2013-01-05' - DATE '2013-01-01'", timedelta(days=4)),
    ("day_of_week(DATE '2013-01-06')", 7),
    ("EXTRACT(DOW FROM DATE '2013-01-06')", 7),
    ("week(DATE '2013-12-31')", 1),
    (
        "date_format(TIMESTAMP '2013-01-05 13:04:05', '%Y/%m/%d %H:%i:%s %p')",
        "2013/01/05 13:04:05 PM",
    ),
    ("date_parse('10:30', '%H:%i')", datetime(1970, 1, 1, 10, 30)),
    ("date_parse('2013-01-05', '%Y-%m-%d')", datetime(2013, 1, 5)),
    ("TIMESTAMP '2013-01-05 01:02:03.456'", datetime(2013, 1, 5, 1, 2, 3, 456000)),
    (
        "sequence(DATE '2013-01-01', DATE '2013-01-03')",
        [date(2013, 1, 1), date(2013, 1, 2), date(2013, 1, 3)],
    ),
    ("hour(TIMESTAMP '2013-01-01 20:00:00' AT TIME ZONE 'Asia/Tokyo')", 5),
    (
        "CAST(from_iso8601_timestamp('2013-01-01T20:00:00Z') AT TIME ZONE 'Asia/Tokyo' AS date)",
        date(2013, 1, 2),
    ),
    ("to_iso8601(DATE '2013-01-05')", "2013-01-05"),
    ("format_datetime(TIMESTAMP '2013-01-05 01:02:03', 'yyyyMMdd-HH')", "20130105-01"),
    ("to_unixtime(TIMESTAMP '1970-01-01 00:00:01')", 1.0),
    ("CAST(DATE '2013-01-05' AS varchar)", "2013-01-05"),
    ("CAST(TIMESTAMP '2013-01-05 01:02:03.000' AS varchar)", "2013-01-05 01:02:03.000"),
    ("CAST(1e0 AS varchar)", "1.0E0"),
    ("CAST(123.45e0 AS varchar)", "1.2345E2"),
    ("CAST(-0.00012e0 AS varchar)", "-1.2E-4"),
    ("CAST(1.50 AS varchar)", "1.50"),
    ("CAST('abcdef' AS varchar(3))", "abc"),
    ("CAST(2.5e0 AS integer)", 3),
    ("regexp_extract('abc', 'x')", None),
    ("regexp_extract('a1b2', '([a-z])([0-9])', 2)", "1"),
    ("regexp_replace('a1b2', '([0-9])', '<$1>')", "a<1>b<2>"),
    ("regexp_replace('a1b2', '[0-9]')", "ab"),
    ("split('a,b,c', ',', 2)", ["a", "b,c"]),
    ("split('a.b', '.')", ["a", "b"]),
    ("split_part('a-b', '-', 2)", "b"),
    ("element_at(ARRAY[1, 2], -1)", 2),
    ("element_at(ARRAY[1, 2], 3)", None),
    ("element_at(MAP(ARRAY['a'], ARRAY[1]), 'b')", None),
    ("cardinality(MAP(ARRAY['a'], ARRAY[1]))", 1),
    ("array_distinct(ARRAY[2, 1, 2])", [2, 1]),
    ("array_distinct(ARRAY[2, NULL, 2])", [2, None]),
    ("reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 10)", 60),
    ('json_extract_scalar(\'{"a": {"b": 1}, "c": "x"}\', \'$.c\')', "x"),
    ("json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a')", None),
    ("json_extract_scalar('no json', '$.a')", None),
    ("CAST(json_extract('{\"c\": \"x\"}', '$.c') AS varchar)", "x"),
    ("if(1 > 2, 'a')", None),
    ("greatest(1, NULL)", None),
    ("typeof(1)", "integer"),
)


@pytest.mark.parametrize(("expression", "value"), CASES, ids=[case[0] for case in CASES])
def test_expressions(world: World, expression: str, value: object) -> None:
    assert world.rows(f"SELECT {expression}") == [(value,)]


AGGREGATES: tuple[tuple[str, object, str], ...] = (
    ("sum(n)", 6, "bigint"),
    ("sum(n) / count(*)", 2, "bigint"),
    ("avg(n)", 2.0, "double"),
    ("count_if(n > 1)", 2, "bigint"),
    ("approx_distinct(n)", 3, "bigint"),
    ("max_by(s, n)", "c", "varchar"),
    ("min_by(s, n)", "a", "varchar"),
    ("arbitrary(1)", 1, "integer"),
    ("listagg(s) WITHIN GROUP (ORDER BY n)", "abc", "varchar"),
    ("array_agg(s ORDER BY n DESC)", ["c", "b", "a"], "array(varchar)"),
    ("date_trunc('month', max(d))", date(2013, 1, 1), "date"),
    ("date_add('day', 1, max(d))", date(2013, 1, 4), "date"),
    ("CAST(max(x) AS varchar)", "1.5E0", "varchar"),
    ("round(100e0 * sum(n) / 7, 2)", 85.71, "double"),
    ("max(d) - INTERVAL '1' DAY", date(2013, 1, 2), "date"),
)


@pytest.mark.parametrize(
    ("expression", "value", "kind"), AGGREGATES, ids=[case[0] for case in AGGREGATES]
)
def test_aggregates(world: World, expression: str, value: object, kind: str) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT n, s, DATE '2013-01-01' + "
        "INTERVAL '2' DAY AS d, 1.5e0 AS x FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) v(n, s)"
    )
    found = world.athena.query(f"SELECT {expression} AS v FROM t", "db")
    assert found.rows == ((value,),)
    assert found.columns == (("v", kind),)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT n AS m, m + 1 FROM t",
            (
                "COLUMN_NOT_FOUND: line 1:16: Column 'm' cannot be resolved or requester "
                "is not authorized to access requested resources"
            ),
        ),
        (
            "SELECT n AS m FROM t GROUP BY m",
            (
                "COLUMN_NOT_FOUND: line 1:31: Column 'm' cannot be resolved or requester "
                "is not authorized to access requested resources"
            ),
        ),
    ],
)
def test_what_could_be_wrong_is_refused(world: World, sql: str, reason: str) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 1 AS n")
    assert world.failure(sql) == reason


def test_tries_that_share_a_part_fail_alone(world: World) -> None:
    found = world.rows(
        "SELECT coalesce(try(date_parse(s, '%Y-%m-%d')), try(date_parse(s, '%Y/%m/%d'))), "
        "try(1 / n + 1), try(1 / n + 2) FROM (VALUES ('2013/01/02', 0)) AS t (s, n)"
    )
    assert found == [(datetime(2013, 1, 2), None, None)]
