"""Prepared statements: their store, a work group's each, and how parameters are put in.

In: boto3's parameters of the PreparedStatement operations.  Out: AWS's shapes.  The SQLite file is
made by the first statement; several processes may share it.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import AthenaFailure, InvalidRequest
from runner.local.athena.lexer import tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS prepared (
    work_group TEXT NOT NULL, name TEXT NOT NULL, sql TEXT NOT NULL, description TEXT NOT NULL,
    modified REAL NOT NULL, PRIMARY KEY (work_group, name)) WITHOUT ROWID
"""
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_@:]{0,255}")
_MOST = 1000
_PAGE = 50
_LITERALS = frozenset({"string", "number", "word"})
_VALUES = frozenset(
    {
        *("NULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"),
        *("LOCALTIME", "LOCALTIMESTAMP"),
    }
)
"""Words that are values."""


class Prepared:
    """The prepared statements of all work groups."""

    def __init__(self, path: Path) -> None:
        """Take the file; it is opened when it is needed."""
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file if it was opened."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def create_prepared_statement(
        self,
        *,
        StatementName: str,  # noqa: N803
        WorkGroup: str,  # noqa: N803
        QueryStatement: str,  # noqa: N803
        Description: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """Make a statement; raises InvalidRequest if there is one of that name."""
        _check_name(StatementName)
        if self._row(WorkGroup, StatementName) is not None:
            raise InvalidRequest(
                f"PreparedStatement {StatementName} already exists in workGroup {WorkGroup}"
            )
        self.put(WorkGroup, StatementName, sql=QueryStatement, description=Description)
        return {}

    def update_prepared_statement(
        self,
        *,
        StatementName: str,  # noqa: N803
        WorkGroup: str,  # noqa: N803
        QueryStatement: str,  # noqa: N803
        Description: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """Replace a statement; ResourceNotFoundException."""
        if self._row(WorkGroup, StatementName) is None:
            raise _missing(StatementName, WorkGroup)
        self.put(WorkGroup, StatementName, sql=QueryStatement, description=Description)
        return {}

    def get_prepared_statement(
        self,
        *,
        StatementName: str,  # noqa: N803
        WorkGroup: str,  # noqa: N803
    ) -> dict[str, Any]:
        """Give a statement; ResourceNotFoundException."""
        row = self._row(WorkGroup, StatementName)
        if row is None:
            raise _missing(StatementName, WorkGroup)
        return {
            "PreparedStatement": {
                "StatementName": StatementName,
                "QueryStatement": row[0],
                "WorkGroupName": WorkGroup,
                "Description": row[1],
                "LastModifiedTime": datetime.fromtimestamp(row[2], tz=UTC),
            }
        }

    def delete_prepared_statement(
        self,
        *,
        StatementName: str,  # noqa: N803
        WorkGroup: str,  # noqa: N803
    ) -> dict[str, Any]:
        """Forget a statement; ResourceNotFoundException."""
        if not self._run(
            "DELETE FROM prepared WHERE work_group = ? AND name = ?", WorkGroup, StatementName
        ).rowcount:
            raise _missing(StatementName, WorkGroup)
        return {}

    def list_prepared_statements(
        self,
        *,
        WorkGroup: str,  # noqa: N803
        NextToken: str = "",  # noqa: N803
        MaxResults: int = _PAGE,  # noqa: N803
    ) -> dict[str, Any]:
        """Give names and times, in order of name."""
        rows = self._run(
            "SELECT name, modified FROM prepared WHERE work_group = ? AND name > ? ORDER BY name "
            "LIMIT ?",
            WorkGroup,
            NextToken,
            MaxResults + 1,
        ).fetchall()
        page: dict[str, Any] = {
            "PreparedStatements": [
                {"StatementName": name, "LastModifiedTime": datetime.fromtimestamp(when, tz=UTC)}
                for name, when in rows[:MaxResults]
            ]
        }
        if len(rows) > MaxResults:
            page["NextToken"] = rows[MaxResults - 1][0]
        return page

    def put(self, work_group: str, name: str, *, sql: str, description: str = "") -> None:
        """Make or replace a statement; at most 1,000 in a work group."""
        _check_name(name)
        known = self._run(
            "SELECT count(*) FROM prepared WHERE work_group = ? AND name <> ?", work_group, name
        ).fetchone()
        if known[0] >= _MOST:
            raise InvalidRequest(f"workGroup {work_group} has {_MOST} prepared statements already")
        self._run(
            "INSERT OR REPLACE INTO prepared VALUES (?, ?, ?, ?, ?)",
            work_group,
            name,
            sql,
            description,
            datetime.now(UTC).timestamp(),
        )

    def text(self, work_group: str, name: str) -> str:
        """Give a statement's SQL; empty if there is none of that name."""
        row = self._row(work_group, name)
        return row[0] if row else ""

    def forget(self, work_group: str) -> None:
        """Drop all statements of a work group."""
        self._run("DELETE FROM prepared WHERE work_group = ?", work_group)

    def _row(self, work_group: str, name: str) -> tuple[str, str, float] | None:
        found: tuple[str, str, float] | None = self._run(
            "SELECT sql, description, modified FROM prepared WHERE work_group = ? AND name = ?",
            work_group,
            name,
        ).fetchone()
        return found

    def _run(self, sql: str, *values: object) -> sqlite3.Cursor:
        with self._lock:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    self._path, timeout=60, isolation_level=None, check_same_thread=False
                )
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute(_SCHEMA)
            return self._connection.execute(sql, values)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"{name!r} is not a name for a prepared statement")


def _missing(name: str, work_group: str) -> InvalidRequest:
    return InvalidRequest(
        f"PreparedStatement {name} was not found in workGroup {work_group}",
        "ResourceNotFoundException",
    )


def given_literals(parameters: Sequence[str]) -> tuple[str, ...]:
    """Quote a request's parameters that are bare words: Athena takes them for texts.

    >>> given_literals(["Washington", "'x'", "NULL", "10"])
    ("'Washington'", "'x'", 'NULL', '10')
    """
    return tuple(_quoted_word(each) for each in parameters)


def _quoted_word(parameter: str) -> str:
    tokens = tokenize(parameter)
    if len(tokens) == 1 and tokens[0].kind == "word" and tokens[0].word() not in _VALUES:
        return f"'{parameter.strip()}'"
    return parameter


def bind(sql: str, parameters: Sequence[str]) -> str:
    """Put SQL literals in place of the question marks, in order; raises AthenaFailure.

    >>> bind("SELECT * FROM t WHERE a = ? AND b = '?'", ["'x'"])
    "SELECT * FROM t WHERE a = 'x' AND b = '?'"
    """
    places = [token for token in tokenize(sql) if token.text == "?"]
    if len(places) != len(parameters):
        raise AthenaFailure(
            "INVALID_PARAMETER_USAGE",
            f"Incorrect number of parameters: expected {len(places)} but found {len(parameters)}",
            line=1,
            column=1,
        )
    pieces, done = [], 0
    for token, parameter in zip(places, parameters, strict=True):
        pieces += [sql[done : token.start], _literal(parameter)]
        done = token.end
    return "".join([*pieces, sql[done:]])


def _literal(parameter: str) -> str:
    """Keep one literal as it is; anything longer must not mix with what stands around it."""
    tokens = tokenize(parameter)
    if len(tokens) == 1 and tokens[0].kind in _LITERALS:
        return parameter.strip()
    return f"({parameter.strip()})"
