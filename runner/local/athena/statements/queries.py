"""SELECT and VALUES: rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.answers import shown
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.mapkeys import open_maps
from runner.local.athena.session import Outcome
from runner.local.athena.shown import shown_columns, shown_rows

if TYPE_CHECKING:
    from runner.local.athena.session import Session, Statement


def select(session: Session, statement: Statement) -> Outcome:
    """Run a query and give all of its rows."""
    return select_some(session, statement, most=None)


def select_some(session: Session, statement: Statement, *, most: int | None) -> Outcome:
    """Run a query and give at most so many rows (all if None)."""
    plan = session.planner.plan_to_run(session.cursor, statement.sql, database=session.database)
    sql = plan.shown if most is None else f"SELECT * FROM ({plan.shown}) LIMIT {most}"
    try:
        found = session.engine.run(session.cursor, sql)
    except AthenaFailure:
        if plan.learning is not None:  # what cannot be bound fails there, with its place
            session.planner.plan(session.cursor, statement.sql, database=session.database)
        raise
    session.planner.learn(plan, found.columns)
    columns = shown_columns(found.columns, plan.shows)
    rows = shown_rows(found.columns, found.rows, plan.shows)
    kinds = tuple(kind for _, kind in columns)
    return Outcome(
        "DML",
        "SELECT",
        columns=columns,
        rows=shown(open_maps(rows, kinds), kinds),
        bytes_scanned=plan.scanned(found.bytes_read),
    )
