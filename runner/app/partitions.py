"""`status` of tables: which of their partitions are published, stale, missing, failed or running.

In: a project and the records of its lake.  Out: a `TableGrid` for each table, judged by records
alone: what only a backfill of its upstreams would make stale is not marked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.backfill_choice import Range, choose, choose_range, nodes_of, spans_of
from runner.app.backfill_ledgers import looked_at, read_ledgers
from runner.app.places import open_environment
from runner.keeper import rows
from runner.plan.calendar import Calendar, label, ordinal
from runner.plan.facts import NOTHING, inputs_of
from runner.plan.staleness import Span, Wish, World, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.app.places import Places
    from runner.plan.facts import Ledger, Node
    from runner.plan.staleness import Reason

Leases = dict[str, dict[str, Any]]
PUBLISHED, RUNNING = "published", "running"
"""States beside those of a backfill's reasons: missing, failed, stale."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One partition."""

    period: str
    state: str
    """published, stale, missing, failed or running."""
    why: str = ""
    """Why it is stale."""


@dataclass(frozen=True, slots=True)
class TableGrid:
    """The partitions of one table."""

    name: str
    kind: str
    grain: str
    """hour, day, month, year; empty for a table that is written whole."""
    cells: tuple[Cell, ...]
    """In order; empty when no run has touched the table and no range was named."""

    def count(self, state: str) -> int:
        """Count the partitions in a state."""
        return Counter(cell.state for cell in self.cells)[state]


@dataclass(frozen=True, slots=True)
class Grids:
    """What `status` knows of tables."""

    tables: tuple[TableGrid, ...]
    gone: tuple[str, ...]
    """Tables that have records and no file any more (physical names)."""


def table_grids(
    root: Path,
    patterns: tuple[str, ...] = ("*.*",),
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    start: str | None = None,
    end: str | None = None,
    now: datetime | None = None,
) -> Grids:
    """Judge the partitions of tables; UsageError for a pattern that means none.

    Without a range: from a table's first record to the newest record of all.
    """
    moment = now or datetime.now(UTC)
    places = open_environment(root, environment, variables, now=lambda: moment)
    bundle = places.bundle
    nodes = nodes_of(bundle, moment)
    choice = choose(bundle, patterns)
    storage = places.storage()
    with places.refusals("read the lake's records"):
        ledgers = read_ledgers(storage, nodes, looked_at(nodes, choice.tables))
        gone = rows.tables(storage) - {node.physical for node in nodes.values()}
        leases = _leases(places)
    if start is None and end is None:
        spans = {name: _touched(nodes[name], nodes, ledgers) for name in choice.tables}
    else:
        asked = choose_range(bundle, choice, start=start, end=end, now=moment)
        named = Range(asked.start or asked.end, asked.end, asked.grain)
        spans, _ = spans_of(nodes, choice.tables, named)
    world = World(nodes, ledgers, Calendar(), {})
    tables = tuple(
        _grid(nodes[name], spans.get(name, Span(0, -1)), world, leases) for name in choice.tables
    )
    return Grids(tables, tuple(sorted(gone)))


def _touched(node: Node, nodes: Mapping[str, Node], ledgers: Mapping[str, Ledger]) -> Span:
    """Give the range from a table's first record to the newest one of its grain."""
    if not node.grain:
        return Span(0, 0)
    ledger = ledgers.get(node.name, NOTHING)
    own = [*ledger.at, *ledger.failed]
    if not own:
        return Span(0, -1)
    others = [
        period
        for name, one in ledgers.items()
        if nodes[name].grain == node.grain
        for period in (max(one.at, default=""),)
    ]
    return Span(ordinal(min(own), node.grain), ordinal(max(own + others), node.grain))


def _grid(node: Node, span: Span, world: World, leases: Leases) -> TableGrid:
    if node.is_definition:
        span = Span(0, 0)
    reasons = judge(node, span, inputs_of(node, world.nodes), world, Wish())
    running = _running(leases, node, span) if len(span) else {}
    return TableGrid(node.name, node.kind, node.grain, tuple(_cells(node, span, reasons, running)))


def _cells(
    node: Node, span: Span, reasons: Mapping[int, Reason], running: Mapping[int, str]
) -> Iterator[Cell]:
    for number in range(span.first, span.last + 1):
        period = label(number, node.grain)
        reason = reasons.get(number)
        if number in running:
            yield Cell(period, RUNNING, running[number])
        elif reason is None:
            yield Cell(period, PUBLISHED)
        else:
            yield Cell(period, reason.state, reason.why if reason.state == "stale" else "")


def _leases(places: Places) -> Leases:
    """Give the leases whose owners are at work, by `database.table`; most tables have none."""
    storage = places.storage()
    base = f"{storage.prefix}_runner/leases/"
    keys = [stored.key for stored in storage.list(base)]
    found = zip(keys, storage.each(storage.read_json, keys), strict=True)
    held = {key: lease[0] for key, lease in found if lease is not None}
    owners = sorted({lease["execution"] for lease in held.values()})
    running = dict(zip(owners, storage.each(places.is_running, owners), strict=True))
    return {
        key[len(base) :].removesuffix(".json").replace("/", "."): lease
        for key, lease in held.items()
        if running[lease["execution"]]
    }


def _running(leases: Leases, node: Node, span: Span) -> dict[int, str]:
    """Give the periods that a run is writing at present, and the run."""
    lease = leases.get(node.physical)
    if lease is None:
        return {}
    first, last = span.first, span.last
    if node.grain and lease.get("start") and lease.get("end"):
        try:
            first, last = (ordinal(lease[name], node.grain) for name in ("start", "end"))
        except ValueError:  # of a run that knew another partition
            return {}
    run = str(lease["execution"]).rpartition(":")[2]
    return dict.fromkeys(range(max(first, span.first), min(last, span.last) + 1), run)
