"""Selection patterns: which tables a step of a workflow, or a command, means.

`staging.flights` one table, `staging.*` and `marts.daily_*` by shell patterns, `tag:word` by a tag
of the header, `+marts.x` what a pattern selects and everything that it reads, `staging.x+` and
everything that reads it; `+marts.x+` both.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.model.names import TableName
    from runner.model.project import Project, Table

EVERYTHING = "*.*"


@dataclass(frozen=True, slots=True)
class Selectable:
    """What a pattern looks at."""

    name: str
    tags: tuple[str, ...]
    reads: tuple[str, ...]


def select(
    project: Project, patterns: Iterable[str], exclude: Iterable[str] = ()
) -> tuple[TableName, ...]:
    """Give the selected tables in the project's order; a pattern without a match adds nothing."""
    wanted = {name for pattern in patterns for name in matches(project.tables, pattern)}
    unwanted = {name for pattern in exclude for name in matches(project.tables, pattern)}
    return tuple(table.name for table in project.tables if table.name in wanted - unwanted)


def matches(tables: Sequence[Table], pattern: str) -> frozenset[TableName]:
    """Give the tables that one pattern selects."""
    found = pick([_selectable(table) for table in tables], pattern)
    return frozenset(table.name for table in tables if str(table.name) in found)


def _selectable(table: Table) -> Selectable:
    reads = tuple(str(read.table) for read in table.reads)
    return Selectable(str(table.name), table.header.tags, reads)


def pick(tables: Sequence[Selectable], pattern: str) -> frozenset[str]:
    """Give the names of the tables that one pattern selects."""
    bare = bare_pattern(pattern)
    if bare.startswith("tag:"):
        tag = bare.removeprefix("tag:")
        found = {table.name for table in tables if tag in table.tags}
    else:
        found = {table.name for table in tables if fnmatchcase(table.name, bare)}
    result = set(found)
    if pattern.startswith("+"):
        result |= _reached(found, {table.name: table.reads for table in tables})
    if pattern.endswith("+"):
        result |= _reached(found, _readers(tables))
    return frozenset(result)


def bare_pattern(pattern: str) -> str:
    """Take away the signs for what is upstream and downstream.

    >>> bare_pattern("+marts.x+")
    'marts.x'
    """
    return pattern.removeprefix("+").removesuffix("+")


def _readers(tables: Sequence[Selectable]) -> dict[str, list[str]]:
    readers: dict[str, list[str]] = {}
    for table in tables:
        for read in table.reads:
            readers.setdefault(read, []).append(table.name)
    return readers


def _reached(names: set[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in edges.get(name, ()) if other not in found]
    return found


def candidates(tables: Sequence[Table], pattern: str) -> tuple[str, ...]:
    """Give what a pattern like this one could have named: tags for a tag, else tables."""
    if bare_pattern(pattern).startswith("tag:"):
        return tuple(sorted({f"tag:{tag}" for table in tables for tag in table.header.tags}))
    databases = {f"{table.name.database}.*" for table in tables}
    return (*sorted(databases), *sorted(str(table.name) for table in tables))
