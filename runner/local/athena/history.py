"""Executions and their tokens in SQLite: what GetQueryExecution reads after any crash.

An execution that was running in a process that is gone reads as FAILED.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.local.transactions import open_file, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SCHEMA = """
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, content TEXT NOT NULL, result TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, request TEXT NOT NULL, id TEXT NOT NULL) WITHOUT ROWID;
ALTER TABLE executions ADD COLUMN work_group TEXT NOT NULL DEFAULT 'primary';
ALTER TABLE executions ADD COLUMN submitted REAL NOT NULL DEFAULT 0;
UPDATE executions SET work_group = coalesce(json_extract(content, '$.WorkGroup'), 'primary'),
    submitted = (julianday(json_extract(content, '$.Status.SubmissionDateTime')) - 2440587.5)
        * 86400;
CREATE INDEX by_work_group ON executions (work_group, submitted, id);
"""
"""From the first version, whose tables are found in a user's project, to the present one."""
_VERSION = 2
_KEPT_S = 45 * 86400
"""Athena keeps the history of 45 days."""
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


class History:
    """The executions of all processes that share the file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        self._lock = threading.RLock()
        self._owner = _process(os.getpid())
        self._connection = open_file(path)
        if self._version() < _VERSION:
            self._renew()
        self._drop_old(time.time() - _KEPT_S)

    def _drop_old(self, before: float) -> None:
        """Drop what AWS would not know any more either, so that the file does not grow for ever."""
        if self._one("SELECT 1 FROM executions WHERE submitted < ? LIMIT 1", before) is None:
            return
        with self._transaction():
            self._write(
                "DELETE FROM tokens WHERE id IN (SELECT id FROM executions WHERE submitted < ?)",
                before,
            )
            self._write("DELETE FROM executions WHERE submitted < ?", before)

    def _version(self) -> int:
        found = self._one("PRAGMA user_version")
        return int(found[0]) if found else 0

    def _renew(self) -> None:
        """Make the tables, or add what an older file lacks."""
        with self._transaction():
            if self._version() < _VERSION:  # no other process was faster
                for statement in _SCHEMA.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, transaction(self._connection):
            yield

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def begin(
        self, execution: Mapping[str, Any], *, token: str, request: str
    ) -> tuple[str, str] | None:
        """Record a new execution; gives the (id, request) that already has its token, if any."""
        with self._transaction():
            known = self._one("SELECT id, request FROM tokens WHERE token = ?", token)
            if known is None:
                identity = execution["QueryExecutionId"]
                self._write(
                    "INSERT INTO executions (id, owner, content, work_group, submitted) "
                    "VALUES (?, ?, ?, ?, ?)",
                    identity,
                    self._owner,
                    json.dumps(execution),
                    execution["WorkGroup"],
                    time.time(),
                )
                if token:
                    self._write("INSERT INTO tokens VALUES (?, ?, ?)", token, request, identity)
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

    def page(
        self, work_group: str, *, after: tuple[float, str] | None, most: int
    ) -> list[tuple[str, float]]:
        """Give ids and instants of a work group's executions, the newest first."""
        behind = "" if after is None else "AND (submitted, id) < (?, ?) "
        with self._lock:
            return self._connection.execute(
                "SELECT id, submitted FROM executions WHERE work_group = ? "
                f"{behind}ORDER BY submitted DESC, id DESC LIMIT ?",
                (work_group, *(after or ()), most),
            ).fetchall()

    def reusable(self, work_group: str, sql: str, *, since: float) -> list[dict[str, Any]]:
        """Give a work group's successful executions of a text, the newest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT content FROM executions WHERE work_group = ? AND submitted >= ? "
                "AND json_extract(content, '$.Query') = ? "
                "AND json_extract(content, '$.Status.State') = 'SUCCEEDED' "
                "ORDER BY submitted DESC",
                (work_group, since, sql),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def forget(self, work_group: str) -> None:
        """Drop a work group's executions; their tokens stay taken."""
        self._write("DELETE FROM executions WHERE work_group = ?", work_group)

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
