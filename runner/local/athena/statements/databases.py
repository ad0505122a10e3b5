"""CREATE and DROP DATABASE (or SCHEMA)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import DdlFailure
from runner.local.athena.session import Cursor, Outcome
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.athena.session import Session, Statement


def create(session: Session, statement: Statement) -> Outcome:
    """Make a database, with COMMENT, LOCATION and DBPROPERTIES."""
    cursor = Cursor(statement)
    cursor.expect("CREATE")
    cursor.take()
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    given: dict[str, Any] = {"Name": cursor.name()}
    while not cursor.ended():
        if cursor.accept("COMMENT"):
            given["Description"] = cursor.string()
        elif cursor.accept("LOCATION"):
            given["LocationUri"] = cursor.string()
        else:
            cursor.expect("WITH", "DBPROPERTIES", "(")
            given["Parameters"] = _properties(cursor)
    try:
        session.catalog.create_database(DatabaseInput=given)
    except GlueError as error:
        if not if_not_exists:
            raise DdlFailure(
                "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
                f"Database {given['Name']} already exists"
            ) from error
    return Outcome("DDL", "CREATE_DATABASE")


def drop(session: Session, statement: Statement) -> Outcome:
    """Drop a database; one with tables only with CASCADE."""
    cursor = Cursor(statement)
    cursor.expect("DROP")
    cursor.take()
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.name()
    cascade = cursor.accept("CASCADE")
    try:
        tables = session.catalog.get_tables(DatabaseName=name)["TableList"]
    except GlueError as error:
        if if_exists:
            return Outcome("DDL", "DROP_DATABASE")
        raise DdlFailure(
            f"SemanticException [Error 10072]: Database does not exist: {name}"
        ) from error
    if tables and not cascade:
        raise DdlFailure(
            "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            f"InvalidOperationException(message:Database {name} is not empty. One or more tables "
            "exist.)"
        )
    session.catalog.delete_database(Name=name)
    return Outcome("DDL", "DROP_DATABASE")


def _properties(cursor: Cursor) -> dict[str, str]:
    found: dict[str, str] = {}
    while not cursor.accept(")"):
        name = cursor.string()
        cursor.expect("=")
        found[name] = cursor.string()
        cursor.accept(",")
    return found
