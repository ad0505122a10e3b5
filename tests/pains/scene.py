"""What the named pains have in common: two little tables, faults, and a look at the folders."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

from runner.machine import Fail, FaultPlan, InjectedFault, When
from tests.semantics.little import insert, project, rows_of, sql

if TYPE_CHECKING:
    from pathlib import Path

    from runner.machine.faults import Action

DAYS = ("2024-01-01", "2024-01-02")
WINDOW = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
ROWS = ((1, DAYS[0]), (2, DAYS[0]), (3, DAYS[1]))
EVERYTHING = "SELECT id, dt FROM marts.x WHERE dt > '' ORDER BY id"


def daily(folder: Path, header: str = "") -> Path:
    """Write a project with one daily insert table, marts.x, of three rows in two days."""
    return project(
        folder, {"marts/x": insert(f"SELECT id, dt FROM {rows_of(*ROWS)} {WINDOW}", header)}
    )


def whole(folder: Path) -> Path:
    """Write a project with one table that is written whole, marts.x, of the same rows."""
    return project(folder, {"marts/x": sql(f"SELECT id, dt FROM {rows_of(*ROWS)}")})


def strike(state: str, action: Action, when: When = When.AFTER) -> FaultPlan:
    """Strike a state once."""
    return FaultPlan((InjectedFault(state, action, when, first=True),))


def failed_query(reason: str) -> Fail:
    """Fail as Step Functions reports a query that Athena gave up."""
    execution = {
        "QueryExecutionId": "q",
        "Status": {"State": "FAILED", "StateChangeReason": reason},
    }
    return Fail("States.TaskFailed", json.dumps(execution))


def files(root: Path, table: str = "marts/x") -> list[Path]:
    """Give the published files of an insert table."""
    return sorted((root / ".runner/s3/lake" / table).rglob("*.parquet"))


def drop_in(root: Path, name: str) -> None:
    """Put a copy of a published file beside it, as a statement that wrote in place leaves one."""
    published = files(root)[0]
    shutil.copy(published, published.with_name(name))


def sent(root: Path, beginning: str) -> list[dict[str, Any]]:
    """Give the query executions that the local Athena was asked for and that begin so."""
    with sqlite3.connect(root / ".runner" / "athena.sqlite") as connection:
        found = connection.execute("SELECT content FROM executions").fetchall()
    connection.close()
    executions = [json.loads(content) for (content,) in found]
    return [one for one in executions if one["Query"].startswith(beginning)]
