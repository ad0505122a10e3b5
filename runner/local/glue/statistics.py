"""Column statistics of tables and partitions: kept as they are given, and given back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.local.glue.described import IN_TABLE, dumps, find_table, instant, key_of
from runner.local.glue.errors import not_found
from runner.local.glue.partitions import keys_of, vals_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.described import Key
    from runner.local.glue.store import Store

_OF_ITS_COLUMN = f"{IN_TABLE} AND vals = ? AND column = ?"


def get_column_statistics(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the statistics of the columns asked for; columns without stand in `Errors`."""
    key = key_of(given)
    owner = _owner(store, key, given)
    found, errors = [], []
    for name in given["ColumnNames"]:
        rows = store.rows(
            f"SELECT input FROM statistics {_OF_ITS_COLUMN}", *key, owner, name.lower()
        )
        if rows:
            found.append(_described(rows[0][0]))
        else:
            error = not_found(f"Statistics of column {name} not found.")
            errors.append({"ColumnName": name, "Error": error.detail()})
    return {"ColumnStatisticsList": found, "Errors": errors}


def update_column_statistics(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep statistics; those of columns that the table has not stand in `Errors`."""
    key, errors = key_of(given), []
    with store.writing():
        owner, columns = _owner(store, key, given), _columns(store, key)
        for each in given["ColumnStatisticsList"]:
            name = each["ColumnName"].lower()
            if name in columns:
                store.execute(
                    "INSERT OR REPLACE INTO statistics VALUES (?, ?, ?, ?, ?)",
                    *key,
                    owner,
                    name,
                    dumps(each),
                )
            else:
                error = not_found(f"Column {each['ColumnName']} not found.")
                errors.append({"ColumnStatistics": each, "Error": error.detail()})
    return {"Errors": errors}


def delete_column_statistics(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Forget a column's statistics; EntityNotFoundException."""
    key, name = key_of(given), given["ColumnName"]
    with store.writing():
        owner = _owner(store, key, given)
        if not store.execute(f"DELETE FROM statistics {_OF_ITS_COLUMN}", *key, owner, name.lower()):
            raise not_found(f"Statistics of column {name} not found.")
    return {}


def _owner(store: Store, key: Key, given: Mapping[str, Any]) -> str:
    """Name what the statistics are of: the key of a partition, "" for the table."""
    if given.get("PartitionValues") is None:
        find_table(store, key)
        return ""
    vals = vals_of(keys_of(store, key), given["PartitionValues"])
    if not store.rows(f"SELECT 1 FROM partitions {IN_TABLE} AND vals = ?", *key, vals):
        raise not_found("Cannot find partition.")
    return vals


def _columns(store: Store, key: Key) -> set[str]:
    described = json.loads(find_table(store, key)[3])
    columns = (described.get("StorageDescriptor") or {}).get("Columns") or []
    return {each["Name"].lower() for each in [*columns, *(described.get("PartitionKeys") or [])]}


def _described(stored: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stored)
    found["AnalyzedTime"] = instant(found["AnalyzedTime"])
    return found
