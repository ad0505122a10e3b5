"""What planning needs of a table, and what the records say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Flow = Literal["window", "whole", "none"]
"""How an input's change makes a table stale: the periods that read it, everything, or nothing."""
DEFINITIONS = ("view", "ddl")
"""Kinds that hold no rows of their own."""


@dataclass(frozen=True, slots=True)
class Read:
    """A table that the SQL names."""

    table: str
    windowed: bool
    lookback: int
    share: float = 1.0
    """Part of its bytes that the columns of the SQL make up, for formats that store by column."""


@dataclass(frozen=True, slots=True)
class Node:
    """A table as its file says it."""

    name: str
    physical: str
    kind: str
    fingerprint: str
    grain: str = ""
    """Grain of its partitions; empty for a table that is written whole."""
    reads: tuple[Read, ...] = ()
    watch: frozenset[str] = frozenset()
    combinations: int = 1
    """Values of the other partition columns x buckets, per period."""
    first: str = ""
    """First period that there can be; empty when unknown."""
    last: str = ""
    """Last period that there can be; empty when there is no end."""
    load: str = ""
    """The mart's table that it is loaded into, as mart:table."""
    iceberg: bool = False

    @property
    def ordered(self) -> bool:
        """Tell whether the table reads itself, so that its periods are written in order."""
        return any(read.table == self.name for read in self.reads)

    @property
    def is_definition(self) -> bool:
        """Tell whether the table holds no rows of its own."""
        return self.kind in DEFINITIONS


@dataclass(frozen=True, slots=True)
class Input:
    """A table whose rows are read, directly or through views, and what its change means."""

    table: str
    flow: Flow
    lookback: int = 0
    """In periods of the reader."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the newest records say, by period; `all` is the period of a table written whole."""

    at: Mapping[str, str]
    """When each published period was published."""
    fingerprint: Mapping[str, str]
    """First digits of the fingerprint of each published period."""
    failed: Mapping[str, str]
    """When the newest failed attempt of a period ended, if it is newer than any publish."""
    newest: str = ""
    """The newest publish of all."""


NOTHING = Ledger({}, {}, {})
"""The ledger of a table without a record."""


def inputs_of(node: Node, nodes: Mapping[str, Node]) -> tuple[Input, ...]:
    """Give what a table reads, views looked through (SEMANTICS 20); itself left out."""
    found: dict[str, Input] = {}
    for read in node.reads:
        for one in _behind(node, read, nodes, watched=read.table in node.watch):
            before = found.get(one.table)
            if one.table != node.name:
                found[one.table] = one if before is None else _stronger(before, one)
    return tuple(found.values())


def _behind(node: Node, read: Read, nodes: Mapping[str, Node], *, watched: bool) -> Iterable[Input]:
    upstream = nodes.get(read.table)
    if upstream is None:
        return
    definition = upstream.is_definition
    watched = watched or read.table in node.watch
    yield Input(
        read.table, _flow(node, read, watched=watched, definition=definition), read.lookback
    )
    if upstream.kind == "view":
        for below in upstream.reads:
            seen = Read(below.table, windowed=read.windowed, lookback=read.lookback)
            yield from _behind(node, seen, nodes, watched=watched)


def _flow(node: Node, read: Read, *, watched: bool, definition: bool) -> Flow:
    if node.is_definition:
        return "none"
    if not node.grain or watched:
        return "window" if node.grain and read.windowed and not definition else "whole"
    return "window" if read.windowed and not definition else "none"


def _stronger(one: Input, other: Input) -> Input:
    order = ("none", "window", "whole")
    flow = max(one.flow, other.flow, key=order.index)
    return Input(one.table, flow, max(one.lookback, other.lookback))
