"""SHOW TABLES, VIEWS, DATABASES, COLUMNS, PARTITIONS and TBLPROPERTIES: names, as rows of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.local.athena.errors import DdlFailure
from runner.local.athena.hive import check_catalog, open_cursor, take_name, take_table, take_text
from runner.local.athena.partitions import hive_folder
from runner.local.athena.session import Outcome
from runner.local.athena.sqltypes import SqlType
from runner.local.athena.statements.partitions import need, registered
from runner.local.athena.tables import VIEW
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.local.athena.session import Cursor, Session, Statement

_TEXT = SqlType("string")


def tables(session: Session, statement: Statement) -> Outcome:
    """SHOW TABLES [IN database] ['regular expression']."""
    return _named(session, statement, "TABLES", views_only=False)


def views(session: Session, statement: Statement) -> Outcome:
    """SHOW VIEWS [IN database] [LIKE 'regular expression']."""
    return _named(session, statement, "VIEWS", views_only=True)


def _named(session: Session, statement: Statement, word: str, *, views_only: bool) -> Outcome:
    cursor = open_cursor(statement)
    cursor.expect("SHOW", word)
    named = cursor.accept("IN") or cursor.accept("FROM")
    database = _database(cursor) if named else session.database
    pattern = _pattern(cursor)
    names: list[str] = []
    token = ""
    while True:
        try:
            page = session.catalog.get_tables(DatabaseName=database, NextToken=token)
        except GlueError as error:
            raise _no_database(database) from error
        names += [
            t["Name"] for t in page["TableList"] if not views_only or t.get("TableType") == VIEW
        ]
        token = page.get("NextToken", "")
        if not token:
            break
    return rows_of(f"SHOW_{word}", "tab_name", (n for n in names if _matches(pattern, n)))


def _database(cursor: Cursor) -> str:
    """Take a database's name, behind the catalogue's if that is given."""
    name = take_name(cursor)
    if not cursor.accept("."):
        return name
    check_catalog(name)
    return take_name(cursor)


def databases(session: Session, statement: Statement) -> Outcome:
    """SHOW {DATABASES | SCHEMAS} [IN catalog] [LIKE 'regular expression']."""
    cursor = open_cursor(statement)
    cursor.expect("SHOW")
    cursor.take()
    if cursor.accept("IN") or cursor.accept("FROM"):
        check_catalog(take_name(cursor))
    pattern = _pattern(cursor)
    found = session.catalog.get_databases()["DatabaseList"]
    names = (each["Name"] for each in found if _matches(pattern, each["Name"]))
    return rows_of("SHOW_DATABASES", "database_name", names)


def columns(session: Session, statement: Statement) -> Outcome:
    """SHOW COLUMNS {FROM | IN} table [{FROM | IN} database]."""
    cursor = open_cursor(statement)
    cursor.expect("SHOW", "COLUMNS")
    if not cursor.accept("FROM"):
        cursor.expect("IN")
    database, name = take_table(cursor, session.database)
    if cursor.accept("IN") or cursor.accept("FROM"):
        database = take_name(cursor)
    cursor.expect_end()
    table = need(session, database, name)
    return rows_of("SHOW_COLUMNS", "field", (f"{each.name:20}" for each in table.fields()))


def partitions(session: Session, statement: Statement) -> Outcome:
    """SHOW PARTITIONS table: the registered ones; projected ones are not listed."""
    cursor = open_cursor(statement)
    cursor.expect("SHOW", "PARTITIONS")
    table = need(session, *take_table(cursor, session.database))
    cursor.expect_end()
    if not table.keys:
        raise DdlFailure(
            "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            f"Table {table} is not a partitioned table"
        )
    found = (hive_folder(table.keys, each["Values"]) for each in registered(session, table))
    return rows_of("SHOW_PARTITIONS", "partition", (name.rstrip("/") for name in found))


def properties(session: Session, statement: Statement) -> Outcome:
    """SHOW TBLPROPERTIES table [('name')]: all with their values, or the value of one."""
    cursor = open_cursor(statement)
    cursor.expect("SHOW", "TBLPROPERTIES")
    table = need(session, *take_table(cursor, session.database))
    wanted = ""
    if cursor.accept("("):
        wanted = take_text(cursor)
        cursor.expect(")")
    cursor.expect_end()
    given = dict(table.parameters)
    if table.is_iceberg:
        from runner.local.athena.statements.show_create import (  # noqa: PLC0415 - it imports us
            shown_properties,
        )

        given = {**shown_properties(table), "table_type": "ICEBERG"}
    names = (("prpt_name", _TEXT), ("prpt_value", _TEXT))
    if wanted:
        value = given.get(wanted, f"Table {table} does not have property: {wanted}")
        return Outcome("UTILITY", "SHOW_TBLPROPERTIES", names[:1], ((value,),))
    return Outcome("UTILITY", "SHOW_TBLPROPERTIES", names, tuple(given.items()))


def rows_of(substatement: str, column: str, names: Iterable[str]) -> Outcome:
    """Give one column of text."""
    rows = tuple((name,) for name in names)
    return Outcome("UTILITY", substatement, ((column, _TEXT),), rows)


def _pattern(cursor: Cursor) -> str:
    cursor.accept("LIKE")
    pattern = "" if cursor.ended() else take_text(cursor)
    cursor.expect_end()
    return pattern


def _matches(pattern: str, name: str) -> bool:
    """Match as Hive does: `*` and `.*` are anything, `|` separates choices."""
    choices = (re.escape(each) for each in pattern.lower().replace(".*", "*").split("|"))
    wanted = "|".join(each.replace(r"\*", ".*") for each in choices)
    return not pattern or re.fullmatch(wanted, name) is not None


def _no_database(database: str) -> DdlFailure:
    return DdlFailure(f"SemanticException [Error 10072]: Database does not exist: {database}")
