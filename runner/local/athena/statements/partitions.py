"""MSCK REPAIR TABLE, and the partitions of ALTER TABLE: added, dropped, renamed, moved."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeVar

from runner.local.athena.errors import DdlFailure, unknown_statement
from runner.local.athena.hive import (
    open_cursor,
    take_name,
    take_spec,
    take_table,
    take_text,
    take_value,
)
from runner.local.athena.partitions import hive_folder, unescape_value
from runner.local.athena.projection import is_projected
from runner.local.athena.session import Outcome
from runner.local.athena.statements.registration import partition_input
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from runner.local.athena.session import Cursor, Session, Statement
    from runner.local.athena.sqltypes import SqlType
    from runner.local.athena.tables import TableInfo


_CREATED, _DELETED = 100, 25
"""Partitions that Glue takes in one call."""
_Item = TypeVar("_Item")
_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_COMPARISONS: tuple[tuple[tuple[str, ...], Callable[[Any, Any], bool]], ...] = (
    (("<", "="), operator.le),
    ((">", "="), operator.ge),
    (("<", ">"), operator.ne),
    (("!", "="), operator.ne),
    (("<",), operator.lt),
    ((">",), operator.gt),
    (("=",), operator.eq),
)


def repair(session: Session, statement: Statement) -> Outcome:
    """Register the Hive-style folders that the catalogue does not know; removes nothing."""
    cursor = open_cursor(statement)
    cursor.expect("MSCK", "REPAIR", "TABLE")
    table = need(session, *take_table(cursor, session.database))
    cursor.expect_end()
    if not table.keys or is_projected(dict(table.parameters)):
        return Outcome("DDL", "MSCK_REPAIR_TABLE")
    top = session.s3.path_of(table.location)
    known = {tuple(each["Values"]) for each in registered(session, table)}
    found = [v for v in _folders(top, [key.name for key in table.keys]) if tuple(v) not in known]
    add(session, table, [(values, "") for values in found], if_not_exists=True)
    names = [hive_folder(table.keys, values).strip("/") for values in found]
    lines = [f"Partitions not in metastore:\t{_list(table, names)}"] if names else []
    lines += [f"Repair: Added partition to metastore {table.name}:{name}" for name in names]
    return Outcome(
        "DDL",
        "MSCK_REPAIR_TABLE",
        columns=(("result", _text_type()),) if lines else (),
        rows=tuple((line,) for line in lines),
    )


def _list(table: TableInfo, names: Sequence[str]) -> str:
    return "\t".join(f"{table.name}:{name}" for name in names)


def _text_type() -> SqlType:
    from runner.local.athena.sqltypes import SqlType  # noqa: PLC0415 - only with rows

    return SqlType("string")


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


def add_partitions(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    """Run what follows ALTER TABLE t ADD."""
    _need_keys(table)
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    cursor.expect("PARTITION")
    given: list[tuple[list[str], str]] = []
    while True:
        values = take_spec(cursor, table)
        given.append((values, take_text(cursor) if cursor.accept("LOCATION") else ""))
        if not cursor.accept("PARTITION"):
            break
    cursor.expect_end()
    add(session, table, given, if_not_exists=if_not_exists)
    return Outcome("DDL", "ALTER_TABLE_ADD_PARTITION")


def drop_partitions(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    """Run what follows ALTER TABLE t DROP; the data stay."""
    _need_keys(table)
    if_exists = cursor.accept("IF", "EXISTS")
    tests = [_take_tests(cursor, table)]
    while cursor.accept(","):
        tests.append(_take_tests(cursor, table))
    cursor.accept("PURGE")
    cursor.expect_end()
    known = [each["Values"] for each in registered(session, table)]
    dropped: dict[tuple[str, ...], None] = {}
    for text, test in tests:
        found = [tuple(values) for values in known if test(values)]
        if not found and not if_exists:
            raise DdlFailure(f"SemanticException [Error 10006]: Partition not found ({text})")
        dropped |= dict.fromkeys(found)
    for some in _batches(list(dropped), _DELETED):
        session.catalog.batch_delete_partition(
            DatabaseName=table.database,
            TableName=table.name,
            PartitionsToDelete=[{"Values": list(values)} for values in some],
        )
    return Outcome("DDL", "ALTER_TABLE_DROP_PARTITION")


def _take_tests(cursor: Cursor, table: TableInfo) -> tuple[str, Callable[[Sequence[str]], bool]]:
    """Take `PARTITION (dt < '2013-01-01', n = 1)`; gives its text and what it demands."""
    cursor.expect("PARTITION", "(")
    begin = cursor.rest()[1]
    places = {key.name: number for number, key in enumerate(table.keys)}
    tests: list[Callable[[Sequence[str]], bool]] = []
    while True:
        name = take_name(cursor)
        if name not in places:
            raise DdlFailure(f"SemanticException [Error 10002]: Invalid column reference {name}")
        compare = _comparison(cursor)
        number, wanted = places[name], take_value(cursor)
        is_integer = table.keys[number].type in _INTEGERS
        tests.append(_test(compare, number, wanted, is_integer=is_integer))
        end = cursor.rest()[1]
        if cursor.accept(")"):
            break
        cursor.expect(",")
    text = cursor.text_between(begin, end)
    return text, lambda values: all(test(values) for test in tests)


def _comparison(cursor: Cursor) -> Callable[[Any, Any], bool]:
    for marks, compare in _COMPARISONS:
        if cursor.accept(*marks):
            return compare
    raise cursor.fault("Expecting: '='")


def _test(
    compare: Callable[[Any, Any], bool], number: int, wanted: str, *, is_integer: bool
) -> Callable[[Sequence[str]], bool]:
    def test(values: Sequence[str]) -> bool:
        value = values[number]
        if is_integer and value.lstrip("-").isdigit() and wanted.lstrip("-").isdigit():
            return compare(int(value), int(wanted))
        return compare(value, wanted)

    return test


def alter_partition(session: Session, table: TableInfo, cursor: Cursor) -> Outcome:
    """Run what follows ALTER TABLE t PARTITION: RENAME, SET LOCATION or ADD COLUMNS."""
    _need_keys(table)
    values = take_spec(cursor, table)
    found = find(session, table, values)
    given: dict[str, Any] = {
        name: found[name] for name in ("Values", "StorageDescriptor", "Parameters") if name in found
    }
    storage = dict(given.get("StorageDescriptor") or {})
    if cursor.accept("RENAME", "TO", "PARTITION"):
        given["Values"] = take_spec(cursor, table)
        kind = "RENAME_PARTITION"
    elif cursor.accept("SET", "LOCATION"):
        storage["Location"] = take_text(cursor)
        kind = "SET_LOCATION"
    else:
        from runner.local.athena.statements.alters import (  # noqa: PLC0415 - they share columns
            UNSUPPORTED,
            added_columns,
        )

        if any(cursor.accept(*words) for words in (*UNSUPPORTED, ("CHANGE",))):
            raise unknown_statement()
        cursor.expect("ADD", "COLUMNS")
        have = storage.get("Columns") or [
            {"Name": each.name, "Type": each.type} for each in table.columns
        ]
        storage["Columns"] = added_columns(cursor, have)
        kind = "ADD_COLUMNS"
    cursor.expect_end()
    try:
        session.catalog.update_partition(
            DatabaseName=table.database,
            TableName=table.name,
            PartitionValueList=values,
            PartitionInput={**given, "StorageDescriptor": storage},
        )
    except GlueError as error:
        raise DdlFailure(f"SemanticException {error.message}") from error
    return Outcome("DDL", f"ALTER_TABLE_{kind}")


def find(session: Session, table: TableInfo, values: Sequence[str]) -> dict[str, Any]:
    """Find one registered partition; raises AthenaFailure."""
    try:
        found: dict[str, Any] = session.catalog.get_partition(
            DatabaseName=table.database, TableName=table.name, PartitionValues=values
        )["Partition"]
    except GlueError as error:
        names = ", ".join(
            f"{key.name}={value}" for key, value in zip(table.keys, values, strict=True)
        )
        raise DdlFailure(
            f"SemanticException [Error 10006]: Partition not found {{{names}}}"
        ) from error
    return found


def registered(session: Session, table: TableInfo) -> Iterator[dict[str, Any]]:
    """Give the partitions that the catalogue has."""
    token = ""
    while True:
        page = session.catalog.get_partitions(
            DatabaseName=table.database, TableName=table.name, NextToken=token
        )
        yield from page["Partitions"]
        token = page.get("NextToken", "")
        if not token:
            return


def add(
    session: Session,
    table: TableInfo,
    given: Sequence[tuple[list[str], str]],
    *,
    if_not_exists: bool,
) -> None:
    """Register partitions, each at its location or, without one, at its Hive-style folder."""
    glue = session.catalog.get_table(DatabaseName=table.database, Name=table.name)["Table"]
    top = table.location.rstrip("/")
    described = [
        partition_input(glue, values, location or f"{top}/{hive_folder(table.keys, values)}")
        for values, location in given
    ]
    for some in _batches(described, _CREATED):
        answer = session.catalog.batch_create_partition(
            DatabaseName=table.database, TableName=table.name, PartitionInputList=some
        )
        if answer["Errors"] and not if_not_exists:
            message = answer["Errors"][0]["ErrorDetail"]["ErrorMessage"]
            raise DdlFailure(f"AlreadyExistsException {message}")


def _batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    """Give as many at a time as Glue takes in one call, which is one transaction."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def need(session: Session, database: str, name: str) -> TableInfo:
    """Find a table; raises AthenaFailure in Hive's words."""
    table = session.planner.lookup(database, name)
    if table is None:
        raise DdlFailure(f"SemanticException [Error 10001]: Table not found {database}.{name}")
    return table


def _need_keys(table: TableInfo) -> None:
    if not table.keys:
        raise DdlFailure(
            f"SemanticException table is not partitioned but partition spec exists: {table}"
        )
