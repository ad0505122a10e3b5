"""ALTER TABLE: columns, location and properties of Hive tables; the rest is handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import DdlFailure, unknown_statement
from runner.local.athena.hive import (
    open_cursor,
    take_column,
    take_columns,
    take_name,
    take_properties,
    take_table,
    take_text,
)
from runner.local.athena.session import Outcome
from runner.local.athena.statements import iceberg_alters
from runner.local.athena.statements.partitions import (
    add_partitions,
    alter_partition,
    drop_partitions,
    need,
)
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.session import Cursor, Session, Statement
    from runner.local.athena.tables import TableInfo

UNSUPPORTED: tuple[tuple[str, ...], ...] = (
    ("ARCHIVE",),
    ("CLUSTERED", "BY"),
    ("EXCHANGE",),
    ("NOT",),
    ("RENAME", "TO"),
    ("SET", "SERDEPROPERTIES"),
    ("SET", "SERDE"),
    ("SET", "SKEWED"),
    ("SKEWED", "BY"),
    ("TOUCH",),
    ("UNARCHIVE",),
    ("COMPACT",),
    ("CONCATENATE",),
    ("SET", "FILEFORMAT"),
)
"""What follows ALTER TABLE t [PARTITION (...)] in Hive, and the user guide lists as unsupported."""
_TRIES = 20
_KEPT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "TableType",
    "Parameters",
)


class _ConflictError(Exception):
    """Somebody else changed the table between its reading and its writing."""


def alter(session: Session, statement: Statement) -> Outcome:
    """Run any ALTER TABLE that Athena knows.

    Glue refuses what was computed from a table that has changed since: then it is done anew.
    """
    for _ in range(_TRIES):
        try:
            return _alter(session, statement)
        except _ConflictError as error:
            message = str(error)
    raise _unaltered(message)


def _alter(session: Session, statement: Statement) -> Outcome:
    cursor = open_cursor(statement)
    cursor.expect("ALTER", "TABLE")
    table = need(session, *take_table(cursor, session.database))
    if table.is_iceberg:
        return iceberg_alters.alter(session, table, cursor)
    if table.view is not None:
        raise DdlFailure(
            f"SemanticException [Error 10131]: To alter a view you need to use the ALTER VIEW "
            f"command: {table}"
        )
    return _alter_hive(session, table, cursor)


def _alter_hive(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    if cursor.accept("PARTITION"):
        return alter_partition(session, table, cursor)
    if cursor.accept("ADD", "COLUMNS"):
        return _set_columns(session, table, cursor, kind="ADD_COLUMNS")
    if cursor.accept("REPLACE", "COLUMNS"):
        return _set_columns(session, table, cursor, kind="REPLACE_COLUMNS")
    if cursor.accept("CHANGE"):
        return _change_column(session, table, cursor)
    if cursor.accept("ADD"):
        return add_partitions(session, table, cursor)
    return _set(session, table, cursor)


def _set(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    if cursor.accept("DROP"):
        return drop_partitions(session, table, cursor)
    if cursor.accept("SET", "TBLPROPERTIES"):
        given = take_properties(cursor)
        cursor.expect_end()
        _update(session, _found(session, table), parameters=given)
        return Outcome("DDL", "ALTER_TABLE_SET_TBLPROPERTIES")
    if cursor.accept("SET", "LOCATION"):
        location = take_text(cursor)
        cursor.expect_end()
        if not location.startswith("s3://"):
            raise DdlFailure(f"SemanticException {location} is not an S3 path")
        _update(session, _found(session, table), storage={"Location": location})
        return Outcome("DDL", "ALTER_TABLE_SET_LOCATION")
    if any(cursor.accept(*words) for words in UNSUPPORTED):
        raise unknown_statement()
    raise cursor.fault("Expecting: ADD, CHANGE, DROP, PARTITION, REPLACE or SET")


def _set_columns(session: Session, table: TableInfo, cursor: Cursor, *, kind: str) -> Outcome:
    found = _found(session, table)
    have = found["StorageDescriptor"]["Columns"] if kind == "ADD_COLUMNS" else []
    columns = added_columns(cursor, have, keys=[key.name for key in table.keys])
    cursor.expect_end()
    _update(session, found, storage={"Columns": columns})
    return Outcome("DDL", f"ALTER_TABLE_{kind}")


def added_columns(
    cursor: Cursor, have: Sequence[dict[str, Any]], *, keys: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Take columns and put them behind those that are there; no name may come twice."""
    columns = [*have, *take_columns(cursor)]
    names = [*keys, *(each["Name"].lower() for each in columns)]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise DdlFailure(f"SemanticException [Error 10036]: Duplicate column name: {name}")
    return columns


def _change_column(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    found = _found(session, table)
    columns, _, _ = changed_columns(cursor, found["StorageDescriptor"]["Columns"])
    cursor.expect_end()
    _update(session, found, storage={"Columns": columns})
    return Outcome("DDL", "ALTER_TABLE_CHANGE_COLUMN")


def changed_columns(
    cursor: Cursor, columns: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], str, dict[str, Any]]:
    """Take `[COLUMN] old new type [COMMENT text] [FIRST | AFTER name]`.

    Gives all columns anew, the old name, and the column as it was before.
    """
    cursor.accept("COLUMN")
    old = take_name(cursor)
    new: dict[str, Any] = take_column(cursor)
    before = next((each for each in columns if each["Name"].lower() == old), None)
    if before is None:
        raise DdlFailure(f"SemanticException [Error 10002]: Invalid column reference {old}")
    if new["Name"] != old and any(each["Name"].lower() == new["Name"] for each in columns):
        raise DdlFailure(f"SemanticException [Error 10036]: Duplicate column name: {new['Name']}")
    kept = {name: before[name] for name in ("Comment", "Parameters") if name in before}
    place = columns.index(before)
    rest = [each for each in columns if each is not before]
    if cursor.accept("FIRST"):
        place = 0
    elif cursor.accept("AFTER"):
        name = take_name(cursor)
        place = next((n for n, each in enumerate(rest, 1) if each["Name"].lower() == name), -1)
        if place < 0:
            raise DdlFailure(f"SemanticException [Error 10002]: Invalid column reference {name}")
    return [*rest[:place], {**kept, **new}, *rest[place:]], old, before


def _found(session: Session, table: TableInfo) -> dict[str, Any]:
    found: dict[str, Any] = session.catalog.get_table(DatabaseName=table.database, Name=table.name)[
        "Table"
    ]
    return found


def _update(
    session: Session,
    found: dict[str, Any],
    *,
    storage: dict[str, Any] | None = None,
    parameters: dict[str, str] | None = None,
) -> None:
    """Change a table that is still as it was found; raises _ConflictError if it is not."""
    kept = {name: found[name] for name in _KEPT if name in found}
    given = {
        **kept,
        "StorageDescriptor": {**found["StorageDescriptor"], **(storage or {})},
        "Parameters": {**(found.get("Parameters") or {}), **(parameters or {})},
    }
    try:
        session.catalog.update_table(
            DatabaseName=found["DatabaseName"], TableInput=given, VersionId=found["VersionId"]
        )
    except GlueError as error:
        if error.code == "ConcurrentModificationException":
            raise _ConflictError(error.message) from error
        raise _unaltered(error.message) from error


def _unaltered(message: str) -> DdlFailure:
    return DdlFailure(
        "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
        f"Unable to alter table. {message}"
    )
