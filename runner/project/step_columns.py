"""Columns of `sql` steps that later steps name: `$values.<step>.<column>`, `$item.<column>`.

In: a workflow and what its `sql` steps ask.  Out: faults.  JSONata gives nothing for a name that
is not there: a rule with a misspelled column would be false for ever.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.model.nearest import listed, suggestion
from runner.model.steps_flow import RowsOf, SqlStep
from runner.project.steps_flow import expressions_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.model.places import Path, Places
    from runner.model.workflow import AnyStep, Workflow
    from runner.project.step_queries import Asked

_OF_VALUE = re.compile(r"\$values\.`?(\w+)`?\.`?(\w+)`?(?!\s*\()")
_OF_ITEM = re.compile(r"\$item\.`?(\w+)`?(?!\s*\()")


def column_faults(workflow: Workflow, places: Places, asked: Sequence[Asked]) -> Iterator[Fault]:
    """Find names that are no columns of the query whose row they are taken from."""
    known = {one.step: columns for one in asked if (columns := _columns(one))}
    rows = {
        name: known[name]
        for name, step in workflow.steps.items()
        if isinstance(step, SqlStep) and name in known
    }
    for name, step in workflow.steps.items():
        for where, text in expressions_of(("steps", name), step):
            for source, column in dict.fromkeys(_OF_VALUE.findall(text)):
                if source in rows:
                    yield from _missing(column, source, rows[source], where=where, places=places)
        yield from _items(name, step, rows, places)


def _items(
    name: str, step: AnyStep, rows: Mapping[str, tuple[str, ...]], places: Places
) -> Iterator[Fault]:
    if step.type != "map" or not isinstance(step.over, RowsOf) or step.over.rows not in rows:
        return
    source = step.over.rows
    for where, text in expressions_of(("steps", name, "step"), step.step):
        for column in dict.fromkeys(_OF_ITEM.findall(text)):
            yield from _missing(column, source, rows[source], where=where, places=places)


def _columns(asked: Asked) -> tuple[str, ...]:
    """Name the columns of a query; none if some are not known."""
    names = [column.name for column in asked.analysis.columns]
    if any(name.endswith("*") for name in names):
        return ()
    return tuple(name or f"_col{place}" for place, name in enumerate(names))


def _missing(
    column: str, source: str, known: tuple[str, ...], *, where: Path, places: Places
) -> Iterator[Fault]:
    if column.lower() not in {one.lower() for one in known}:
        yield Fault(
            places.value(*where),
            "unknown-column",
            f"`{column}`, which the query of the step {source} does not give",
            f"one of {listed(known)}",
            suggestion(column, known, otherwise="correct the name, or add the column to the query"),
        )
