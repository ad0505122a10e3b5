"""What GetQueryExecution calls a statement, from its first words."""

from __future__ import annotations

import pytest

from runner.local.athena.classify import classify
from runner.local.athena.lexer import tokenize

CASES = (
    ("SELECT 1", "DML SELECT"),
    ("select(1)", "DML SELECT"),
    ("/* {'a': \"b\"} */ -- c\n WITH a AS (SELECT 1) SELECT * FROM a", "DML SELECT"),
    ("(SELECT 1) UNION ALL (SELECT 2)", "DML SELECT"),
    ("VALUES 1", "DML SELECT"),
    ("TABLE t", "DML SELECT"),
    ("INSERT INTO t SELECT 1", "DML INSERT"),
    ("UPDATE t SET a = 1", "DML UPDATE"),
    ("DELETE FROM t", "DML DELETE"),
    ("MERGE INTO t USING u ON true", "DML MERGE"),
    ("UNLOAD (SELECT 1) TO 's3://b/'", "DML UNLOAD"),
    ("CREATE /* c */ TABLE t AS SELECT 1", "DDL CREATE_TABLE_AS_SELECT"),
    (
        'CREATE TABLE IF NOT EXISTS "d"."t" WITH (format = \'ORC\') AS SELECT 1',
        "DDL CREATE_TABLE_AS_SELECT",
    ),
    ("CREATE TABLE d.t (a int) LOCATION 's3://b/'", "DDL CREATE_TABLE"),
    ("CREATE TABLE IF NOT EXISTS t (a int)", "DDL CREATE_TABLE"),
    ("CREATE EXTERNAL TABLE t (a int)", "DDL CREATE_TABLE"),
    ("CREATE OR REPLACE VIEW v AS SELECT 1", "DDL CREATE_VIEW"),
    ("CREATE SCHEMA d", "DDL CREATE_DATABASE"),
    ("DROP TABLE IF EXISTS `t`", "DDL DROP_TABLE"),
    ("ALTER TABLE `d`.`t` ADD COLUMNS (a int)", "DDL ALTER_TABLE_ADD_COLUMN"),
    ("ALTER TABLE t ADD IF NOT EXISTS PARTITION (a = 1)", "DDL ALTER_TABLE_ADD_PARTITION"),
    ("ALTER TABLE t DROP PARTITION (a = 1)", "DDL ALTER_TABLE_DROP_PARTITION"),
    ("ALTER TABLE t SET TBLPROPERTIES ('a' = 'add column')", "DDL ALTER_TABLE_PROPERTIES"),
    ("ALTER TABLE t SET LOCATION 's3://b/'", "DDL ALTER_TABLE_SET_LOCATION"),
    ("MSCK REPAIR TABLE t", "DDL MSCK_REPAIR_TABLE"),
    ("SHOW TABLES IN d", "UTILITY SHOW_TABLES"),
    ("SHOW SCHEMAS", "UTILITY SHOW_DATABASES"),
    ("SHOW CREATE TABLE t", "UTILITY SHOW_CREATE_TABLE"),
    ("SHOW PARTITIONS t", "UTILITY SHOW_PARTITIONS"),
    ("DESC t", "UTILITY DESCRIBE_TABLE"),
    ("EXPLAIN SELECT 1", "UTILITY EXPLAIN"),
)


@pytest.mark.parametrize(("sql", "expected"), CASES)
def test_statements_are_told_apart(sql: str, expected: str) -> None:
    found = classify(tokenize(sql))
    assert found is not None
    assert f"{found.kind} {found.substatement}" == expected


@pytest.mark.parametrize("sql", ["", "; SELECT 1", "SELEC 1", "SHOW", "CREATE INDEX i"])
def test_what_is_no_statement_has_no_name(sql: str) -> None:
    assert classify(tokenize(sql)) is None
