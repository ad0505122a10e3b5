"""SHOW and DESCRIBE: what the catalogue knows, as rows of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.local.athena.errors import DdlFailure
from runner.local.athena.partitions import hive_folder
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import SqlType
from runner.local.athena.tables import VIEW
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import TableInfo

_TEXT = SqlType("varchar")


def tables(session: Session, statement: Statement) -> Outcome:
    """SHOW TABLES [IN database] ['regular expression']."""
    return _named(session, statement, "TABLES", views_only=False)


def views(session: Session, statement: Statement) -> Outcome:
    """SHOW VIEWS [IN database] [LIKE 'regular expression']."""
    return _named(session, statement, "VIEWS", views_only=True)


def _named(session: Session, statement: Statement, word: str, *, views_only: bool) -> Outcome:
    cursor = Cursor(statement)
    cursor.expect("SHOW", word)
    named = cursor.accept("IN") or cursor.accept("FROM")
    database = cursor.name() if named else session.database
    cursor.accept("LIKE")
    pattern = "" if cursor.ended() else cursor.string()
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
    return _rows(f"SHOW_{word}", "tab_name", (n for n in names if _matches(pattern, n)))


def databases(session: Session, statement: Statement) -> Outcome:
    """SHOW DATABASES ['regular expression']."""
    cursor = Cursor(statement)
    cursor.expect("SHOW")
    cursor.take()
    cursor.accept("LIKE")
    pattern = "" if cursor.ended() else cursor.string()
    found = session.catalog.get_databases()["DatabaseList"]
    names = (each["Name"] for each in found if _matches(pattern, each["Name"]))
    return _rows("SHOW_DATABASES", "database_name", names)


def columns(session: Session, statement: Statement) -> Outcome:
    """SHOW COLUMNS IN table [IN database]."""
    cursor = Cursor(statement)
    cursor.expect("SHOW", "COLUMNS")
    cursor.take()
    database, name = cursor.qualified(session.database)
    if cursor.accept("IN") or cursor.accept("FROM"):
        database = cursor.name()
    table = _need(session, database, name)
    return _rows("SHOW_COLUMNS", "field", (f"{each.name:20}" for each in table.fields()))


def partitions(session: Session, statement: Statement) -> Outcome:
    """SHOW PARTITIONS table: the registered ones; projected ones are not listed."""
    cursor = Cursor(statement)
    cursor.expect("SHOW", "PARTITIONS")
    table = _need(session, *cursor.qualified(session.database))
    if not table.keys:
        raise DdlFailure(f"Table {table} is not a partitioned table")
    names: list[str] = []
    token = ""
    while True:
        page = session.catalog.get_partitions(
            DatabaseName=table.database, TableName=table.name, NextToken=token
        )
        names += [hive_folder(table.keys, p["Values"]).rstrip("/") for p in page["Partitions"]]
        token = page.get("NextToken", "")
        if not token:
            return _rows("SHOW_PARTITIONS", "partition", names)


def describe(session: Session, statement: Statement) -> Outcome:
    """DESCRIBE [EXTENDED | FORMATTED] table: columns, then partition keys, as Hive prints them."""
    cursor = Cursor(statement)
    cursor.take()
    cursor.accept("EXTENDED")
    cursor.accept("FORMATTED")
    table = _need(session, *cursor.qualified(session.database))
    lines = [_line(each.name, each.type) for each in table.fields()]
    if table.keys:
        lines += [
            "\t \t ",
            _line("# Partition Information", "", ""),
            _line("# col_name", "data_type", "comment"),
        ]
        lines += [_line(each.name, each.type) for each in table.keys]
    rows = tuple(tuple(line.split("\t")) for line in lines)
    names = ("col_name", "data_type", "comment")
    return Outcome("UTILITY", "DESCRIBE_TABLE", tuple((n, _TEXT) for n in names), rows)


def _line(name: str, kind: str, comment: str = "") -> str:
    return f"{name:20}\t{kind:20}\t{comment:20}"


def _rows(substatement: str, column: str, names: Iterable[str]) -> Outcome:
    rows = tuple((name,) for name in names)
    return Outcome("UTILITY", substatement, ((column, _TEXT),), rows)


def _matches(pattern: str, name: str) -> bool:
    """Match as Hive does: `*` is anything, `|` separates choices."""
    return not pattern or re.fullmatch(pattern.replace("*", ".*"), name) is not None


def _need(session: Session, database: str, name: str) -> TableInfo:
    table = session.planner.lookup(database, name)
    if table is None:
        raise DdlFailure(f"SemanticException [Error 10001]: Table not found {database}.{name}")
    return table


def _no_database(database: str) -> DdlFailure:
    return DdlFailure(f"SemanticException [Error 10072]: Database does not exist: {database}")
