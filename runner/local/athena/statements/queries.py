"""SELECT and VALUES: rows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from runner.local.athena.answers import shown
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.mapkeys import open_maps
from runner.local.athena.session import Outcome
from runner.local.athena.shown import shown_columns, shown_rows
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.athena.planner import Plan
    from runner.local.athena.session import Session, Statement
    from runner.local.athena.sqltypes import SqlType

_PIECE = 1000
"""Rows of a piece, and of a result that is small."""


def select(session: Session, statement: Statement) -> Outcome:
    """Run a query and give its rows: all of them, or piece by piece where the session says so."""
    if not session.streams:
        return select_some(session, statement, most=None)
    plan = session.planner.plan_to_run(session.cursor, statement.sql, database=session.database)
    with _explained(session, statement, plan):
        stream = session.engine.stream(session.cursor, plan.shown, size=_PIECE)
    session.planner.learn(plan, stream.columns)
    columns = _shown(stream.columns, plan)
    kinds = tuple(kind for _, kind in columns)

    def pieces() -> Iterator[tuple[tuple[Any, ...], ...]]:
        for rows in stream.pieces:
            there = shown_rows(stream.columns, rows, plan.shows)
            yield shown(open_maps(there, kinds), kinds)

    more = pieces()
    rows = next(more, ())
    outcome = Outcome("DML", "SELECT", columns=columns, rows=rows)
    if len(rows) < _PIECE:
        return outcome._replace(bytes_scanned=plan.scanned(stream.bytes_read()))
    return outcome._replace(more=more, scanned=lambda: plan.scanned(stream.bytes_read()))


def select_some(session: Session, statement: Statement, *, most: int | None) -> Outcome:
    """Run a query and give at most so many rows (all if None)."""
    plan = session.planner.plan_to_run(session.cursor, statement.sql, database=session.database)
    sql = plan.shown if most is None else f"SELECT * FROM ({plan.shown}) LIMIT {most}"
    with _explained(session, statement, plan):
        found = session.engine.run(session.cursor, sql)
    session.planner.learn(plan, found.columns)
    columns = _shown(found.columns, plan)
    rows = shown_rows(found.columns, found.rows, plan.shows)
    kinds = tuple(kind for _, kind in columns)
    return Outcome(
        "DML",
        "SELECT",
        columns=columns,
        rows=shown(open_maps(rows, kinds), kinds),
        bytes_scanned=plan.scanned(found.bytes_read),
    )


@contextmanager
def _explained(session: Session, statement: Statement, plan: Plan) -> Iterator[None]:
    """Let what cannot be bound fail as planning says it, with its place."""
    try:
        yield
    except AthenaFailure:
        if plan.learning is not None or plan.of_family:
            session.planner.plan(session.cursor, statement.sql, database=session.database)
        raise


def _shown(columns: tuple[tuple[str, str], ...], plan: Plan) -> tuple[tuple[str, SqlType], ...]:
    from runner.local.athena.writtennames import rename  # noqa: PLC0415 - brings sqlglot

    found = _with_lengths(shown_columns(columns, plan.shows), plan.declared)
    return rename(found, plan.names) if plan.names else found


def _with_lengths(
    columns: tuple[tuple[str, SqlType], ...], declared: tuple[str, ...]
) -> tuple[tuple[str, SqlType], ...]:
    """Put declared types such as varchar(10) in place of DuckDB's, which have no lengths."""
    if len(columns) != len(declared):
        return columns
    return tuple(
        (name, parse_type(length) if length and kind.name == "varchar" else kind)
        for (name, kind), length in zip(columns, declared, strict=True)
    )
