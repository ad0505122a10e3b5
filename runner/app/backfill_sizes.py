"""Bytes of what planned tables read: one listing for each input, over the range that is needed.

In: planned tables and the lake.  Out: `Sizes` by table.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.backfill_choice import physical_name
from runner.keeper import windows
from runner.keeper.spec import hive_escape
from runner.plan.calendar import Calendar, ordinal, widen
from runner.plan.sizes import Sizes, rows_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.app.bundle import TableFacts
    from runner.app.places import Places
    from runner.keeper.storage import Storage
    from runner.plan.backfill import PlannedTable
    from runner.plan.facts import Node


_BEFORE = 31
"""Periods before its own windows that tell how large a table's periods are."""


@dataclass(frozen=True, slots=True)
class _Need:
    """What of a table's files is of interest."""

    where: tuple[int, int] | None
    """Periods whose sizes are told apart."""
    whole: bool
    """Whether the size of all files is needed."""


class Measure:
    """Lists inputs, each once; the paths of periods are written once for all tables."""

    def __init__(self, places: Places, nodes: Mapping[str, Node]) -> None:
        """Take the environment and the planner's facts."""
        self._places = places
        self._locations = places.locations()
        self._nodes = nodes
        self._facts = {table.name: table for table in places.bundle.tables}
        self._calendar = Calendar()
        self._paths: dict[tuple[object, ...], dict[str, str]] = {}
        self._writing = threading.Lock()

    def inputs(self, planned: Sequence[PlannedTable]) -> dict[str, Sizes]:
        """Give the sizes of everything that the planned tables read, and of themselves."""
        needed: dict[str, _Need] = {}
        for table in planned:
            node = self._nodes[table.name]
            if node.grain:
                first, last = _extent(table)
                _note(needed, table.name, (first - _BEFORE, last))
            for read in rows_read(self._nodes, node):
                _note(
                    needed,
                    read.table,
                    self._range(table, node, read.table, read.lookback) if read.windowed else None,
                )
        found = self._places.storage().each(
            lambda name: self._sizes(self._facts[name], needed[name]), list(needed)
        )
        return dict(zip(needed, found, strict=True))

    def _range(
        self, table: PlannedTable, node: Node, upstream: str, lookback: int
    ) -> tuple[int, int] | None:
        grain = self._grain(self._facts[upstream])
        if not node.grain or not grain:
            return None
        first, last = _extent(table)
        return widen(first - lookback, last, node.grain, grain)

    @staticmethod
    def _grain(facts: TableFacts) -> str:
        return facts.layout.grain if facts.kind == "ddl" else facts.grain

    def _sizes(self, facts: TableFacts, need: _Need) -> Sizes:
        if facts.kind == "ddl":
            layout = facts.layout
            if not layout.location:
                return Sizes({}, 0)
            parts = [(layout.template, layout.pattern)] if layout.template else []
            return self._listed(layout.location, parts, layout.grain, need)
        location = self._locations.get(physical_name(facts), "")
        if not location:
            return Sizes({}, 0)
        parts = [(f"{column}=${{}}/", pattern) for column, pattern in facts.time]
        return self._listed(location, parts if facts.kind == "insert" else [], facts.grain, need)

    def _listed(
        self,
        location: str,
        parts: list[tuple[str, str]],
        grain: str,
        need: _Need,
    ) -> Sizes:
        """List what lies below a location; only the needed periods if their folders are known."""
        storage = self._places.objects(location)
        if not parts or need.where is None:
            return Sizes({}, sum(one.size for one in storage.list(storage.prefix)))
        paths = self._folders(parts, grain, need.where)
        depth = next(iter(paths)).count("/")
        cut = len(storage.prefix)
        periods: dict[str, int] = {}
        total = 0
        for key, size in _between(storage, [] if need.whole else sorted(paths)):
            total += size
            folder = "/".join(key[cut:].split("/", depth)[:depth]) + "/"
            period = paths.get(folder)
            if period is not None:
                periods[period] = periods.get(period, 0) + size
        return Sizes(periods, total)

    def _folders(
        self, parts: list[tuple[str, str]], grain: str, where: tuple[int, int]
    ) -> dict[str, str]:
        """Give the folder of each period, and the period: {'dt=2013-01-05/': '2013-01-05'}."""
        key = (*parts, grain, where)
        with self._writing:
            if key not in self._paths:
                self._paths[key] = {
                    "".join(
                        template.replace("${}", _written(one, grain, pattern, template))
                        for template, pattern in parts
                    ): one
                    for one in self._calendar.labels(*where, grain)
                }
            return self._paths[key]


def _written(period: str, grain: str, pattern: str, template: str) -> str:
    value = windows.format_civil(period, grain, pattern)
    return hive_escape(value) if "=" in template else value


def _between(storage: Storage, folders: list[str]) -> Iterator[tuple[str, int]]:
    """List from the first folder to the last: keys come in order, so the rest is not read.

    Without folders everything is listed.
    """
    if not folders:
        yield from ((stored.key, stored.size) for stored in storage.list(storage.prefix))
        return
    first, last = storage.prefix + folders[0], storage.prefix + folders[-1]
    end = last[:-1] + chr(ord("/") + 1)
    for stored in storage.list(storage.prefix, after=first[:-1]):
        if stored.key >= end:
            return
        yield stored.key, stored.size


def _note(needed: dict[str, _Need], name: str, where: tuple[int, int] | None) -> None:
    """Note that a table is needed over a range, or whole (None)."""
    before = needed.get(name, _Need(None, whole=False))
    ranges = [one for one in (before.where, where) if one is not None]
    merged = (min(a for a, _ in ranges), max(b for _, b in ranges)) if ranges else None
    needed[name] = _Need(merged, whole=before.whole or where is None)


def _extent(table: PlannedTable) -> tuple[int, int]:
    return ordinal(table.windows[0][0], table.grain), ordinal(table.windows[-1][1], table.grain)
