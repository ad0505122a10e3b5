"""What Trino refuses before it runs, told as a real Trino 435 tells it; and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.local.athena.analysis.binding import bind
from runner.local.athena.analysis.castable import can_cast
from runner.local.athena.analysis.coercion import coerces, common
from runner.local.athena.analysis.signatures import find_function
from runner.local.athena.analysis.types import read_type

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals
ATHENAS = " or requester is not authorized to access requested resources"
"""What Athena adds to Trino's words for a column that is not there."""
CONCAT = (
    "concat(E, array(E)) E, concat(array(E)) E, concat(array(E), E) E, concat(char(x), char(y)), "
    "concat(varbinary), concat(varchar)"
)
OF_T = " FROM (VALUES (1, 2)) t(x, y)"
REFUSED: tuple[tuple[str, str], ...] = (
    ("SELECT '1' < 2", "TYPE_MISMATCH: line 1:12: Cannot apply operator: varchar(1) < integer"),
    (
        "SELECT DATE '2020-01-01' > '2020-01-01'",
        "TYPE_MISMATCH: line 1:26: Cannot apply operator: date < varchar(10)",
    ),
    (
        "SELECT (1 + 2) + 'a'",
        "TYPE_MISMATCH: line 1:16: Cannot apply operator: integer + varchar(1)",
    ),
    (
        "SELECT NULL = 'a' + 1",
        "TYPE_MISMATCH: line 1:19: Cannot apply operator: varchar(1) + integer",
    ),
    (
        "SELECT INTERVAL '1' MONTH + INTERVAL '1' DAY",
        (
            "TYPE_MISMATCH: line 1:27: Cannot apply operator: interval year to month + "
            "interval day to second"
        ),
    ),
    (
        "SELECT 1 IN (1.5, 'a')",
        (
            "TYPE_MISMATCH: line 1:19: IN value and list items must be the same type or coercible "
            "to a common type. Cannot find common type between decimal(11,1) and varchar(1), all "
            "types (without duplicates): [integer, decimal(2,1), varchar(1)]"
        ),
    ),
    (
        f"SELECT x IN (SELECT 1, 2){OF_T}",
        (
            "TYPE_MISMATCH: line 1:10: Value expression and result of subquery must be of the same "
            "type: row(integer) vs row(integer, integer)"
        ),
    ),
    (
        "SELECT 1 > ALL (SELECT 'a')",
        (
            "TYPE_MISMATCH: line 1:10: Value expression and result of subquery must be of the same "
            "type: row(integer) vs row(varchar(1))"
        ),
    ),
    (
        "SELECT 1 IS NOT DISTINCT FROM 'a'",
        "TYPE_MISMATCH: line 1:10: Cannot check if integer is distinct from varchar(1)",
    ),
    (f"SELECT x{OF_T} WHERE x LIKE 'a'", "TYPE_MISMATCH: line 1:45: Left side of LIKE expression"),
    ("SELECT -true", "TYPE_MISMATCH: line 1:8: Cannot negate boolean"),
    (
        "SELECT true AND 'a'",
        (
            "TYPE_MISMATCH: line 1:17: Logical expression term must evaluate to a boolean "
            "(actual: varchar(1))"
        ),
    ),
    (
        "SELECT if(true, 2, 'a')",
        "TYPE_MISMATCH: line 1:8: Result types for IF must be the same: integer vs varchar(1)",
    ),
    ("SELECT if(true)", "SYNTAX_ERROR: line 1:8: Invalid number of arguments for 'if' function"),
    (
        "SELECT CASE 1 WHEN 1 THEN 2 WHEN 'a' THEN 3 END",
        (
            "TYPE_MISMATCH: line 1:34: CASE operand type does not match WHEN clause operand type: "
            "integer vs varchar(1)"
        ),
    ),
    (
        "SELECT ARRAY[1][true]",
        "TYPE_MISMATCH: line 1:8: Cannot use boolean for subscript of array(integer)",
    ),
    (
        "SELECT ROW(1, 2)[3]",
        ("INVALID_FUNCTION_ARGUMENT: line 1:18: Subscript index out of bounds: 3, max value is 2"),
    ),
    ("SELECT (1).a", "TYPE_MISMATCH: line 1:9: Expression 1 is not of type ROW"),
    (
        "SELECT CAST(ROW(1, 2) AS ROW(a integer))",
        "TYPE_MISMATCH: line 1:8: Cannot cast row(integer, integer) to row(a integer)",
    ),
    (
        "SELECT 'a' AT TIME ZONE 'UTC'",
        (
            "TYPE_MISMATCH: line 1:8: Type of value must be a time or timestamp with or without "
            "time zone (actual varchar(1))"
        ),
    ),
    (
        "SELECT 1 || 2",
        (
            "FUNCTION_NOT_FOUND: line 1:10: Unexpected parameters (integer, integer) for function "
            f"concat. Expected: {CONCAT}"
        ),
    ),
    (
        "SELECT date_diff('day', DATE '2020-01-01', 'x')",
        (
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar(3), date, varchar(1)) "
            "for function date_diff. Expected: date_diff(varchar(x), date, date)"
        ),
    ),
    (
        "SELECT lower('a', 'b')",
        (
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar(1), varchar(1)) for "
            "function lower. Expected: lower(char(x)), lower(varchar(x))"
        ),
    ),
    (
        "SELECT trim(5)",
        "FUNCTION_NOT_FOUND: Unexpected parameters (integer) for function trim. Expected: trim(",
    ),
    (
        "SELECT mod('a', 2)",
        "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar(1), integer) for function",
    ),
    (
        "SELECT reduce(ARRAY[1], BIGINT '0', (s, x) -> x, s -> s)",
        (
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (array(integer), bigint, "
            "<function>, <function>) for function reduce. Expected: reduce(array(T), S, "
            "function(S,T,S), function(S,R)) T, S, R"
        ),
    ),
    (
        "SELECT transform(ARRAY[1], x -> x || 'a')",
        "FUNCTION_NOT_FOUND: line 1:35: Unexpected parameters (integer, varchar(1)) for function",
    ),
    (
        "SELECT transform(ARRAY[1], (x, y) -> x)",
        (
            "INVALID_PARAMETER_USAGE: line 1:28: Expected a lambda that takes 1 argument(s) but "
            "got 2"
        ),
    ),
    (
        f"SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x){OF_T}",
        "TYPE_MISMATCH: line 1:8: Expected expression of varchar, but 'x' has integer type",
    ),
    (
        "SELECT EXTRACT(hour FROM INTERVAL '1' MONTH)",
        "TYPE_MISMATCH: line 1:26: Cannot extract HOUR from interval year to month",
    ),
    (
        f"SELECT 1{OF_T} WHERE row_number() OVER () > 1",
        (
            "EXPRESSION_NOT_SCALAR: line 1:66: WHERE clause cannot contain aggregations, window "
            "functions or grouping operations: [row_number() OVER ()]"
        ),
    ),
    (
        f"SELECT sum(x + max(x)){OF_T}",
        (
            "NESTED_AGGREGATION: line 1:8: Cannot nest aggregations inside aggregation 'sum': "
            "[max(x)]"
        ),
    ),
    (
        f"SELECT rank() OVER (ORDER BY rank() OVER ()){OF_T}",
        (
            "NESTED_WINDOW: line 1:30: Cannot nest window functions or row pattern measures inside "
            "window specification"
        ),
    ),
    (
        f"SELECT lag(x){OF_T}",
        "MISSING_OVER: line 1:8: Window function system.builtin.lag requires an OVER clause",
    ),
    (
        f"SELECT count(DISTINCT x) OVER (){OF_T}",
        (
            "NOT_SUPPORTED: line 1:1: DISTINCT in window function parameters not yet supported: "
            "count(DISTINCT x) OVER ()"
        ),
    ),
    (
        f"SELECT CASE WHEN x > 1 THEN y END{OF_T} GROUP BY x",
        (
            "EXPRESSION_NOT_AGGREGATE: line 1:8: '(CASE WHEN (x > 1) THEN y END)' must be an "
            "aggregate expression or appear in GROUP BY clause"
        ),
    ),
    (f"SELECT *, count(*){OF_T}", "EXPRESSION_NOT_AGGREGATE: Column 't.x' not in GROUP BY clause"),
    (
        f"SELECT (SELECT x), sum(y){OF_T}",
        (
            "EXPRESSION_NOT_AGGREGATE: line 1:16: Subquery uses 'x' which must appear in GROUP BY "
            "clause"
        ),
    ),
    (
        f"SELECT row_number() OVER (ORDER BY y), sum(x){OF_T}",
        "EXPRESSION_NOT_AGGREGATE: line 1:36: ORDER BY expression 'y' must be an aggregate",
    ),
    (
        f"SELECT x{OF_T} GROUP BY 3",
        "INVALID_COLUMN_REFERENCE: line 1:48: GROUP BY position 3 is not in select list",
    ),
    (
        f"SELECT x{OF_T} ORDER BY 0",
        "INVALID_COLUMN_REFERENCE: line 1:48: ORDER BY position 0 is not in select list",
    ),
    (
        f"SELECT DISTINCT x{OF_T} ORDER BY y",
        (
            "EXPRESSION_NOT_IN_DISTINCT: line 1:1: For SELECT DISTINCT, ORDER BY expressions must "
            "appear in select list"
        ),
    ),
    (
        f"SELECT x{OF_T} ORDER BY MAP(ARRAY[1], ARRAY[2])",
        "TYPE_MISMATCH: line 1:1: Type map(integer, integer) is not orderable",
    ),
    ("SELECT 1 AS a, 2 AS a ORDER BY a", "AMBIGUOUS_NAME: line 1:32: Column 'a' is ambiguous"),
    ("SELECT a FROM (SELECT 1 AS a, 2 AS a)", "AMBIGUOUS_NAME: line 1:8: Column 'a' is ambiguous"),
    (f"SELECT x{OF_T} WHERE z = 1", "COLUMN_NOT_FOUND: line 1:45: Column 'z' cannot be resolved"),
    (f"SELECT t.z{OF_T}", "COLUMN_NOT_FOUND: line 1:8: Column 't.z' cannot be resolved"),
    (f"SELECT x AS a{OF_T} WHERE a = 1", "COLUMN_NOT_FOUND: line 1:50: Column 'a' cannot be"),
    (f"SELECT u.*{OF_T}", "TABLE_NOT_FOUND: line 1:8: Unable to resolve reference u"),
    (
        "SELECT t.x FROM (VALUES 1) t(x) JOIN (VALUES 1) u(x) USING (x)",
        "COLUMN_NOT_FOUND: line 1:8: Column 't.x' cannot be resolved",
    ),
    (
        "SELECT 1 FROM (VALUES 1) t(x) JOIN (VALUES 1) u(y) USING (x)",
        "COLUMN_NOT_FOUND: line 1:59: Column 'x' is missing from right side of join",
    ),
    (
        "WITH a(x, y) AS (SELECT 1) SELECT * FROM a",
        (
            "MISMATCHED_COLUMN_ALIASES: line 1:8: Column alias list has 2 entries but relation has "
            "1 columns"
        ),
    ),
    (
        "WITH a AS (SELECT 1 x), a AS (SELECT 2 x) SELECT * FROM a",
        "DUPLICATE_NAMED_QUERY: line 1:25: WITH query name 'a' specified more than once",
    ),
    (
        "SELECT 1 INTERSECT SELECT 'a'",
        (
            "TYPE_MISMATCH: line 1:10: column 1 in INTERSECT query has incompatible types: "
            "integer, varchar(1)"
        ),
    ),
    (
        "VALUES 1, 'a'",
        (
            "TYPE_MISMATCH: line 1:1: Values rows have mismatched types: row(integer) vs "
            "row(varchar(1))"
        ),
    ),
    (
        "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT * FROM r",
        "MISSING_COLUMN_ALIASES: line 1:16: missing column aliases in recursive WITH query",
    ),
    (
        f"SELECT sum(x) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING){OF_T}",
        (
            "INVALID_WINDOW_FRAME: line 1:21: Window frame starting from CURRENT ROW cannot end "
            "with PRECEDING"
        ),
    ),
    (
        f"SELECT sum(x) OVER w{OF_T}",
        "INVALID_WINDOW_REFERENCE: line 1:20: Cannot resolve WINDOW name w",
    ),
    (
        f"SELECT grouping(x){OF_T} GROUP BY y",
        (
            "INVALID_ARGUMENTS: line 1:8: The arguments to GROUPING() must be expressions "
            "referenced by the GROUP BY at the associated query level. Mismatch due to x."
        ),
    ),
    (
        f"SELECT x IN (VALUES 'a', 'b'){OF_T}",
        (
            "TYPE_MISMATCH: line 1:10: Value expression and result of subquery must be of the same "
            "type: row(integer) vs row(varchar(1))"
        ),
    ),
    ("SELECT CAST(1 AS timestamp(13))", "TYPE_MISMATCH: line 1:8: Unknown type: timestamp(13)"),
    ("SELECT * FROM UNNEST(1)", "INVALID_FUNCTION_ARGUMENT: Cannot unnest type: integer"),
    ("SELECT *", "COLUMN_NOT_FOUND: line 1:8: SELECT * not allowed in queries without FROM clause"),
    (f"SELECT x{OF_T} OFFSET -1", "SYNTAX_ERROR: line 1:46: mismatched input '-'. Expecting: '?'"),
)
ACCEPTED = (
    f"SELECT t.x, x + 1, count(*){OF_T} GROUP BY X, x + 1 HAVING max(y) > 1 ORDER BY x, count(*)",
    f"SELECT sum(sum(x)) OVER (), rank() OVER (ORDER BY count(*)){OF_T} GROUP BY y",
    f"SELECT DISTINCT x AS a{OF_T} ORDER BY x, a",
    f"SELECT x, y{OF_T} GROUP BY GROUPING SETS ((x), (y), (), (x, y))",
    f"SELECT (SELECT max(b) FROM (VALUES 1) u(b) WHERE b = x){OF_T} GROUP BY x",
    f"SELECT sum(x) AS x{OF_T} ORDER BY x",
    f"SELECT count(*) FILTER (WHERE y = 1), array_agg(x ORDER BY y), count(DISTINCT x){OF_T}",
    "SELECT r.a, count(*) FROM (SELECT CAST(ROW(1) AS ROW(a integer)) AS r) t GROUP BY r",
    "SELECT t.r.a, t.r.* FROM (SELECT CAST(ROW(1) AS ROW(a integer)) AS r) t ORDER BY a",
    "SELECT reduce(ARRAY['a'], '', (s, x) -> s || x, s -> s)",
    "SELECT concat('a', NULL), concat(CAST('a' AS char(3)), 'b'), greatest(1, 2.5, DOUBLE '1')",
    "SELECT CAST('a' AS char(3)) = 'a', length(NULL), DATE '2020-01-01' = current_timestamp",
    "SELECT * FROM (VALUES (1, NULL), (2.5, 'a')) t, UNNEST(ARRAY[1], MAP(ARRAY[2], ARRAY['b'])) u",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r",
    "SELECT x FROM (VALUES 1) t(x), LATERAL (SELECT x) u(z) WHERE z IN (SELECT 1)",
    f"SELECT x, y, grouping(x){OF_T} GROUP BY ROLLUP (x, y) ORDER BY 'a'",
    f"SELECT sum(x) OVER (w ROWS 1 PRECEDING), rank() OVER w{OF_T} WINDOW w AS (ORDER BY x)",
    f"SELECT lower(trim('a')), substr('a', x){OF_T} GROUP BY lower(trim('a')), substr('a', x)",
    f"SELECT x, geometric_mean(y), max(y){OF_T} GROUP BY x",
    "SELECT map_filter(MAP(ARRAY[1], ARRAY['a']), (k, v) -> k > 0 AND v LIKE 'a')",
)


def test_what_trino_refuses_is_refused_in_its_words(world: World) -> None:
    told = {sql: world.failure(sql).replace(ATHENAS, "") for sql, _ in REFUSED}
    wrong = {sql: told[sql] for sql, reason in REFUSED if not told[sql].startswith(reason)}
    assert not wrong


def test_what_trino_takes_is_taken(world: World) -> None:
    assert all(world.rows(sql) for sql in ACCEPTED)


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ("integer", "decimal(2,1)", "decimal(11,1)"),
        ("decimal(38,0)", "decimal(3,2)", "decimal(38,2)"),
        ("varchar(3)", "varchar", "varchar"),
        ("varchar(3)", "char(5)", "char(5)"),
        ("date", "timestamp(3)", "timestamp(3)"),
        ("array(integer)", "array(bigint)", "array(bigint)"),
        ("row(a integer)", "row(b double)", "row(double)"),
        ("unknown", "json", "json"),
        ("real", "bigint", "real"),
        ("varchar", "integer", "None"),
        ("map(integer, integer)", "array(integer)", "None"),
        ("row(a integer)", "row(a integer, b integer)", "None"),
    ],
)
def test_what_two_types_have_in_common(left: str, right: str, both: str) -> None:
    one, other = read_type(left), read_type(right)
    assert str(common(one, other)) == str(common(other, one)) == both


def test_text_becomes_padded_text_and_not_the_other_way() -> None:
    assert coerces(read_type("varchar(3)"), read_type("char(5)"))
    assert not coerces(read_type("char(3)"), read_type("varchar"))
    assert not coerces(read_type("bigint"), read_type("integer"))


@pytest.mark.parametrize(
    ("source", "target", "can"),
    [
        ("char(3)", "integer", False),
        ("varchar", "varbinary", True),
        ("uuid", "varchar", True),
        ("uuid", "varchar(5)", False),
        ("json", "array(map(varchar, bigint))", True),
        ("json", "map(date, bigint)", False),
        ("array(varchar)", "array(date)", True),
        ("array(integer)", "varchar", False),
        ("timestamp(3)", "bigint", False),
        ("row(a integer)", "row(b varchar)", True),
        ("time(3)", "date", False),
    ],
)
def test_what_is_cast(source: str, target: str, *, can: bool) -> None:
    assert can_cast(read_type(source), read_type(target)) is can


@pytest.mark.parametrize(
    ("name", "arguments", "gives"),
    [
        ("sum", ["integer"], "bigint"),
        ("sum", ["decimal(5,2)"], "decimal(38,2)"),
        ("upper", ["varchar(3)"], "varchar(3)"),
        ("concat", ["varchar(1)", "varchar(2)"], "varchar"),
        ("concat", ["array(integer)", "bigint"], "array(bigint)"),
        ("element_at", ["map(varchar, double)", "varchar(1)"], "double"),
        ("greatest", ["integer", "double"], "double"),
        ("mod", ["integer", "bigint"], "bigint"),
        ("date_trunc", ["varchar(3)", "date"], "date"),
        ("max", ["map(integer, integer)"], "None"),
        ("contains", ["array(integer)", "varchar(1)"], "None"),
        ("abs", [], "None"),
    ],
)
def test_a_call_is_bound_as_trino_binds_it(name: str, arguments: list[str], gives: str) -> None:
    function = find_function(name)
    assert function is not None
    assert str(bind(function, [read_type(each) for each in arguments])) == gives


def test_what_is_wrong_in_a_view_is_told_of_the_view(world: World) -> None:
    world.run("CREATE VIEW sums AS SELECT sum(x) AS s FROM (VALUES 1) t(x)")
    assert world.failure("SELECT s + 'a' FROM sums") == (
        "TYPE_MISMATCH: line 1:10: Cannot apply operator: bigint + varchar(1)"
    )
