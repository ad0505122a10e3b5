"""Tables and rows of a database, every value as text: hexadecimal digits where it is bytes.

In: a database of the environment.  Out: its tables with the types that an export gives their
columns, and rows, a batch at a time.  All tables are read in one transaction, so that they belong
together as those of a snapshot do.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from runner.local.loader.targets import MysqlTarget, SqliteTarget, resolve
from runner.local.rds.types import exported_type, sqlite_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.loader.mysql_session import Session
    from runner.local.loader.targets import Target

Row = tuple[str | None, ...]
BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is exported."""

    database: str
    name: str
    columns: tuple[tuple[str, str], ...]
    """Names and DuckDB's types."""
    unfit: str = ""
    """Why RDS leaves it out; empty if it does not."""


class Reader(Protocol):
    """A database that is open."""

    def tables(self) -> list[Table]:
        """Give its tables."""
        ...

    def batches(self, table: Table) -> Iterator[list[Row]]:
        """Give a table's rows."""
        ...


@contextmanager
def open_reader(target: Target, name: str) -> Iterator[Reader]:
    """Open a database; `name` is what a SQLite file is called in an export."""
    if isinstance(target, SqliteTarget):
        if not target.path.is_file():
            raise FileNotFoundError(f"there is no file {target.path}")
        uri = f"{target.path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("BEGIN")
            yield SqliteReader(connection, name)
        return
    from runner.local.loader.mysql_session import open_session  # noqa: PLC0415 - needs PyMySQL

    with open_session(target, f"the export of {name}") as session:
        session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        yield MysqlReader(session, _database_of(target))


def _database_of(target: MysqlTarget) -> str:
    return resolve(target.database, target.environ)


class SqliteReader:
    """A SQLite file."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        """Take an open connection, and what the database is called."""
        self._connection = connection
        self._name = name

    def tables(self) -> list[Table]:
        """Give its tables, in order of name."""
        found = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "ORDER BY name"
        ).fetchall()
        result = []
        for (name,) in found:
            info = self._connection.execute("SELECT name, type FROM pragma_table_info(?)", (name,))
            columns = tuple((column, sqlite_type(kind)) for column, kind in info)
            result.append(Table(self._name, name, columns, unfit(name, columns)))
        return result

    def batches(self, table: Table) -> Iterator[list[Row]]:
        """Give a table's rows."""
        chosen = ", ".join(_sqlite_text(name, kind) for name, kind in table.columns)
        cursor = self._connection.execute(f"SELECT {chosen} FROM {_quoted(table.name)}")
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield rows


def _sqlite_text(name: str, kind: str) -> str:
    column = _quoted(name)
    if kind == "BLOB":
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE hex({column}) END"
    if kind == "DOUBLE":
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE printf('%!.17g', {column}) END"
    return f"CAST({column} AS TEXT)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class MysqlReader:
    """MySQL or MariaDB."""

    def __init__(self, session: Session, database: str) -> None:
        """Take an open session."""
        self._session = session
        self._database = database

    def tables(self) -> list[Table]:
        """Give the database's tables, in order of name."""
        found: dict[str, list[tuple[str, str]]] = {}
        rows = self._session.all_rows(
            "SELECT c.table_name, c.column_name, c.column_type, c.numeric_precision, "
            "c.numeric_scale FROM information_schema.columns c JOIN information_schema.tables t "
            "ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
            "WHERE t.table_schema = %s AND t.table_type = 'BASE TABLE' "
            "ORDER BY c.table_name, c.ordinal_position",
            (self._database,),
        )
        for table, column, kind, precision, scale in rows:
            exported = exported_type(_text(kind), precision=precision, scale=scale)
            found.setdefault(table, []).append((column, exported))
        return [
            Table(self._database, name, tuple(columns), unfit(name, columns))
            for name, columns in found.items()
        ]

    def batches(self, table: Table) -> Iterator[list[Row]]:
        """Give a table's rows as the server sends them."""
        chosen = ", ".join(_mysql_text(name, kind) for name, kind in table.columns)
        place = f"{_ticked(table.database)}.{_ticked(table.name)}"
        yield from self._session.batches(f"SELECT {chosen} FROM {place}", BATCH_ROWS)


def _mysql_text(name: str, kind: str) -> str:
    column = _ticked(name)
    if kind == "BLOB":
        return f"HEX({column})"
    if kind == "DOUBLE":
        return f"CONCAT({column} + 0e0)"
    return f"CAST({column} AS CHAR)"


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


_UNFIT_COLUMN = frozenset(" ,;{}()=")


def unfit(name: str, columns: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    """Say why RDS leaves a table out: a name that Parquet, or a folder, cannot have.

    >>> unfit("a/b", ()), unfit("t", [("a b", "INTEGER")]), unfit("t", [("a", "INTEGER")])
    ('its name has a slash', 'the name of column a b has a blank or one of ,;{}()=', '')
    """
    if "/" in name:
        return "its name has a slash"
    bad = next((column for column, _ in columns if _UNFIT_COLUMN & set(column)), None)
    return f"the name of column {bad} has a blank or one of ,;{{}}()=" if bad is not None else ""
