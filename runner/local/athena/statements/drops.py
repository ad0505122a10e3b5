"""DROP TABLE and DROP VIEW: the catalogue forgets; the data stay, but for Iceberg tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, DdlFailure
from runner.local.athena.hive import open_cursor, take_table
from runner.local.athena.session import Outcome
from runner.local.athena.statements.iceberg import drop_data

if TYPE_CHECKING:
    from runner.local.athena.session import Session, Statement


def drop_table(session: Session, statement: Statement) -> Outcome:
    """Forget a table; a Hive table's data stay in S3, an Iceberg table's are deleted."""
    cursor = open_cursor(statement)
    cursor.expect("DROP", "TABLE")
    if_exists = cursor.accept("IF", "EXISTS")
    database, name = take_table(cursor, session.database)
    cursor.expect_end()
    table = session.planner.lookup(database, name)
    if table is None:
        if if_exists:
            return Outcome("DDL", "DROP_TABLE")
        raise DdlFailure(f"SemanticException [Error 10001]: Table not found {database}.{name}")
    session.catalog.delete_table(DatabaseName=database, Name=name)
    if table.is_iceberg:
        drop_data(session, table)
    return Outcome("DDL", "DROP_TABLE")


def drop_view(session: Session, statement: Statement) -> Outcome:
    """Forget a view."""
    cursor = open_cursor(statement)
    cursor.expect("DROP", "VIEW")
    if_exists = cursor.accept("IF", "EXISTS")
    database, name = take_table(cursor, session.database)
    cursor.expect_end()
    found = session.planner.lookup(database, name)
    if found is None and if_exists:
        return Outcome("DDL", "DROP_VIEW")
    if found is None or found.view is None:
        raise AthenaFailure(
            "TABLE_NOT_FOUND",
            f"View 'awsdatacatalog.{database}.{name}' does not exist",
            line=1,
            column=1,
        )
    session.catalog.delete_table(DatabaseName=database, Name=name)
    return Outcome("DDL", "DROP_VIEW")
