"""CREATE [OR REPLACE] VIEW: the text and the columns' types go into the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.statements.outputs import check_names
from runner.local.athena.tables import VIEW, view_text
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.athena.session import Session, Statement


def create(session: Session, statement: Statement) -> Outcome:
    """Make or replace a view; its query is bound, so that a wrong one fails here."""
    cursor = Cursor(statement)
    cursor.expect("CREATE")
    replace = cursor.accept("OR", "REPLACE")
    cursor.expect("VIEW")
    database, name = cursor.qualified(session.database)
    comment = cursor.string() if cursor.accept("COMMENT") else ""
    cursor.expect("AS")
    sql, query = cursor.rest()[0], cursor.rest_in_place()
    _refuse_lateral_view(cursor)
    before = session.planner.lookup(database, name)
    if before is not None and (not replace or before.view is None):
        kind = "View" if before.view else "Table"
        raise AthenaFailure(
            "TABLE_ALREADY_EXISTS",
            f"{kind} already exists: 'awsdatacatalog.{database}.{name}'",
            line=1,
            column=1,
        )
    plan = session.planner.plan(session.cursor, query, database=session.database)
    check_names(sql, [column for column, _ in plan.columns])
    if before is not None and (database, name) in session.planner.reads(
        session.cursor, sql, database=session.database
    ):
        raise AthenaFailure(
            "VIEW_IS_RECURSIVE", "Statement would create a recursive view", line=1, column=1
        )
    columns = tuple((column, parse_type(kind)) for column, kind in plan.declared_columns())
    given: dict[str, Any] = {
        "Name": name,
        "TableType": VIEW,
        "Parameters": {"comment": "Presto View", "presto_view": "true"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": kind.hive()} for column, kind in columns],
            "Location": "",
        },
        "ViewOriginalText": view_text(
            sql,  # with the lines that end it: clients show them again
            session.database,
            tuple((column, kind.trino()) for column, kind in columns),
        ),
        "ViewExpandedText": "/* Presto View */",
    }
    if comment:
        given["Description"] = comment
    try:
        if before is None:
            session.catalog.create_table(DatabaseName=database, TableInput=given)
        else:
            session.catalog.update_table(DatabaseName=database, TableInput=given, SkipArchive=True)
    except GlueError as error:
        raise AthenaFailure("SCHEMA_NOT_FOUND", error.message, line=1, column=1) from error
    return Outcome("DDL", "CREATE_VIEW")


def _refuse_lateral_view(cursor: Cursor) -> None:
    """Refuse Hive's LATERAL VIEW, which is no SQL of Athena's queries."""
    while not cursor.ended():
        if cursor.take().word() == "LATERAL":
            token = cursor.peek()
            if token is not None and token.word() == "VIEW":
                raise cursor.fault("Expecting: '('")
