"""What a backfill is about: tables, ranges and the facts that the planner wants.

In: a compiled project and the words of the command.  Out: values of `runner.plan`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from runner.app.run import choose_window
from runner.errors import Fault, Place, UsageError
from runner.keeper import windows
from runner.model.selection import Selectable, pick
from runner.plan.calendar import ordinal, widen
from runner.plan.facts import Node, Read
from runner.plan.staleness import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from runner.app.bundle import Bundle, TableFacts, WorkflowFacts

_GRAINS = {
    len("2013-01-05T07"): "hour",
    len("2013-01-05"): "day",
    len("2013-01"): "month",
    4: "year",
}
_NOW = re.compile(r"NOW(?:([+-][0-9]+)([A-Z]+))?\Z")
_UNITS = ("years", "months", "weeks", "days", "hours")


@dataclass(frozen=True, slots=True)
class Range:
    """What was asked for: periods of one grain, both ends included."""

    start: str
    """Empty: from the beginning of each table's history."""
    end: str
    grain: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The tables that a backfill may write."""

    tables: tuple[str, ...]
    """In the project's order."""
    workflow: WorkflowFacts | None


def nodes_of(bundle: Bundle, now: datetime) -> dict[str, Node]:
    """Give the planner's facts of every table, upstream first."""
    return {table.name: _node(table, now) for table in bundle.tables}


def physical_name(table: TableFacts) -> str:
    """Name a table as this environment stores it."""
    return f"{table.database}.{table.name.partition('.')[2]}"


def _node(table: TableFacts, now: datetime) -> Node:
    is_insert = table.kind == "insert"
    grain = table.grain if is_insert else ""
    return Node(
        name=table.name,
        physical=physical_name(table),
        kind=table.kind,
        fingerprint=table.fingerprint,
        grain=grain,
        reads=tuple(Read(r.table, r.windowed, r.lookback, r.share) for r in table.inputs),
        watch=frozenset(table.watch),
        combinations=table.combinations,
        first=_first(table.first, grain, now),
        last="" if table.last.startswith("NOW") else table.last,
        load=f"{table.load_mart}:{table.load_table}" if table.load_mart else "",
        iceberg=table.format == "iceberg",
    )


def _first(text: str, grain: str, now: datetime) -> str:
    """Give the first period; `NOW-3YEARS` at the given clock (NOW is UTC)."""
    moving = _NOW.match(text)
    if moving is None or not grain:
        return text
    moment = now.astimezone(UTC).replace(tzinfo=None)
    unit = (moving[2] or "").lower()
    if unit in _UNITS:
        moment = windows.add(moment, unit, int(moving[1]))
    return windows.write_civil(moment, grain)


# --- tables ---------------------------------------------------------------------------------------


def choose(
    bundle: Bundle, targets: Sequence[str], only: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Choice:
    """Decide which tables are meant; UsageError names every word that means none."""
    selectable = [Selectable(table.name, table.tags, table.reads) for table in bundle.tables]
    workflows = {one.name: one for one in bundle.workflows}
    faults: list[Fault] = []

    def matched(place: str, words: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for word in words:
            tables = pick(selectable, word)
            if not tables:
                faults.append(_unknown(place, word, bundle))
            found |= tables
        return found

    named = [workflows[word] for word in targets if word in workflows]
    chosen = {name for one in named for name in one.tables}
    chosen |= matched("TARGET", [word for word in targets if word not in workflows])
    if only:
        chosen &= matched("--only", only)
    chosen -= matched("--exclude", exclude)
    if faults:
        raise UsageError(faults)
    order = tuple(table.name for table in bundle.tables if table.name in chosen)
    alone = named[0] if len(named) == 1 and len(targets) == 1 else None
    return Choice(order, alone)


def _unknown(place: str, word: str, bundle: Bundle) -> Fault:
    from runner.model.nearest import suggestion  # noqa: PLC0415 - difflib, only for a mistake

    names = [*(one.name for one in bundle.workflows), *(table.name for table in bundle.tables)]
    expected = "a workflow, database.table, database.*, tag:word, +database.table, database.table+"
    advice = suggestion(word, names, otherwise="see `runner list`")
    return Fault(Place(place), "unknown-table", word, expected, advice)


# --- ranges ---------------------------------------------------------------------------------------


def choose_range(
    bundle: Bundle, choice: Choice, *, start: str | None, end: str | None, now: datetime
) -> Range:
    """Read --start and --end; without --end, the last period that a scheduled run would write."""
    last, last_grain = _end(bundle, choice, end, now)
    if start is None:
        return Range("", last, last_grain)
    first_grain = _grain("--start", start)
    finer = min(first_grain, last_grain, key=windows.GRAINS.index)
    first, _ = windows.regrain(start, start, first_grain, finer)
    _, last = windows.regrain(last, last, last_grain, finer)
    if first > last:
        found, expected = f"{start}, after --end {last}", "a range that begins before it ends"
        raise UsageError([Fault(Place("--start"), "bad-window", found, expected, _EXAMPLE)])
    return Range(first, last, finer)


_EXAMPLE = "for example --start 2013-01-01 --end 2013-12-31"


def _end(bundle: Bundle, choice: Choice, end: str | None, now: datetime) -> tuple[str, str]:
    if end is not None:
        return end, _grain("--end", end)
    workflow = choice.workflow
    if workflow is not None and workflow.schedule is not None:
        window = choose_window(workflow, bundle.timezone, start=None, end=None, date=None, now=now)
        return window.end, workflow.grain
    _, last = windows.scheduled_window(now.isoformat(), bundle.timezone, last=1, unit="day", lag=1)
    return last, "day"


def _grain(option: str, text: str) -> str:
    fault = _bad_period(option, text)
    if fault is not None:
        raise UsageError([fault])
    return _GRAINS.get(len(text), "day")


def bad_periods(start: str | None, end: str | None) -> list[Fault]:
    """Give the faults of --start and --end that can be seen without a table."""
    given = [(option, text) for option, text in (("--start", start), ("--end", end)) if text]
    return [fault for option, text in given if (fault := _bad_period(option, text)) is not None]


def _bad_period(option: str, text: str) -> Fault | None:
    grain = _GRAINS.get(len(text), "day")
    try:
        windows.parse_civil(text, grain)
        windows.regrain(text, text, grain, "hour")
    except (ValueError, OverflowError) as error:
        expected = "a period such as 2013-01-05, 2013-01 or 2013-01-05T07"
        return Fault(Place(option), "bad-window", str(error), expected, _EXAMPLE)
    return None


def spans_of(
    nodes: Mapping[str, Node], tables: Sequence[str], asked: Range
) -> tuple[dict[str, Span], Range]:
    """Give each table's own range, and the range that was asked for with its start filled in.

    Tables whose history lies outside the range are left out.
    """
    faults = [_no_start(nodes[name]) for name in tables if _lacks_start(nodes[name], asked)]
    if faults:
        raise UsageError(faults)
    found = {name: _span(nodes[name], asked) for name in tables}
    spans = {name: span for name, span in found.items() if len(span)}
    if asked.start:
        return spans, asked
    firsts = [
        widen(span.first, span.first, nodes[name].grain, asked.grain)[0]
        for name, span in spans.items()
        if nodes[name].grain
    ]
    from runner.plan.calendar import label  # noqa: PLC0415 - beside its only use

    start = label(min(firsts), asked.grain) if firsts else asked.end
    return spans, Range(start, asked.end, asked.grain)


def _lacks_start(node: Node, asked: Range) -> bool:
    return bool(node.grain) and not asked.start and not node.first


def _no_start(node: Node) -> Fault:
    found = f"no --start, and {node.name} does not say where its history begins"
    advice = f"give --start, or add `backfill: {{from: ...}}` to the header of {node.name}"
    return Fault(Place("--start"), "bad-window", found, "a first period", advice)


def _span(node: Node, asked: Range) -> Span:
    if not node.grain:
        return Span(0, 0)
    end = ordinal(asked.end, asked.grain)
    last = widen(end, end, asked.grain, node.grain)[1]
    if node.last:
        last = min(last, ordinal(node.last, node.grain))
    least = ordinal(node.first, node.grain) if node.first else None
    if not asked.start:
        return Span(least or 0, last)
    start = ordinal(asked.start, asked.grain)
    first = widen(start, start, asked.grain, node.grain)[0]
    return Span(first if least is None else max(first, least), last)
