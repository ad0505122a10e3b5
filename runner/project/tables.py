"""Drafts to tables: edges, physical names, columns, partitioning.

In: the drafts of all SQL files and the setting.  Out: `Linked`: tables in an order in which each
stands after what it reads, and faults that only show between files (unknown tables, cycles).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault, Place
from runner.model.header import Kind
from runner.model.names import TableName
from runner.model.project import Allowed, Column, Partitioning, Table
from runner.project.drafts import knows_places
from runner.project.graph import cycles, in_order
from runner.project.personal import find_personal
from runner.project.tested import circle, read_by_tests, unknown_columns
from runner.query import (
    check_columns,
    check_projection,
    column_values,
    partition_count,
    physical,
    projection_parameters,
    resolve,
    time_key,
    without_itself,
)
from runner.query.projection import integer_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.model.header import Header, PartitionColumn
    from runner.model.project import PersonalColumn
    from runner.project.configuration import Setting
    from runner.project.drafts import Draft
    from runner.project.personal import Trace
    from runner.project.tested import Tested
    from runner.query import Resolved

Redraft = "Callable[[Draft], Draft]"


@dataclass(frozen=True, slots=True)
class Linked:
    """The tables whose own files have no faults, and the faults between files."""

    tables: tuple[Table, ...]
    faults: tuple[Fault, ...]


def link(
    drafts: Sequence[Draft],
    *,
    names: Mapping[TableName, str],
    setting: Setting,
    trace: Trace,
    redraft: Callable[[Draft], Draft],
) -> Linked:
    """Make tables of drafts; `names` are all tables that have a file, readable or not."""
    known = dict.fromkeys(names, ()) | {draft.name: draft.time_columns for draft in drafts}
    faults: list[Fault] = []
    resolved: dict[TableName, Resolved] = {}
    for draft in drafts:
        found = _resolve(draft, known, setting)
        if found.faults and not knows_places(draft):
            found = _resolve(redraft(draft), known, setting)
        resolved[draft.name] = found
        faults += found.faults
        faults += _projection_faults(draft, setting.timezone)
    needs = {
        name: [read.table for read in found.reads if read.table != name]
        for name, found in resolved.items()
    }
    by_name = {draft.name: draft for draft in drafts}
    circles = cycles(needs)
    faults += [_cycle_fault(cycle, by_name, redraft) for cycle in circles]
    tested = _tested(drafts, names, setting)
    faults += [fault for found in tested.values() for fault in found.faults]
    order = in_order(_with_tests(needs, tested))
    if not circles:
        faults += _test_circles(by_name, _with_tests(needs, tested))
    columns = _all_columns(by_name, in_order(needs), setting)
    faults += _test_columns(drafts, columns, setting)
    databases = _databases(names, setting)
    personal = find_personal(
        in_order(needs),
        by_name,
        resolved=resolved,
        columns=columns,
        setting=setting,
        trace=trace,
        redraft=redraft,
    )
    faults += personal.faults
    tables = tuple(
        _table(
            by_name[name],
            resolved[name],
            tested[name],
            columns=columns[name],
            databases=databases,
            names=names,
            pii=personal.of(name),
        )
        for name in order
    )
    return Linked(tables, tuple(faults))


def _databases(names: Mapping[TableName, str], setting: Setting) -> dict[str, str]:
    return {name.database: f"{name.database}{setting.suffix}" for name in names}


# --- what tests read ----------------------------------------------------------------------------


def _tested(
    drafts: Sequence[Draft], names: Mapping[TableName, str], setting: Setting
) -> dict[TableName, Tested]:
    databases = _databases(names, setting)
    return {
        draft.name: read_by_tests(draft, tables=names, sources=setting.sources, databases=databases)
        for draft in drafts
    }


def _with_tests(
    needs: Mapping[TableName, Sequence[TableName]], tested: Mapping[TableName, Tested]
) -> dict[TableName, list[TableName]]:
    """Let a table stand after those that its tests read."""
    return {
        name: [*found, *(TableName.parse(read.name) for read in tested[name].reads if read.ours)]
        for name, found in needs.items()
    }


def _test_circles(
    drafts: Mapping[TableName, Draft], needs: Mapping[TableName, Sequence[TableName]]
) -> Iterator[Fault]:
    for cycle in cycles(needs):
        found = (circle(drafts[name], cycle) for name in cycle)
        yield from [fault for fault in found if fault is not None][:1]


def _test_columns(
    drafts: Sequence[Draft], columns: Mapping[TableName, tuple[Column, ...]], setting: Setting
) -> Iterator[Fault]:
    known = source_schemas(setting) | {str(name): found for name, found in columns.items()}
    for draft in drafts:
        yield from unknown_columns(draft, known)


def _resolve(
    draft: Draft, known: Mapping[TableName, tuple[str, ...]], setting: Setting
) -> Resolved:
    return resolve(
        draft.rendered,
        draft.analysis,
        tables=known,
        sources=setting.sources,
        grain=draft.grain,
        lookback=draft.header.lookback,
    )


def _projection_faults(draft: Draft, timezone: str) -> list[Fault]:
    """Check `partition:` of the kinds that write; for others the key itself is refused."""
    if draft.kind in (Kind.VIEW, Kind.DDL):
        return []
    problems = check_projection(draft.header, timezone=timezone)
    return [problem.fault(draft.places.value(*problem.path)) for problem in problems]


def _cycle_fault(
    cycle: Sequence[TableName],
    drafts: Mapping[TableName, Draft],
    redraft: Callable[[Draft], Draft],
) -> Fault:
    steps = [f"{name} ({drafts[name].file})" for name in (*cycle, cycle[0])]
    reader = drafts[cycle[0]]
    upstream = cycle[1] if len(cycle) > 1 else cycle[0]
    return Fault(
        place_of_read(reader, upstream, redraft),
        "table-cycle",
        f"tables that read each other: {' reads '.join(steps)}",
        "an order in which every table is written before it is read",
        "break the circle: move what they share into a table of its own",
    )


def place_of_read(draft: Draft, table: TableName, redraft: Callable[[Draft], Draft]) -> Place:
    """Give the place at which a file names a table; the file's SQL when only ref() names it."""
    mention = next(
        (m for m in draft.analysis.mentions if m.table == str(table) and not m.is_target), None
    )
    if mention is None:
        return Place(draft.file, draft.sql_line)
    placed = draft if knows_places(draft) else redraft(draft)
    return placed.rendered.locate(mention.start)


# --- columns ------------------------------------------------------------------------------------


def source_schemas(setting: Setting) -> dict[str, tuple[Column, ...]]:
    """Give the columns of the declared sources that declare some."""
    return {
        name: tuple(Column(column, kind) for column, kind in columns.items())
        for name, columns in setting.sources.items()
        if columns
    }


def _all_columns(
    drafts: Mapping[TableName, Draft], order: Sequence[TableName], setting: Setting
) -> dict[TableName, tuple[Column, ...]]:
    """Give every table's output columns; stars are expanded from what stands before."""
    schemas = source_schemas(setting)
    found: dict[TableName, tuple[Column, ...]] = {}
    for name in order:
        columns = drafts[name].analysis.columns
        if any(column.name.endswith("*") for column in columns):
            columns, _ = check_columns(drafts[name].rendered, drafts[name].analysis, schemas)
        if columns:
            schemas[str(name)] = columns
        found[name] = columns
    return found


# --- the table ----------------------------------------------------------------------------------


def _table(
    draft: Draft,
    resolved: Resolved,
    tested: Tested,
    *,
    columns: tuple[Column, ...],
    databases: Mapping[str, str],
    names: Mapping[TableName, str],
    pii: tuple[PersonalColumn, ...],
) -> Table:
    return Table(
        name=draft.name,
        file=draft.file,
        header=draft.header,
        kind=draft.kind,
        sql=physical(draft.rendered, draft.analysis, tables=names, databases=databases),
        sql_line=draft.sql_line,
        reads=resolved.reads,
        sources=resolved.sources,
        columns=columns,
        fingerprint=draft.fingerprint,
        partitioning=partitioning(draft.header),
        database=databases[draft.name.database],
        alone=(
            without_itself(draft.rendered, draft.analysis, tables=names, databases=databases)
            if any(read.table == draft.name for read in resolved.reads)
            else None
        ),
        tests_read=tested.reads,
        test_sql=tested.sql,
        pii=pii,
    )


def partitioning(header: Header) -> Partitioning:
    """Compute what `partition:` says; as far as it goes where the projection is wrong."""
    key = time_key(header)
    time = key.columns if key is not None else ()
    others = {name: column for name, column in header.partition.items() if name not in time}
    buckets = header.bucket.count if header.bucket else 1
    combinations = buckets
    for column in others.values():
        combinations *= _written_at_once(column)
    return Partitioning(
        grain=key.grain if key is not None else "",
        time=tuple(zip(time, key.formats, strict=True)) if key is not None else (),
        others=tuple(_allowed(name, column) for name, column in others.items()),
        parameters=_parameters(header),
        combinations=combinations,
    )


def _parameters(header: Header) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(projection_parameters(header).items())
    except ValueError:
        return ()  # a wrong pattern, which the projection's check reports


def _allowed(name: str, column: PartitionColumn) -> Allowed:
    if column.type != "integer":
        return Allowed(name, column.values or ())
    least, greatest = integer_range(column) or (0, 0)
    return Allowed(name, (), least, greatest, column.digits or 0)


def _values(column: PartitionColumn) -> int:
    try:
        return column_values(column) or 1
    except ValueError:
        return 1  # a wrong pattern, which the projection's check reports


def _written_at_once(column: PartitionColumn) -> int:
    """Count the values that one statement writes: injected ones have a statement each."""
    return 1 if column.type == "injected" else _values(column)


def writers(header: Header) -> int:
    """Count the partitions x buckets that one statement writes for one period, at most."""
    key = time_key(header)
    time = key.columns if key is not None else ()
    count = header.bucket.count if header.bucket else 1
    for name, column in header.partition.items():
        if name not in time:
            count *= _written_at_once(column)
    return count


def count_partitions(header: Header) -> int | None:
    """Count all partitions, or None when time moves; 0 where the projection is wrong."""
    try:
        return partition_count(header)
    except ValueError:
        return 0  # a wrong pattern, which the projection's check reports
