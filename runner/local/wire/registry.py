"""Small documents by kind and name in SQLite: work groups, named queries, catalogues, tags.

In: documents.  Out: the same, after any crash.  Several threads and processes may share the file.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.transactions import open_file, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (kind, name)) WITHOUT ROWID
"""


class Document(NamedTuple):
    """A document and when it was made, in seconds."""

    name: str
    content: dict[str, Any]
    created: float


class Registry:
    """The documents of one file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        self._lock = threading.RLock()
        self._connection = open_file(path)
        self._connection.execute(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def add(self, kind: str, name: str, content: Mapping[str, Any]) -> bool:
        """Keep a new document; False if there is one of that name."""
        made = self._run(
            "INSERT OR IGNORE INTO documents VALUES (?, ?, ?, ?)",
            kind,
            name,
            json.dumps(content),
            time.time(),
        )
        return bool(made.rowcount)

    def change(
        self, kind: str, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> bool:
        """Replace a document by what `change` makes of it; False if there is none."""
        with self._lock, transaction(self._connection):
            found = self.get(kind, name)
            if found is not None:
                text = json.dumps(change(found.content))
                self._run(
                    "UPDATE documents SET content = ? WHERE kind = ? AND name = ?", text, kind, name
                )
        return found is not None

    def remove(self, kind: str, name: str) -> bool:
        """Drop a document; False if there is none."""
        gone = self._run("DELETE FROM documents WHERE kind = ? AND name = ?", kind, name)
        return bool(gone.rowcount)

    def get(self, kind: str, name: str) -> Document | None:
        """Give a document."""
        with self._lock:
            row = self._run(
                "SELECT name, content, created FROM documents WHERE kind = ? AND name = ?",
                kind,
                name,
            ).fetchone()
        return None if row is None else Document(row[0], json.loads(row[1]), row[2])

    def all(self, kind: str) -> tuple[Document, ...]:
        """Give all documents of a kind in order of name."""
        with self._lock:
            rows = self._run(
                "SELECT name, content, created FROM documents WHERE kind = ? ORDER BY name", kind
            ).fetchall()
        return tuple(Document(row[0], json.loads(row[1]), row[2]) for row in rows)

    def _run(self, sql: str, *values: object) -> sqlite3.Cursor:
        with self._lock:
            return self._connection.execute(sql, values)
