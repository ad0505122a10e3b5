"""Aggregates and the clauses of queries, as Athena has them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals

NUMBERS = "(VALUES (1, 2e0, 'b'), (2, 4e0, 'a'), (4, 1e0, 'c'), (9, 8e0, NULL)) t(n, x, s)"
AGGREGATES: tuple[tuple[str, object, str], ...] = (
    ("sum(n)", 16, "bigint"),
    ("sum(CAST(n AS real))", 16.0, "real"),
    ("avg(CAST(n AS decimal(5, 2)))", Decimal("4.00"), "decimal(5, 2)"),
    ("avg(n + 0.1) FILTER (WHERE n < 4)", Decimal("1.6"), "decimal(12, 1)"),
    ("avg(1.5) FILTER (WHERE n > 99)", None, "decimal(2, 1)"),
    # With sums of squares and cubes 38 and 90: sqrt(4) * 90 / 38 ** 1.5.
    ("round(skewness(n), 9)", round(2 * 90 / 38**1.5, 9), "double"),
    ("skewness(n) FILTER (WHERE n < 4)", None, "double"),
    ("round(kurtosis(n), 9)", 1.5, "double"),
    ("round(geometric_mean(x), 9)", round(64**0.25, 9), "double"),
    ("corr(n, x) FILTER (WHERE n = 1)", None, "double"),
    ("round(regr_slope(n, n), 9)", 1.0, "real"),
    ("bitwise_and_agg(n)", 0, "bigint"),
    ("bitwise_or_agg(n)", 15, "bigint"),
    ("every(n > 0)", True, "boolean"),
    ("count()", 4, "bigint"),
    ("approx_distinct(n, 0.01)", 4, "bigint"),
    ("approx_percentile(n, 1.0)", 9, "bigint"),
    ("max_by(s, n)", None, "varchar"),
    ("min_by(s, n)", "b", "varchar"),
    ("max(n, 2)", [9, 4], "array(integer)"),
    ("reduce_agg(n, 0, (a, b) -> a + b, (a, b) -> a + b)", 16, "integer"),
    ("listagg(s, ',') WITHIN GROUP (ORDER BY n DESC)", "c,a,b", "varchar"),
    (
        "listagg(s, ',' ON OVERFLOW TRUNCATE '...' WITH COUNT) WITHIN GROUP (ORDER BY s)",
        "a,b,c",
        "varchar",
    ),
    ("histogram(n % 2)", {0: 2, 1: 2}, "map(integer, bigint)"),
    ("numeric_histogram(4, x)", {1.0: 1.0, 2.0: 1.0, 4.0: 1.0, 8.0: 1.0}, "map(double, double)"),
    ("approx_most_frequent(1, n / 4, 10)", {0: 2}, "map(bigint, bigint)"),
    ("checksum(n) FILTER (WHERE n > 99)", None, "varbinary"),
)


@pytest.mark.parametrize(("sql", "value", "kind"), AGGREGATES, ids=[case[0] for case in AGGREGATES])
def test_aggregates(world: World, sql: str, value: object, kind: str) -> None:
    found = world.athena.query(f"SELECT {sql} AS v FROM {NUMBERS}", "db")
    assert found.columns == (("v", kind),)
    assert found.rows == ((value,),)


def test_aggregates_over_windows(world: World) -> None:
    sql = "sum(x) OVER (ORDER BY x), avg(x + 0.5) OVER (), geometric_mean(x) OVER ()"
    rows = world.rows(f"SELECT {sql} FROM (VALUES 1, 4) t(x) ORDER BY 1")
    assert [row[:2] for row in rows] == [(1, Decimal("3.0")), (5, Decimal("3.0"))]
    assert all(math.isclose(row[2], 2.0) for row in rows)


QUERIES: tuple[tuple[str, list[tuple[object, ...]]], ...] = (
    ("VALUES ROW(1, 2), (3, 4)", [(1, 2), (3, 4)]),
    ("VALUES CAST(ROW(1, 'TruE') AS row(double, boolean))", [(1.0, True)]),
    ("SELECT * FROM (VALUES 1, 2, 2 INTERSECT ALL VALUES 2, 2) t(a)", [(2,), (2,)]),
    ("SELECT * FROM (VALUES 1, 3, 2 ORDER BY 1 DESC LIMIT 1) t(a)", [(3,)]),
    ("SELECT (SELECT 'a', 1)", [(("a", 1),)]),
    (
        "SELECT a FROM (VALUES 1, 2, 2, 3) t(a) ORDER BY a FETCH FIRST 2 ROWS WITH TIES",
        [(1,), (2,), (2,)],
    ),
    (
        (
            "SELECT a b FROM (VALUES 1, 2, 2, 3) t(a) ORDER BY 1 DESC OFFSET 1 "
            "FETCH NEXT ROW WITH TIES"
        ),
        [(2,), (2,)],
    ),
    (
        "SELECT a b FROM (VALUES 1, 2, 2) t(a) ORDER BY b DESC FETCH FIRST ROW WITH TIES",
        [(2,), (2,)],
    ),
    ("SELECT a FROM (VALUES 1) t(a) GROUP BY DISTINCT a, GROUPING SETS ((), (t.a))", [(1,)]),
    (
        (
            "SELECT a, b FROM (VALUES (1, 2)) t(a, b) GROUP BY DISTINCT ROLLUP (a, b), CUBE (a) "
            "ORDER BY a, b"
        ),
        [(1, 2), (1, None), (None, None)],
    ),
    ("SELECT a, count(*) FROM (VALUES 1) t(a) GROUP BY ALL CUBE (a), a", [(1, 1), (1, 1)]),
    (
        (
            "SELECT n FROM (SELECT x n, count(*) c FROM (VALUES 1, 1, 2) t(x) GROUP BY x) "
            "GROUP BY n HAVING n < 2 AND count(c) > 0"
        ),
        [(1,)],
    ),
    ("SELECT x + 1 AS x FROM (VALUES 1, 2) t(x) GROUP BY x HAVING x > 1", [(3,)]),
    ("SELECT corr(DISTINCT x, y) FROM (VALUES (1, 1), (2, 2), (2, 2)) t(x, y)", [(1.0,)]),
    (
        (
            "WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM t WHERE n < 11) "
            "SELECT sum(n) FROM t"
        ),
        [(66,)],
    ),
    (
        (
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL (SELECT n + 2 FROM ((TABLE t) EXCEPT "
            "(SELECT 10)) u(n) WHERE n < 3)) SELECT * FROM t ORDER BY 1"
        ),
        [(1,), (3,)],
    ),
    (
        (
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n % 2 + 1 FROM t WHERE n < 2) "
            "SELECT * FROM t ORDER BY 1"
        ),
        [(1,), (2,)],
    ),
    ("SELECT (ROW(1, 'a')).*, 2", [(1, "a", 2)]),
    ("SELECT t.r.* AS (a, b) FROM (VALUES ROW(ROW(1, 2))) t(r) ORDER BY b", [(1, 2)]),
    ("SELECT NULL > ALL (SELECT 0 WHERE false), 2 NOT IN (VALUES 1, NULL)", [(True, None)]),
)


@pytest.mark.parametrize(("sql", "rows"), QUERIES, ids=[case[0] for case in QUERIES])
def test_queries(world: World, sql: str, rows: list[tuple[object, ...]]) -> None:
    assert world.rows(sql) == rows


def test_fields_of_an_opened_row_keep_their_names(world: World) -> None:
    row = "CAST(ROW(1, true) AS ROW(one bigint, two boolean))"
    found = world.athena.query(f"SELECT ({row}).*", "db")
    assert found.columns == (("one", "bigint"), ("two", "boolean"))
    found = world.athena.query(f"SELECT ({row}).* AS (a, b)", "db")
    assert found.columns == (("a", "bigint"), ("b", "boolean"))


FAILURES = (
    (
        "SELECT (ROW(1, 2)).* AS (a)",
        "MISMATCHED_COLUMN_ALIASES: Column alias list has 1 entries but relation has 2 columns",
    ),
    (
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t",
        (
            "NOT_SUPPORTED: Recursion depth limit exceeded (10). Use 'max_recursion_depth' session "
            "property to modify the limit."
        ),
    ),
    (
        "WITH RECURSIVE t AS (SELECT 1 UNION ALL SELECT 1 FROM t) SELECT * FROM t",
        "MISSING_COLUMN_ALIASES: line 1:16: missing column aliases in recursive WITH query",
    ),
    (
        "SELECT * FROM (VALUES 1) t(x) MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS true)",
        "NOT_SUPPORTED: line 1:31: MATCH_RECOGNIZE is not supported by the local engine",
    ),
    (
        (
            "SELECT sum(x) OVER w FROM (VALUES 1) t(x) WINDOW w AS (ORDER BY x ROWS BETWEEN "
            "CURRENT ROW AND UNBOUNDED FOLLOWING PATTERN (a) DEFINE a AS true)"
        ),
        (
            "NOT_SUPPORTED: line 1:116: Row pattern recognition in a window is not supported by "
            "the local engine"
        ),
    ),
    (
        "SELECT x FROM (VALUES 1) t(x) FETCH FIRST ROW WITH TIES",
        "MISSING_ORDER_BY: FETCH FIRST WITH TIES clause requires ORDER BY",
    ),
    (
        "SELECT DISTINCT x FROM (VALUES 1) t(x) ORDER BY x FETCH FIRST ROW WITH TIES",
        (
            "NOT_SUPPORTED: FETCH FIRST WITH TIES of a set operation or of DISTINCT rows is not "
            "supported by the local engine"
        ),
    ),
    (
        "SELECT 1, 2 UNION ALL SELECT 1",
        "TYPE_MISMATCH: line 1:13: UNION query has different number of fields: 2, 1",
    ),
    (
        "SELECT 1 EXCEPT SELECT 'a'",
        (
            "TYPE_MISMATCH: line 1:10: column 1 in EXCEPT query has incompatible types: "
            "integer, varchar(1)"
        ),
    ),
    (
        "SELECT sum(x), x FROM (VALUES 1) t(x)",
        (
            "EXPRESSION_NOT_AGGREGATE: line 1:16: 'x' must be an aggregate expression or appear in "
            "GROUP BY clause"
        ),
    ),
    (
        "SELECT (SELECT x FROM (VALUES 1, 2) t(x))",
        "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows",
    ),
    (
        "SELECT x FROM (VALUES 1) t(x) WHERE sum(x) > 1",
        (
            "EXPRESSION_NOT_SCALAR: line 1:44: WHERE clause cannot contain aggregations, window "
            "functions or grouping operations: [sum(x)]"
        ),
    ),
    (
        "SELECT sum(sum(x)) FROM (VALUES 1) t(x)",
        (
            "NESTED_AGGREGATION: line 1:8: Cannot nest aggregations inside aggregation 'sum': "
            "[sum(x)]"
        ),
    ),
    (
        "SELECT * FROM (VALUES (1, 2), (1)) t",
        "TYPE_MISMATCH: line 1:16: Values rows have mismatched sizes: 2 vs 1",
    ),
    (
        "SELECT x AS y FROM (VALUES 1) t(x) GROUP BY x HAVING y = 1",
        (
            "COLUMN_NOT_FOUND: line 1:54: Column 'y' cannot be resolved or requester "
            "is not authorized to access requested resources"
        ),
    ),
    (
        "SELECT sum(x) FROM (VALUES 9223372036854775807, 1) t(x)",
        "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: 9223372036854775808",
    ),
    (
        "SELECT listagg(rpad('', x, 'y')) WITHIN GROUP (ORDER BY x) FROM (VALUES 1048577) t(x)",
        (
            "EXCEEDED_FUNCTION_MEMORY_LIMIT: Concatenated string has the length in bytes larger "
            "than the maximum output length 1048576"
        ),
    ),
    (
        "SELECT checksum(x) FROM (VALUES 1) t(x)",
        "NOT_SUPPORTED: Function 'checksum' is not supported by the local engine",
    ),
    (
        "SELECT numeric_histogram(2, x) FROM (VALUES 1, 2, 3) t(x)",
        (
            "NOT_SUPPORTED: numeric_histogram of more values than buckets is not supported by the "
            "local engine"
        ),
    ),
    (
        "SELECT approx_percentile(x, 2, 0.5) FROM (VALUES 1) t(x)",
        (
            "NOT_SUPPORTED: approx_percentile with weights or an accuracy is not supported by the "
            "local engine"
        ),
    ),
)


@pytest.mark.parametrize(("sql", "reason"), FAILURES, ids=[case[0] for case in FAILURES])
def test_failures_are_worded_as_athena_words_them(world: World, sql: str, reason: str) -> None:
    assert world.failure(sql) == reason


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        # Asked of Trino 435.
        ("SELECT ID, TS AS Taken FROM (VALUES (1, 2)) t(id, ts)", ["ID", "Taken"]),
        ("SELECT T.Id FROM (VALUES (1, 2)) t(id, ts)", ["Id"]),
        ("SELECT * FROM (VALUES (1, 2)) t(ID, Ts)", ["ID", "Ts"]),
        ('SELECT "ID" FROM (SELECT 1 AS iD)', ["ID"]),
        ("SELECT * FROM (SELECT ID FROM (VALUES (1, 2)) t(id, ts))", ["ID"]),
        ("SELECT 1 AS One, t.*, 4 AS Four FROM (VALUES (2, 3)) t(b, c)", ["One", "b", "c", "Four"]),
        ("SELECT A FROM (VALUES 1) t(a) UNION ALL SELECT B FROM (VALUES 2) t(b)", ["A"]),
        ("SELECT 1, Max(x) AS M FROM (VALUES 1) t(x)", ["_col0", "M"]),
    ],
)
def test_columns_are_named_as_they_are_written(world: World, sql: str, names: list[str]) -> None:
    assert [name for name, _ in world.athena.query(sql, "db").columns] == names


def test_a_new_table_s_columns_are_in_lower_case(world: World) -> None:
    world.run("CREATE TABLE c WITH (external_location='s3://b/c/') AS SELECT 1 AS One")
    assert world.athena.query("SELECT * FROM c", "db").columns == (("one", "integer"),)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        # Asked of Trino 435.
        ("SELECT * FROM TABLE(sequence(start => 0, stop => 10, step => 4))", [(0,), (4,), (8,)]),
        ("SELECT * FROM TABLE(sequence(10, 0, -3))", [(10,), (7,), (4,), (1,)]),
        ("SELECT * FROM TABLE(sequence(3, 3, 0))", [(3,)]),
        ("SELECT s.x FROM TABLE(sequence(1, 2)) AS s(x)", [(1,), (2,)]),
        ("SELECT max(sequential_number) FROM TABLE(sequence(1, 100 * 1000))", [(100_000,)]),
        ("SELECT a FROM (VALUES 1, 9) t(a) JOIN TABLE(sequence(1, 2)) s(b) ON a = b", [(1,)]),
    ],
)
def test_sequences_are_tables(world: World, sql: str, rows: list[tuple[int, ...]]) -> None:
    assert list(world.athena.query(sql, "db").rows) == rows


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("sequence(5, 3)", "INVALID_FUNCTION_ARGUMENT: Step must be negative for sequence [5, 3]"),
        ("sequence(3, 5, 0)", "Step must be positive for sequence [3, 5]"),
        ("sequence(NULL, 2)", "INVALID_FUNCTION_ARGUMENT: Start is null"),
        ("sequence(strt => 1, stop => 3)", "Unexpected argument name: STRT"),
        ("sequence(1, 2.5)", "TYPE_MISMATCH: "),
        ("exclude_columns(input => TABLE(t), columns => DESCRIPTOR(a))", "NOT_SUPPORTED: "),
        ("nope(3)", "FUNCTION_NOT_FOUND: "),
    ],
)
def test_table_functions_that_are_refused(world: World, call: str, reason: str) -> None:
    assert reason in world.failure(f"SELECT * FROM TABLE({call})")
