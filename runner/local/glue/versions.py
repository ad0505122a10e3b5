"""Glue's operations on the versions of tables, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.glue.described import IN_TABLE, find_table, key_of, table
from runner.local.glue.errors import GlueError, invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.described import Key
    from runner.local.glue.store import Store

_PAGE = 100


def get_table_version(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give one version, the present one if none is named; EntityNotFoundException."""
    key = key_of(given)
    row = find_table(store, key)
    asked = _number(given["VersionId"]) if given.get("VersionId") else int(row[2])
    if asked != int(row[2]):
        rows = store.rows(f"SELECT * FROM versions {IN_TABLE} AND version = ?", *key, asked)
        if not rows:
            raise _no_version()
        row = rows[0]
    return {"TableVersion": _version(row)}


def get_table_versions(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the present version and the archived ones, newest first."""
    key, size = key_of(given), given.get("MaxResults") or _PAGE
    row = find_table(store, key)
    before = _number(given["NextToken"]) if given.get("NextToken") else int(row[2]) + 1
    rows = store.rows(
        f"SELECT * FROM versions {IN_TABLE} AND version < ? ORDER BY version DESC LIMIT ?",
        *key,
        min(before, int(row[2])),
        size + 1,
    )
    found = [row, *rows] if before > int(row[2]) else rows
    page: dict[str, Any] = {"TableVersions": [_version(each) for each in found[:size]]}
    if len(found) > size:
        page["NextToken"] = str(found[size - 1][2])
    return page


def delete_table_version(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Delete an archived version; EntityNotFoundException."""
    key = key_of(given)
    with store.writing():
        _delete(store, key, int(find_table(store, key)[2]), given["VersionId"])
    return {}


def batch_delete_table_version(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Delete up to 100 archived versions; those refused stand in `Errors`."""
    key, errors = key_of(given), []
    with store.writing():
        present = int(find_table(store, key)[2])
        for version in given["VersionIds"]:
            try:
                _delete(store, key, present, version)
            except GlueError as error:
                errors.append(
                    {
                        "TableName": given["TableName"],
                        "VersionId": version,
                        "ErrorDetail": error.detail(),
                    }
                )
    return {"Errors": errors}


def _delete(store: Store, key: Key, present: int, version: str) -> None:
    number = _number(version)
    if number == present:
        raise invalid(f"Version {version} is the table's current one and cannot be deleted.")
    if not store.execute(f"DELETE FROM versions {IN_TABLE} AND version = ?", *key, number):
        raise _no_version()


def _number(version: str) -> int:
    if not version.isdecimal():
        raise invalid(f"Invalid version: {version}")
    return int(version)


def _no_version() -> GlueError:
    return not_found("Version not found.")


def _version(row: tuple[str, ...]) -> dict[str, Any]:
    described = table(row)
    return {"Table": described, "VersionId": described["VersionId"]}
