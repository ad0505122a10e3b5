"""ALTER TABLE of an Iceberg table: columns, properties and its name.

Columns have numbers, which stay when names and types change: the data files are what they were, and
are read by number.  What a change of columns commits is a metadata document without a new snapshot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import DdlFailure, unsupported
from runner.local.athena.hive import take_columns, take_name, take_properties, take_table, take_text
from runner.local.athena.iceberg import commit_document, open_table
from runner.local.athena.icebergs.types import Numbers, fields_of, hive_of, kind_of, widens
from runner.local.athena.session import Outcome
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.statements.iceberg import (
    PROPERTIES,
    check_known,
    check_properties,
    check_type,
    kept_properties,
)
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.athena.iceberg import Opened
    from runner.local.athena.icebergs.types import IcebergField
    from runner.local.athena.session import Cursor, Session
    from runner.local.athena.tables import TableInfo


def alter(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    """Run what follows ALTER TABLE t."""
    cursor.of_queries = True
    opened = open_table(session, table.database, table.name)
    if cursor.accept("ADD", "COLUMNS"):
        return _add(session, opened, cursor)
    if cursor.accept("DROP", "COLUMN"):
        return _drop(session, opened, cursor)
    if cursor.accept("CHANGE"):
        return _change(session, opened, cursor)
    return _alter_table(session, opened, cursor)


def _alter_table(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    if cursor.accept("SET", "TBLPROPERTIES"):
        given = take_properties(cursor)
        cursor.expect_end()
        check_properties(given)
        if "format" in given:
            raise unsupported("Another format of an Iceberg table")
        _set(session, opened, {**_properties(opened), **_kept(given)})
        return Outcome("DDL", "ALTER_TABLE_SET_TBLPROPERTIES")
    if cursor.accept("UNSET", "TBLPROPERTIES"):
        return _unset(session, opened, cursor)
    if cursor.accept("RENAME", "TO"):
        return _rename(session, opened, cursor)
    raise unsupported("This ALTER TABLE statement of an Iceberg table", line=1, column=1)


def _add(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    have = opened.document.schema()
    new = take_columns(cursor)
    cursor.expect_end()
    names = [each["name"] for each in have]
    for each in new:
        if each["Name"] in names:
            raise DdlFailure(f"Cannot add column, name already exists: {each['Name']}")
        check_type(each["Type"])
        names.append(each["Name"])
    numbers = Numbers(opened.document.last_number)
    fields = [*have, *fields_of(new, numbers)]
    commit_document(session, opened, opened.document.with_schema(fields, numbers.last))
    return Outcome("DDL", "ALTER_TABLE_ADD_COLUMNS")


def _drop(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    name = take_name(cursor)
    cursor.expect_end()
    have = opened.document.schema()
    gone = next((each for each in have if each["name"] == name), None)
    if gone is None:
        raise DdlFailure(f"SemanticException Cannot delete missing column: {name}")
    for term in opened.terms():
        if term.source == gone["id"]:
            raise DdlFailure(f"SemanticException Cannot drop the partition column {name}")
    fields = [each for each in have if each is not gone]
    if not fields:
        raise DdlFailure(f"SemanticException Cannot drop the only column {name}")
    _commit_fields(session, opened, fields)
    return Outcome("DDL", "ALTER_TABLE_DROP_COLUMN")


def _commit_fields(session: Session, opened: Opened, fields: list[IcebergField]) -> None:
    document = opened.document
    commit_document(session, opened, document.with_schema(fields, document.last_number))


def _change(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    from runner.local.athena.statements.alters import changed_columns  # noqa: PLC0415 - a cycle

    have = {each["name"]: each for each in opened.document.schema()}
    given = [
        {
            "Name": name,
            "Type": hive_of(each["type"]),
            **({"Comment": each["doc"]} if each.get("doc") else {}),
        }
        for name, each in have.items()
    ]
    columns, old, before = changed_columns(cursor, given)
    cursor.expect_end()
    name = next((each["Name"] for each in columns if each["Name"] not in have), old)
    fields = [
        _changed(have[old], each, before) if each["Name"] == name else have[each["Name"]]
        for each in columns
    ]
    _commit_fields(session, opened, fields)
    return Outcome("DDL", "ALTER_TABLE_CHANGE_COLUMN")


def _changed(field: IcebergField, column: dict[str, Any], before: dict[str, Any]) -> IcebergField:
    """Give a field its new name, type and comment; raises AthenaFailure for a narrower type."""
    kind = check_type(column["Type"])
    if not widens(before["Type"], kind):
        raise DdlFailure(
            f"SemanticException Cannot change column type: {field['name']}: "
            f"{before['Type']} -> {kind}"
        )
    made: IcebergField = {**field, "name": column["Name"]}
    if kind != before["Type"]:
        made["type"] = kind_of(parse_type(kind), Numbers())
    if column.get("Comment"):
        made["doc"] = column["Comment"]
    return made


def _kept(given: dict[str, str]) -> dict[str, str]:
    """Give properties by the names under which the catalogue keeps them."""
    codec = given.get("write_compression")
    others = {name: value for name, value in given.items() if name != "write_compression"}
    return others if codec is None else {**others, "write.compression": codec.upper()}


def _unset(session: Session, opened: Opened, cursor: Cursor) -> Outcome:
    if_exists = cursor.accept("IF", "EXISTS")
    cursor.expect("(")
    names = [take_text(cursor)]
    while cursor.accept(","):
        names.append(take_text(cursor))
    cursor.expect(")")
    cursor.expect_end()
    have = _properties(opened)
    if not if_exists:
        check_known(names)
    names = list(_kept(dict.fromkeys(names, "")))
    _set(session, opened, {name: have[name] for name in have if name not in names})
    return Outcome("DDL", "ALTER_TABLE_UNSET_TBLPROPERTIES")


def _properties(opened: Opened) -> dict[str, str]:
    return dict(opened.glue.get("Parameters") or {})


def _set(session: Session, opened: Opened, parameters: dict[str, str]) -> None:
    """Commit properties, in the catalogue and in the metadata document."""
    known = {name: value for name, value in parameters.items() if name in PROPERTIES}
    if codec := parameters.get("write.compression"):
        known["write_compression"] = codec
    rest = {
        name: value for name, value in opened.document.properties.items() if name not in PROPERTIES
    }
    document = opened.document.with_properties({**rest, **kept_properties(known)})
    changed = opened._replace(glue={**opened.glue, "Parameters": parameters})
    commit_document(session, changed, document)


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
