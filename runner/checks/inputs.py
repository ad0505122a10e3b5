"""What a windowed table reads: named inputs exist, and time is filtered by the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault, Place
from runner.model.header import Kind
from runner.model.nearest import listed, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.names import TableName
    from runner.model.places import Path

_NAMED = "header-input"
_LOOKBACK = "lookback-negative"
_UNUSED = "window-unused"
_UNFILTERED = "input-unfiltered"


def _find_named(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    header = subject.table.header
    read = {str(read.table) for read in subject.table.reads}
    named: list[tuple[Path, str]] = [(("lookback", name), name) for name in header.lookback or ()]
    named += [(("watch", index), name) for index, name in enumerate(header.watch)]
    for path, name in named:
        if name not in read:
            yield Fault(
                subject.places.key(*path),
                _NAMED,
                f"`{name}`, which the SQL does not read",
                f"a table of the project that it reads: {listed(read)}",
                suggestion(name, read, otherwise="remove it"),
            )


def _find_lookback(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    for name, periods in (subject.table.header.lookback or {}).items():
        if periods < 0:
            yield Fault(
                subject.places.value("lookback", name),
                _LOOKBACK,
                f"a look-back of {periods}",
                "the number of periods before the window, 0 or more",
                f"write {-periods}",
            )


def _find_unused(subject: Subject, scene: Scene) -> Iterator[Fault]:
    """Refuse an insert that never uses the window: rows outside it stop every run."""
    table = subject.table
    if table.kind is not Kind.INSERT or table.name not in scene.timed or table.sql.marks():
        return
    column = scene.timed[table.name][0]
    yield Fault(
        Place(table.file, table.sql_line),
        _UNUSED,
        "an insert that does not use the run's window",
        "rows of the window only; others would stop the run",
        f"add WHERE {column} BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}', or choose kind: ctas",
    )


def _find_unfiltered(subject: Subject, scene: Scene) -> Iterator[Fault]:
    table = subject.table
    if table.kind is not Kind.INSERT or table.name not in scene.timed or not table.sql.marks():
        return
    watched = set(table.header.watch)
    for read in table.reads:
        columns = scene.timed.get(read.table, ())
        if read.windowed or not columns or read.table == table.name or str(read.table) in watched:
            continue
        yield _unfiltered(subject, read.table, columns[0])


def _unfiltered(subject: Subject, name: TableName, column: str) -> Fault:
    return Fault(
        subject.place_of_read(name),
        _UNFILTERED,
        f"{name} read whole, though it is partitioned by {column}",
        f"a filter on {column} by the window in every place that reads it",
        f"add {column} BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}'; "
        f"or write watch: [{name}] if all of it is meant",
    )


RULES = (
    Rule(
        _NAMED,
        "error",
        "A look-back or watch of a table that is not read does nothing.",
        _find_named,
    ),
    Rule(_LOOKBACK, "error", "A look-back counts periods before the window.", _find_lookback),
    Rule(
        _UNUSED,
        "error",
        "A run owns its window's partitions and refuses rows outside them.",
        _find_unused,
    ),
    Rule(
        _UNFILTERED,
        "error",
        "An input read whole costs a full scan each day and makes nothing stale when it changes.",
        _find_unfiltered,
    ),
)
