"""Numbers as Athena has them: values, types, and the words of its refusals.

The values are computed by hand or stand in the documentation of Trino.
"""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import product
from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING

import pytest

from runner.local.athena.dialect import digits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals

CASES: tuple[tuple[str, object, str], ...] = (
    # Integers stay in their type, and divide towards zero.
    ("7 / 2", 3, "integer"),
    ("TINYINT '7' / TINYINT '2'", 3, "tinyint"),
    ("2147483648", 2147483648, "bigint"),
    ("-9223372036854775808", -(2**63), "bigint"),
    ("-7 % 3", -1, "integer"),
    ("mod(7, 4)", 3, "integer"),
    ("round(12345, -2)", 12300, "integer"),
    ("ceil(5)", 5, "integer"),
    ("sign(TINYINT '-3')", -1, "tinyint"),
    # Decimals: precision and scale by Trino's rules, rounded half away from zero.
    ("DECIMAL '012.30'", Decimal("12.30"), "decimal(4, 2)"),
    ("1.5 + 2", Decimal("3.5"), "decimal(12, 1)"),
    ("1.5 * 2.25", Decimal("3.375"), "decimal(5, 3)"),
    ("1 / 3.0", Decimal("0.3"), "decimal(12, 1)"),
    ("2.00 / 3", Decimal("0.67"), "decimal(3, 2)"),
    ("-2.5 / 1", Decimal("-2.5"), "decimal(2, 1)"),
    ("CAST(1 AS decimal(38, 0)) / 3", Decimal(0), "decimal(38, 0)"),
    (
        "12345678901234567890123456789012345.67 / 2",
        Decimal("6172839450617283945061728394506172.84"),
        "decimal(37, 2)",
    ),
    ("5.5 % 2", Decimal("1.5"), "decimal(2, 1)"),
    ("round(2.55, 1)", Decimal("2.60"), "decimal(4, 2)"),
    ("round(999.9)", Decimal(1000), "decimal(4, 0)"),
    ("ceil(1.1)", Decimal(2), "decimal(2, 0)"),
    ("truncate(12.345, 1)", Decimal("12.300"), "decimal(5, 3)"),
    ("truncate(123.456, -1)", Decimal("120.000"), "decimal(6, 3)"),
    ("truncate(12.3, -2)", Decimal("0.0"), "decimal(3, 1)"),
    ("truncate(-1.9)", Decimal(-1), "decimal(1, 0)"),
    ("sign(-1.5)", Decimal(-1), "decimal(1, 0)"),
    ("if(true, 1, 1.5)", Decimal("1.0"), "decimal(11, 1)"),
    ("greatest(1, 2.5)", Decimal("2.5"), "decimal(11, 1)"),
    # Doubles and reals.
    ("1 / 2e0", 0.5, "double"),
    ("REAL '1' / 4", 0.25, "real"),
    ("1 / 0e0", math.inf, "double"),
    ("is_nan(5e0 % 0)", True, "boolean"),
    ("truncate(1.987e0)", 1.0, "double"),
    ("nan() = nan()", False, "boolean"),
    ("nan() <> nan()", True, "boolean"),
    ("nan() > 1e0", False, "boolean"),
    ("1e0 < nan()", False, "boolean"),
    ("1e0 BETWEEN 0e0 AND nan()", False, "boolean"),
    ("nan() IS DISTINCT FROM nan()", False, "boolean"),
    ("round(e(), 5)", 2.71828, "double"),
    # Bits.
    ("bitwise_and(19, 25)", 17, "bigint"),
    ("bitwise_or(19, 25)", 27, "bigint"),
    ("bitwise_xor(19, 25)", 10, "bigint"),
    ("bitwise_not(-12)", 11, "bigint"),
    ("bitwise_left_shift(TINYINT '1', 7)", -128, "tinyint"),
    ("bitwise_left_shift(1, 32)", 0, "integer"),
    ("bitwise_left_shift(BIGINT '1', 63)", -(2**63), "bigint"),
    ("bitwise_left_shift(7, NULL)", None, "integer"),
    ("bitwise_right_shift(TINYINT '-128', 1)", 64, "tinyint"),
    ("bitwise_right_shift(BIGINT '-1', 1)", 2**63 - 1, "bigint"),
    ("bitwise_right_shift_arithmetic(-256, 3)", -32, "integer"),
    ("bitwise_right_shift_arithmetic(-8, 64)", -1, "integer"),
    ("bit_count(-7, 8)", 6, "bigint"),
    ("bit_count(9, 64)", 2, "bigint"),
    # Bases, buckets, sizes.
    ("from_base('-ff', 16)", -255, "bigint"),
    ("to_base(-255, 16)", "-ff", "varchar"),
    ("to_base(0, 2)", "0", "varchar"),
    ("width_bucket(3.14, 0, 4, 3)", 3, "bigint"),
    ("width_bucket(1, 4, 0, 4)", 3, "bigint"),
    ("width_bucket(5, 0, 4, 3)", 4, "bigint"),
    ("width_bucket(3.14, ARRAY[0, 2, 4])", 2, "bigint"),
    ("parse_data_size('2.3MB')", Decimal(2411724), "decimal(38, 0)"),
    # Distributions.
    ("round(normal_cdf(0, 1, 1.96), 4)", 0.975, "double"),
    ("is_nan(normal_cdf(0, 1, nan()))", True, "boolean"),
    ("round(inverse_normal_cdf(0, 1, 0.975), 2)", 1.96, "double"),
    ("round(beta_cdf(1, 1, 0.25), 9)", 0.25, "double"),
    ("round(beta_cdf(2, 1, 0.5), 9)", 0.25, "double"),
    ("round(inverse_beta_cdf(2, 1, 0.25), 9)", 0.5, "double"),
    ("round(wilson_interval_lower(1250, 1310, 1.96e0), 6)", 0.941488, "double"),
    ("round(wilson_interval_upper(1250, 1310, 1.96e0), 6)", 0.964252, "double"),
    ("cosine_similarity(MAP(ARRAY['a'], ARRAY[1.0]), MAP(ARRAY['a'], ARRAY[2.0]))", 1.0, "double"),
    # Chance.
    ("random() < 1", True, "boolean"),
    ("random(3) BETWEEN 0 AND 2", True, "boolean"),
    ("random(3, 5) BETWEEN 3 AND 4", True, "boolean"),
)


@pytest.mark.parametrize(("sql", "value", "kind"), CASES, ids=[case[0] for case in CASES])
def test_values_and_types(world: World, sql: str, value: object, kind: str) -> None:
    found = world.athena.query(f"SELECT {sql} AS v", "db")
    assert found.columns == (("v", kind),)
    assert found.rows == ((value,),)
    if isinstance(value, Decimal):
        assert str(found.rows[0][0]) == str(value)


FAILURES = (
    ("1 / 0", "DIVISION_BY_ZERO: Division by zero"),
    ("1.5 / 0", "DIVISION_BY_ZERO: Division by zero"),
    ("1 % 0", "DIVISION_BY_ZERO: Division by zero"),
    (
        "2147483647 + 1",
        "NUMERIC_VALUE_OUT_OF_RANGE: integer addition overflow: 2147483647 + 1",
    ),
    (
        "SMALLINT '32767' * SMALLINT '2'",
        "NUMERIC_VALUE_OUT_OF_RANGE: smallint multiplication overflow: 32767 * 2",
    ),
    ("-TINYINT '-128'", "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 128"),
    (
        "abs(TINYINT '-128')",
        "NUMERIC_VALUE_OUT_OF_RANGE: Value -128 is out of range for abs(tinyint)",
    ),
    ("CAST(300 AS tinyint)", "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 300"),
    ("CAST(nan() AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast double NaN to integer"),
    (
        f"DECIMAL '{'9' * 38}' + DECIMAL '{'9' * 38}'",
        "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow",
    ),
    (f"DECIMAL '{'9' * 38}' / 0.1", "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"),
    (
        f"0.1 * 0.{'1' * 38}",
        "TYPE_MISMATCH: DECIMAL scale must be in range [0, precision (38)]: 39",
    ),
    ("DECIMAL 'x'", "INVALID_LITERAL: 'x' is not a valid DECIMAL literal"),
    (f"DECIMAL '{'1' * 39}'", f"INVALID_LITERAL: '{'1' * 39}' is not a valid DECIMAL literal"),
    ("9223372036854775808", "INVALID_LITERAL: Invalid numeric literal: 9223372036854775808"),
    ("1 = '1'", "TYPE_MISMATCH: line 1:10: Cannot apply operator: integer = varchar(1)"),
    ("'1' < 2.5", "TYPE_MISMATCH: line 1:12: Cannot apply operator: varchar(1) < decimal(2,1)"),
    (
        "bit_count(8, 4)",
        (
            "INVALID_FUNCTION_ARGUMENT: Number must be representable with the bits specified. "
            "8 can not be represented with 4 bits"
        ),
    ),
    (
        "bit_count(8, 1)",
        "INVALID_FUNCTION_ARGUMENT: Bits specified in bit_count must be between 2 and 64, got 1",
    ),
    ("from_base('9', 8)", "INVALID_FUNCTION_ARGUMENT: Not a valid base-8 number: 9"),
    ("to_base(1, 37)", "INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36"),
    ("random(0)", "INVALID_FUNCTION_ARGUMENT: bound must be positive"),
    (
        "random(5, 3)",
        "INVALID_FUNCTION_ARGUMENT: start value must be less than stop value",
    ),
    ("width_bucket(1, 2, 2, 3)", "INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other"),
    (
        "width_bucket(1, ARRAY[2, 1])",
        "INVALID_FUNCTION_ARGUMENT: Bins are not sorted in ascending order",
    ),
    ("normal_cdf(0, 0, 1)", "INVALID_FUNCTION_ARGUMENT: standardDeviation must be > 0"),
    ("inverse_normal_cdf(0, 1, 1)", "INVALID_FUNCTION_ARGUMENT: p must be 0 > p > 1"),
    ("beta_cdf(0, 1, 0.5)", "INVALID_FUNCTION_ARGUMENT: a, b must be > 0"),
    (
        "wilson_interval_lower(2, 1, 1e0)",
        "INVALID_FUNCTION_ARGUMENT: number of successes must not be larger than number of trials",
    ),
    ("parse_data_size('1K')", "INVALID_FUNCTION_ARGUMENT: Invalid data size: '1K'"),
    (
        "bit_count(8)",
        (
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (integer) for function bit_count. "
            "Expected: bit_count(bigint, bigint)"
        ),
    ),
    (
        "truncate(1.5e0, 1)",
        "NOT_SUPPORTED: This use of truncate with digits is not supported by the local engine",
    ),
)


@pytest.mark.parametrize(("sql", "reason"), FAILURES, ids=[case[0] for case in FAILURES])
def test_failures_are_worded_as_athena_words_them(world: World, sql: str, reason: str) -> None:
    assert world.failure(f"SELECT {sql}") == reason


NULLS = ("bit_count(NULL, 8)", "from_base(NULL, 2)", "normal_cdf(NULL, 1, 1)", "sign(NULL)")


@pytest.mark.parametrize("sql", NULLS)
def test_null_gives_null(world: World, sql: str) -> None:
    assert world.rows(f"SELECT {sql}") == [(None,)]


def test_nan_is_found_by_no_comparison_of_a_column(world: World) -> None:
    rows = "(VALUES 1e0, nan(), infinity()) t(x)"
    assert world.rows(f"SELECT count(*) FROM {rows} WHERE x > 0") == [(2,)]
    assert world.rows(f"SELECT count(*) FROM {rows} WHERE x = x") == [(2,)]
    assert world.rows(f"SELECT count(*) FROM {rows} WHERE NOT x <= 5") == [(2,)]
    assert world.rows(f"SELECT max(x), min(x) FROM {rows}") == [(math.inf, 1.0)]
    joined = f"{rows} FULL JOIN (VALUES 1e0, nan()) u(y) ON x = y"
    assert world.rows(f"SELECT count(*) FROM {joined}") == [(4,)]


def test_nan_is_the_greatest_only_where_there_is_nothing_else(world: World) -> None:
    """All groups of three of these values; the sign of a zero stays, too."""
    values = {"nan()": math.nan, "infinity()": math.inf, "-infinity()": -math.inf, "NULL": None}
    values |= {"-0e0": -0.0, "1e0": 1.0, "-2.5e0": -2.5}
    groups = list(product(values, repeat=3))
    rows = ", ".join(f"({n}, {x})" for n, group in enumerate(groups) for x in group)
    for kind in ("double", "real"):
        found = world.rows(
            f"SELECT max(x), max(x) FILTER (WHERE x >= -1e0), g FROM "
            f"(SELECT g, CAST(v AS {kind}) AS x FROM (VALUES {rows}) AS t(g, v)) "
            "GROUP BY g ORDER BY g"
        )
        wanted = [
            (_greatest(known), _greatest([x for x in known if x is not None and x >= -1]), number)
            for number, group in enumerate(groups)
            for known in [[values[each] for each in group]]
        ]
        assert [tuple(map(repr, row)) for row in found] == [tuple(map(repr, r)) for r in wanted]


def _greatest(values: Sequence[float | None]) -> float | None:
    there = [each for each in values if each is not None]
    return max(
        (each for each in there if not math.isnan(each)), default=there[0] if there else None
    )


def test_nan_is_the_least_for_max_over_a_window(world: World) -> None:
    rows = "(VALUES (1, nan()), (2, 1e0), (3, nan()), (4, 3e0)) AS t(n, x)"
    found = world.rows(
        f"SELECT max(x) OVER (ORDER BY n), 10 - max(x + 1) OVER (ORDER BY n) FROM {rows} ORDER BY n"
    )
    assert [tuple(map(str, row)) for row in found] == [
        ("nan", "nan"),
        ("1.0", "8.0"),
        ("1.0", "8.0"),
        ("3.0", "6.0"),
    ]


@pytest.mark.parametrize("kind", ["double", "real"])
def test_nan_is_greater_than_nothing_in_any_join(world: World, kind: str) -> None:
    """Pairs of these values for which both engines agree that a comparison holds, or not."""
    values = [math.nan, math.inf, -math.inf, 0.0, 2.0, None]
    text = "(VALUES nan(), infinity(), -infinity(), 0e0, 2e0, NULL)"
    sides = f"(SELECT CAST(v AS {kind}) AS x FROM {text} AS t(v)) AS a"
    sides += (
        f" {{join}} JOIN (SELECT CAST(v AS {kind}) AS y FROM {text} AS t(v)) AS b ON x {{sign}} y"
    )
    for sign, holds in (("=", eq), (">", gt), (">=", ge), ("<", lt), ("<=", le)):
        pairs = [
            (x, y)
            for x, y in product(values, repeat=2)
            if x is not None and y is not None and holds(x, y)
        ]
        alone = [(x, None) for x in values if not any(x is each for each, _ in pairs)]
        for join, wanted in (("", pairs), ("LEFT", pairs + alone)):
            found = world.rows(f"SELECT x, y FROM {sides.format(join=join, sign=sign)}")
            assert sorted(map(repr, found)) == sorted(map(repr, wanted)), (join, sign)


def test_numbers_of_one_column_have_one_type(world: World) -> None:
    found = world.athena.query("SELECT x / 2 AS v FROM (VALUES 1, 2.5) t(x) ORDER BY 1", "db")
    assert found.rows == ((Decimal("0.5"),), (Decimal("1.3"),))
    assert found.columns == (("v", "decimal(11, 1)"),)


@pytest.mark.parametrize(
    ("text", "digits"), [("-0012.30", (4, 2)), (".5", (1, 1)), ("0", (1, 0)), ("7.", (1, 0))]
)
def test_digits_of_literals(text: str, digits: tuple[int, int]) -> None:
    assert digits_of(text) == digits
