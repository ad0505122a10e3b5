"""What the statements of a plan will scan, and what that costs (Athena's price list).

In: the planned tables and the sizes of what they read.  Out: bytes for each.  A statement is
charged for the bytes of the columns that it reads, rounded up to megabytes, 10 MB at least; each
chunk is one statement that writes and one that tests what was staged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from runner.plan.backfill import chunk_size
from runner.plan.calendar import Calendar, ordinal, widen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.plan.backfill import PlannedTable
    from runner.plan.facts import Node, Read

MEGABYTE = 1_000_000
LEAST = 10 * MEGABYTE
"""What Athena charges for a statement at least."""
TERABYTE = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of one table's files."""

    periods: Mapping[str, int]
    """By period, where the files of a period can be told apart."""
    total: int
    """All of its files."""
    guessed: bool = False
    """Part of it has no files yet."""


@dataclass(frozen=True, slots=True)
class _Scale:
    nodes: Mapping[str, Node]
    known: dict[str, Sizes]
    calendar: Calendar


def estimate(
    tables: Sequence[PlannedTable], nodes: Mapping[str, Node], known: Mapping[str, Sizes]
) -> tuple[PlannedTable, ...]:
    """Add to each planned table what its statements scan; `known` are sizes by table."""
    scale = _Scale(nodes, dict(known), Calendar())
    result = []
    for table in tables:
        if table.kind in ("view", "ddl"):
            result.append(table)
            continue
        charged, scanned = 0, 0.0
        node = nodes[table.name]
        readers = [_reader(scale, node, read) for read in rows_read(nodes, node)]
        guessed = any(reader.sizes.guessed for reader in readers)
        for first, last in _chunks(table, node):
            raw = sum(reader.bytes(first, last) for reader in readers)
            scanned += raw
            charged += charge(raw) + LEAST
        result.append(replace(table, bytes=charged, estimated=guessed))
        _remember(scale, table, scanned)
    return tuple(result)


def charge(scanned: float) -> int:
    """Round up to megabytes, 10 at least.

    >>> charge(1), charge(10_000_001)
    (10000000, 11000000)
    """
    return max(LEAST, -(-int(scanned) // MEGABYTE) * MEGABYTE)


def money(scanned: int, price_per_tb: float) -> float:
    """Give the price of a scan in the currency of the price.

    >>> money(1_000_000_000_000, 5.0)
    5.0
    """
    return scanned / TERABYTE * price_per_tb


def rows_read(nodes: Mapping[str, Node], node: Node) -> Iterator[Read]:
    """Give the reads of tables that have rows, views looked through."""
    for read in node.reads:
        upstream = nodes.get(read.table)
        if upstream is not None and upstream.kind == "view":
            yield from rows_read(nodes, upstream)
        elif upstream is not None:
            yield read


def _chunks(table: PlannedTable, node: Node) -> Iterator[tuple[int, int]]:
    size = chunk_size(node)
    for start, end in table.windows:
        first, last = (ordinal(one, node.grain) for one in (start, end))
        for begin in range(first, last + 1, size):
            yield begin, min(begin + size - 1, last)


@dataclass(frozen=True, slots=True)
class _Reader:
    """How many bytes of one input a range of periods reads."""

    node: Node
    upstream: Node
    read: Read
    sizes: Sizes
    low: int
    sums: list[int]
    """Bytes before each period of the input from `low` on; empty when it is read whole."""

    def bytes(self, first: int, last: int) -> float:
        """Give the bytes that a statement over these periods reads."""
        if not self.sums:
            return self.sizes.total * self.read.share
        low, high = widen(first - self.read.lookback, last, self.node.grain, self.upstream.grain)
        top = len(self.sums) - 1
        begin, end = (min(max(0, at - self.low), top) for at in (low, high + 1))
        return (self.sums[end] - self.sums[begin]) * self.read.share


def _reader(scale: _Scale, node: Node, read: Read) -> _Reader:
    upstream = scale.nodes[read.table]
    sizes = scale.known.get(read.table, Sizes({}, 0))
    partly = read.windowed and node.grain and upstream.grain
    if not partly or not sizes.periods:
        return _Reader(node, upstream, read, sizes, 0, [])
    low, sums = _sums(scale.calendar, upstream.grain, sizes)
    return _Reader(node, upstream, read, sizes, low, sums)


def _sums(calendar: Calendar, grain: str, sizes: Sizes) -> tuple[int, list[int]]:
    low, high = (ordinal(text, grain) for text in (min(sizes.periods), max(sizes.periods)))
    labels = calendar.labels(low, high, grain)
    return low, [0, *accumulate(sizes.periods.get(one, 0) for one in labels)]


def _remember(scale: _Scale, table: PlannedTable, scanned: float) -> None:
    """Guess how large what the plan writes will be, for the tables that read it.

    A period without files is as large as the published ones are on average, or, when nothing is
    published, as what it is made of.
    """
    known = scale.known.get(table.name, Sizes({}, 0))
    if not table.grain:
        scale.known[table.name] = Sizes({}, known.total or int(scanned), guessed=not known.total)
        return
    have = len(known.periods)
    each = sum(known.periods.values()) // have if have else int(scanned) // max(1, table.periods)
    filled = dict(known.periods)
    for start, end in table.windows:
        first, last = (ordinal(one, table.grain) for one in (start, end))
        for text in scale.calendar.labels(first, last, table.grain):
            filled.setdefault(text, each)
    added = len(filled) - have
    total = known.total + added * each
    scale.known[table.name] = Sizes(filled, total, guessed=added > 0)
