"""Partition indexes: kept and described; the catalogue is fast without them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.local.glue.described import IN_TABLE, find_table, key_of
from runner.local.glue.errors import already_exists, invalid, limit_exceeded, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.described import Key
    from runner.local.glue.store import Store

_MOST = 3


def create_partition_index(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep an index, active at once; AlreadyExistsException, at most 3 for a table."""
    with store.writing():
        add_index(store, key_of(given), given["PartitionIndex"])
    return {}


def add_index(store: Store, key: Key, index: Mapping[str, Any]) -> None:
    """Keep an index, within a transaction."""
    known = _types(store, key)
    for name in index["Keys"]:
        if name.lower() not in known:
            raise invalid(f"Index key {name} is not a partition key of the table.")
    rows = store.rows(f"SELECT index_name, keys FROM indexes {IN_TABLE}", *key)
    have = {row[0]: row[1] for row in rows}
    keys = json.dumps([name.lower() for name in index["Keys"]])
    if index["IndexName"] in have or keys in have.values():
        raise already_exists(f"Index {index['IndexName']} already exists.")
    if len(have) >= _MOST:
        raise limit_exceeded(f"A table has at most {_MOST} partition indexes.")
    store.execute("INSERT INTO indexes VALUES (?, ?, ?, ?)", *key, index["IndexName"], keys)


def get_partition_indexes(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a table's indexes."""
    key = key_of(given)
    types = _types(store, key)
    rows = store.rows(f"SELECT index_name, keys FROM indexes {IN_TABLE} ORDER BY index_name", *key)
    return {
        "PartitionIndexDescriptorList": [
            {
                "IndexName": name,
                "Keys": [
                    {"Name": each, "Type": types.get(each, "string")} for each in json.loads(keys)
                ],
                "IndexStatus": "ACTIVE",
            }
            for name, keys in rows
        ]
    }


def delete_partition_index(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Forget an index; EntityNotFoundException."""
    key = key_of(given)
    with store.writing():
        find_table(store, key)
        if not store.execute(
            f"DELETE FROM indexes {IN_TABLE} AND index_name = ?", *key, given["IndexName"]
        ):
            raise not_found(f"Index {given['IndexName']} not found.")
    return {}


def _types(store: Store, key: Key) -> dict[str, str]:
    described = json.loads(find_table(store, key)[3])
    return {
        each["Name"].lower(): each.get("Type", "string")
        for each in described.get("PartitionKeys") or ()
    }
