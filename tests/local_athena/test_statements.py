"""DDL and utility statements, and the wording of refusals."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local_athena.conftest import World


def output(world: World, sql: str) -> list[list[str]]:
    execution = world.run(sql)
    results = world.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    return [
        [cell.get("VarCharValue", "").strip() for cell in row["Data"]]
        for row in results["ResultSet"]["Rows"]
    ]


ALB = r"""
CREATE EXTERNAL TABLE IF NOT EXISTS logs (
    `time` string COMMENT 'when',
    client struct<ip:string,port:int>
)
COMMENT 'a log'
PARTITIONED BY (day STRING)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ('serialization.format' = '1', 'input.regex' = '([^ ]*) \"(\\d+)\"')
LOCATION 's3://b/logs/'
TBLPROPERTIES ('projection.enabled' = 'true')
"""


def test_create_external_table_fills_the_catalogue(world: World) -> None:
    assert world.run(ALB)["StatementType"] == "DDL"
    table = world.catalog.get_table(DatabaseName="db", Name="logs")["Table"]
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert table["Description"] == "a log"
    assert table["PartitionKeys"] == [{"Name": "day", "Type": "string"}]
    storage = table["StorageDescriptor"]
    assert storage["Columns"] == [
        {"Name": "time", "Type": "string", "Comment": "when"},
        {"Name": "client", "Type": "struct<ip:string,port:int>"},
    ]
    assert storage["SerdeInfo"]["Parameters"]["input.regex"] == r'([^ ]*) "(\d+)"'
    assert table["Parameters"]["projection.enabled"] == "true"


def test_creating_twice(world: World) -> None:
    world.run(ALB)
    world.run(ALB)
    assert "Table logs already exists" in world.failure(ALB.replace("IF NOT EXISTS ", ""))


def test_views_are_stored_with_their_columns_and_read_through(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 7 AS n, 'x' AS s")
    world.run("CREATE OR REPLACE VIEW v AS SELECT n / 2 AS half, count(*) c FROM t GROUP BY 1")
    table = world.catalog.get_table(DatabaseName="db", Name="v")["Table"]
    assert table["TableType"] == "VIRTUAL_VIEW"
    assert table["ViewOriginalText"].startswith("/* Presto View: ")
    assert table["StorageDescriptor"]["Columns"] == [
        {"Name": "half", "Type": "int"},
        {"Name": "c", "Type": "bigint"},
    ]
    assert world.rows("SELECT half FROM db.v") == [(3,)]
    world.run("CREATE OR REPLACE VIEW v AS SELECT s FROM t")
    assert world.rows("SELECT * FROM v") == [("x",)]
    assert world.failure("CREATE VIEW v AS SELECT 1 AS x") == (
        "TABLE_ALREADY_EXISTS: line 1:1: View already exists: 'awsdatacatalog.db.v'"
    )
    world.run("DROP VIEW v")
    assert world.failure("DROP VIEW v").startswith("TABLE_NOT_FOUND: ")


def test_a_view_keeps_the_lines_that_end_its_query(world: World) -> None:
    world.run('CREATE OR REPLACE VIEW "v" AS \n  SELECT 1 AS n\n\n')
    text = world.catalog.get_table(DatabaseName="db", Name="v")["Table"]["ViewOriginalText"]
    kept = b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */"))
    assert json.loads(kept)["originalSql"] == "SELECT 1 AS n\n\n"
    assert world.rows("SELECT n + 1 FROM v") == [(2,)]


def test_a_view_over_a_missing_column_is_refused(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 7 AS n")
    assert world.failure("CREATE VIEW v AS\nSELECT m FROM t").startswith("COLUMN_NOT_FOUND: ")


def test_shows(world: World) -> None:
    world.run("CREATE DATABASE IF NOT EXISTS other COMMENT 'x' LOCATION 's3://b/other/'")
    world.run(
        "CREATE TABLE a1 WITH (external_location='s3://b/a/', partitioned_by=ARRAY['k']) AS "
        "SELECT 1 AS n, 'p q' AS k"
    )
    world.run("CREATE VIEW b1 AS SELECT n FROM a1")
    assert output(world, "SHOW DATABASES") == [["db"], ["other"]]
    assert output(world, "SHOW TABLES") == [["a1"], ["b1"]]
    assert output(world, "SHOW TABLES IN db 'a*'") == [["a1"]]
    assert output(world, "SHOW VIEWS") == [["b1"]]
    assert output(world, "SHOW COLUMNS IN a1") == [["n"], ["k"]]
    assert output(world, "SHOW PARTITIONS a1") == [["k=p q"]]
    assert output(world, "DESCRIBE db.a1")[:2] == [["n", "int", ""], ["k", "string", ""]]


def test_alter_table_sets_properties(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 1 AS n")
    world.run("ALTER TABLE t SET TBLPROPERTIES ('a' = 'b')")
    table = world.catalog.get_table(DatabaseName="db", Name="t")["Table"]
    assert table["Parameters"]["a"] == "b"
    assert table["Parameters"]["EXTERNAL"] == "TRUE"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT nope FROM t",
            (
                "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved or requester "
                "is not authorized to access requested resources"
            ),
        ),
        (
            "SELECT n\nFROM t\nWHERE nope > '2013-01-05'",
            (
                "COLUMN_NOT_FOUND: line 3:7: Column 'nope' cannot be resolved or requester "
                "is not authorized to access requested resources"
            ),
        ),
        (
            "SELECT *\nFROM\n  db.nope",
            "TABLE_NOT_FOUND: line 3:3: Table 'awsdatacatalog.db.nope' does not exist",
        ),
        (
            "SELECT list_sort(n) FROM t",
            "FUNCTION_NOT_FOUND: line 1:8: Function 'list_sort' not registered",
        ),
        (
            "SELECT render('a')",
            "NOT_SUPPORTED: line 1:8: Function 'render' is not supported by the local engine",
        ),
        (
            "CALL system.noop()",
            "NOT_SUPPORTED: line 1:1: CALL SYSTEM statement is not supported by the local engine",
        ),
        ("SELEKT 1", "SYNTAX_ERROR: line 1:1: mismatched input 'SELEKT'. Expecting: a statement"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("DROP TABLE nope", "FAILED: SemanticException [Error 10001]: Table not found db.nope"),
    ],
)
def test_wording(world: World, sql: str, reason: str) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 1 AS n")
    assert world.failure(sql) == reason
