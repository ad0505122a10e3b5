"""Selection patterns: which tables a step of a workflow, or a command, means.

`staging.flights` one table, `staging.*` and `marts.daily_*` by shell patterns, `tag:word` by a tag
of the header, `+marts.x` what a pattern selects and everything that it reads.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.model.names import TableName
    from runner.model.project import Project, Table

EVERYTHING = "*.*"


def select(
    project: Project, patterns: Iterable[str], exclude: Iterable[str] = ()
) -> tuple[TableName, ...]:
    """Give the selected tables in the project's order; a pattern without a match adds nothing."""
    wanted = {name for pattern in patterns for name in matches(project.tables, pattern)}
    unwanted = {name for pattern in exclude for name in matches(project.tables, pattern)}
    return tuple(table.name for table in project.tables if table.name in wanted - unwanted)


def matches(tables: Sequence[Table], pattern: str) -> frozenset[TableName]:
    """Give the tables that one pattern selects."""
    upstreams = pattern.startswith("+")
    bare = pattern.removeprefix("+")
    if bare.startswith("tag:"):
        tag = bare.removeprefix("tag:")
        found = {table.name for table in tables if tag in table.header.tags}
    else:
        found = {table.name for table in tables if fnmatchcase(str(table.name), bare)}
    return frozenset(_with_upstreams(tables, found) if upstreams else found)


def _with_upstreams(tables: Sequence[Table], names: set[TableName]) -> set[TableName]:
    reads = {table.name: [read.table for read in table.reads] for table in tables}
    found: set[TableName] = set()
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [upstream for upstream in reads.get(name, []) if upstream not in found]
    return found


def candidates(tables: Sequence[Table], pattern: str) -> tuple[str, ...]:
    """Give what a pattern like this one could have named: tags for a tag, else tables."""
    if pattern.removeprefix("+").startswith("tag:"):
        return tuple(sorted({f"tag:{tag}" for table in tables for tag in table.header.tags}))
    databases = {f"{table.name.database}.*" for table in tables}
    return (*sorted(databases), *sorted(str(table.name) for table in tables))
