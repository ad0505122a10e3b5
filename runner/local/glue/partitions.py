"""Glue's operations on one registered partition, and reading many of them."""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from runner.local.glue.described import IN_TABLE, dumps, find_table, key_of, now, partition
from runner.local.glue.errors import GlueError, already_exists, invalid, not_found
from runner.local.glue.expression import read_filter, start_of_vals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.local.glue.described import Key
    from runner.local.glue.expression import Filter
    from runner.local.glue.store import Store

_PAGE = 1000
_AT_ONCE = 5000
"""Keys that are looked through by one statement."""
_LAST = "\U0010ffff"


def create_partition(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Register a partition; AlreadyExistsException, EntityNotFoundException."""
    key = key_of(given)
    with store.writing():
        keys = keys_of(store, key)
        if not register(store, key, keys, given["PartitionInput"]):
            raise registered()
    return {}


def get_partition(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give one partition; EntityNotFoundException."""
    key = key_of(given)
    vals = vals_of(keys_of(store, key), given["PartitionValues"])
    rows = store.rows(f"SELECT input, created FROM partitions {IN_TABLE} AND vals = ?", *key, vals)
    if not rows:
        raise not_found("Cannot find partition.")
    return {"Partition": partition(key, rows[0])}


def update_partition(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Replace a partition, whose values may change; EntityNotFound, AlreadyExists."""
    key = key_of(given)
    with store.writing():
        keys = keys_of(store, key)
        change(store, key, keys, given)
    return {}


def delete_partition(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Forget a partition; EntityNotFoundException."""
    key = key_of(given)
    with store.writing():
        remove(store, key, keys_of(store, key), given["PartitionValues"])
    return {}


def get_partitions(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the registered partitions, those that the Expression and the Segment ask for."""
    key, size = key_of(given), given.get("MaxResults") or _PAGE
    keys = keys_of(store, key)
    wanted = _filter(given, keys)
    vals = list(islice(_vals(store, key, wanted, given), size + 1))
    found = [partition(key, row) for row in definitions(store, key, vals[:size])]
    if given.get("ExcludeColumnSchema"):
        for each in found:
            each.get("StorageDescriptor", {}).pop("Columns", None)
    page: dict[str, Any] = {"Partitions": found}
    if len(vals) > size:
        page["NextToken"] = vals[size - 1]
    return page


def _filter(given: Mapping[str, Any], keys: tuple[tuple[str, str], ...]) -> Filter | None:
    expression = (given.get("Expression") or "").strip()
    return _read_filter(expression, keys) if expression else None


@lru_cache(maxsize=64)
def _read_filter(expression: str, keys: tuple[tuple[str, str], ...]) -> Filter:
    return read_filter(expression, keys)


def _vals(store: Store, key: Key, wanted: Filter | None, given: Mapping[str, Any]) -> Iterator[str]:
    """Look through the keys in their order, from the token on."""
    segment = given.get("Segment") or {"SegmentNumber": 0, "TotalSegments": 1}
    number, total = segment["SegmentNumber"], segment["TotalSegments"]
    if number >= total:
        raise invalid("SegmentNumber must be less than TotalSegments")
    start = wanted.start if wanted else ""
    after = max(given.get("NextToken") or "", start)
    many = min(_AT_ONCE, (given.get("MaxResults") or _PAGE) + 1)
    while True:
        rows = store.rows(
            f"SELECT vals FROM partitions {IN_TABLE} AND vals > ? AND vals < ? "
            "ORDER BY vals LIMIT ?",
            *key,
            after,
            start + _LAST,
            many,
        )
        for (vals,) in rows:
            if total > 1 and zlib.crc32(vals.encode()) % total != number:
                continue
            if wanted is None or wanted.test(json.loads(vals)):
                yield vals
        if len(rows) < many:
            return
        after, many = rows[-1][0], _AT_ONCE


def places(store: Store, key: Key, below: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give values and location of partitions; the rest of their definitions is not read."""
    start = start_of_vals(below)
    after = start
    while True:
        rows = store.rows(
            "SELECT vals, json_extract(input, '$.StorageDescriptor.Location') FROM partitions "
            f"{IN_TABLE} AND vals > ? AND vals < ? ORDER BY vals LIMIT ?",
            *key,
            after,
            start + _LAST,
            _AT_ONCE,
        )
        for vals, location in rows:
            yield tuple(json.loads(vals)), location or ""
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0]


def definitions(store: Store, key: Key, vals: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give definition and time of creation of those partitions that are there."""
    for start in range(0, len(vals), 500):
        some = vals[start : start + 500]
        yield from store.rows(
            f"SELECT input, created FROM partitions {IN_TABLE} AND vals IN "
            f"({', '.join('?' * len(some))}) ORDER BY vals",
            *key,
            *some,
        )


def keys_of(store: Store, key: Key) -> tuple[tuple[str, str], ...]:
    """Give the names and types of a table's partition keys."""
    described = json.loads(find_table(store, key)[3])
    return tuple(
        (each["Name"].lower(), each.get("Type") or "string")
        for each in described.get("PartitionKeys") or ()
    )


def vals_of(keys: Sequence[object], values: Sequence[str]) -> str:
    """Write a partition's values as its key, refusing another number of them than of keys.

    >>> vals_of(("dt",), ["2013-01-01"])
    '["2013-01-01"]'
    """
    if not values or len(values) != len(keys):
        raise invalid("The number of partition keys do not match the number of partition values")
    return json.dumps(list(values))


def register(store: Store, key: Key, keys: Sequence[object], described: Mapping[str, Any]) -> bool:
    """Add a partition within a transaction; gives False if it was there."""
    return bool(
        store.execute(
            "INSERT OR IGNORE INTO partitions VALUES (?, ?, ?, ?, ?)",
            *key,
            vals_of(keys, described.get("Values") or ()),
            dumps(described),
            now(),
        )
    )


def change(store: Store, key: Key, keys: Sequence[object], given: Mapping[str, Any]) -> None:
    """Replace a partition within a transaction."""
    old = vals_of(keys, given["PartitionValueList"])
    described = given["PartitionInput"]
    values = described.get("Values") or given["PartitionValueList"]
    new = vals_of(keys, values)
    there = f"SELECT 1 FROM partitions {IN_TABLE} AND vals = ?"
    if new != old and store.rows(there, *key, new):
        raise registered()
    if not store.execute(
        f"UPDATE partitions SET vals = ?, input = ? {IN_TABLE} AND vals = ?",
        new,
        dumps({**described, "Values": list(values)}),
        *key,
        old,
    ):
        raise not_found("Partition not found.")
    store.execute(f"UPDATE statistics SET vals = ? {IN_TABLE} AND vals = ?", new, *key, old)


def remove(store: Store, key: Key, keys: Sequence[object], values: Sequence[str]) -> None:
    """Forget a partition within a transaction."""
    vals = vals_of(keys, values)
    if not store.execute(f"DELETE FROM partitions {IN_TABLE} AND vals = ?", *key, vals):
        raise not_found("Partition not found.")
    store.execute(f"DELETE FROM statistics {IN_TABLE} AND vals = ?", *key, vals)


def registered() -> GlueError:
    """Make the refusal of a partition that is already there."""
    return already_exists("Partition already exists.")
