"""Arrays, maps, rows, UNNEST and lambdas: values, types and failures as Trino's documents have."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest

from runner.local.athena import AthenaFailure
from runner.local.athena.macros import definition, macros_called
from runner.local.athena.macros_nested import NESTED_MACROS
from runner.local.athena.mapkeys import open_maps
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals

ARRAYS: tuple[tuple[str, object, str], ...] = (
    ("ARRAY[1, 2, 3][2]", 2, "integer"),
    ("try(ARRAY[1, 2, 3][4])", None, "integer"),
    ("ARRAY[ARRAY[1, 2], ARRAY[3]][1][2]", 2, "integer"),
    ("element_at(ARRAY[1, 2], -1)", 2, "integer"),
    ("split('a,b', ',')[2]", "b", "varchar"),
    ("cardinality(ARRAY[])", 0, "bigint"),
    ("contains(ARRAY[1, NULL], 2)", None, "boolean"),
    ("contains(ARRAY[1, NULL], 1)", True, "boolean"),
    ("contains(ARRAY[ARRAY[1, 2]], ARRAY[1, 3])", False, "boolean"),
    ("array_position(ARRAY[1, 2], 5)", 0, "bigint"),
    ("array_position(ARRAY[ARRAY[2], ARRAY[1]], ARRAY[1])", 2, "bigint"),
    ("array_remove(ARRAY[1, NULL, 2, 1], 1)", [None, 2], "array(integer)"),
    ("array_max(ARRAY[1, 2, NULL])", None, "integer"),
    ("array_max(ARRAY[nan(), 1e0])", 1.0, "double"),
    ("array_min(ARRAY['b', 'a'])", "a", "varchar"),
    ("array_intersect(ARRAY[1, 2, 2, NULL], ARRAY[NULL, 2])", [2, None], "array(integer)"),
    ("array_except(ARRAY[1, 1, NULL, 3], ARRAY[3])", [1, None], "array(integer)"),
    ("array_union(ARRAY[1, NULL], ARRAY[NULL, 2])", [1, None, 2], "array(integer)"),
    ("arrays_overlap(ARRAY[1, NULL], ARRAY[2])", None, "boolean"),
    ("arrays_overlap(ARRAY[1], ARRAY[2])", False, "boolean"),
    ("arrays_overlap(ARRAY['a', 'b'], ARRAY['b'])", True, "boolean"),
    ("array_sort(ARRAY[3, NULL, 1])", [1, 3, None], "array(integer)"),
    ("array_join(ARRAY[1, NULL, 2], ',')", "1,2", "varchar"),
    ("array_join(ARRAY[1, NULL, 2], ',', 'x')", "1,x,2", "varchar"),
    ("array_join(ARRAY[1.5e0, 2e0], '-')", "1.5E0-2.0E0", "varchar"),
    ("ARRAY[1] || ARRAY[2] || 3", [1, 2, 3], "array(integer)"),
    ("1 || ARRAY[2]", [1, 2], "array(integer)"),
    ("ARRAY[ARRAY[1]] || ARRAY[2]", [[1], [2]], "array(array(integer))"),
    ("concat(ARRAY[1], ARRAY[], ARRAY[3])", [1, 3], "array(integer)"),
    ("ARRAY[1] || CAST(NULL AS ARRAY(INTEGER))", None, "array(integer)"),
    ("combinations(ARRAY[1, 2, 3], 0)", [[]], "array(array(integer))"),
    (
        "combinations(ARRAY[1, 2, 3, 4], 2)",
        [[1, 2], [1, 3], [2, 3], [1, 4], [2, 4], [3, 4]],
        "array(array(integer))",
    ),
    ("ngrams(ARRAY['a', 'b', 'c'], 2)", [["a", "b"], ["b", "c"]], "array(array(varchar))"),
    ("ngrams(ARRAY['a', 'b'], 5)", [["a", "b"]], "array(array(varchar))"),
    ("contains_sequence(ARRAY[1, 2, 3], ARRAY[2, 3])", True, "boolean"),
    ("contains_sequence(ARRAY[1, 2, 3], ARRAY[1, 3])", False, "boolean"),
    ("flatten(ARRAY[ARRAY[1], NULL, ARRAY[NULL, 2]])", [1, None, 2], "array(integer)"),
    ("slice(ARRAY[1, 2, 3, 4], -2, 2)", [3, 4], "array(integer)"),
    ("slice(ARRAY[1, 2, 3], -5, 2)", [], "array(integer)"),
    ("trim_array(ARRAY[1, 2, 3], 1)", [1, 2], "array(integer)"),
    ("repeat('a', 3)", ["a", "a", "a"], "array(varchar)"),
    ("reverse(ARRAY[1, 2])", [2, 1], "array(integer)"),
    ("array_sort(shuffle(ARRAY[3, 1, 2]))", [1, 2, 3], "array(integer)"),
    ("sequence(5, 1, -2)", [5, 3, 1], "array(bigint)"),
    ("sequence(3, 1)", [3, 2, 1], "array(bigint)"),
    (
        "sequence(DATE '2020-01-02', DATE '2020-01-01')",
        [date(2020, 1, 2), date(2020, 1, 1)],
        "array(date)",
    ),
    (
        (
            "sequence(TIMESTAMP '2020-01-01 00:00:00', TIMESTAMP '2020-01-01 01:30:00', "
            "INTERVAL '1' HOUR)"
        ),
        [datetime(2020, 1, 1), datetime(2020, 1, 1, 1)],
        "array(timestamp(3))",
    ),
)
LAMBDAS: tuple[tuple[str, object, str], ...] = (
    ("transform(ARRAY[7, 8], x -> x / 2)", [3, 4], "array(integer)"),
    ("transform(ARRAY[1.5e0], x -> CAST(x AS varchar))", ["1.5E0"], "array(varchar)"),
    (
        "transform(ARRAY[ARRAY[1, NULL]], a -> transform(a, a -> a + 1))",
        [[2, None]],
        "array(array(integer))",
    ),
    ("filter(ARRAY['a', NULL, 'b'], x -> x <> 'a')", ["b"], "array(varchar)"),
    ("any_match(ARRAY[1, NULL], x -> x = 2)", None, "boolean"),
    ("any_match(ARRAY[], x -> true)", False, "boolean"),
    ("all_match(ARRAY[1, 2], x -> x > 0)", True, "boolean"),
    ("none_match(ARRAY[1, NULL], x -> x = 1)", False, "boolean"),
    ("reduce(ARRAY[2147483647, 1], BIGINT '0', (s, x) -> s + x, s -> s)", 2147483648, "bigint"),
    ("reduce(ARRAY[5, NULL], 0, (s, x) -> s + coalesce(x, 1), s -> s * 10)", 60, "integer"),
    ("reduce(ARRAY[5], 0.5, (s, x) -> s + x, s -> s)", Decimal("5.5"), "decimal(12, 1)"),
    (
        (
            "reduce(ARRAY[1, 2, 6], CAST(ROW(0, 0) AS ROW(s INTEGER, c INTEGER)), "
            "(s, x) -> CAST(ROW(s.s + x, s[2] + 1) AS ROW(s INTEGER, c INTEGER)), s -> s.s / s.c)"
        ),
        3,
        "integer",
    ),
    ("zip_with(ARRAY[1, 2], ARRAY[3], (x, y) -> x + coalesce(y, 0))", [4, 2], "array(integer)"),
    (
        "zip_with(ARRAY[1], ARRAY['a'], (x, y) -> (y, x))",
        [("a", 1)],
        "array(row(varchar, integer))",
    ),
    ("zip(ARRAY[1, 2], ARRAY['b'])", [(1, "b"), (2, None)], "array(row(integer, varchar))"),
    (
        (
            "array_sort(ARRAY[3, NULL, 5, NULL], (x, y) -> CASE WHEN x IS NULL THEN -1 "
            "WHEN y IS NULL THEN 1 WHEN x < y THEN 1 WHEN x = y THEN 0 ELSE -1 END)"
        ),
        [None, None, 5, 3],
        "array(integer)",
    ),
    (
        (
            "array_sort(ARRAY['bb', 'a', 'cc'], (x, y) -> "
            "IF(length(x) > length(y), 1, IF(length(x) = length(y), 0, -1)))"
        ),
        ["a", "bb", "cc"],
        "array(varchar)",
    ),
    (
        "map_filter(MAP(ARRAY[1, 2], ARRAY['a', 'b']), (k, v) -> k > 1)",
        {2: "b"},
        "map(integer, varchar)",
    ),
    ("transform_keys(MAP(ARRAY[1], ARRAY['a']), (k, v) -> v)", {"a": "a"}, "map(varchar, varchar)"),
    ("transform_values(MAP(ARRAY[1], ARRAY[5]), (k, v) -> v / 2)", {1: 2}, "map(integer, integer)"),
    (
        (
            "map_zip_with(MAP(ARRAY[1, 2], ARRAY['a', 'b']), MAP(ARRAY[2, 3], ARRAY['c', 'd']), "
            "(k, x, y) -> coalesce(x, '-') || coalesce(y, '-'))"
        ),
        {1: "a-", 2: "bc", 3: "-d"},
        "map(integer, varchar)",
    ),
    (
        (
            "map_filter(MAP(ARRAY['a', 'b'], ARRAY[ARRAY[1], ARRAY[2]]), "
            "(k, v) -> any_match(v, k -> k = 2))"
        ),
        {"b": [2]},
        "map(varchar, array(integer))",
    ),
)
MAPS: tuple[tuple[str, object, str], ...] = (
    ("MAP(ARRAY[1, 2], ARRAY['x', 'y'])[2]", "y", "varchar"),
    ("try(MAP(ARRAY['a'], ARRAY[1])['b'])", None, "integer"),
    ("element_at(MAP(ARRAY['a'], ARRAY[1]), 'b')", None, "integer"),
    ("MAP(ARRAY['x'], ARRAY[ARRAY[5]])['x'][1]", 5, "integer"),
    ("cardinality(MAP(ARRAY['a'], ARRAY[1]))", 1, "bigint"),
    ("MAP(ARRAY[ARRAY[1]], ARRAY['x'])", {(1,): "x"}, "map(array(integer), varchar)"),
    ("map_entries(MAP(ARRAY[1], ARRAY['x']))", [(1, "x")], "array(row(integer, varchar))"),
    ("map_from_entries(ARRAY[(1, 'x')])", {1: "x"}, "map(integer, varchar)"),
    (
        "multimap_from_entries(ARRAY[(1, 'x'), (2, 'y'), (1, 'a')])",
        {1: ["x", "a"], 2: ["y"]},
        "map(integer, array(varchar))",
    ),
    (
        "map_concat(MAP(ARRAY[1], ARRAY[2]), MAP(ARRAY[1], ARRAY[3]))",
        {1: 3},
        "map(integer, integer)",
    ),
    ("split_to_map('a=1;b=2', ';', '=')", {"a": "1", "b": "2"}, "map(varchar, varchar)"),
    (
        "split_to_multimap('a=1;a=2', ';', '=')",
        {"a": ["1", "2"]},
        "map(varchar, array(varchar))",
    ),
)
ROWS: tuple[tuple[str, object, str], ...] = (
    ("ROW(1, 'a')", (1, "a"), "row(integer, varchar)"),
    ("ROW(1, 'a')[2]", "a", "varchar"),
    ("CAST(ROW(1, 2) AS ROW(x BIGINT, y DOUBLE)).y", 2.0, "double"),
    ("CAST(ROW(1, 2) AS ROW(BIGINT, DOUBLE))", (1, 2.0), "row(bigint, double)"),
    (
        "CAST(CAST(ROW(1, 2) AS ROW(x BIGINT, y DOUBLE)) AS ROW(y BIGINT, z BIGINT))",
        {"y": 1, "z": 2},
        "row(y bigint, z bigint)",
    ),
    ("ROW(1, NULL) = ROW(1, 2)", None, "boolean"),
    ("ROW(1, NULL) = ROW(2, NULL)", False, "boolean"),
    ("ROW(1, 2) <> ROW(1, 3)", True, "boolean"),
    ("ARRAY[1, NULL] = ARRAY[1, NULL]", None, "boolean"),
    ("ARRAY[1, NULL] = ARRAY[1]", False, "boolean"),
    ("MAP(ARRAY[1, 2], ARRAY[3, 4]) = MAP(ARRAY[2, 1], ARRAY[4, 3])", True, "boolean"),
    ("ROW(1, 2) IN (ROW(1, NULL), ROW(3, 4))", None, "boolean"),
    ("ROW(1, ARRAY[1]) < ROW(1, ARRAY[2])", True, "boolean"),
    ("typeof(ROW(1, ARRAY[2.5]))", "row(integer, array(decimal(2,1)))", "varchar"),
)


@pytest.mark.parametrize(
    ("expression", "value", "kind"),
    [*ARRAYS, *LAMBDAS, *MAPS, *ROWS],
    ids=[case[0] for case in [*ARRAYS, *LAMBDAS, *MAPS, *ROWS]],
)
def test_expressions(world: World, expression: str, value: object, kind: str) -> None:
    found = world.athena.query(f"SELECT {expression} AS v", "db")
    assert found.rows == ((value,),)
    assert found.columns == (("v", kind),)


FAILURES: tuple[tuple[str, str], ...] = (
    ("ARRAY[1][4]", "Array subscript must be less than or equal to array length: 4 > 1"),
    ("ARRAY[1][0]", "SQL array indices start at 1"),
    ("ARRAY[1][-1]", "Array subscript is negative: -1"),
    ("element_at(ARRAY[1], 0)", "SQL array indices start at 1"),
    ("MAP(ARRAY['a'], ARRAY[1])['b']", "Key not present in map: b"),
    ("MAP(ARRAY[1, 1], ARRAY[1, 2])", "Duplicate map keys are not allowed"),
    ("MAP(ARRAY[NULL], ARRAY[1])", "map key cannot be null"),
    ("MAP(ARRAY[1], ARRAY[1, 2])", "Key and value arrays must be the same length"),
    ("map_from_entries(ARRAY[(1, 1), (1, 2)])", "Duplicate keys (1) are not allowed"),
    ("map_from_entries(ARRAY[(1, 1), NULL])", "map entry cannot be null"),
    (
        "transform_keys(MAP(ARRAY[1], ARRAY[2]), (k, v) -> CAST(NULL AS integer))",
        "map key cannot be null",
    ),
    ("split_to_map('a=1;a=2', ';', '=')", "Duplicate keys (a) are not allowed"),
    (
        "split_to_map('a', ';', '=')",
        "Key-value delimiter must appear exactly once in each entry. Bad input: 'a'",
    ),
    ("combinations(ARRAY[1], 6)", "combination size must not exceed 5: 6"),
    ("combinations(sequence(1, 100), 5)", "combinations exceed max size"),
    ("ngrams(ARRAY[1], 0)", "N must be positive"),
    ("trim_array(ARRAY[1], 2)", "size must not exceed array cardinality 1: 2"),
    ("slice(ARRAY[1], 0, 1)", "SQL array indices start at 1"),
    ("slice(ARRAY[1], 1, -1)", "length must be greater than or equal to 0"),
    (
        "repeat(1, 20000)",
        "count argument of repeat function must be less than or equal to 10000",
    ),
    (
        "sequence(1, 1000000000)",
        "result of sequence function must not have more than 10000 entries",
    ),
    ("sequence(1, 2, 0)", "step must not be zero"),
    ("array_sort(ARRAY[1, 2], (x, y) -> 5)", "Lambda comparator must return either -1, 0, or 1"),
    ("ROW(1, 2)[3]", "line 1:18: Subscript index out of bounds: 3, max value is 2"),
)


@pytest.mark.parametrize(("expression", "reason"), FAILURES, ids=[case[0] for case in FAILURES])
def test_bad_arguments_fail_in_trinos_words(world: World, expression: str, reason: str) -> None:
    with pytest.raises(AthenaFailure) as failed:
        world.rows(f"SELECT {expression}")
    assert failed.value.reason == f"INVALID_FUNCTION_ARGUMENT: {reason}"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (
            "contains(ARRAY[ARRAY[1]], ARRAY[CAST(NULL AS integer)])",
            (
                "NOT_SUPPORTED: contains does not support arrays with elements that are null or "
                "contain null"
            ),
        ),
        (
            "ARRAY[1, NULL] < ARRAY[1, 2]",
            "NOT_SUPPORTED: ARRAY comparison not supported for arrays with null elements",
        ),
        (
            "MAP(ARRAY[1], ARRAY[2]) > MAP(ARRAY[1], ARRAY[2e0])",
            (
                "TYPE_MISMATCH: line 1:32: Cannot apply operator: map(integer, integer) < "
                "map(integer, double)"
            ),
        ),
        (
            "typeof(ARRAY['a', upper('b')])",
            (
                "NOT_SUPPORTED: typeof of a value that holds text or timestamps is not supported "
                "by the local engine"
            ),
        ),
    ],
)
def test_what_has_no_answer_is_refused(world: World, expression: str, reason: str) -> None:
    with pytest.raises(AthenaFailure) as failed:
        world.rows(f"SELECT {expression}")
    assert failed.value.reason == reason


AGGREGATES: tuple[tuple[str, object, str], ...] = (
    ("map_agg(k, v)", {"a": 1, "b": 2}, "map(varchar, integer)"),
    ("map_agg(k, v) FILTER (WHERE v > 1)", {"b": 2, "a": 3}, "map(varchar, integer)"),
    ("map_agg(k, v)['b']", 2, "integer"),
    ("multimap_agg(k, v)", {"a": [1, 3], "b": [2]}, "map(varchar, array(integer))"),
    ("histogram(k)", {"a": 2, "b": 1}, "map(varchar, bigint)"),
    (
        "map_union(MAP(ARRAY[v], ARRAY[k])) FILTER (WHERE v < 3)",
        {1: "a", 2: "b"},
        "map(integer, varchar)",
    ),
    ("reduce_agg(v, 0, (a, b) -> a + b, (a, b) -> a + b)", 10, "integer"),
    ("array_sort(array_agg(DISTINCT k))", ["a", "b", None], "array(varchar)"),
    ("cardinality(array_agg(v))", 4, "bigint"),
)


@pytest.mark.parametrize(
    ("expression", "value", "kind"), AGGREGATES, ids=[case[0] for case in AGGREGATES]
)
def test_aggregates(world: World, expression: str, value: object, kind: str) -> None:
    found = world.athena.query(
        f"SELECT {expression} AS v FROM (VALUES ('a', 1), ('b', 2), ('a', 3), (NULL, 4)) t(k, v)"
    )
    assert found.rows == ((value,),)
    assert found.columns == (("v", kind),)


UNNESTS: tuple[tuple[str, list[tuple[object, ...]]], ...] = (
    ("SELECT * FROM UNNEST(ARRAY[1], ARRAY['a', 'b']) AS t(n, s)", [(1, "a"), (None, "b")]),
    ("SELECT * FROM UNNEST(ARRAY[5, 6]) WITH ORDINALITY AS t(x, n)", [(5, 1), (6, 2)]),
    ("SELECT * FROM UNNEST(MAP(ARRAY[1, 2], ARRAY['a', 'b'])) AS t(k, v)", [(1, "a"), (2, "b")]),
    ("SELECT a, b FROM UNNEST(ARRAY[ROW(1, 'x'), NULL]) AS t(a, b)", [(1, "x"), (None, None)]),
    (
        "SELECT q, p FROM UNNEST(CAST(ARRAY[ROW(1, 'x')] AS ARRAY(ROW(p INTEGER, q VARCHAR))))",
        [("x", 1)],
    ),
    (
        "SELECT r.p FROM UNNEST(CAST(ARRAY[ROW(1, 2)] AS ARRAY(ROW(p INTEGER, q INTEGER)))) t(r)",
        [(1,)],
    ),
    ("SELECT n + 1 FROM UNNEST(ARRAY[ROW(1)]) AS t(n)", [(2,)]),
    ("SELECT * FROM (VALUES 1) t(a), LATERAL (SELECT * FROM LATERAL (SELECT a))", [(1, 1)]),
    (
        (
            "SELECT n, x FROM (VALUES (1, ARRAY[7, 8]), (2, ARRAY[]), (3, NULL)) t(n, a) "
            "CROSS JOIN UNNEST(a) AS u(x) ORDER BY n, x"
        ),
        [(1, 7), (1, 8)],
    ),
    (
        (
            "SELECT n, x, o FROM (VALUES (1, ARRAY[7]), (2, ARRAY[]), (3, NULL)) t(n, a) "
            "LEFT JOIN UNNEST(a) WITH ORDINALITY AS u(x, o) ON TRUE ORDER BY n"
        ),
        [(1, 7, 1), (2, None, None), (3, None, None)],
    ),
    (
        (
            "SELECT k, v FROM (SELECT MAP(ARRAY['a'], ARRAY[ARRAY[1, 2]]) AS m) "
            "CROSS JOIN UNNEST(m) AS u(k, vs) CROSS JOIN UNNEST(vs) AS w(v) ORDER BY v"
        ),
        [("a", 1), ("a", 2)],
    ),
    ("SELECT (SELECT sum(x) FROM UNNEST(a) t(x)) FROM (VALUES (ARRAY[1, 2])) v(a)", [(3,)]),
    ("SELECT * FROM (VALUES ROW(1, 'a'), ROW(2, 'b')) t(n, s) ORDER BY n", [(1, "a"), (2, "b")]),
    ("SELECT t.r.* FROM (SELECT ROW(1, 'a') AS r) t", [(1, "a")]),
    ("SELECT b, a FROM (SELECT (ROW(1, 2)).* AS (a, b))", [(2, 1)]),
    (
        (
            "SELECT r.x, r.y.z, t.r.y.z FROM "
            "(SELECT CAST(ROW(1, ROW(5)) AS ROW(x INTEGER, y ROW(z INTEGER))) AS r) t"
        ),
        [(1, 5, 5)],
    ),
)


@pytest.mark.parametrize(("sql", "rows"), UNNESTS, ids=[case[0] for case in UNNESTS])
def test_unnest_and_rows_become_columns(
    world: World, sql: str, rows: list[tuple[object, ...]]
) -> None:
    assert world.rows(sql) == rows


def test_columns_without_names_are_named_by_their_places(world: World) -> None:
    found = world.athena.query(
        "SELECT * FROM (SELECT 1 AS a) CROSS JOIN UNNEST(ARRAY[2], ARRAY[3])"
    )
    assert found.columns == (("a", "integer"), ("_col1", "integer"), ("_col2", "integer"))


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT x FROM UNNEST(ARRAY[1]) t(x, y)",
            (
                "MISMATCHED_COLUMN_ALIASES: line 1:15: Column alias list has 2 entries but 't' "
                "has 1 columns available"
            ),
        ),
        (
            "SELECT (ROW(1, 2)).* AS (a)",
            "MISMATCHED_COLUMN_ALIASES: Column alias list has 1 entries but relation has 2 columns",
        ),
        (
            "SELECT * FROM (SELECT ARRAY[1] AS a) RIGHT JOIN UNNEST(a) AS u(x) ON TRUE",
            "NOT_SUPPORTED: RIGHT JOIN involving UNNEST of columns is not supported",
        ),
    ],
)
def test_unnest_refusals(world: World, sql: str, reason: str) -> None:
    with pytest.raises(AthenaFailure) as failed:
        world.rows(sql)
    assert failed.value.reason == reason


def test_columns_of_tables_know_their_fields(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT "
        "CAST(ROW(7, ARRAY['a', 'b']) AS ROW(n INTEGER, tags ARRAY(VARCHAR))) AS r, "
        "MAP(ARRAY['k'], ARRAY[9]) AS m"
    )
    found = world.rows(
        "SELECT r.n / 2, r[1], t.r.tags[2], m['k'], tag FROM t CROSS JOIN UNNEST(r.tags) AS u(tag) "
        "ORDER BY tag"
    )
    assert found == [(3, 7, "b", 9, "a"), (3, 7, "b", 9, "b")]


@pytest.mark.parametrize("name", NESTED_MACROS)
def test_macros_can_be_defined(name: str) -> None:
    with duckdb.connect() as connection:
        for each in macros_called(f"{name}()"):
            connection.execute(definition(each))


def test_tables_in_brackets_are_no_rows(world: World) -> None:
    sql = (
        "SELECT a.x, b.y FROM ((VALUES 1) a(x) CROSS JOIN (VALUES 2) b(y)) CROSS JOIN (SELECT 3) c"
    )
    assert world.rows(sql) == [(1, 2)]


def test_maps_with_keys_that_python_cannot_hash_become_dictionaries() -> None:
    kind = parse_type("array(map(map(varchar, integer), row(m map(array(integer), varchar))))")
    inner = {"key": [[1]], "value": ["x"]}
    value = [{"key": [{"a": 1}], "value": [{"m": inner}]}]
    [[[opened]]] = open_maps(((value,),), (kind,))
    assert list(opened.items()) == [({"a": 1}, {"m": {(1,): "x"}})]
