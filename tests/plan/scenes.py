"""Tables and records as short values, for tests of the planner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.backfill import Answer, PlannedTable, Question, plan_tables
from runner.plan.calendar import ordinal
from runner.plan.facts import Node, Read
from runner.plan.ledgers import make_ledger
from runner.plan.staleness import Span, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping

NEW, OLD = "a" * 64, "b" * 64
"""Fingerprints: of today's files, and of earlier ones."""


def node(name: str, *reads: Read | str, grain: str = "day", kind: str = "insert") -> Node:
    """Make a table that reads others by window; `s.t*` reads all of s.t."""
    return Node(
        name=name,
        physical=name,
        kind=kind,
        fingerprint=NEW,
        grain=grain if kind == "insert" else "",
        reads=tuple(read if isinstance(read, Read) else _read(read) for read in reads),
    )


def _read(text: str) -> Read:
    return Read(text.rstrip("*"), windowed=not text.endswith("*"), lookback=0)


def back(name: str, periods: int) -> Read:
    """Read a table by window with a look-back."""
    return Read(name, windowed=True, lookback=periods)


Rows = "Mapping[str, str]"


def plan(
    nodes: list[Node],
    published: Mapping[str, Mapping[str, str]],
    span: tuple[str, str],
    *,
    old: Mapping[str, set[str]] | None = None,
    failed: Mapping[str, Mapping[str, str]] | None = None,
    begun: Mapping[str, Mapping[str, str]] | None = None,
    chosen: set[str] | None = None,
    wish: Wish | None = None,
    refresh: tuple[str, ...] = (),
) -> Answer:
    """Plan over the days of January 2024: periods and stamps are short (`03` at `5`)."""
    ledgers = {
        one.name: make_ledger(
            one.grain,
            _rows(published.get(one.name, {}), (old or {}).get(one.name, set())),
            _rows((begun or {}).get(one.name, {})),
            _rows((failed or {}).get(one.name, {})),
        )
        for one in nodes
    }
    spans = {
        one.name: Span(*(ordinal(_label(day), one.grain) for day in span))
        for one in nodes
        if chosen is None or one.name in chosen
    }
    return plan_tables(
        Question({one.name: one for one in nodes}, ledgers, spans, wish or Wish(), refresh)
    )


def _rows(
    periods: Mapping[str, str],
    old: set[str] = frozenset(),  # type: ignore[assignment] # never changed
) -> list[tuple[str, str, str, str, str]]:
    rows = []
    for window, at in periods.items():
        start, _, end = window.partition("-")
        print_ = OLD if window in old else NEW
        rows.append((at, _label(start), _label(end or start), print_[:12], "r"))
    return rows


def _label(text: str) -> str:
    return text if len(text) > 2 else f"2024-01-{text}"


def shown(answer: Answer) -> dict[str, list[str]]:
    """Write a plan shortly: {'s.a': ['02..04 missing']}."""
    return {table.name: _stretches(table) for table in answer.tables}


def _stretches(table: PlannedTable) -> list[str]:
    return [
        f"{one.start[8:] or one.start}"
        + (f"..{one.end[8:]}" if one.end != one.start else "")
        + f" {one.why}"
        for one in table.stretches
    ]


def days(first: int, last: int, at: str) -> dict[str, str]:
    """Publish a range of days at once."""
    return {f"{day:02d}": at for day in range(first, last + 1)}
