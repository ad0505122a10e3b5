"""Glue's operations on tables: an update replaces the definition, a stale VersionId is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.local.glue.described import (
    IN_TABLE,
    dumps,
    find_table,
    key_of,
    need_database,
    now,
    table,
)
from runner.local.glue.errors import (
    GlueError,
    already_exists,
    invalid,
    modified_concurrently,
    not_found,
)
from runner.local.glue.indexes import add_index
from runner.local.glue.store import OF_A_TABLE
from runner.local.glue.tags import forget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.described import Key
    from runner.local.glue.store import Store

_PAGE = 100
_STAR = re.compile(r"(?<![.)\]\\])(?<!\\\w)\*")


def create_table(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a table with version 0; AlreadyExistsException, EntityNotFoundException."""
    described = _described(given)
    key = (given["DatabaseName"].lower(), described["Name"])
    with store.writing():
        need_database(store, given["DatabaseName"])
        made = store.execute(
            "INSERT OR IGNORE INTO tables VALUES (?, ?, 0, ?, ?, ?)",
            *key,
            dumps(described),
            moment := now(),
            moment,
        )
        if not made:
            raise already_exists("Table already exists.")
        for index in given.get("PartitionIndexes") or ():
            add_index(store, key, index)
    return {}


def _described(given: Mapping[str, Any]) -> dict[str, Any]:
    """Take the definition, its name in lower case."""
    for name in ("OpenTableFormatInput", "UpdateOpenTableFormatInput"):
        if given.get(name):
            raise invalid(f"{name} is not supported by the local catalogue; give a TableInput")
    described = given.get("TableInput")
    if not described:
        raise invalid("TableInput must be given")
    return {**described, "Name": described["Name"].lower()}


def get_table(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a table with its VersionId; EntityNotFoundException."""
    found = table(find_table(store, key_of(given, "Name")))
    return {"Table": _only(_fields(given.get("AttributesToGet")), found)}


def get_tables(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a database's tables in order of name, those whose names match the Expression."""
    need_database(store, given["DatabaseName"])
    fields = _fields(given.get("AttributesToGet"))
    wanted = _matcher(given.get("Expression") or "")
    size = given.get("MaxResults") or _PAGE
    rows = store.rows(
        "SELECT name FROM tables WHERE database = ? AND name > ? ORDER BY name",
        database := given["DatabaseName"].lower(),
        given.get("NextToken") or "",
    )
    names = [name for (name,) in rows if wanted.fullmatch(name)]
    found: list[dict[str, Any]] = []
    for name in names[:size]:
        found += map(table, store.rows(f"SELECT * FROM tables {IN_TABLE}", database, name))
    page: dict[str, Any] = {"TableList": [_only(fields, each) for each in found]}
    if len(names) > size:
        page["NextToken"] = names[size - 1]
    return page


def _matcher(expression: str) -> re.Pattern[str]:
    """Compile a pattern of names: a regular expression in which a lone `*` stands for anything.

    >>> bool(_matcher("daily_*|raw").fullmatch("daily_flights"))
    True
    """
    try:
        return re.compile(_STAR.sub(".*", expression) or ".*", re.DOTALL)
    except re.error as error:
        raise invalid(f"Invalid regular expression '{expression}': {error}") from error


def _fields(asked: list[str] | None) -> tuple[str, ...]:
    if asked is None or "DEFAULT" in asked:
        return ()
    if "NAME" not in asked:
        raise invalid("AttributesToGet must include NAME")
    return ("Name", "TableType") if "TABLE_TYPE" in asked else ("Name",)


def _only(fields: tuple[str, ...], described: dict[str, Any]) -> dict[str, Any]:
    return {name: described[name] for name in fields if name in described} or described


def update_table(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Replace a table's definition; a stale VersionId is ConcurrentModificationException."""
    described = _described(given)
    key = (given["DatabaseName"].lower(), described["Name"])
    asked = given.get("VersionId")
    with store.writing():
        row = find_table(store, key)
        if asked and asked != str(row[2]):
            raise modified_concurrently()
        if not given.get("SkipArchive"):
            store.execute("INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?)", *row)
        store.execute(
            f"UPDATE tables SET version = version + 1, input = ?, updated = ? {IN_TABLE}",
            dumps(described),
            now(),
            *key,
        )
    return {}


def delete_table(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a table, its versions and partitions; the data stay."""
    with store.writing():
        need_database(store, given["DatabaseName"])
        _delete(store, key_of(given, "Name"))
    return {}


def batch_delete_table(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Delete up to 100 tables; those missing stand in `Errors`."""
    errors = []
    with store.writing():
        need_database(store, given["DatabaseName"])
        for name in given["TablesToDelete"]:
            try:
                _delete(store, (given["DatabaseName"].lower(), name.lower()))
            except GlueError as error:
                errors.append({"TableName": name, "ErrorDetail": error.detail()})
    return {"Errors": errors}


def _delete(store: Store, key: Key) -> None:
    if not store.execute(f"DELETE FROM tables {IN_TABLE}", *key):
        raise not_found(f"Entity Not Found: Table {key[1]} not found.")
    for each in OF_A_TABLE:
        store.execute(f"DELETE FROM {each} {IN_TABLE}", *key)
    forget(store, f"table/{key[0]}/{key[1]}")
