"""Statements: syntax, kind, tables, and output columns."""

from __future__ import annotations

import pickle

import pytest

from runner.errors import Place
from runner.model.header import Kind
from runner.model.project import Column
from tests.query.cases import PATH, analysed, faults_of, only_fault


@pytest.mark.parametrize(
    ("text", "line", "column", "found", "help_"),
    [
        ("SELECT a, FROM t", 1, 9, "a comma before FROM", "remove the comma"),
        ("SELECT f(a,) AS b FROM t", 1, 11, "a comma before )", "remove the comma"),
        ("SELECT a,, b FROM t", 1, 9, "a comma before ,", "remove the comma"),
        ("SELECT a FROM t GROUP BY", 1, 23, "BY without columns", "name the columns"),
        ("SELECT a == 1 AS b FROM t", 1, 10, "==", "write ="),
        ("selec a FROM t", 1, 1, "selec ...", "did you mean SELECT?"),
        ("SELECT a\nFRM t", 2, 1, "FRM here", "did you mean FROM?"),
        ("SELECT a FROM t\nWHERE x betwen 1 AND 2", 2, 9, "betwen here", "BETWEEN"),
        ("SELECT (a FROM t", 1, 11, "FROM here", "look for"),
        ("SELECT a FROM t WHERE", 1, 17, "the statement ends after WHERE", "complete"),
        ("SELECT a FROM t WHERE (b = 1", 1, 28, "the statement ends after 1", "complete"),
        ("SELECT a FROM t)", 1, 16, ") here", "look for"),
        ("SELECT CASE WHEN a THEN b FROM t", 1, 25, "b here", "look for"),
    ],
)
def test_syntax(text: str, line: int, column: int, found: str, help_: str) -> None:
    fault = only_fault(lambda: analysed(text))
    assert (fault.code, fault.place) == ("sql-syntax", Place(PATH, line, column))
    assert fault.found == found
    assert help_ in fault.advice


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (Kind.INSERT, "SELECT 1 AS a; SELECT 2 AS a", "sql-statements"),
        (Kind.CTAS, "CREATE TABLE a AS SELECT 1 AS a", "sql-kind"),
        (Kind.INSERT, "INSERT INTO a SELECT 1 AS a", "sql-kind"),
        (Kind.VIEW, "DROP TABLE a", "sql-kind"),
        (Kind.DDL, "SELECT 1 AS a", "sql-kind"),
        (Kind.DDL, "CREATE TABLE marts.x (a int)", "sql-kind"),
        (Kind.DDL, "CREATE VIEW marts.x AS SELECT 1 AS a", "sql-kind"),
        (Kind.DDL, "CREATE EXTERNAL TABLE marts.y (a int) LOCATION 's3://b/'", "ddl-name"),
        (Kind.DDL, "CREATE EXTERNAL TABLE y (a int) LOCATION 's3://b/'", "ddl-name"),
        (Kind.VIEW, "SELECT '{{ start }}' AS a", "mark-without-window"),
        (Kind.INSERT, "SELECT count(*) FROM t", "column-unnamed"),
        (Kind.INSERT, "SELECT a, A FROM t", "column-twice"),
        (Kind.INSERT, "VALUES (1)", "column-unnamed"),
        (Kind.INSERT, "SELECT a FROM t JOIN t USING (a)", "alias-twice"),
        (Kind.INSERT, "SELECT a FROM staging.t JOIN t USING (a)", "alias-twice"),
        (Kind.INSERT, "SELECT 1 AS a FROM t x, (SELECT 1 AS b) x", "alias-twice"),
    ],
)
def test_one_statement_of_the_right_kind(kind: Kind, text: str, code: str) -> None:
    assert [fault.code for fault in faults_of(lambda: analysed(text, kind=kind))] == [code]


def test_faults_of_output_columns_are_collected() -> None:
    faults = faults_of(lambda: analysed("SELECT a, a, b + 1,\n 2 FROM t"))
    assert [(fault.code, fault.place.line, fault.place.column) for fault in faults] == [
        ("column-twice", 1, 11),
        ("column-unnamed", 1, 14),
        ("column-unnamed", 2, 2),
    ]


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("SELECT a FROM flights", ["marts.flights"]),
        ("SELECT a FROM staging.flights f JOIN raw.b USING (a)", ["staging.flights", "raw.b"]),
        ('SELECT a FROM "Staging"."Flights"', ["staging.flights"]),
        ("WITH q AS (SELECT a FROM staging.b) SELECT a FROM q", ["staging.b"]),
        ("WITH q AS (SELECT a FROM q) SELECT a FROM q", ["marts.q"]),
        ("WITH RECURSIVE q(a) AS (SELECT 1 UNION ALL SELECT a FROM q) SELECT a FROM q", []),
        (
            "WITH q AS (SELECT a FROM r), r AS (SELECT a FROM q) SELECT a FROM r",
            ["marts.r"],
        ),
        ("SELECT a FROM (WITH q AS (SELECT 1 AS a) SELECT a FROM q), q", ["marts.q"]),
        ("WITH q AS (SELECT 1 AS a) SELECT a FROM marts.q", ["marts.q"]),
        ("WITH q AS (SELECT 1 AS a) SELECT a FROM t WHERE a IN (SELECT a FROM q)", ["marts.t"]),
        ("SELECT a FROM t CROSS JOIN UNNEST(b) AS u(a)", ["marts.t"]),
        ("SELECT a FROM awsdatacatalog.staging.b", ["staging.b"]),
        ("SELECT a FROM other.staging.b", ["other.staging.b"]),
        ('SELECT dt FROM staging."b$partitions"', ["staging.b"]),
        ("SELECT 'FROM x' AS a -- FROM y", []),
        ("SELECT a FROM (VALUES (1)) AS v(a)", []),
    ],
)
def test_semantics_26_names(text: str, tables: list[str]) -> None:
    _, analysis = analysed(text)
    assert [mention.table for mention in analysis.mentions] == tables


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("SELECT a, t.b, c + 1 AS D, 'x' AS \"E\" FROM t", ["a", "b", "d", "e"]),
        ("SELECT *, 1 AS n FROM t", ["*", "n"]),
        ("SELECT t.* FROM t", ["t.*"]),
        ("WITH q AS (SELECT 1 AS z) SELECT z AS y FROM q", ["y"]),
        ("SELECT a FROM t UNION ALL SELECT b FROM t", ["a"]),
    ],
)
def test_output_columns(text: str, columns: list[str]) -> None:
    _, analysis = analysed(text)
    assert [column.name for column in analysis.columns] == columns


DDL = """CREATE EXTERNAL TABLE IF NOT EXISTS marts.x (
  `id` bigint, tags array<struct<a:int,b:string>>, price decimal(10,2), name varchar(20)
)
PARTITIONED BY (dt string, hour int)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ('input.regex'='([^ ]*) \\'(\\\\d+)\\'')
LOCATION 's3://raw/x/'
TBLPROPERTIES ('projection.enabled'='true')"""


def test_external_table() -> None:
    result, analysis = analysed(DDL, kind=Kind.DDL)
    assert analysis.columns == (
        Column("id", "bigint"),
        Column("tags", "array<struct<a:int,b:string>>"),
        Column("price", "decimal(10,2)"),
        Column("name", "varchar(20)"),
        Column("dt", "string"),
        Column("hour", "int"),
    )
    assert analysis.partition_columns == ("dt", "hour")
    assert analysis.location == "s3://raw/x/"
    assert [(mention.table, mention.is_target) for mention in analysis.mentions] == [
        ("marts.x", True)
    ]
    assert result.sample == DDL


def test_an_analysis_is_a_plain_value() -> None:
    _, analysis = analysed("SELECT a FROM staging.b WHERE dt >= '{{ start }}'")
    copy = pickle.loads(pickle.dumps(analysis))  # noqa: S301 - our own bytes
    assert copy == analysis
    assert hash(copy) == hash(analysis)
