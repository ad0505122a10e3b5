"""Glue's operations on many partitions: one transaction each; errors come with HTTP 200."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.glue.described import key_of, partition
from runner.local.glue.errors import GlueError
from runner.local.glue.partitions import (
    change,
    definitions,
    keys_of,
    register,
    registered,
    remove,
    vals_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.glue.store import Store


def batch_create_partition(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Register up to 100 partitions; those refused stand in `Errors`."""
    key, described = key_of(given), given["PartitionInputList"]
    with store.writing():
        keys = keys_of(store, key)
        refused = [each for each in described if not register(store, key, keys, each)]
    return {"Errors": [_error(each["Values"], registered()) for each in refused]}


def batch_get_partition(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give up to 1000 partitions; those that are not there are left out."""
    key = key_of(given)
    keys = keys_of(store, key)
    vals = sorted({vals_of(keys, each["Values"]) for each in given["PartitionsToGet"]})
    found = [partition(key, row) for row in definitions(store, key, vals)]
    return {"Partitions": found, "UnprocessedKeys": []}


def batch_update_partition(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Replace up to 100 partitions; those refused stand in `Errors`."""
    key, errors = key_of(given), []
    with store.writing():
        keys = keys_of(store, key)
        for each in given["Entries"]:
            try:
                change(store, key, keys, each)
            except GlueError as error:
                values = list(each["PartitionValueList"])
                errors.append({"PartitionValueList": values, "ErrorDetail": error.detail()})
    return {"Errors": errors}


def batch_delete_partition(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Forget up to 25 partitions; those missing stand in `Errors`."""
    key, errors = key_of(given), []
    with store.writing():
        keys = keys_of(store, key)
        for each in given["PartitionsToDelete"]:
            try:
                remove(store, key, keys, each["Values"])
            except GlueError as error:
                errors.append(_error(each["Values"], error))
    return {"Errors": errors}


def _error(values: Sequence[str], error: GlueError) -> dict[str, Any]:
    return {"PartitionValues": list(values), "ErrorDetail": error.detail()}
