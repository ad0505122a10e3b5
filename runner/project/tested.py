"""What the tests of a header read beside the staged rows: other tables, as they are published.

In: a draft, the tables and sources that there are.  Out: `Tested`: those tables, the tests' SQL
with physical names, and faults: unknown tables and columns, the table itself, circles.  A test's
table comes first where a workflow writes both; it is no input and makes nothing stale (SEMANTICS
13, 20).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.model.names import TableName
from runner.model.nearest import listed, suggestion
from runner.model.project import ReadByTests
from runner.query import physical
from runner.query.header_sql import THIS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from runner.errors import Place
    from runner.model.project import Column
    from runner.project.drafts import Draft

_CYCLE = "test-cycle"


@dataclass(frozen=True, slots=True)
class Tested:
    """What one table's tests read."""

    reads: tuple[ReadByTests, ...]
    sql: tuple[str, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Named:
    """A table that a test names, and where."""

    table: str
    place: Place
    column: str = ""


def read_by_tests(
    draft: Draft,
    *,
    tables: Collection[TableName],
    sources: Collection[str],
    databases: Mapping[str, str],
) -> Tested:
    """Resolve the tables that a header's tests name."""
    faults = []
    reads: dict[str, ReadByTests] = {}
    for named in _names(draft):
        if named.table == str(draft.name):
            faults.append(_itself(named))
        elif not (ours := TableName.split(named.table) in tables) and named.table not in sources:
            faults.append(_unknown(named, {*map(str, tables), *sources}))
        else:
            database, _, table = named.table.partition(".")
            stored = databases.get(database, database) if ours else database
            reads[named.table] = ReadByTests(named.table, f"{stored}.{table}", ours)
    return Tested(tuple(reads.values()), _texts(draft, tables, databases), tuple(faults))


def _names(draft: Draft) -> Iterator[_Named]:
    for index, test in enumerate(draft.header.tests):
        for column, target in (test.relationships or {}).items():
            table, _, other = target.rpartition(".")
            if table.count(".") == 1:  # anything else is a fault of the header's own check
                place = draft.places.value("tests", index, "relationships", column)
                yield _Named(table, place, other)
    this = f"{draft.name.database}.{THIS}"
    for sql in draft.test_sql:
        for mention in sql.analysis.mentions:
            if mention.table != this:
                yield _Named(mention.table, sql.rendered.locate(mention.start))


def _texts(
    draft: Draft, tables: Collection[TableName], databases: Mapping[str, str]
) -> tuple[str, ...]:
    if not draft.test_sql:
        return ()
    texts = [""] * len(draft.header.tests)
    others = {name for name in tables if name.table != THIS}
    for sql in draft.test_sql:
        found = physical(sql.rendered, sql.analysis, tables=others, databases=databases)
        texts[sql.test] = sql.text("".join(map(str, found.parts)))
    return tuple(texts)


def _unknown(named: _Named, candidates: Collection[str]) -> Fault:
    return Fault(
        named.place,
        "unknown-table",
        f"{named.table} in a test, which is neither a table of the project nor a source",
        "a table with a file under sql/, or a declared source",
        suggestion(
            named.table,
            candidates,
            otherwise="declare it under `sources:` in config.yaml, or correct the name",
        ),
    )


def _itself(named: _Named) -> Fault:
    return Fault(
        named.place,
        _CYCLE,
        f"a test of {named.table} that reads {named.table}, whose rows are not published yet",
        "another table",
        "write a query over {{ this }}, the staged rows, if those are meant",
    )


def unknown_columns(draft: Draft, columns: Mapping[str, tuple[Column, ...]]) -> Iterator[Fault]:
    """Refuse a relationship to a column that its table does not have, where that is known."""
    for named in _names(draft):
        names = [column.name for column in columns.get(named.table, ())]
        whole = names and not any(name.endswith("*") for name in names)
        if named.column and whole and named.column not in names:
            yield Fault(
                named.place,
                "header-column",
                f"the column `{named.column}`, which {named.table} does not have",
                f"one of {listed(names)}",
                suggestion(named.column, names, otherwise="name a column of that table"),
            )


def circle(draft: Draft, cycle: tuple[TableName, ...]) -> Fault | None:
    """Say that a test of a table closes a circle; None where none of its tests does."""
    for named in _names(draft):
        if named.table in map(str, cycle) and named.table != str(draft.name):
            return Fault(
                named.place,
                _CYCLE,
                f"a test of {draft.name} that reads {named.table}, which is written after it",
                "a table that is written before this one",
                f"move the test to {named.table}, or to a table that reads both",
            )
    return None
