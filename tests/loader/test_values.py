"""Values arrive exactly: nasty strings, NULL against empty, decimals, times, nested, bytes."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.loader.conftest import Lake, Mart

NASTY = [
    "",
    "NULL",
    "\\N",
    'a "quoted" one',
    "it's",
    "comma, semicolon; tab\t.",
    "line\nbreak\r\nand return",
    "back\\slash\\",
    "emoji 😀 and 漢字",
    " blanks ",
    "%s %(x)s",
    "x" * 100_000,
]

TYPED: list[tuple[str, str, Any, Any]] = [
    ("boolean", "true", 1, 1),
    ("tinyint", "(-128)::TINYINT", -128, -128),
    ("smallint", "32767::SMALLINT", 32767, 32767),
    ("int", "(-2147483648)::INTEGER", -2147483648, -2147483648),
    ("bigint", "9223372036854775807::BIGINT", 9223372036854775807, 9223372036854775807),
    ("double", "0.1::DOUBLE", 0.1, 0.1),
    ("double", "1.7976931348623157e308::DOUBLE", 1.7976931348623157e308, 1.7976931348623157e308),
    ("double", "'nan'::DOUBLE", None, None),
    ("double", "'-inf'::DOUBLE", None, None),
    ("real", "0.5::FLOAT", 0.5, 0.5),
    ("decimal(12,2)", "1234567890.12::DECIMAL(12,2)", 1234567890.12, Decimal("1234567890.12")),
    (
        "decimal(38,10)",
        "1234567890123456789012345678.0123456789::DECIMAL(38,10)",
        "1234567890123456789012345678.0123456789",
        Decimal("1234567890123456789012345678.0123456789"),
    ),
    ("date", "DATE '2013-01-31'", "2013-01-31", dt.date(2013, 1, 31)),
    (
        "timestamp",
        "TIMESTAMP '2013-01-31 23:59:59.123456'",
        "2013-01-31 23:59:59.123456",
        dt.datetime(2013, 1, 31, 23, 59, 59, 123456),
    ),
    (
        "timestamp(3)",
        "TIMESTAMP '2013-01-31 23:59:59.5'",
        "2013-01-31 23:59:59.5",
        dt.datetime(2013, 1, 31, 23, 59, 59, 500_000),
    ),
    (
        "timestamp",
        "make_timestamptz(1359676799123456)",
        "2013-01-31 23:59:59.123456",
        dt.datetime(2013, 1, 31, 23, 59, 59, 123456),
    ),
    ("varbinary", "'\\x00\\xFF,\"'::BLOB", b'\x00\xff,"', b'\x00\xff,"'),
    ("varchar(5)", "'abcde'", "abcde", "abcde"),
]


@pytest.mark.parametrize(("athena", "value", "sqlite", "mysql"), TYPED)
def test_a_value_of_each_type_and_its_null(
    mart: Mart, lake: Lake, athena: str, value: str, sqlite: object, mysql: object
) -> None:
    lake.columns, lake.partition, lake.files = {"n": "int", "x": athena}, None, {}
    lake.write("a", f"SELECT 1 AS n, {value} AS x UNION ALL SELECT 2, NULL")
    lake.load(mart)
    expected = sqlite if mart.engine == "sqlite" else mysql
    assert mart.query('SELECT x FROM "carrier_day" ORDER BY n') == [(expected,), (None,)]


def test_strings_arrive_to_the_byte(mart: Mart, lake: Lake) -> None:
    lake.columns, lake.partition, lake.files = {"n": "int", "s": "string"}, None, {}
    values = ", ".join(f"({n}, '{s.replace(chr(39), chr(39) * 2)}')" for n, s in enumerate(NASTY))
    lake.write("a", f"SELECT * FROM (VALUES {values}, (99, NULL)) t(n, s)")
    lake.load(mart)
    assert mart.query('SELECT s FROM "carrier_day" ORDER BY n') == [(s,) for s in [*NASTY, None]]


def test_nested_values_arrive_as_json(mart: Mart, lake: Lake) -> None:
    lake.columns = {"a": "array(integer)", "b": "struct<x:int,y:string>", "c": "map<string,int>"}
    lake.partition, lake.files = None, {}
    lake.write("a", "SELECT [1, NULL, 3] AS a, {'x': 1, 'y': 'ü\"'} AS b, MAP {'k': 2} AS c")
    lake.load(mart)
    ((a, b, c),) = mart.query('SELECT a, b, c FROM "carrier_day"')
    assert [json.loads(a), json.loads(b), json.loads(c)] == [
        [1, None, 3],
        {"x": 1, "y": 'ü"'},
        {"k": 2},
    ]


def test_names_are_quoted_whatever_they_are(mart: Mart, lake: Lake) -> None:
    lake.columns = {"order": "int", "select": "int", "filename": "int", "rows": "int"}
    lake.files = {}
    lake.write(
        "a", 'SELECT 1 AS "order", 2 AS "select", 3 AS filename, 4 AS "rows"', dt="2013-01-01"
    )
    for _ in range(2):
        lake.load(mart, days=["2013-01-01"], mart_table="group by", mode="merge", keys=["order"])
    assert mart.query('SELECT "order", "select", filename, "rows", dt FROM "group by"') == [
        (1, 2, 3, 4, "2013-01-01")
    ]


def test_keys_that_differ_only_in_case_or_blanks_are_two_rows(mart: Mart, lake: Lake) -> None:
    lake.columns, lake.partition, lake.files = {"k": "string", "v": "int"}, None, {}
    lake.write("a", "SELECT * FROM (VALUES ('a', 1), ('A', 2), ('a ', 3), ('ä', 4)) t(k, v)")
    for _ in range(2):
        lake.load(mart, mode="merge", keys=["k"])
    assert mart.query('SELECT k, v FROM "carrier_day" ORDER BY v') == [
        ("a", 1),
        ("A", 2),
        ("a ", 3),
        ("ä", 4),
    ]


def test_types_that_the_header_asks_for_make_the_table(mysql_mart: Mart, lake: Lake) -> None:
    columns = [
        {"name": "carrier", "athena_type": "varchar(2)", "mart_type": "CHAR(2)"},
        {"name": "flights", "athena_type": "bigint", "mart_type": "INT UNSIGNED"},
        {"name": "dt", "athena_type": "string", "mart_type": "DATE"},
    ]
    for _ in range(2):
        lake.load(mysql_mart, days=["2013-01-01"], columns=columns)
    assert mysql_mart.query("SELECT dt, carrier, flights FROM carrier_day ORDER BY 2") == [
        (dt.date(2013, 1, 1), "AA", 94),
        (dt.date(2013, 1, 1), "UA", 165),
    ]


def test_four_keys_of_text_fit_mysqls_index(mysql_mart: Mart, lake: Lake) -> None:
    lake.columns = dict.fromkeys("abcd", "string") | {"v": "int"}
    lake.partition, lake.files = None, {}
    lake.write("a", "SELECT 'a' AS a, 'b' AS b, 'c' AS c, 'd' AS d, 1 AS v")
    assert lake.load(mysql_mart, mode="merge", keys=list("abcd")).rows == 1
