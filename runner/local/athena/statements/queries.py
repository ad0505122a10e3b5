"""SELECT and VALUES: rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.answers import shown
from runner.local.athena.session import Outcome
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from runner.local.athena.session import Session, Statement


def select(session: Session, statement: Statement) -> Outcome:
    """Run a query and give all of its rows."""
    return select_some(session, statement, most=None)


def select_some(session: Session, statement: Statement, *, most: int | None) -> Outcome:
    """Run a query and give at most so many rows (all if None)."""
    plan = session.planner.plan(session.cursor, statement.sql, database=session.database)
    sql = plan.sql if most is None else f"SELECT * FROM ({plan.sql}) LIMIT {most}"
    found = session.engine.run(session.cursor, sql)
    columns = tuple((name, parse_type(kind)) for name, kind in found.columns)
    return Outcome(
        "DML",
        "SELECT",
        columns=columns,
        rows=shown(found.rows, [kind for _, kind in columns]),
        bytes_scanned=plan.scanned(found.bytes_read),
    )
