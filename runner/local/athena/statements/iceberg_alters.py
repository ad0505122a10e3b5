"""ALTER TABLE of an Iceberg table: columns, properties and its name.

A column that is dropped, renamed or given a wider type changes what the data files must hold, and
our files know columns by their names alone: they are written anew in the same commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import DdlFailure, unsupported
from runner.local.athena.hive import take_columns, take_name, take_properties, take_table, take_text
from runner.local.athena.iceberg import CURRENT, column_of, commit, open_table, parts_of
from runner.local.athena.readers import scan_sql
from runner.local.athena.session import Outcome
from runner.local.athena.statements.iceberg import PROPERTIES, check_type, write_files
from runner.local.athena.tables import Field
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.iceberg import Opened
    from runner.local.athena.session import Cursor, Session
    from runner.local.athena.tables import TableInfo

_WIDER = {("int", "bigint"), ("float", "double")}


def alter(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    """Run what follows ALTER TABLE t."""
    opened = open_table(session, table.database, table.name)
    if cursor.accept("ADD", "COLUMNS"):
        return _add(session, opened, cursor)
    if cursor.accept("DROP", "COLUMN") or cursor.accept("DROP"):
        return _drop(session, opened, cursor)
    if cursor.accept("CHANGE"):
        return _change(session, opened, cursor)
    return _alter_table(session, opened, cursor)


def _alter_table(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    if cursor.accept("SET", "TBLPROPERTIES"):
        given = take_properties(cursor)
        cursor.expect_end()
        _check_properties(given)
        _set(session, opened, {**(opened.glue.get("Parameters") or {}), **_kept(given)})
        return Outcome("DDL", "ALTER_TABLE_SET_TBLPROPERTIES")
    if cursor.accept("UNSET", "TBLPROPERTIES"):
        return _unset(session, opened, cursor)
    if cursor.accept("RENAME", "TO"):
        return _rename(session, opened, cursor)
    raise unsupported("This ALTER TABLE statement of an Iceberg table", line=1, column=1)


def _columns(opened: Opened) -> list[dict[str, Any]]:
    return list(opened.glue["StorageDescriptor"]["Columns"])


def _add(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    columns = _columns(opened)
    new = take_columns(cursor)
    cursor.expect_end()
    for each in new:
        if any(each["Name"] == other["Name"].lower() for other in columns):
            raise DdlFailure(f"Cannot add column, name already exists: {each['Name']}")
        check_type(each["Type"])
        columns.append({**each, "Parameters": dict(CURRENT)})
    commit(session, opened, operation="alter", files=opened.snapshot.files, columns=columns)
    return Outcome("DDL", "ALTER_TABLE_ADD_COLUMNS")


def _drop(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    name = take_name(cursor)
    cursor.expect_end()
    have = _columns(opened)
    columns = [each for each in have if each["Name"].lower() != name]
    if len(columns) == len(have):
        raise DdlFailure(f"SemanticException Cannot delete missing column: {name}")
    if name in map(column_of, opened.snapshot.partition):
        raise DdlFailure(f"SemanticException Cannot drop the partition column {name}")
    _rewrite(session, opened, columns, [(each["Name"].lower(),) * 2 for each in columns])
    return Outcome("DDL", "ALTER_TABLE_DROP_COLUMN")


def _change(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    from runner.local.athena.statements.alters import changed_columns  # noqa: PLC0415 - a cycle

    columns, old, before = changed_columns(cursor, _columns(opened))
    cursor.expect_end()
    names = {each["Name"].lower() for each in _columns(opened)}
    new = next((each for each in columns if each["Name"].lower() not in names), None)
    name = new["Name"] if new else old
    kind = next(each["Type"] for each in columns if each["Name"].lower() == name)
    check_type(kind)
    if kind != before["Type"] and not _widens(before["Type"], kind):
        raise DdlFailure(
            f"SemanticException Cannot change column type: {old}: {before['Type']} -> {kind}"
        )
    if name != old and old in map(column_of, opened.snapshot.partition):
        raise DdlFailure(f"SemanticException Cannot rename the partition column {old}")
    pairs = [(n, old if n == name else n) for n in (each["Name"].lower() for each in columns)]
    _rewrite(session, opened, columns, pairs)
    return Outcome("DDL", "ALTER_TABLE_CHANGE_COLUMN")


def _widens(old: str, new: str) -> bool:
    if old.startswith("decimal(") and new.startswith("decimal("):
        (p1, s1), (p2, s2) = (t[8:-1].split(",") for t in (old, new))
        return s1 == s2 and int(p2) >= int(p1)
    return (old, new) in _WIDER


def _rewrite(
    session: Session,
    opened: Opened,
    columns: Sequence[dict[str, Any]],
    pairs: Sequence[tuple[str, str]],
) -> None:
    """Commit new columns with the data files written anew: pairs of (new name, old name)."""
    files: tuple[str, ...] = ()
    if opened.snapshot.files:
        rows = scan_sql(opened.table, parts_of(session, opened.snapshot.files))
        picked = ", ".join(f'"{old}" AS "{new}"' for new, old in pairs)
        fields = tuple(Field(each["Name"].lower(), each["Type"]) for each in columns)
        shaped = opened._replace(table=opened.table._replace(columns=fields))
        files = write_files(session, shaped, f"SELECT {picked} FROM {rows}").files
    commit(session, opened, operation="alter", files=files, columns=columns)


def _check_properties(given: dict[str, str]) -> None:
    unknown = sorted(set(given) - PROPERTIES)
    if unknown:
        raise DdlFailure(f"Unsupported table property key: {unknown[0]}")


def _kept(given: dict[str, str]) -> dict[str, str]:
    """Give properties by the names under which the catalogue keeps them."""
    codec = given.get("write_compression")
    others = {name: value for name, value in given.items() if name != "write_compression"}
    return others if codec is None else {**others, "write.compression": codec.upper()}


def _unset(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    cursor.expect("(")
    names = [take_text(cursor)]
    while cursor.accept(","):
        names.append(take_text(cursor))
    cursor.expect(")")
    cursor.expect_end()
    have = opened.glue.get("Parameters") or {}
    _check_properties(dict.fromkeys(names, ""))
    names = list(_kept(dict.fromkeys(names, "")))
    _set(session, opened, {name: have[name] for name in have if name not in names})
    return Outcome("DDL", "ALTER_TABLE_UNSET_TBLPROPERTIES")


def _set(session: Session, opened: Opened, parameters: dict[str, str]) -> None:
    changed = opened._replace(glue={**opened.glue, "Parameters": parameters})
    commit(session, changed, operation="alter", files=opened.snapshot.files)


def _rename(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    database, name = take_table(cursor, opened.table.database)
    cursor.expect_end()
    kept = ("Description", "Owner", "Retention", "PartitionKeys", "TableType", "Parameters")
    given = {key: opened.glue[key] for key in (*kept, "StorageDescriptor") if key in opened.glue}
    try:
        session.catalog.create_table(DatabaseName=database, TableInput={**given, "Name": name})
    except GlueError as error:
        raise DdlFailure(f"SemanticException {error.message}") from error
    session.catalog.delete_table(DatabaseName=opened.table.database, Name=opened.table.name)
    return Outcome("DDL", "ALTER_TABLE_RENAME")
