"""JSON as Trino has it: its functions, casts from and to JSON, SQL/JSON paths, and all casts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from runner.local.athena import AthenaFailure

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals

FUNCTIONS: tuple[tuple[str, object], ...] = (
    ('json_parse(\'{"b": 1, "a": 1.50, "b": 2}\')', '{"a":1.5,"b":2}'),
    ("json_parse('[1e10, -0, 12345678901234567890]')", "[1.0E10,0,12345678901234567890]"),
    ("json_format(JSON '\"a\\u0001\"')", '"a\\u0001"'),
    ('JSON \'{"a":1,"b":2}\' = JSON \'{"b":2,"a":1}\'', True),
    ('json_extract(\'{"a": {"b c": [1.50, null]}}\', \'$.a["b c"][0]\')', "1.5"),
    ('json_extract_scalar(\'{"a": {"b c": [1.50]}}\', \'$.a["b c"][0]\')', "1.50"),
    ("json_extract('{\"a\": null}', '$.a')", "null"),
    ("json_extract_scalar('{\"a\": null}', '$.a')", None),
    ("json_extract('{\"a\": 1, broken', '$.a')", "1"),
    ("json_extract('{\"a\": 1, broken', '$.b')", None),
    ("json_extract('[1, 2]', '$.1')", "2"),
    ("json_extract_scalar('[{\"x\": \"y\"}]', '$[0][x]')", "y"),
    ('json_size(\'{"x": {"a": 1, "b": 2}}\', \'$.x\')', 2),
    ("json_size('[1, 2]', '$')", 2),
    ("json_size('[1, 2]', '$[0]')", 0),
    ("json_array_length('[1, [2, 3]]')", 2),
    ("json_array_length('{}')", None),
    ("json_array_length('[1, ')", None),
    ("json_array_get('[\"a\", [3, 9], 1.50]', 0)", "a"),
    ("json_array_get('[\"a\", [3, 9], 1.50]', -2)", "[3,9]"),
    ("json_array_get('[\"a\", [3, 9], 1.50]', 2)", "1.50"),
    ("json_array_get('[null]', 0)", None),
    ("json_array_get('[1]', -2)", None),
    ("json_array_contains('[1, 2]', 2)", True),
    ("json_array_contains('[1.0]', 1)", False),
    ("json_array_contains('[1]', 1e0)", False),
    ("json_array_contains('[1.5]', 1.5)", True),
    ("json_array_contains('[\"1\"]', 1)", False),
    ("json_array_contains('[\"\", true]', '')", True),
    ("json_array_contains('[\"\", true]', true)", True),
    ("json_array_contains('{}', 1)", None),
    ("json_array_contains('[1.5]', nan())", False),
    ("json_array_contains('[\"a\", 1]', element_at(ARRAY['a'], 1))", True),
    ("is_json_scalar('1')", True),
    ("is_json_scalar(JSON '[1]')", False),
    ("try(json_parse('no json'))", None),
)
CASTS: tuple[tuple[str, object], ...] = (
    ("CAST('[1]' AS JSON)", '"[1]"'),
    ("CAST(1.50 AS JSON)", "1.50"),
    ("CAST(1e10 AS JSON)", "1.0E10"),
    ("CAST(REAL '1.1' AS JSON)", "1.1"),
    ("CAST(nan() AS JSON)", '"NaN"'),
    ("CAST(TIMESTAMP '2013-01-05 01:02:03.4' AS JSON)", '"2013-01-05 01:02:03.400"'),
    ("CAST(DATE '2013-01-05' AS JSON)", '"2013-01-05"'),
    ("CAST(ARRAY[1.5e0, NULL] AS JSON)", "[1.5,null]"),
    ("CAST(MAP(ARRAY[3, 1], ARRAY['x', NULL]) AS JSON)", '{"1":null,"3":"x"}'),
    ("CAST(CAST(ROW(1, ARRAY[2]) AS ROW(a bigint, b array(integer))) AS JSON)", '{"a":1,"b":[2]}'),
    ("CAST(ROW(1, 'a') AS JSON)", '{"":1,"":"a"}'),
    ("CAST(ARRAY[JSON '{\"a\": 1}'] AS JSON)", '[{"a":1}]'),
    ("CAST(JSON '1.5' AS varchar)", "1.5E0"),
    ("CAST(JSON '15' AS varchar)", "15"),
    ("CAST(JSON '\"x\"' AS varchar)", "x"),
    ("CAST(JSON 'null' AS varchar)", None),
    ("CAST(JSON '-1.5' AS integer)", -2),
    ("CAST(JSON 'true' AS bigint)", 1),
    ("CAST(JSON '\"12\"' AS smallint)", 12),
    ("CAST(JSON '\"t\"' AS boolean)", True),
    ("CAST(JSON '0.0' AS boolean)", False),
    ("CAST(JSON '1.25' AS decimal(3, 1))", Decimal("1.3")),
    ("CAST(JSON '\"Infinity\"' AS double)", float("inf")),
    ("CAST(JSON '[1, null, \"3\"]' AS array(bigint))", [1, None, 3]),
    ("CAST(JSON '[null, {\"a\": [1]}]' AS array(json))", ["null", '{"a":[1]}']),
    ('CAST(JSON \'{"1": 1.5, "2": null}\' AS map(integer, double))', {1: 1.5, 2: None}),
    (
        'CAST(JSON \'{"B": "x", "a": 1, "c": 2}\' AS ROW(a bigint, b varchar))',
        {"a": 1, "b": "x"},
    ),
    ("CAST(JSON '[1, \"x\"]' AS ROW(a bigint, b varchar))", {"a": 1, "b": "x"}),
    (
        "CAST(json_parse('[1.123456789012345678901]') AS array(decimal(25, 21)))",
        [Decimal("1.123456789012345678901")],
    ),
    ("CAST(json_extract('{\"a\": 2.5}', '$.a') AS integer)", 3),
    ("TRY_CAST(JSON '[1]' AS bigint)", None),
    ("transform(CAST(JSON '[\"a\"]' AS array(json)), x -> json_format(x))", ['"a"']),
    ("CAST(' 1.5 ' AS double)", 1.5),
    ("CAST('1d' AS double)", 1.0),
    ("CAST('T' AS boolean)", True),
    ("CAST('+7' AS tinyint)", 7),
    ("TRY_CAST('1.5' AS integer)", None),
    ("TRY_CAST('yes' AS boolean)", None),
    ("CAST(0e0 AS varchar)", "0E0"),
    ("CAST(ARRAY[1e0] AS array(varchar))", ["1.0E0"]),
    ("CAST(ARRAY['1'] AS array(integer))", [1]),
    ("CAST('1e2' AS decimal(5, 2))", Decimal("100.00")),
    ("typeof('cat')", "varchar(3)"),
    ("typeof(ARRAY['a', 'bcd'])", "array(varchar(3))"),
    ("typeof(CAST(1 AS decimal(5, 2)))", "decimal(5,2)"),
    ("typeof(MAP(ARRAY[1], ARRAY[1e0]))", "map(integer, double)"),
    ("typeof(CAST(ROW(1, 2) AS ROW(a bigint, b json)))", "row(a bigint, b json)"),
    ("typeof(JSON '1')", "json"),
)
PATHS: tuple[tuple[str, object], ...] = (
    ("json_exists('{\"a\": [1, 2]}', 'lax $.a?(@ > 1)')", True),
    ("json_exists('{\"a\": 1}', 'strict $.b')", False),
    ("json_exists('{\"a\": 1}', 'strict $.b' UNKNOWN ON ERROR)", None),
    ("json_exists('broken', 'lax $' TRUE ON ERROR)", True),
    ("json_exists(NULL, 'lax $')", None),
    ("json_exists('[1, 5]', 'lax $[*]?(@ == $x)' PASSING 5 AS \"x\")", True),
    ("json_exists('[1, 5]', 'lax $[*]?(@ == $X)' PASSING 6 AS x)", False),
    ("json_exists('{}', 'lax $x.a' PASSING '{\"a\": 1}' FORMAT JSON AS \"x\")", True),
    ("json_value('{\"a\": [1.5]}', 'lax $.a')", None),
    ("json_value('{\"a\": [1.5]}', 'lax $.a[0]')", "1.5E0"),
    ("json_value('{\"a\": [1.5]}', 'lax $.a[0]' RETURNING double)", 1.5),
    ("json_value('{\"a\": \"12\"}', 'lax $.a' RETURNING bigint)", 12),
    ("json_value('{\"a\": \"x\"}', 'lax $.a' RETURNING bigint DEFAULT 4 ON ERROR)", 4),
    ("json_value('{}', 'lax $.a' RETURNING bigint DEFAULT 3 ON EMPTY DEFAULT 4 ON ERROR)", 3),
    ("json_value('{\"a\": null}', 'lax $.a' DEFAULT 'x' ON EMPTY)", None),
    ("try(json_value('{}', 'strict $.a' ERROR ON ERROR))", None),
    ('json_query(\'{"a": [1, {"b": "x"}]}\', \'lax $.a\')', '[1,{"b":"x"}]'),
    ("json_query('[1, 2]', 'lax $[*]')", None),
    ("json_query('[1, 2]', 'lax $[*]' WITH ARRAY WRAPPER)", "[1,2]"),
    ("json_query('[1, 2]', 'lax $' WITH CONDITIONAL ARRAY WRAPPER)", "[1,2]"),
    ("json_query('[1, 2]', 'lax $[0]' WITH CONDITIONAL WRAPPER)", "[1]"),
    ("json_query('\"x\"', 'lax $')", '"x"'),
    ("json_query('\"x\"', 'lax $' OMIT QUOTES ON SCALAR STRING)", "x"),
    ("json_query('{}', 'lax $.a' EMPTY ARRAY ON EMPTY)", "[]"),
    ("json_query('{', 'lax $.a' EMPTY OBJECT ON ERROR)", "{}"),
    ("json_query('\"x\"', 'lax $' RETURNING varbinary)", b'"x"'),
    ("json_query('[1, 2, 3, 4]', 'lax $[last, 0 to 1]' WITH WRAPPER)", "[4,1,2]"),
    ("json_query('[1, \"a\"]', 'lax $[*]?((@ > 0) is unknown)')", '"a"'),
    ('json_query(\'["xy", "yz"]\', \'lax $[*]?(@ starts with "x")\')', '"xy"'),
    ('json_query(\'{"x": 1, "b": [{"x": 2}]}\', \'lax $..x\' WITH WRAPPER)', "[1,2]"),
    (
        "json_query('{\"b\": 1}', 'lax $.keyvalue()')",
        '{"name":"b","value":1,"id":0}',
    ),
    (
        "json_query('[1, \"a\", null, true, {}, []]', 'strict $[*].type()' WITH WRAPPER)",
        '["number","string","null","boolean","object","array"]',
    ),
    ("json_query('[-1.5, 2]', 'lax $.ceiling()' WITH WRAPPER)", "[-1.0,2]"),
    ("json_query('7', 'lax -$ / 2 + 3 * 2 - 5 % 3')", "1"),
    ("json_query('[1, 2]', 'lax $.size()')", "2"),
    ("json_query('\"1.5\"', 'lax $.double()')", "1.5"),
    (
        "json_object('a' : 1, KEY 'b' VALUE NULL, 'c' VALUE 1.50, 'd' : DATE '2013-01-05')",
        '{"a":1,"b":null,"c":1.50,"d":"2013-01-05"}',
    ),
    ("json_object('a' : NULL, 'b' : 1e0 ABSENT ON NULL)", '{"b":1.0}'),
    ("json_object('a' : '[1, null]' FORMAT JSON)", '{"a":[1,null]}'),
    ("json_object('a' : json_array(1, NULL, 'x' NULL ON NULL))", '{"a":[1,null,"x"]}'),
    ("json_array(1, NULL, true, 'a\"b')", '[1,true,"a\\"b"]'),
    ("json_array('[1]')", '["[1]"]'),
    ("json_array()", "[]"),
    ("json_array(element_at(ARRAY[1.5e0], 1), nan())", '[1.5,"NaN"]'),
    (
        "json_array(CAST('12151fd2-7586-11e9-8f9e-2a86e4085a59' AS uuid))",
        '["12151fd2-7586-11e9-8f9e-2a86e4085a59"]',
    ),
    ("json_object('a' : X'5B315D' FORMAT JSON)", '{"a":[1]}'),
    ("json_value(X'5B0031005D00' FORMAT JSON ENCODING UTF16, 'lax $[0]')", "1"),
    (
        "json_query('[1]', 'lax $' RETURNING varbinary FORMAT JSON ENCODING UTF16)",
        b"[\x001\x00]\x00",
    ),
)
FAILURES: tuple[tuple[str, str], ...] = (
    ("json_parse('x')", "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: 'x'"),
    ("json_extract('{}', '$.*')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '$.*'"),
    ("json_size('{}', '')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: ''"),
    ("is_json_scalar('x')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON value: x"),
    ("json_format('x')", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters"),
    ("CAST(JSON '[1, 2]' AS varchar)", "Cannot cast '[1,2]' to varchar"),
    ("CAST(JSON '\"a\"' AS integer)", "Cannot cast 'a' to INT"),
    ("CAST(JSON '300' AS tinyint)", "Cannot cast '300' to tinyint"),
    ("CAST(JSON '99.5' AS decimal(2, 1))", "Cannot cast '99.5' to DECIMAL(2,1)"),
    ("CAST(JSON '1' AS date)", "TYPE_MISMATCH: line 1:8: Cannot cast json to date"),
    ("CAST(X'00' AS JSON)", "TYPE_MISMATCH: line 1:8: Cannot cast varbinary to json"),
    (
        'CAST(json_parse(\'{"a": 1, "b": {}}\') AS ROW(a integer, b array(integer)))',
        (
            "Cannot cast to row(a integer, b array(integer)). Expected a json array, but got {\n"
            '{"a": 1, "b": {}}'
        ),
    ),
    (
        'CAST(json_parse(\'[{"a":1,"a":3}]\') AS array(ROW(a bigint)))',
        'Cannot cast to array(row(a bigint)). Duplicate field: a\n[{"a":1,"a":3}]',
    ),
    ("CAST(JSON '{\"a\": 1}' AS ROW(bigint))", "Cannot cast a JSON object to anonymous row type"),
    ("json_object(1 : 2)", "TYPE_MISMATCH"),
    ("json_array(ARRAY[1])", "NOT_SUPPORTED: A value of type array(integer) in a SQL/JSON"),
    ("JSON '1' < JSON '2'", "TYPE_MISMATCH: line 1:17: Cannot apply operator: json < json"),
    ("json_value('{}', 'lax $.a' ERROR ON EMPTY ERROR ON ERROR)", "JSON path found no items"),
    ("json_exists('{}', 'strict $.a' ERROR ON ERROR)", "PATH_EVALUATION_ERROR"),
    ("json_exists('{}', '$.a')", "INVALID_PATH"),
    ("json_exists('{}', 'lax $[')", "INVALID_PATH"),
    ("json_exists('{}', 'lax $x' PASSING 1 AS x)", "no value passed for parameter x"),
    ("json_query('\"a\"', 'lax $?(@ like_regex \"a\")')", "like_regex predicate is not yet"),
    ("json_query('1', 'lax $' WITH WRAPPER OMIT QUOTES)", "OMIT QUOTES behavior specified"),
    ("json_object('a' : 1, 'a' : 2 WITH UNIQUE KEYS)", "duplicate key passed to JSON_OBJECT"),
    ("json_array('[1' FORMAT JSON)", "JSON_INPUT_CONVERSION_ERROR"),
    ("CAST('1.5' AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast '1.5' to INT"),
    ("CAST(' 1' AS bigint)", "INVALID_CAST_ARGUMENT: Cannot cast ' 1' to BIGINT"),
    ("CAST('inf' AS double)", "INVALID_CAST_ARGUMENT: Cannot cast 'inf' to DOUBLE"),
    ("CAST('yes' AS boolean)", "INVALID_CAST_ARGUMENT: Cannot cast 'yes' to BOOLEAN"),
    ("CAST('1234' AS decimal(3, 0))", "Cannot cast VARCHAR '1234' to DECIMAL(3, 0)"),
    ("CAST(infinity() AS decimal(38, 2))", "Cannot cast DOUBLE 'Infinity' to DECIMAL(38, 2)"),
    ("CAST(300 AS tinyint)", "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 300"),
    ("CAST(1e20 AS bigint)", "INVALID_CAST_ARGUMENT: Unable to cast 1.0E20 to bigint"),
    ("CAST(12345 AS varchar(3))", "Value 12345 cannot be represented as varchar(3)"),
    ("CAST(ARRAY[1] AS varchar)", "TYPE_MISMATCH: line 1:8: Cannot cast array(integer) to varchar"),
    ("MAP(ARRAY[1], ARRAY[2]) > MAP(ARRAY[1], ARRAY[1])", "Cannot apply operator: map("),
    ("1 = '1'", "TYPE_MISMATCH: line 1:10: Cannot apply operator: integer = varchar(1)"),
    ("DATE '2013-01-05' >= '2013'", "Cannot apply operator: date <= varchar(4)"),
    ("1 IN ('a')", "TYPE_MISMATCH: line 1:14: IN value and list items must be the same type"),
    ("1 BETWEEN 'a' AND 'b'", "Cannot check if integer is BETWEEN varchar(1) and varchar(1)"),
    ("coalesce('a', 1)", "Cannot find common type between varchar(1) and integer"),
    ("if(true, 1, 'a')", "Result types for IF must be the same: integer vs varchar(1)"),
    ("CASE WHEN true THEN 1 ELSE 'a' END", "All CASE results must be the same type"),
    ("CASE 1 WHEN 'a' THEN 1 END", "CASE operand type does not match WHEN clause operand type"),
    ("nullif(1, 'a')", "Types are not comparable with NULLIF: integer vs varchar(1)"),
)


def _answer(world: World, cases: tuple[tuple[str, object], ...]) -> None:
    query = ", ".join(expression for expression, _ in cases)
    (row,) = world.rows(f"SELECT {query}")
    found = dict(zip((expression for expression, _ in cases), row, strict=True))
    assert found == dict(cases)


def test_functions_of_json(world: World) -> None:
    _answer(world, FUNCTIONS)


def test_casts(world: World) -> None:
    _answer(world, CASTS)


def test_sql_json_functions(world: World) -> None:
    _answer(world, PATHS)


@pytest.mark.parametrize(("expression", "reason"), FAILURES)
def test_failures_have_trinos_words(world: World, expression: str, reason: str) -> None:
    with pytest.raises(AthenaFailure) as failed:
        world.rows(f"SELECT {expression}")
    assert reason in failed.value.reason


def test_rows_of_a_query_go_through_json(world: World) -> None:
    found = world.rows(
        "SELECT CAST(j AS array(integer)), json_object(KEY k VALUE n), "
        "CAST(MAP(ARRAY[k], ARRAY[n]) AS JSON) FROM "
        "(SELECT json_extract(x, '$.a') AS j, k, n FROM "
        "(VALUES ('{\"a\": [1]}', 'p', 1), ('{}', 'q', NULL)) AS t (x, k, n))"
    )
    assert found == [([1], '{"p":1}', '{"p":1}'), (None, '{"q":null}', '{"q":null}')]


def test_columns_are_read_alike_by_duckdb_and_python(world: World) -> None:
    texts = (
        '{"a": 1}',
        '{"a": 1.50}',
        '{"a": "x"}',
        '{"a": true}',
        '{"a": null}',
        '{"a": [1.0]}',
        "{}",
        "bad",
        '{"a": 2, bad',
        '{"x": [1,], "a": 1}',
        '{"a": -0}',
        '{"a": NaN}',
        '{"a": 12345678901234567890123}',
        '{"a": 1e2, "a": 3}',
        '[{"a": 1}]',
        '""',
    )
    values = ", ".join(f"'{text}'" for text in texts)
    scalars = "1", "1.50", "x", "true", None, None, None, None, "2", None, "-0", None
    parts = "1", "1.5", '"x"', "true", "null", "[1.0]", None, None, "2", None, "0", None
    found = world.rows(
        "SELECT json_extract_scalar(j, '$.a'), json_extract(j, '$.a'), "
        f"json_extract_scalar(j, '$[0].a') FROM (VALUES {values}) AS t (j)"
    )
    large = "12345678901234567890123"
    assert found == [
        *((a, b, None) for a, b in zip(scalars, parts, strict=True)),
        (large, large, None),
        ("1e2", "100.0", None),
        (None, None, "1"),
        (None, None, None),
    ]


def test_json_is_known_where_only_duckdb_sees_the_type(world: World) -> None:
    found = world.rows(
        "SELECT CAST(m['a'] AS varchar), CAST(m['b'] AS integer), CAST(m['c'] AS array(integer)), "
        "CAST(m['d'] AS varchar(1)), CAST(max_by(m['a'], 1) AS varchar), "
        "json_array_contains('[2]', element_at(ARRAY[2], 1)) FROM (SELECT "
        'CAST(JSON \'{"a": "x", "b": 1.5, "c": [2.5], "d": "yz"}\' '
        "AS map(varchar, json)) AS m) GROUP BY m"
    )
    assert found == [("x", 2, [3], "y", "x", True)]
    (row,) = world.rows(
        "SELECT transform(CAST(JSON '[\"a\"]' AS array(json)), x -> CAST(x AS varchar))"
    )
    assert row == (["a"],)


def test_types_of_results_are_athenas(world: World) -> None:
    found = world.athena.query(
        "SELECT json_parse('1') AS a, CAST(JSON '[1]' AS array(json)) AS b, "
        "json_value('1', 'lax $' RETURNING double) AS c, json_size('[]', '$') AS d, "
        "json_extract_scalar('1', '$') AS e, REAL '1.1' AS f"
    )
    assert found.columns == (
        ("a", "json"),
        ("b", "array(json)"),
        ("c", "double"),
        ("d", "bigint"),
        ("e", "varchar"),
        ("f", "real"),
    )


def test_reals_are_written_with_their_own_digits(world: World) -> None:
    execution = world.run("SELECT REAL '1.1' AS a, ARRAY[REAL '0.3'] AS b")
    location = execution["ResultConfiguration"]["OutputLocation"]
    bucket, _, key = location.removeprefix("s3://").partition("/")
    text = world.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert text == '"a","b"\n"1.1","[0.3]"\n'


def test_columns_named_like_clauses_stay_columns(world: World) -> None:
    sql = "SELECT key, value, t.value FROM (VALUES (1, 2)) AS t (key, value)"
    assert world.rows(sql) == [(1, 2, 2)]
