"""CREATE, ALTER and DROP DATABASE (or SCHEMA)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import DdlFailure
from runner.local.athena.hive import open_cursor, take_name, take_properties, take_text
from runner.local.athena.session import Outcome
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.athena.session import Session, Statement

_DDL_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


def create(session: Session, statement: Statement) -> Outcome:
    """Make a database, with COMMENT, LOCATION and DBPROPERTIES."""
    cursor = open_cursor(statement)
    cursor.expect("CREATE")
    cursor.take()
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    given: dict[str, Any] = {"Name": take_name(cursor)}
    if cursor.accept("COMMENT"):
        given["Description"] = take_text(cursor)
    if cursor.accept("LOCATION"):
        given["LocationUri"] = take_text(cursor)
    if cursor.accept("WITH", "DBPROPERTIES"):
        given["Parameters"] = take_properties(cursor)
    cursor.expect_end()
    try:
        session.catalog.create_database(DatabaseInput=given)
    except GlueError as error:
        if not if_not_exists:
            raise DdlFailure(f"{_DDL_TASK}Database {given['Name']} already exists") from error
    return Outcome("DDL", "CREATE_DATABASE")


def alter(session: Session, statement: Statement) -> Outcome:
    """Add properties to a database, or change them."""
    cursor = open_cursor(statement)
    cursor.expect("ALTER")
    cursor.take()
    name = take_name(cursor)
    cursor.expect("SET", "DBPROPERTIES")
    properties = take_properties(cursor)
    cursor.expect_end()
    try:
        found = session.catalog.get_database(Name=name)["Database"]
    except GlueError as error:
        raise _missing(name) from error
    kept = {key: found[key] for key in ("Name", "Description", "LocationUri") if key in found}
    given = {**kept, "Parameters": {**(found.get("Parameters") or {}), **properties}}
    session.catalog.update_database(Name=name, DatabaseInput=given)
    return Outcome("DDL", "ALTER_DATABASE")


def drop(session: Session, statement: Statement) -> Outcome:
    """Drop a database; one with tables only with CASCADE."""
    cursor = open_cursor(statement)
    cursor.expect("DROP")
    cursor.take()
    if_exists = cursor.accept("IF", "EXISTS")
    name = take_name(cursor)
    cascade = cursor.accept("CASCADE")
    if not cascade:
        cursor.accept("RESTRICT")
    cursor.expect_end()
    try:
        tables = session.catalog.get_tables(DatabaseName=name)["TableList"]
    except GlueError as error:
        if if_exists:
            return Outcome("DDL", "DROP_DATABASE")
        raise _missing(name) from error
    if tables and not cascade:
        raise DdlFailure(
            f"{_DDL_TASK}InvalidOperationException(message:Database {name} is not empty. One or "
            "more tables exist.)"
        )
    session.catalog.delete_database(Name=name)
    return Outcome("DDL", "DROP_DATABASE")


def _missing(name: str) -> DdlFailure:
    return DdlFailure(f"SemanticException [Error 10072]: Database does not exist: {name}")
