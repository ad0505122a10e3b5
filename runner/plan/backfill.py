"""A plan over many tables: what to write, in which windows, in which order, and why.

In: the tables, their ledgers, the range that was asked for.  Out: a `PlannedTable` for each table
that has something to do.  Upstream comes first, since what the plan writes of a table makes its
readers stale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.plan.calendar import Calendar, label, ordinal, widen
from runner.plan.facts import NOTHING, inputs_of
from runner.plan.staleness import Reason, Span, Wish, World, judge

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from runner.plan.facts import Input, Ledger, Node

OPEN_WRITERS = 100
"""Partitions x buckets that one Athena statement may write."""
REFRESH = Reason("asked", "full refresh")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring periods that are written for the same reason."""

    start: str
    end: str
    periods: int
    state: str
    """missing, failed, stale or asked."""
    why: str


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """What a backfill writes of one table."""

    name: str
    physical: str
    kind: str
    grain: str
    fingerprint: str
    refresh: bool
    """The whole range goes to a new generation."""
    windows: tuple[tuple[str, str], ...]
    """Disjoint and in order; `all` for a table that is written whole."""
    stretches: tuple[Stretch, ...]
    periods: int
    chunks: int
    """Statements that write it."""
    wave: int = 1
    """Tables of a wave read only earlier waves."""
    load: str = ""
    """The mart's table that is loaded afterwards, as mart:table."""
    bytes: int = 0
    """What its statements will scan."""
    estimated: bool = False
    """Part of its input does not exist yet, so that its size is a guess."""

    def count(self, state: str) -> int:
        """Count the periods in a state."""
        return sum(one.periods for one in self.stretches if one.state == state)


@dataclass(frozen=True, slots=True)
class Gap:
    """Periods that a planned table reads, that are not published, and that nobody writes."""

    table: str
    """The table without them."""
    reader: str
    periods: int
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the planner."""

    nodes: Mapping[str, Node]
    """Every table of the project, upstream first."""
    ledgers: Mapping[str, Ledger]
    spans: Mapping[str, Span]
    """The chosen tables, and the range of each in its own grain."""
    wish: Wish
    refresh: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the planner found."""

    tables: tuple[PlannedTable, ...]
    gaps: tuple[Gap, ...]


def plan_tables(question: Question) -> Answer:
    """Decide what is written, table by table in the order of the dependencies."""
    rewritten: dict[str, list[tuple[int, int]]] = {}
    world = World(question.nodes, question.ledgers, Calendar(), rewritten)
    inputs: dict[str, tuple[Input, ...]] = {}
    found: dict[str, dict[int, Reason]] = {}
    for name, node in question.nodes.items():
        if name not in question.spans:
            continue
        inputs[name] = inputs_of(node, question.nodes)
        span = question.spans[name]
        if name in question.refresh:
            reasons = dict.fromkeys(range(span.first, span.last + 1), REFRESH)
        else:
            reasons = judge(node, span, inputs[name], world, question.wish)
        if reasons:
            found[name] = reasons
            rewritten[name] = ranges(reasons)
    found = _with_definitions(question, found, inputs, world)
    tables = {
        name: planned(question.nodes[name], reasons, refresh=name in question.refresh)
        for name, reasons in found.items()
    }
    return Answer(in_waves(question.nodes, tables), tuple(_gaps(found, inputs, world)))


def _with_definitions(
    question: Question,
    found: dict[str, dict[int, Reason]],
    inputs: dict[str, tuple[Input, ...]],
    world: World,
) -> dict[str, dict[int, Reason]]:
    """Add the views and ddl that must exist for what is written, though nobody chose them."""
    result = dict(found)
    for name in found:
        for one in inputs[name]:
            node = question.nodes[one.table]
            if node.is_definition and one.table not in result:
                reasons = judge(node, Span(0, 0), (), world, Wish())
                if reasons:
                    result[one.table] = reasons
                    inputs[one.table] = inputs_of(node, question.nodes)
    return result


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Merge neighbours: disjoint ranges in order, from numbers in order.

    >>> ranges([1, 2, 3, 5])
    [(1, 3), (5, 5)]
    """
    given = list(numbers)
    if not given:
        return []
    if given[-1] - given[0] + 1 == len(given):  # mostly; and there may be many
        return [(given[0], given[-1])]
    found: list[tuple[int, int]] = []
    first = last = given[0]
    for number in given[1:]:
        if number != last + 1:
            found.append((first, last))
            first = number
        last = number
    return [*found, (first, last)]


def planned(node: Node, reasons: Mapping[int, Reason], *, refresh: bool = False) -> PlannedTable:
    """Describe one table's part of the plan; `reasons` by period, in order."""
    merged = ranges(reasons)
    size = chunk_size(node)
    return PlannedTable(
        name=node.name,
        physical=node.physical,
        kind=node.kind,
        grain=node.grain,
        fingerprint=node.fingerprint,
        refresh=refresh,
        windows=tuple((label(a, node.grain), label(b, node.grain)) for a, b in merged),
        stretches=tuple(_stretches(node, reasons)),
        periods=len(reasons),
        chunks=sum(-(-(last - first + 1) // size) for first, last in merged),
        load=node.load,
    )


def chunk_size(node: Node) -> int:
    """Count the periods that one statement writes (SEMANTICS 21, 22)."""
    return 1 if node.ordered else max(1, OPEN_WRITERS // node.combinations)


def _stretches(node: Node, reasons: Mapping[int, Reason]) -> Iterator[Stretch]:
    for first, last in ranges(reasons):
        begin, current = first, reasons[first]
        for number in range(first + 1, last + 1):
            reason = reasons[number]
            if reason is not current and reason != current:  # the first is true of most, and cheap
                yield _stretch(node, begin, number - 1, current)
                begin, current = number, reason
        yield _stretch(node, begin, last, current)


def _stretch(node: Node, first: int, last: int, reason: Reason) -> Stretch:
    start, end = label(first, node.grain), label(last, node.grain)
    return Stretch(start, end, last - first + 1, reason.state, reason.why)


def in_waves(
    nodes: Mapping[str, Node], tables: Mapping[str, PlannedTable]
) -> tuple[PlannedTable, ...]:
    """Put the planned tables in waves, upstream first, views looked through."""
    level: dict[str, int] = {}
    for name, node in nodes.items():
        if name in tables:
            above = [level[one.table] for one in inputs_of(node, nodes) if one.table in level]
            level[name] = max(above, default=0) + 1
    return tuple(replace(tables[name], wave=level[name]) for name in level)


def _gaps(
    found: Mapping[str, dict[int, Reason]],
    inputs: Mapping[str, Sequence[Input]],
    world: World,
) -> Iterable[Gap]:
    """Find what planned tables read by window that is neither published nor planned."""
    for name, reasons in found.items():
        for one in inputs[name]:
            upstream = world.nodes[one.table]
            if one.flow == "window" and upstream.grain and not upstream.is_definition:
                lacking = _lacking(world, (name, one), reasons, found.get(one.table, {}))
                if lacking:
                    start, end = (label(lacking[at], upstream.grain) for at in (0, -1))
                    yield Gap(one.table, name, len(lacking), start, end)


def _lacking(
    world: World,
    edge: tuple[str, Input],
    reasons: Mapping[int, Reason],
    theirs: Mapping[int, Reason],
) -> list[int]:
    name, one = edge
    node, upstream = world.nodes[name], world.nodes[one.table]
    ledger = world.ledgers.get(one.table, NOTHING)
    least = ordinal(upstream.first, upstream.grain) if upstream.first else 0
    lacking: set[int] = set()
    for first, last in ranges(reasons):
        low, high = widen(first - one.lookback, last, node.grain, upstream.grain)
        low = max(low, least)
        labels = world.calendar.labels(low, high, upstream.grain)
        lacking |= {low + n for n, text in enumerate(labels) if text not in ledger.at}
    return sorted(lacking - theirs.keys())
