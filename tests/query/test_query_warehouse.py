"""Personal data through statements of Redshift, and what brings nothing out of the lake."""

# ruff: noqa: E501 - a statement is easier to judge in one line
from __future__ import annotations

import pytest

from runner.model.project import Column
from runner.query import external_schemas, trace_statement

TAGGED = {"lake.people": frozenset({"email"}), "lake.others": frozenset({"name"})}
COLUMNS = {"lake.people": tuple(map(Column, ("id", "email", "dt")))}


@pytest.mark.parametrize(
    ("statement", "outputs"),
    [
        ("INSERT INTO d (a, b) SELECT dt, p.email FROM lake.people p WHERE dt >= :start", ["email"]),
        ('INSERT INTO d SELECT * FROM "lake"."people"', ["email"]),
        ("INSERT INTO d WITH q AS (SELECT email AS m FROM LAKE.People) SELECT m FROM q", ["m"]),
        ("INSERT INTO d VALUES ((SELECT max(email) FROM lake.people))", [""]),
        ("CREATE TABLE d AS SELECT upper(email) AS e FROM lake.people", ["e"]),
        ("CREATE TEMP TABLE d AS (SELECT email FROM lake.people)", ["email"]),
        ("CREATE MATERIALIZED VIEW v AS SELECT email FROM lake.people", ["email"]),
        ("CREATE VIEW v AS SELECT email FROM lake.people WITH NO SCHEMA BINDING", ["email"]),
        ("SELECT email INTO d FROM lake.people", ["email"]),
        ("INSERT INTO d SELECT sha2(email, 256) AS h FROM lake.people", ["h"]),
        ("UNLOAD ('select email from lake.people where dt = ''x''') TO 's3://x/'", ["email"]),
        ("UNLOAD ($$select email from lake.people$$) TO 's3://x/'", ["email"]),
        ("MERGE INTO d USING lake.people s ON d.i = s.id WHEN MATCHED THEN UPDATE SET m = s.email", ["email"]),
        ("MERGE INTO d USING (SELECT id, email AS m FROM lake.people) s ON d.i = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.m)", ["m"]),
        ("UPDATE d SET m = s.email FROM lake.people s WHERE s.id = d.id", ["email"]),
        ("UPDATE d SET m = (SELECT max(email) FROM lake.people)", [""]),
    ],
)  # fmt: skip
def test_what_takes_a_column_out(statement: str, outputs: list[str]) -> None:
    lineage = trace_statement(statement, tagged=TAGGED, schemas=COLUMNS)
    assert lineage.lost == ""
    assert [one.output for one in lineage.carried] == outputs
    for one in lineage.carried:
        assert (one.table, one.column) == ("lake.people", "email")
        said = statement[one.offset :].strip('"').lower()
        assert said.startswith(("email", "p.email", "s.email", "lake", "q.m", "s.m", "m"))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO d SELECT dt, count(email) FROM lake.people GROUP BY dt",
        "INSERT INTO d SELECT id FROM lake.people WHERE email LIKE '%x'",
        "INSERT INTO d SELECT /*mask:custom*/ length(email) /*mask:end*/ AS n FROM lake.people",
        "INSERT INTO d SELECT email FROM other.people",
        "INSERT INTO d SELECT email FROM lake.peoples",
        "UNLOAD ('select id from lake.people where dt = ''x''') TO 's3://x/'",
        "MERGE INTO d USING lake.people s ON d.m = s.email WHEN MATCHED THEN UPDATE SET i = s.id",
        "UPDATE d SET i = s.id FROM lake.people s WHERE s.email = d.m",
        "DELETE FROM d USING lake.people s WHERE s.email = d.m",
        "GRANT SELECT ON lake.people TO x",
        "ANALYZE lake.people",
        "ALTER TABLE lake.people ADD PARTITION (dt = 'x') LOCATION 's3://x/'",
        "SELECT dt -- email of lake.people\nFROM lake.people",
    ],
)
def test_what_takes_nothing_out(statement: str) -> None:
    lineage = trace_statement(statement, tagged=TAGGED, schemas=COLUMNS)
    assert (lineage.carried, lineage.lost) == ((), "")


@pytest.mark.parametrize(
    "statement",
    [
        "CALL copy_all('lake.people')",
        "INSERT INTO d SELECT ((email FROM lake.people",
        "INSERT INTO d SELECT 1 AS a UNION ALL SELECT * FROM lake.others",
    ],
)
def test_what_cannot_be_followed(statement: str) -> None:
    lineage = trace_statement(statement, tagged=TAGGED, schemas=COLUMNS)
    assert lineage.lost
    assert lineage.carried == ()


def test_schemas_over_the_catalogue() -> None:
    statement = """CREATE EXTERNAL SCHEMA IF NOT EXISTS "Lake" FROM DATA CATALOG DATABASE 'raw'
        IAM_ROLE 'arn:aws:iam::123456789012:role/r'; CREATE EXTERNAL SCHEMA x FROM KINESIS"""
    assert external_schemas(statement) == (("lake", "raw"),)
