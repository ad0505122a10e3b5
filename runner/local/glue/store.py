"""The catalogue's SQLite file: one connection, guarded by a lock, WAL for other processes."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS databases (
    name TEXT PRIMARY KEY, input TEXT NOT NULL, created REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tables (
    database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, input TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL, PRIMARY KEY (database, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions (
    database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, input TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL,
    PRIMARY KEY (database, name, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partitions (
    database TEXT NOT NULL, name TEXT NOT NULL, vals TEXT NOT NULL, input TEXT NOT NULL,
    created REAL NOT NULL, PRIMARY KEY (database, name, vals)) WITHOUT ROWID;
"""


class Store:
    """Statements on the catalogue's file, each write in a transaction of its own."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, timeout=60, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'partitions'"):
            self._connection.executescript(_SCHEMA)

    def rows(self, sql: str, *values: object) -> list[tuple[str, ...]]:
        """Read rows."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement of a transaction; gives the number of rows changed."""
        return self._connection.execute(sql, values).rowcount

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the file's write lock until the block ends; an exception rolls back."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
