"""MSCK REPAIR TABLE and ALTER TABLE: registered partitions and table properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import DdlFailure, unsupported
from runner.local.athena.partitions import hive_folder, unescape_value
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.statements.iceberg import alter as alter_iceberg
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from pathlib import Path

    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import TableInfo


def repair(session: Session, statement: Statement) -> Outcome:
    """Register the Hive-style folders that the catalogue does not know; removes nothing."""
    cursor = Cursor(statement)
    cursor.expect("MSCK", "REPAIR", "TABLE")
    table = _need(session, *cursor.qualified(session.database))
    cursor.expect_end()
    top = session.s3.path_of(table.location)
    for values in _folders(top, [key.name for key in table.keys]):
        _add(session, table, values, "", if_not_exists=True)
    return Outcome("DDL", "MSCK_REPAIR_TABLE")


def _folders(top: Path, keys: list[str]) -> list[list[str]]:
    if not keys:
        return [[]]
    found = []
    prefix = f"{keys[0]}="
    for folder in sorted(top.iterdir()) if top.is_dir() else ():
        if folder.is_dir() and folder.name.lower().startswith(prefix):
            text = folder.name[len(prefix) :]
            value = unescape_value(text)
            rest = _folders(folder, keys[1:])
            found += [[text if value is None else value, *each] for each in rest]
    return found


def alter(session: Session, statement: Statement) -> Outcome:
    """ADD and DROP PARTITION, SET TBLPROPERTIES, SET LOCATION."""
    cursor = Cursor(statement)
    cursor.expect("ALTER", "TABLE")
    table = _need(session, *cursor.qualified(session.database))
    if table.is_iceberg:
        return alter_iceberg(session, statement)
    if cursor.accept("ADD"):
        return _add_partitions(session, table, cursor)
    if cursor.accept("DROP"):
        return _drop_partitions(session, table, cursor)
    if cursor.accept("SET", "TBLPROPERTIES"):
        return _set_properties(session, table, cursor)
    raise unsupported("This ALTER TABLE statement", line=1, column=1)


def _add_partitions(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    if not cursor.accept("PARTITION"):
        raise unsupported("This ALTER TABLE ... ADD", line=1, column=1)
    while True:
        values = _spec(cursor, table)
        location = cursor.string() if cursor.accept("LOCATION") else ""
        _add(session, table, values, location, if_not_exists=if_not_exists)
        if not cursor.accept("PARTITION"):
            cursor.expect_end()
            return Outcome("DDL", "ALTER_TABLE_ADD_PARTITION")


def _drop_partitions(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    if_exists = cursor.accept("IF", "EXISTS")
    while True:
        cursor.expect("PARTITION")
        values = _spec(cursor, table)
        try:
            session.catalog.delete_partition(
                DatabaseName=table.database, TableName=table.name, PartitionValues=values
            )
        except GlueError as error:
            if not if_exists:
                raise DdlFailure(f"SemanticException Partition not found {values}") from error
        if not cursor.accept(","):
            cursor.expect_end()
            return Outcome("DDL", "ALTER_TABLE_DROP_PARTITION")


def _set_properties(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    cursor.expect("(")
    given: dict[str, str] = {}
    while not cursor.accept(")"):
        name = cursor.string()
        cursor.expect("=")
        given[name] = cursor.string()
        cursor.accept(",")
    found = session.catalog.get_table(DatabaseName=table.database, Name=table.name)["Table"]
    kept = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Description")
    update: dict[str, Any] = {name: found[name] for name in kept if name in found}
    session.catalog.update_table(
        DatabaseName=table.database,
        TableInput={**update, "Parameters": {**(found.get("Parameters") or {}), **given}},
        VersionId=found["VersionId"],
    )
    return Outcome("DDL", "ALTER_TABLE_SET_TBLPROPERTIES")


def _spec(cursor: Cursor, table: TableInfo) -> list[str]:
    """Take `(dt = '2013-01-01', n = 1)`; gives the values in the keys' order."""
    cursor.expect("(")
    given: dict[str, str] = {}
    while not cursor.accept(")"):
        name = cursor.name()
        cursor.expect("=")
        token = cursor.take()
        given[name] = token.literal() if token.kind in {"string", "quoted"} else token.text
        cursor.accept(",")
    if set(given) != {key.name for key in table.keys}:
        raise DdlFailure(f"ValidationException Partition spec {given} does not match the table's")
    return [given[key.name] for key in table.keys]


def _add(
    session: Session, table: TableInfo, values: list[str], location: str, *, if_not_exists: bool
) -> None:
    place = location or table.location.rstrip("/") + "/" + hive_folder(table.keys, values)
    try:
        session.catalog.create_partition(
            DatabaseName=table.database,
            TableName=table.name,
            PartitionInput={"Values": values, "StorageDescriptor": {"Location": place}},
        )
    except GlueError as error:
        if not if_not_exists:
            raise DdlFailure(f"AlreadyExistsException {error.message}") from error


def _need(session: Session, database: str, name: str) -> TableInfo:
    table = session.planner.lookup(database, name)
    if table is None:
        raise DdlFailure(f"SemanticException [Error 10001]: Table not found {database}.{name}")
    return table
