"""Which tables, and so which prefixes of S3, the statements of a machine touch.

In: a bundle and the tables and loads of a machine.  Out: what it reads and what it writes.  A view
has no files: who reads one reads what stands behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, ProjectError
from runner.plan.stack.facts import Access

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.app.bundle import Bundle, TableFacts

_TEMPLATE = re.compile(r"'storage\.location\.template'\s*=\s*'([^'$]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Accesses:
    """What a machine's statements touch."""

    reads: tuple[Access, ...]
    writes: tuple[Access, ...]


class Reach:
    """Finds what tables touch, in one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        """Index the bundle's tables by their logical and physical names."""
        self._bundle = bundle
        self._lake = bundle.environment["lake"].rstrip("/") + "/"
        self._tables = {table.name: table for table in bundle.tables}
        self._physical = {physical_name(table): table for table in bundle.tables}

    def of(
        self, tables: Sequence[str], loads: Sequence[str], queried: Sequence[str] = ()
    ) -> Accesses:
        """Give what writing these tables, extracting these loads and queries touch."""
        read: dict[Access, None] = {}
        for name in queried:
            for one in self._queried(name):
                read[one] = None
        for name in tables:
            for one in self._inputs(self._tables[name], frozenset()):
                read[one] = None
            for physical in self._tables[name].tests_read:
                for one in self._tested(physical):
                    read[one] = None
        written = [self._own(self._tables[name]) for name in tables]
        loaded = [self._own(self._tables[name]) for name in loads]
        ordered = sorted({*read, *written, *loaded}, key=_order)
        return Accesses(tuple(ordered), tuple(sorted(written, key=_order)))

    def _inputs(self, table: TableFacts, seen: frozenset[str]) -> Iterator[Access]:
        for source in table.sources:
            yield self._source(source)
        for name in table.reads:
            yield self._own(self._tables[name])
            if self._tables[name].kind == "view" and name not in seen:
                yield from self._inputs(self._tables[name], seen | {name})

    def _tested(self, physical: str) -> Iterator[Access]:
        table = self._physical.get(physical)
        if table is None:
            yield self._source(physical)
            return
        yield self._own(table)
        if table.kind == "view":
            yield from self._inputs(table, frozenset({table.name}))

    def _queried(self, name: str) -> Iterator[Access]:
        """Give what a query reads by naming a table, or a source."""
        if name not in self._tables:
            yield self._source(name)
            return
        table = self._tables[name]
        yield self._own(table)
        if table.kind == "view":
            yield from self._inputs(table, frozenset({name}))

    def _own(self, table: TableFacts) -> Access:
        name = table.name.partition(".")[2]
        locations: tuple[str, ...] = (f"{self._lake}{table.database}/{name}/",)
        if table.kind == "view":
            locations = ()
        elif table.kind == "ctas":  # a flip leaves the files where they were staged
            locations = (*locations, f"{self._lake}_runner/stage/{table.database}/{name}/")
        elif table.kind == "ddl":
            return self._exported(table.database, table.name, list(_ddl_locations(table)))
        return Access(table.database, name, locations, table.name)

    def _exported(self, database: str, name: str, said: Sequence[str]) -> Access:
        """Give a table of files of others, and wherever an export may move it.

        That is all that lies below where the exports go, and encrypted with their key.
        """
        locations, keys = dict.fromkeys(said), set()
        moving = self._bundle.moved.get(name, ())
        for source, export in self._bundle.environment.get("rds", {}).items():
            root = export["to"].rstrip("/") + "/"
            inside = [one for one in locations if one.startswith(root)]
            if source in moving or inside:
                locations = dict.fromkeys(root if one in inside else one for one in locations)
                locations[root] = None
                keys.add(str(export["key"]))
        table = name.partition(".")[2]
        return Access(database, table, tuple(locations), name, tuple(sorted(keys)))

    def _source(self, name: str) -> Access:
        locations = [
            one if one.endswith("/") else f"{one}/" for one in self._bundle.sources.get(name, ())
        ]
        return self._exported(name.partition(".")[0], name, locations)


def _ddl_locations(table: TableFacts) -> Iterator[str]:
    if table.layout.location:
        yield table.layout.location
    found = _TEMPLATE.search(table.sql)
    if found is not None and not found[1].startswith(table.layout.location or "s3://-"):
        yield found[1].rpartition("/")[0] + "/"


def physical_name(table: TableFacts) -> str:
    """Give `database.table` as this environment has it."""
    return f"{table.database}.{table.name.partition('.')[2]}"


def check_sources(bundle: Bundle) -> None:
    """Raise ProjectError for sources that are read and whose files nobody has told of."""
    used = {name for table in bundle.tables for name in table.sources}
    faults = [
        Fault(
            Place("config.yaml"),
            "source-without-location",
            f"sources.{name} has no `locations`",
            "the prefixes that hold its files: the role of a workflow may read just those",
            f"add locations: [s3://bucket/prefix/] to sources.{name}",
        )
        for name in sorted(used)
        if not bundle.sources.get(name) and name not in bundle.moved
    ]
    if faults:
        raise ProjectError(faults)


def _order(access: Access) -> tuple[str, str]:
    return access.database, access.table
