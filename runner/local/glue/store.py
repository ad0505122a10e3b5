"""The catalogue's SQLite file: one connection, guarded by a lock, WAL for other processes.

A write is one transaction, which the journal of SQLite makes whole or nothing, also when the
process is killed.  `synchronous=NORMAL` hands each commit to the operating system and does not
wait for the disk: a killed process loses nothing, a loss of power may lose the last commits.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.local.transactions import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_S = 60
"""How long a statement waits for another process's write."""
_PARTITIONS = """
CREATE TABLE partitions (
    database TEXT NOT NULL, name TEXT NOT NULL, vals TEXT NOT NULL, input TEXT NOT NULL,
    created REAL NOT NULL, PRIMARY KEY (database, name, vals))
"""
"""With row ids: a look through the values reads the key's index, not the definitions."""
_FIRST = (
    """CREATE TABLE IF NOT EXISTS databases (
    name TEXT PRIMARY KEY, input TEXT NOT NULL, created REAL NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS tables (
    database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, input TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL, PRIMARY KEY (database, name)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS versions (
    database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, input TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL,
    PRIMARY KEY (database, name, version)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS partitions (
    database TEXT NOT NULL, name TEXT NOT NULL, vals TEXT NOT NULL, input TEXT NOT NULL,
    created REAL NOT NULL, PRIMARY KEY (database, name, vals)) WITHOUT ROWID""",
)
_SECOND = (
    "ALTER TABLE partitions RENAME TO partitions_before",
    _PARTITIONS,
    "INSERT INTO partitions SELECT * FROM partitions_before",
    "DROP TABLE partitions_before",
    """CREATE TABLE indexes (
    database TEXT NOT NULL, name TEXT NOT NULL, index_name TEXT NOT NULL, keys TEXT NOT NULL,
    PRIMARY KEY (database, name, index_name)) WITHOUT ROWID""",
    """CREATE TABLE statistics (
    database TEXT NOT NULL, name TEXT NOT NULL, vals TEXT NOT NULL, column TEXT NOT NULL,
    input TEXT NOT NULL, PRIMARY KEY (database, name, vals, column)) WITHOUT ROWID""",
    """CREATE TABLE tags (
    resource TEXT NOT NULL, tag TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (resource, tag)) WITHOUT ROWID""",
)
_STEPS = (_FIRST, _SECOND)
"""What makes version n of the file from version n-1 (`user_version`); a new file takes all."""
OF_A_TABLE = ("versions", "partitions", "indexes", "statistics")
"""What belongs to a table, by its database and name, and is deleted with it."""


class Store:
    """Statements on the catalogue's file, each write in a transaction of its own."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        self._use_wal()
        self._connection.execute("PRAGMA synchronous=NORMAL")
        if self._version() < len(_STEPS):
            self._grow()

    def _use_wal(self) -> None:
        """Change a new file to WAL; SQLite refuses at once while another process does it."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _grow(self) -> None:
        with self.writing():
            for step in _STEPS[self._version() :]:  # another process may have been first
                for statement in step:
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version={len(_STEPS)}")

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
        with self._lock, transaction(self._connection):
            yield

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
