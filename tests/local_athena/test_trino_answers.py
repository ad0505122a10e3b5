"""What a real Trino 435 answered where the local Athena once answered otherwise."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena import AthenaFailure

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals

EXPRESSIONS: dict[str, tuple[tuple[str, Any], ...]] = {
    "zeros of doubles": (
        ("CAST(DOUBLE '0' AS varchar)", "0E0"),
        ("CAST(DOUBLE '-0.0' AS varchar)", "-0E0"),
        ("CAST(REAL '-0.0' AS varchar)", "-0E0"),
        ("array_join(ARRAY[DOUBLE '0.0', 1.5E10], ',')", "0E0,1.5E10"),
        ("CAST(JSON '0.0' AS varchar)", "0E0"),
    ),
    "short classes of patterns are ASCII": (
        (r"regexp_extract('ÄöÜ é1_', '\w+')", "1_"),
        (r"regexp_extract('٣4', '\d+')", "4"),
        (r"regexp_extract('foo ÄÖ', '\W+')", " ÄÖ"),
        (r"regexp_extract('aé', '[\w]+')", "a"),
        (r"regexp_extract('äö_1', '[^\w]+')", "äö"),
        ("regexp_extract(chr(160) || 'é9', '\\S+')", "\xa0é9"),
        ("regexp_extract(chr(160) || 'é9', '\\s')", None),
        ("regexp_extract(chr(160) || 'é9', '[[:space:]]')", "\xa0"),
        (r"regexp_extract('Äöz٣', '[[:digit:]]+')", "٣"),
        (r"regexp_replace('aéb c', '\b', '|')", "|aéb| |c|"),
        (r"regexp_replace('ÄöÜ', '(\w)', x -> upper(x[1]))", "ÄöÜ"),
        (r"regexp_like('٣', '\d')", False),
    ),
    "NULL among collections": (
        ("map_concat(MAP(ARRAY[1], ARRAY[2]), CAST(NULL AS map(integer, integer)))", None),
        ("map_concat(MAP(ARRAY[1], ARRAY[2]), MAP(ARRAY[1], ARRAY[3]))", {1: 3}),
        ("array_union(NULL, ARRAY[1])", None),
        ("array_union(ARRAY[1, NULL], ARRAY[1])", [1, None]),
        ("ARRAY[1] || CAST(NULL AS integer)", None),
        ("array_join(ARRAY[NULL, NULL], ',')", ""),
        ("array_join(ARRAY[NULL, NULL], ',', 'n')", "n,n"),
    ),
    "NaN equals nothing": (
        ("contains(ARRAY[nan()], nan())", False),
        ("contains(ARRAY[1e0, 2e0], 2)", True),
        ("array_position(ARRAY[nan(), 1], nan())", 0),
        ("array_position(ARRAY[nan(), 1], 1)", 2),
    ),
    "characters of two units in JSON": (
        ("json_array('é', chr(128512))", '["é","\\uD83D\\uDE00"]'),
        ("json_object('k' : chr(128512))", '{"k":"\\uD83D\\uDE00"}'),
        ("json_format(JSON '\"😀é\"')", '"\\uD83D\\uDE00é"'),
        ("json_extract_scalar('[\"😀\"]', '$[0]')", "😀"),
        ("json_format(json_parse('[1E400]'))", '["Infinity"]'),
    ),
    "types of small integers": (
        ("typeof(SMALLINT '3' + 1)", "integer"),
        ("TINYINT '127' + 1", 128),
        ("SMALLINT '32767' * 2", 65534),
        ("typeof(SMALLINT '7' % 3)", "integer"),
        ("TINYINT '127' - -1", 128),
        ("typeof(truncate(SMALLINT '7'))", "decimal(5,0)"),
        ("truncate(123)", Decimal(123)),
        ("typeof(ARRAY[DECIMAL '2.50', TINYINT '1'])", "array(decimal(5,2))"),
    ),
    "the least integer": (
        ("typeof(-2147483648)", "integer"),
        ("typeof(max(x)) FROM (VALUES 1, -2147483648, NULL) t(x)", "integer"),
        ("typeof(max(x)) FROM (VALUES 1, -2147483649) t(x)", "bigint"),
    ),
    "wide decimals": (
        ("CAST('99999999.99' AS decimal(10, 2)) * CAST('99999999.99' AS decimal(10, 2))",
         Decimal("9999999998000000.0001")),
        ("DECIMAL '999999999999999999' + DECIMAL '999999999999999999'",
         Decimal(1999999999999999998)),
    ),
    "what TRY catches": (
        ("TRY(DECIMAL '1' / 0)", None),
        ("TRY(DECIMAL '100' / DECIMAL '-0.5')", Decimal("-200.0")),
    ),
    "aggregates": (
        ("approx_percentile(x, 0.5) FROM (VALUES 10, 20) t(x)", 20),
        ("approx_percentile(x, ARRAY[0.0, 0.3, 1.0]) FROM (VALUES 10, 20, 10, 30, 20, 5) t(x)",
         [5, 10, 30]),
        ("approx_percentile(x, 0.9) FROM UNNEST(sequence(1, 30)) t(x)", 28),
        ("reduce_agg(x, 0, (a, b) -> a + b, (a, b) -> a) FROM (VALUES if(false, 1)) t(x)", None),
        ("reduce_agg(x, 0, (a, b) -> a + b, (a, b) -> a + b) FROM (VALUES 1, NULL, 4) t(x)", 5),
    ),
    "quantified comparisons": (
        ("CAST(NULL AS integer) = ALL (VALUES 1, 2)", False),
        ("CAST(NULL AS integer) = ALL (VALUES 1, 1)", None),
        ("CAST(NULL AS integer) <> ANY (VALUES 1, 2)", True),
        ("1 = ALL (VALUES 1, NULL)", None),
        ("2 <> ANY (VALUES 1, NULL)", True),
        ("(1, 'a') IN (VALUES (1, 'a'), (2, 'b'))", True),
    ),
    "texts as dates and timestamps": (
        ("CAST(x AS date) FROM (VALUES '20-01-01') t(x)", date(20, 1, 1)),
        ("CAST(x AS date) FROM (VALUES '2-1-1') t(x)", date(2, 1, 1)),
        ("TRY_CAST('2020-01-01T10:00:00' AS timestamp)", None),
        ("TRY_CAST('2020-01-01T10:00:00Z' AS timestamp with time zone)", None),
        ("CAST('2020-01-01 10:00:00 Asia/Tokyo' AS timestamp)", datetime(2020, 1, 1, 10)),
        ("CAST(x AS timestamp) FROM (VALUES '2020-01-01 10:00:00.5+05:00') t(x)",
         datetime(2020, 1, 1, 10, 0, 0, 500_000)),
        ("TRY_CAST(x AS timestamp) FROM (VALUES '2020-01-01T10:00:00') t(x)", None),
        ("CAST(x AS timestamp) FROM (VALUES '2020-01-01 10:00Z') t(x)", datetime(2020, 1, 1, 10)),
        ("CAST(x AS timestamp) FROM (VALUES '2020-01-01 10:00') t(x)", datetime(2020, 1, 1, 10)),
    ),
    "date_add keeps the precision": (
        ("date_add('millisecond', 500, TIMESTAMP '2020-01-01 23:00:00')",
         datetime(2020, 1, 1, 23, 0, 1)),
        ("date_add('millisecond', 499, TIMESTAMP '2020-01-01 23:00:00')",
         datetime(2020, 1, 1, 23)),
        ("date_add('millisecond', 5, TIMESTAMP '2020-01-01 23:00:00.12')",
         datetime(2020, 1, 1, 23, 0, 0, 130_000)),
        ("date_add('millisecond', 5, TIMESTAMP '2020-01-01 23:00:00.120')",
         datetime(2020, 1, 1, 23, 0, 0, 125_000)),
    ),
    "reals and NaN": (
        ("CAST(DOUBLE '1e40' AS real)", float("inf")),
        ("CAST(DOUBLE '-1e40' AS real)", -float("inf")),
        ("CAST(DOUBLE '1.5' AS real)", 1.5),
        ("greatest(nan(), 1)", 1.0),
        ("typeof(greatest(5, x)) FROM (VALUES REAL '1') t(x)", "real"),
        ("greatest(1, nan(), 5)", 5.0),
        ("is_nan(greatest(nan(), nan()))", True),
        ("greatest(nan(), NULL)", None),
    ),
    "doubles as decimals, by the digits shown": (
        ("CAST(DOUBLE '1.005' AS decimal(10, 2))", Decimal("1.01")),
        ("CAST(DOUBLE '0.005' AS decimal(10, 2))", Decimal("0.01")),
        ("CAST(DOUBLE '-1.455' AS decimal(10, 2))", Decimal("-1.46")),
        ("CAST(x AS decimal(10, 2)) FROM (VALUES 2.675e0) t(x)", Decimal("2.68")),
        ("CAST(DOUBLE '1E15' AS decimal(38, 2))", Decimal("1E15")),
        ("CAST(DOUBLE '1E-7' AS decimal(10, 8))", Decimal("1.0E-7")),
        ("TRY_CAST(nan() AS decimal(10, 2))", None),
        ("CAST(REAL '0.1' AS decimal(5, 3))", Decimal("0.100")),
    ),
    "columns of one type": (
        ("sum(x * x) FROM (VALUES DECIMAL '1.10', DECIMAL '2.25', DECIMAL '-0.33', NULL) t(x)",
         Decimal("6.3814")),
        ("sum(x * x) FROM (SELECT DECIMAL '0.5' x UNION ALL SELECT DECIMAL '11.125') t",
         Decimal("124.015625")),
        ("typeof(sum(x)) FROM (SELECT DECIMAL '0.5' x UNION ALL SELECT DECIMAL '11.125') t",
         "decimal(38,3)"),
        ("max(typeof(x)) FROM (SELECT SMALLINT '1' x UNION SELECT 100000) t", "integer"),
        ("sum(x / 2) FROM (SELECT 1 x UNION ALL SELECT DOUBLE '3') t", 2.0),
    ),
    "parts of what has none": (
        ("hour(DATE '2020-01-01')", 0),
        ("millisecond(CAST(NULL AS date))", None),
        ("timezone_hour(DATE '2020-01-01')", 0),
        ("timezone_minute(TIME '10:00:00')", 0),
    ),
    "format of zones and intervals": (
        ("format('%s', TIMESTAMP '2020-01-01 01:02:03.45 America/New_York')",
         "2020-01-01T01:02:03.450-05:00[America/New_York]"),
        ("format('%s', TIMESTAMP '12001-05-10 12:34:56.55555 Asia/Kathmandu')",
         "+12001-05-10T12:34:56.555550+05:45[Asia/Kathmandu]"),
        ("format('%tF', TIMESTAMP '2020-07-01 01:02:00 UTC')", "2020-07-01"),
        ("format('%s', TIMESTAMP '1960-01-01 00:00:05 UTC')", "1960-01-01T00:00:05Z[UTC]"),
        ("format('%s', TIMESTAMP '2020-07-01 01:02:00 UTC')", "2020-07-01T01:02Z[UTC]"),
        ("format('%s', TIMESTAMP '2001-08-22 03:04:05.321 +07:09')",
         "2001-08-22T03:04:05.321+07:09"),
        ("format('%s|%s', INTERVAL '1' DAY, INTERVAL '-2' MONTH)", "1 00:00:00.000|-0-2"),
        ("format('%2$s %1$s', 'a', INTERVAL '1.5' SECOND)", "0 00:00:01.500 a"),
        ("format('%s', x) FROM (VALUES TIMESTAMP '2020-01-01 00:00:00 UTC', NULL) t(x) LIMIT 1",
         "2020-01-01T00:00Z[UTC]"),
    ),
    "texts that are no dates": (
        ("TRY(date_parse(' 2020-02-03', '%Y-%m-%d'))", None),
        ("date_parse('2020-02-03', '%Y-%m-%d')", datetime(2020, 2, 3)),
        ("date_parse(' 3', ' %d')", datetime(1970, 1, 3)),
    ),
    "format": (
        ("format('%.1f', DOUBLE '-1.5E30')", "-1500000000000000000000000000000.0"),
    ),
}  # fmt: skip
FAILURES = (
    ("sqrt('4')", "Unexpected parameters"),
    ("reverse(55)", "Unexpected parameters (integer) for function reverse"),
    ("json_format(1)", "Unexpected parameters (integer) for function json_format"),
    ("bool_or(x) FROM (VALUES 1) t(x)", "Unexpected parameters (integer) for function bool_or"),
    ("sum(x) FROM (VALUES true) t(x)", "Unexpected parameters (boolean) for function sum"),
    ("min(x) FROM (VALUES MAP(ARRAY[1], ARRAY[1])) t(x)", "for function min"),
    ("is_infinite(DATE '2020-01-01')", "Unexpected parameters (date) for function is_infinite"),
    ("element_at('abc', 1)", "for function element_at"),
    ("replace(55, '5')", "for function replace"),
    ("true AND 1", "Logical expression term must evaluate to a boolean (actual: integer)"),
    ("NOT 1", "Value of logical NOT expression must evaluate to a boolean (actual: integer)"),
    ("count(*) FROM (VALUES 1) t(x) HAVING sum(x)",
     "line 1:45: HAVING clause must evaluate to a boolean: actual type bigint"),
    ("x FROM (VALUES (1, DOUBLE '2')) t(x, y) GROUP BY x HAVING x",
     "line 1:66: HAVING clause must evaluate to a boolean: actual type integer"),
    ("x FROM (VALUES 1.5) t(x) GROUP BY x HAVING max(x) - 1",
     "HAVING clause must evaluate to a boolean: actual type decimal"),
    ("count(*) FILTER (WHERE x) FROM (VALUES 1) t(x)",
     "line 1:31: Filter expression must evaluate to a boolean (actual: integer)"),
    ("1 WHERE length('x')",
     "line 1:16: WHERE clause must evaluate to a boolean: actual type bigint"),
    ("1 WHERE true OR 'x' || 'y'", "Logical expression term must evaluate to a boolean"),
    ("if(1, 2, 3)", "IF condition must evaluate to a boolean (actual: integer)"),
    ("EXTRACT(HOUR FROM DATE '2020-01-01')", "line 1:26: Cannot extract HOUR from date"),
    ("* FROM (VALUES 1) a(x) NATURAL JOIN (VALUES 1) b(x)", "Natural join not supported"),
    ("ARRAY(SELECT 1)", "mismatched input 'SELECT'"),
    ("TIMESTAMP '2020-03-08 02:30:00 America/Los_Angeles'", "is not a valid timestamp literal"),
    ("year(INTERVAL '90' SECOND)", "Unexpected parameters (interval day to second)"),
    ("json_extract('[1, 2]', '$[-1]')", "Invalid JSON path: '$[-1]'"),
    ("json_extract_scalar('{\"a-b\": 1}', '$.a-b')", "Invalid JSON path: '$.a-b'"),
    ("json_object('a' : 1, 'a' : 2)", "cannot construct a JSON object with duplicate key"),
    ("array_position(ARRAY[1, 2, 1], 1, 2)", "Unexpected parameters"),
    ("count(*) FILTER (WHERE x > 1) OVER () FROM (VALUES 1) t(x)",
     "FILTER is not yet supported for window functions"),
)  # fmt: skip


@pytest.mark.parametrize("family", EXPRESSIONS)
def test_values_are_trinos(world: World, family: str) -> None:
    found = {sql: world.rows(f"SELECT {sql}") for sql, _ in EXPRESSIONS[family]}
    assert found == {sql: [(value,)] for sql, value in EXPRESSIONS[family]}


@pytest.mark.parametrize(("sql", "reason"), FAILURES)
def test_failures_are_trinos(world: World, sql: str, reason: str) -> None:
    with pytest.raises(AthenaFailure) as failed:
        world.rows(f"SELECT {sql}")
    assert reason in failed.value.reason


def test_columns_have_trinos_types(world: World) -> None:
    found = world.athena.query(
        "SELECT si + 1, coalesce(si, 1), IF(true, si, 1), grouping(si), regexp_position('a', 'a'), "
        "approx_percentile(si, 0.5), approx_percentile(DECIMAL '1.5', 0.5), truncate(si) "
        "FROM (VALUES SMALLINT '3') AS t(si) GROUP BY si",
        "db",
    )
    assert [kind for _, kind in found.columns] == [
        "integer", "integer", "integer", "integer", "integer", "bigint", "real", "decimal(5, 0)",
    ]  # fmt: skip
