"""What a project holds: its tables, one table in full, and the graph of their dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.kept_tests import KeptTests, kept_tests
from runner.app.local_places import open_places
from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, TableFacts
    from runner.app.places import Places
    from runner.model.project import Table


@dataclass(frozen=True, slots=True)
class Published:
    """A period of a table that a record says is published."""

    period: str
    rows: int
    bytes: int
    files: int
    run: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TableView:
    """One table in full."""

    name: str
    kind: str
    file: str
    description: str
    header: dict[str, object]
    columns: tuple[tuple[str, str], ...]
    sql: str
    """Rendered text; run-time values as {{ start }} and {{ end }}."""
    upstream: tuple[str, ...]
    """Tables that it reads, with look-back: `marts.daily (window, 6 periods back)`."""
    downstream: tuple[str, ...]
    workflows: tuple[str, ...]
    published: tuple[Published, ...]
    tests: KeptTests
    """What the header's tests found, as the records keep it."""


def list_tables(
    root: Path, environment: str = "local", variables: Mapping[str, str] | None = None
) -> tuple[TableFacts, ...]:
    """List the tables of a project in the order of their dependencies."""
    return open_bundle(root, environment, variables).tables


def show_table(
    root: Path,
    name: str,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
) -> TableView:
    """Give one table in full; UsageError names the nearest tables when there is none."""
    from runner.project import load_project  # noqa: PLC0415 - heavy only when it is needed

    bundle = open_bundle(root, environment, variables)
    facts = find_table(bundle, name)
    project = load_project(
        root,
        environment=environment,
        variables=variables or {},
        cache_dir=root / ".runner" / "cache",
    )
    table = next(table for table in project.tables if str(table.name) == name)
    places = _places(root, bundle)
    return TableView(
        name=name,
        kind=facts.kind,
        file=facts.file,
        description=table.header.description,
        header=table.header.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        columns=tuple((column.name, column.type) for column in table.columns),
        sql=facts.sql,
        upstream=tuple(_reads(table)),
        downstream=tuple(other.name for other in bundle.tables if name in other.reads),
        workflows=tuple(w.name for w in bundle.workflows if name in w.tables),
        published=() if places is None else tuple(published(places, facts)),
        tests=KeptTests(name, ()) if places is None else kept_tests(places, facts),
    )


def _places(root: Path, bundle: Bundle) -> Places | None:
    """Open the environment if it is on this machine: this command asks nothing of AWS."""
    if bundle.environment["engine"] != "local":
        return None
    return open_places(root, bundle, now=lambda: datetime.now(UTC))


def find_table(bundle: Bundle, name: str) -> TableFacts:
    """Find a table of the bundle; UsageError with the nearest names."""
    from runner.model.nearest import suggestion  # noqa: PLC0415 - difflib, only for a mistake

    for table in bundle.tables:
        if table.name == name:
            return table
    names = [table.name for table in bundle.tables]
    advice = suggestion(name, names, otherwise="see `runner list`")
    fault = Fault(Place("TABLE"), "unknown-table", name, "a table of this project", advice)
    raise UsageError([fault])


def _reads(table: Table) -> list[str]:
    lines = []
    for read in table.reads:
        how = "window" if read.windowed else "whole table"
        if read.lookback:
            plural = "s" if read.lookback > 1 else ""
            how += f", {read.lookback} period{plural} back"
        lines.append(f"{read.table} ({how})")
    lines += [f"{source} (source)" for source in table.sources]
    return [*lines, *(f"{read.name} (its tests only)" for read in table.tests_read)]


def published(places: Places, facts: TableFacts) -> list[Published]:
    """Read what the records of a lake say of a table, period by period."""
    from runner.keeper import records  # noqa: PLC0415 - only where records are read
    from runner.keeper.publish import summary  # noqa: PLC0415

    storage = places.storage()
    physical = f"{facts.database}.{facts.name.partition('.')[2]}"
    latest = records.newest(records.entries(storage, physical), facts.grain or None)
    bodies = records.bodies(storage, set(latest.values()))
    result = []
    for period, entry in sorted(latest.items()):
        if not entry.published:
            continue
        body = bodies[entry]
        whole = summary(body)
        share = len(body["rows"]) or 1
        result.append(
            Published(
                period=period,
                rows=body["rows"].get(period, 0),
                bytes=whole["bytes"] // share,
                files=len(body["files"]),
                run=run_name(entry.run),
                fingerprint=entry.fingerprint,
            )
        )
    return result


def run_name(writer: str) -> str:
    """Give the run of a record's writer, `<workflow>.<run>.<redrive>.<attempt>`.

    >>> run_name("daily.daily-20130201T030000-ab12cd.0.1")
    'daily-20130201T030000-ab12cd'
    """
    parts = writer.split(".")
    return parts[1] if len(parts) > 1 else writer


def graph_text(tables: tuple[TableFacts, ...]) -> str:
    """Draw the tables as a tree by text: each below what it reads, marked where it stood before."""
    below: dict[str, list[str]] = {table.name: [] for table in tables}
    for table in tables:
        for read in table.reads:
            if read in below and read != table.name:
                below[read].append(table.name)
    roots = [t.name for t in tables if not (set(t.reads) - {t.name}) & set(below)]
    lines: list[str] = []
    seen: set[str] = set()

    def draw(name: str, first: str, rest: str) -> None:
        known = name in seen
        seen.add(name)
        lines.append(f"{first}{name}{' (see above)' if known and below[name] else ''}")
        children = [] if known else below[name]
        for position, child in enumerate(children):
            last = position + 1 == len(children)
            draw(child, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "))

    for name in roots:
        draw(name, "", "")
    return "\n".join(lines)


def graph_mermaid(tables: tuple[TableFacts, ...]) -> str:
    """Draw the tables as a Mermaid flowchart."""
    lines = ["flowchart LR"]
    lines += [f"    {_id(t.name)}[{t.name}]:::{t.kind}" for t in tables]
    names = {table.name for table in tables}
    lines += [
        f"    {_id(read)} --> {_id(table.name)}"
        for table in tables
        for read in table.reads
        if read in names
    ]
    return "\n".join(lines)


def _id(name: str) -> str:
    return name.replace(".", "__")
