"""Executions and their tokens in SQLite: what GetQueryExecution reads after any crash.

An execution that was running in a process that is gone reads as FAILED.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEMA = """
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, content TEXT NOT NULL, result TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, request TEXT NOT NULL, id TEXT NOT NULL) WITHOUT ROWID;
"""
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


class History:
    """The executions of all processes that share the file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._owner = _process(os.getpid())
        self._connection = sqlite3.connect(
            path, timeout=60, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        if not self._one("SELECT 1 FROM sqlite_master WHERE name = 'tokens'"):
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def begin(
        self, execution: Mapping[str, Any], *, token: str, request: str
    ) -> tuple[str, str] | None:
        """Record a new execution; gives the (id, request) that already has its token, if any."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                known = self._one("SELECT id, request FROM tokens WHERE token = ?", token)
                if known is None:
                    self._write(
                        "INSERT INTO executions VALUES (?, ?, ?, NULL)",
                        execution["QueryExecutionId"],
                        self._owner,
                        json.dumps(execution),
                    )
                    if token:
                        identity = execution["QueryExecutionId"]
                        self._write("INSERT INTO tokens VALUES (?, ?, ?)", token, request, identity)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        return None if known is None else (str(known[0]), str(known[1]))

    def save(self, execution: Mapping[str, Any], *, result: str | None = None) -> None:
        """Replace an execution's content; `result` is the JSON of its columns and rows."""
        self._write(
            "UPDATE executions SET content = ?, result = coalesce(?, result) WHERE id = ?",
            json.dumps(execution),
            result,
            execution["QueryExecutionId"],
        )

    def get(self, identity: str) -> dict[str, Any] | None:
        """Give an execution; one whose process is gone reads as failed."""
        row = self._one("SELECT content, owner FROM executions WHERE id = ?", identity)
        if row is None:
            return None
        execution: dict[str, Any] = json.loads(row[0])
        if execution["Status"]["State"] not in ENDED and not _alive(row[1]):
            reason = "GENERIC_INTERNAL_ERROR: the process that ran the query is gone"
            execution["Status"] |= {
                "State": "FAILED",
                "StateChangeReason": reason,
                "AthenaError": {
                    "ErrorCategory": 1,
                    "ErrorType": 9999,
                    "Retryable": True,
                    "ErrorMessage": reason,
                },
            }
            self.save(execution)
        return execution

    def result(self, identity: str) -> str | None:
        """Give the JSON of an execution's columns and rows."""
        row = self._one("SELECT result FROM executions WHERE id = ?", identity)
        return None if row is None else row[0]

    def _one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            found: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
            return found

    def _write(self, sql: str, *values: object) -> None:
        with self._lock:
            self._connection.execute(sql, values)


def _process(number: int) -> str:
    """Name a process so that a later one with the same number is another: its start is part."""
    with suppress(OSError, IndexError):
        stat = Path(f"/proc/{number}/stat").read_text()
        return f"{number} {stat.rpartition(')')[2].split()[19]}"
    return f"{number}"


def _alive(owner: str) -> bool:
    number, _, start = owner.partition(" ")
    if start:
        return _process(int(number)) == owner
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
