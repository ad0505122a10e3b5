"""UNLOAD: a query's rows become files below an empty prefix, and no table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.session import Cursor, Outcome, in_place
from runner.local.athena.statements.ctas import (
    check_empty,
    storable_fields,
    take_given,
    target_of,
)
from runner.local.athena.statements.outputs import check_names

if TYPE_CHECKING:
    from runner.local.athena.session import Session, Statement

_ALLOWED = frozenset(
    {"format", "compression", "compression_level", "field_delimiter", "partitioned_by"}
)


def unload(session: Session, statement: Statement) -> Outcome:
    """Run UNLOAD (query) TO 's3://...' WITH (format = ..., ...)."""
    query, cursor = take_query(statement)
    cursor.expect("TO")
    location = cursor.string()
    cursor.expect("WITH")
    properties = take_given(cursor, _ALLOWED)
    cursor.expect_end()
    if "format" not in properties.texts:
        raise AthenaFailure("INVALID_TABLE_PROPERTY", "UNLOAD needs the property format")
    if properties.texts["format"].upper() == "ION":
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            "Unable to set catalog 'awsdatacatalog' table property 'format' to ['ION']",
        )
    if not location.startswith("s3://"):
        raise AthenaFailure("INVALID_TABLE_PROPERTY", f"{location} is not a valid S3 path")
    plan = session.planner.plan(session.cursor, query, database=session.database)
    check_names(query, [column for column, _ in plan.columns])
    target = target_of(properties, storable_fields(plan.columns), location)
    check_empty(session, "UNLOAD", location)
    written = session.writer.write(session.cursor, plan.sql, target)
    return Outcome(
        "DML",
        "UNLOAD",
        bytes_scanned=plan.scanned(written.bytes_read),
        rows_written=written.rows,
        files=written.files,
    )


def take_query(statement: Statement) -> tuple[str, Cursor]:
    """Take the query between parentheses; gives what follows, too."""
    cursor = Cursor(statement)
    cursor.expect("UNLOAD", "(")
    begin, depth = cursor.rest()[1], 1
    while True:
        end = cursor.rest()[1]
        text = cursor.take().text
        depth += {"(": 1, ")": -1}.get(text, 0)
        if not depth:
            return in_place(statement.sql, begin)[:end], cursor
