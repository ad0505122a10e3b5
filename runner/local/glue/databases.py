"""Glue's operations on databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.glue.described import database, dumps, need_database, now, page_of
from runner.local.glue.errors import already_exists, invalid, not_found
from runner.local.glue.store import OF_A_TABLE
from runner.local.glue.tags import forget, put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.store import Store

_ALL = 1 << 30


def create_database(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a database; AlreadyExistsException."""
    described = given["DatabaseInput"]
    name = described["Name"].lower()
    with store.writing():
        if store.rows("SELECT 1 FROM databases WHERE name = ?", name):
            raise already_exists("Database already exists.")
        store.execute(
            "INSERT INTO databases VALUES (?, ?, ?)",
            name,
            dumps({**described, "Name": name}),
            now(),
        )
        put(store, f"database/{name}", given.get("Tags") or {})
    return {}


def get_database(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a database; EntityNotFoundException."""
    rows = store.rows("SELECT * FROM databases WHERE name = ?", given["Name"].lower())
    if not rows:
        raise not_found(f"Database {given['Name']} not found.")
    return {"Database": database(rows[0])}


def get_databases(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the databases in order of name; all of them unless MaxResults asks for pages."""
    if given.get("ResourceShareType") in {"FOREIGN", "FEDERATED"}:
        return {"DatabaseList": []}
    wanted = _fields(given.get("AttributesToGet"))
    rows = store.rows("SELECT * FROM databases ORDER BY name")
    found = [database(row) for row in rows]
    if wanted:
        found = [{name: each[name] for name in wanted if name in each} for each in found]
    return page_of("DatabaseList", found, given, size=_ALL)


def _fields(asked: list[str] | None) -> tuple[str, ...]:
    if asked is None:
        return ()
    if "NAME" not in asked:
        raise invalid("AttributesToGet must include NAME")
    return ("Name", "TargetDatabase") if "TARGET_DATABASE" in asked else ("Name",)


def update_database(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Replace a database's definition, but for its name; EntityNotFoundException."""
    name, described = given["Name"].lower(), given["DatabaseInput"]
    with store.writing():
        need_database(store, given["Name"])
        if described["Name"].lower() != name:
            raise invalid("The name of a database cannot be changed")
        store.execute(
            "UPDATE databases SET input = ? WHERE name = ?",
            dumps({**described, "Name": name}),
            name,
        )
    return {}


def delete_database(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a database with its tables; EntityNotFoundException."""
    name = given["Name"].lower()
    with store.writing():
        need_database(store, given["Name"])
        store.execute("DELETE FROM databases WHERE name = ?", name)
        for table in ("tables", *OF_A_TABLE):
            store.execute(f"DELETE FROM {table} WHERE database = ?", name)
        forget(store, f"database/{name}")
        forget(store, f"table/{name}/", below=True)
    return {}
