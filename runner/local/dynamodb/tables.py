"""Items of DynamoDB's tables in a SQLite file; several threads and processes may share it.

In: items with the key that the table has.  Out: the same, after any crash.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.local.dynamodb.values import MOST_ITEM, Item, invalid, order_of
from runner.local.transactions import open_file, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    name TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL, item TEXT NOT NULL,
    PRIMARY KEY (name, partition, sort)) WITHOUT ROWID
"""
_MISSING = "One of the required keys was not given a value"
_SCHEMA_ERROR = "The provided key element does not match the schema"


@dataclass(frozen=True, slots=True)
class TableShape:
    """What is known of a table: its key."""

    key: str
    key_type: str = "S"
    sort: str | None = None
    sort_type: str = "S"

    @property
    def types(self) -> dict[str, str]:
        """Give the attributes of the key, and their types."""
        sort = {} if self.sort is None else {self.sort: self.sort_type}
        return {self.key: self.key_type, **sort}

    def key_of(self, item: Item) -> Item:
        """Give an item's key; refuses one that has none."""
        for name, kind in self.types.items():
            value = item.get(name)
            if value is None:
                raise invalid(
                    f"One or more parameter values were invalid: Missing the key {name} in the item"
                )
            if kind not in value:
                raise invalid(
                    "One or more parameter values were invalid: Type mismatch for key "
                    f"{name} expected: {kind} actual: {next(iter(value))}"
                )
            if not value[kind]:
                raise invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key "
                    "attribute cannot contain an empty string value. Key: " + name
                )
        return {name: item[name] for name in self.types}

    def check_key(self, key: Item) -> Item:
        """Refuse a key with more or other attributes."""
        if set(key) - set(self.types):
            raise invalid(_SCHEMA_ERROR)
        if set(self.types) - set(key):
            raise invalid(_MISSING)
        if any(kind not in key[name] for name, kind in self.types.items()):
            raise invalid(_SCHEMA_ERROR)
        return self.key_of(key)


class Items:
    """All items of one file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        self.lock = threading.RLock()
        self._connection = open_file(path)
        self._connection.execute(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._connection.close()

    def writing(self) -> AbstractContextManager[None]:
        """Hold the file's write lock for a block; an exception takes back what it did.

        The caller holds `lock`.
        """
        return transaction(self._connection)

    def get(self, name: str, shape: TableShape, key: Item) -> Item | None:
        """Give the item of a key."""
        row = self._connection.execute(
            "SELECT item FROM items WHERE name = ? AND partition = ? AND sort = ?",
            (name, *_place(shape, key)),
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, name: str, shape: TableShape, item: Item) -> None:
        """Write an item over what is there."""
        text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) > MOST_ITEM:
            raise invalid("Item size has exceeded the maximum allowed size")
        self._connection.execute(
            "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)",
            (name, *_place(shape, item), text),
        )

    def delete(self, name: str, shape: TableShape, key: Item) -> None:
        """Remove an item."""
        self._connection.execute(
            "DELETE FROM items WHERE name = ? AND partition = ? AND sort = ?",
            (name, *_place(shape, key)),
        )

    def of_partition(self, name: str, shape: TableShape, value: Item) -> list[Item]:
        """Give the items of one partition key in the order of their sort keys."""
        found = self._of_partition(name, _text(value[shape.key]))
        sort = shape.sort
        return list(found) if sort is None else sorted(found, key=lambda one: order_of(one[sort]))

    def _of_partition(self, name: str, partition: str) -> Iterator[Item]:
        rows = self._connection.execute(
            "SELECT item FROM items WHERE name = ? AND partition = ?", (name, partition)
        )
        for (text,) in rows.fetchall():
            yield json.loads(text)


def _place(shape: TableShape, item: Item) -> tuple[str, str]:
    return _text(item[shape.key]), "" if shape.sort is None else _text(item[shape.sort])


def _text(value: dict[str, str]) -> str:
    """Write a key as text; numbers have one form."""
    return next(iter(value.values()))
