"""Edges of functions, operators and casts, as a real Trino 435 answered them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena import AthenaFailure

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals

_NEW_YORK = "TIMESTAMP '2020-10-31 01:30:00 America/New_York'"
_OVERLAP = "with_timezone(TIMESTAMP '2020-11-01 01:30:00', 'America/New_York')"
EXPRESSIONS: dict[str, tuple[tuple[str, Any], ...]] = {
    "clocks set back": (
        (f"to_unixtime({_OVERLAP})", 1604208600.0),
        (f"to_unixtime(date_add('day', 1, {_NEW_YORK}))", 1604208600.0),
        ("to_unixtime(date_add('day', -1, TIMESTAMP '2020-11-02 01:30:00 America/New_York'))",
         1604212200.0),
        (("to_unixtime(date_trunc('hour', at_timezone(TIMESTAMP '2020-11-01 05:30:00 UTC', "
         "'America/New_York')))"), 1604206800.0),
        (("to_unixtime(date_trunc('hour', at_timezone(TIMESTAMP '2020-11-01 06:30:00 UTC', "
         "'America/New_York')))"), 1604210400.0),
        ("to_unixtime(CAST('2020-11-01 01:30:00 America/New_York' AS timestamp with time zone))",
         1604208600.0),
        ("to_unixtime(CAST('2021-03-28 02:30:00 Europe/Berlin' AS timestamp with time zone))",
         1616895000.0),
    ),
    "text of decimals and reals": (
        ("CAST(0.5 AS varchar)", "0.5"),
        ("CAST(-0.50 AS varchar)", "-0.50"),
        ("CAST(x AS varchar) FROM (VALUES -0.25) t(x)", "-0.25"),
        ("array_join(ARRAY[-0.5, 0.25], ',')", "-0.50,0.25"),
        ("CAST(ARRAY[-0.5] AS array(varchar))", ["-0.5"]),
        ("CAST(REAL '12345678' AS varchar)", "1.234568E7"),
        ("CAST(REAL '3.4028235E38' AS varchar)", "3.402823E38"),
        ("CAST(REAL '-100' AS varchar)", "-1.0E2"),
        ("CAST(REAL '0.1' AS varchar)", "1.0E-1"),
        ("array_join(ARRAY[REAL '16777216'], ',')", "1.677722E7"),
        ("TRY_CAST(DATE '1969-12-31' AS varchar(3))", None),
    ),
    "small decimals divided": (
        ("DECIMAL '-0.50' / DECIMAL '-1234567890123456.55'", Decimal("0.00")),
        ("DECIMAL '-1234567890123456.55' / DECIMAL '-0.50'", Decimal("2469135780246913.10")),
    ),
    "order up to the first difference": (
        ("ROW(1, NULL) < ROW(2, 1)", True),
        ("ROW(1, 2) <= ROW(1, 2)", True),
        ("ROW(1, 2) < ROW(1, 2)", False),
        ("ARRAY[1, NULL] < ARRAY[2, 3]", True),
        ("ARRAY[1, NULL] < ARRAY[1]", False),
        ("ARRAY[1] < CAST(NULL AS array(integer))", None),
    ),
    "NULL and far places": (
        ("array_join(ARRAY[1, 2], CAST(NULL AS varchar), 'x')", None),
        ("array_join(ARRAY[1, NULL], ',', CAST(NULL AS varchar))", None),
        ("array_except(ARRAY[1, 2, NULL, 2], ARRAY[])", [1, 2, None, 2]),
        ("slice(CAST(NULL AS array(integer)), 0, 0)", None),
        ("slice(ARRAY[1, 2, 3], 5, 1)", []),
        ("trim_array(CAST(NULL AS array(integer)), -1)", None),
        ("substr('abc', 9223372036854775807)", ""),
        ("substr('abc', -9223372036854775808)", ""),
        ("substr('abc', 2, 9223372036854775807)", "bc"),
        ("regexp_replace('', '\\d+', '<$1>')", ""),
        (("cosine_similarity(MAP(ARRAY['a'], ARRAY[CAST(NULL AS double)]), MAP(ARRAY['a'], "
         "ARRAY[1e0]))"), None),
    ),
    "finer than shown": (
        ("CAST(from_iso8601_timestamp('2020-02-29T13:14:15.678901234Z') AS varchar)",
         "2020-02-29 13:14:15.678 UTC"),
    ),
    "short numbers": (
        ("format_number(2.7e0)", "2"),
        ("format_number(-12345)", "-12.35K"),
        ("format_number(12345)", "12.3K"),
        ("format_number(infinity())", "9223Q"),
        ("format_number(-infinity())", "-9223.37Q"),
        ("format_number(nan())", "0"),
    ),
    "NaN": (
        ("nan() IN (nan())", False),
        ("1e0 IN (nan(), 1e0)", True),
        ("max_by(k, x) FROM (VALUES (1, 1.5e0), (2, nan()), (3, NULL)) t(k, x)", 1),
        ("max_by(k, x) FROM (VALUES (2, nan()), (3, NULL)) t(k, x)", 2),
        ("max_by(k, x, 2) FROM (VALUES (1, 1.5e0), (2, nan()), (3, NULL)) t(k, x)", [1, 2]),
        ("max(x, 2) FROM (VALUES 1.5e0, 2e0, NULL) t(x)", [2.0, 1.5]),
    ),
    "NULL beside an extreme": (
        ("max_by(x, k, 2) FROM (VALUES (1, 7), (2, NULL)) t(k, x)", [None, 7]),
        ("min_by(x, k, 2) FROM (VALUES (1, CAST(NULL AS integer))) t(k, x)", [None]),
        ("max_by(x, k, 2) FILTER (WHERE k < 3) FROM (VALUES (1, 7), (2, 8), (3, 9)) t(k, x)",
         [8, 7]),
    ),
    "intervals": (
        (("REAL '1.5' * INTERVAL '1 02:03:04.567' DAY TO SECOND = "
         "INTERVAL '1 15:04:36.850' DAY TO SECOND"), True),
        ("CAST(avg(x) AS varchar) FROM (VALUES INTERVAL '1' MONTH, INTERVAL '2' YEAR) t(x)",
         "1-1"),
        ("CAST(CAST(INTERVAL '1-2' YEAR TO MONTH AS interval year to month) AS varchar)", "1-2"),
        ("array_agg(x ORDER BY x) FROM (VALUES INTERVAL '1' MONTH, INTERVAL '2' YEAR) t(x)",
         ["0-1", "2-0"]),
    ),
    "digests asked at once": (
        ("value_at_quantile(tdigest_agg(x), 0.75) FROM (VALUES -1e0, -2e0, -3e0, -4e0) t(x)",
         -1.0),
        (("value_at_quantile(tdigest_agg(x) FILTER (WHERE x > 2), 0.5) "
         "FROM (VALUES 1, 2, 3, 4, 10) t(x)"), 4.0),
        ("value_at_quantile(qdigest_agg(x), 0.3) FROM (VALUES 1, 2, 3, 4, 10) t(x)", 2),
        (("values_at_quantiles(qdigest_agg(x), ARRAY[0.1, 0.5, 0.9]) "
         "FROM (VALUES 1, 2, 3, 4, 10) t(x)"), [1, 3, 10]),
        ("cardinality(approx_set(x)) FROM (VALUES 'a', 'b', NULL, 'a') t(x)", 2),
        ("cardinality(approx_set(x)) FROM (VALUES CAST(NULL AS bigint)) t(x)", None),
        ("cardinality(empty_approx_set())", 0),
    ),
    "names of the session": (
        ("current_catalog", "awsdatacatalog"),
        ("current_schema", "db"),
    ),
}  # fmt: skip
FAILURES = (
    ("hmac_md5(X'61', X'')", "Empty key"),
    ("parse_data_size('5 GB')", "Invalid data size: '5 GB'"),
    ("ROW(1, NULL) < ROW(1, 1)", "ROW comparison not supported for fields with null elements"),
    ("ARRAY[NULL, 1] > ARRAY[1, 2]", "ARRAY comparison not supported for arrays with null"),
    ("DATE '2020-01-01' AT TIME ZONE 'UTC'", "with or without time zone (actual date)"),
    ("TIMESTAMP '2020-01-01 00:00:00 UTC' AT TIME ZONE 'EST'", "'EST' is not a valid time zone"),
    ("EXTRACT(MILLISECOND FROM TIMESTAMP '2020-01-01 00:00:00')", "Invalid EXTRACT field"),
    ("array_join(ARRAY[ARRAY[1]], ',')", "Cannot cast array(integer) to varchar"),
    ("CAST(0 AS char(4))", "Cannot cast integer to char(4)"),
    ("CAST(CHAR 'x' AS varbinary)", "Cannot cast char(1) to varbinary"),
    ("CAST(CHAR 'x' AS json)", "Cannot cast char(1) to json"),
    ("CAST(DATE '1969-12-31' AS varchar(3))", "cannot be represented as varchar(3)"),
    ("INTERVAL '1' DAY + 3", "Cannot apply operator: interval"),
    ("TIME '10:00:00' + TIME '10:00:00'", "Cannot apply operator: time(0) + time(0)"),
    ("TIME '10:00:00' - DATE '2020-01-01'", "Cannot apply operator: time(0) - date"),
    ("'abc' || JSON '1'", "Unexpected parameters (varchar(3), json) for function concat"),
    ("X'61' || DATE '2020-01-01'", "Unexpected parameters (varbinary, date) for function concat"),
    ("'abc' || UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", "for function concat"),
    ("'abc' || INTERVAL '1' DAY", "for function concat"),
    ("greatest(JSON '1', JSON '2')", "Unexpected parameters (json, json) for function greatest"),
    ("max(x) FROM (VALUES JSON '1') t(x)", "Unexpected parameters (json) for function max"),
    ("max_by(k, x) FROM (VALUES (1, JSON '1')) t(k, x)", "(integer, json) for function max_by"),
    ("count_if(x) FROM (VALUES 1) t(x)", "Unexpected parameters (integer) for function count_if"),
    ("listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 1) t(x)",
     "Expected expression of varchar, but 'x' has integer type"),
    ("lag(x, -1) OVER (ORDER BY x) FROM (VALUES 1) t(x)", "Offset must be at least 0"),
    ("lag(x, NULL) OVER (ORDER BY x) FROM (VALUES 1) t(x)", "Offset must not be null"),
    ("nth_value(x, 0) OVER (ORDER BY x) FROM (VALUES 1) t(x)", "Offset must be at least 1"),
    ("x FROM (VALUES MAP(ARRAY[1], ARRAY[2])) t(x) ORDER BY x", "is not orderable"),
    ("entropy(x) FROM (VALUES 1) t(x)", "Function 'entropy' not registered"),
    ("regr_r2(x, x) FROM (VALUES 1) t(x)", "Function 'regr_r2' not registered"),
    # Not built: refused by name.
    ("current_user", "current_user is not supported by the local engine"),
    ("approx_set(1)", "Function 'approx_set' here is not supported by the local engine"),
    ("tdigest_agg(1)", "Function 'tdigest_agg' here is not supported by the local engine"),
    ("value_at_quantile(tdigest_agg(x, 2), 0.5) FROM (VALUES 1) t(x)", "is not supported"),
    ("histogram(x) FROM (VALUES INTERVAL '1' MONTH) t(x)", "inside of a map or row"),
    ("from_iso8601_timestamp_nanos('2020-02-29T13:14:15.678901234Z')", "finer than microseconds"),
    ("from_ieee754_64(X'7FF8000000000000')", "NaN from bytes"),
    ("max(x, 2) FROM (VALUES nan(), 1e0) t(x)", "NaN among the greatest values"),
)  # fmt: skip


@pytest.mark.parametrize("family", EXPRESSIONS)
def test_values_at_the_edges_are_trinos(world: World, family: str) -> None:
    found = {sql: world.rows(f"SELECT {sql}") for sql, _ in EXPRESSIONS[family]}
    assert found == {sql: [(value,)] for sql, value in EXPRESSIONS[family]}


@pytest.mark.parametrize(("sql", "reason"), FAILURES)
def test_what_trino_refuses_is_refused(world: World, sql: str, reason: str) -> None:
    with pytest.raises(AthenaFailure) as failed:
        world.rows(f"SELECT {sql}")
    assert reason in failed.value.reason


def test_vectors_of_nothing_have_no_angle(world: World) -> None:
    ((angle,),) = world.rows(
        "SELECT cosine_similarity(MAP(ARRAY['a'], ARRAY[0e0]), MAP(ARRAY['a'], ARRAY[1e0]))"
    )
    assert math.isnan(angle)


def test_types_at_the_edges_are_trinos(world: World) -> None:
    found = world.athena.query(
        "SELECT year(CAST(NULL AS date)), corr(i, i), corr(d, i), covar_pop(i, DECIMAL '1.5'), "
        "approx_most_frequent(2, i, 10), CAST(NULL AS interval year to month) "
        "FROM (VALUES (1, 1e0)) AS t(i, d)",
        "db",
    )
    assert [kind for _, kind in found.columns] == [
        "bigint", "real", "double", "real", "map(bigint, bigint)", "interval year to month",
    ]  # fmt: skip


def test_the_first_of_two_instants_is_shown(world: World) -> None:
    ((found,),) = world.rows(f"SELECT {_OVERLAP}")
    assert found.astimezone(UTC) == datetime(2020, 11, 1, 5, 30, tzinfo=UTC)
