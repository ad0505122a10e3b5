"""What the `sql` steps of a workflow ask: rendered, looked at, with this environment's names.

In: a workflow, the workshop with macros and variables, all tables.  Out: a `StepQuery` for each
step, and faults where the step's `sql` stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, ProjectError
from runner.model.header import Kind
from runner.model.names import TableName
from runner.model.project import StepQuery
from runner.model.steps_flow import SqlStep
from runner.query import analyse, physical, render, resolve
from runner.query.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.places import Places
    from runner.model.project import NamedWorkflow
    from runner.project.workshop import Workshop

_DATABASE = "workflows"
"""Stands for the database of a query's own name, which no table has."""


def step_queries(
    named: NamedWorkflow,
    places: Places,
    workshop: Workshop,
    tables: Mapping[TableName, tuple[str, ...]],
) -> tuple[dict[str, StepQuery], tuple[Fault, ...]]:
    """Render the queries; `tables` are the project's, with their time columns."""
    found: dict[str, StepQuery] = {}
    faults: list[Fault] = []
    for name, step in named.workflow.steps.items():
        if isinstance(step, SqlStep):
            try:
                found[name] = _query(name, step, named.file, workshop, tables)
            except ProjectError as error:
                place = places.value("steps", name, "sql")
                faults += [_placed(fault, place) for fault in error.faults]
    return found, tuple(faults)


def _placed(fault: Fault, place: Place) -> Fault:
    """Say a fault of a query as one of a step."""
    if fault.code == "sql-kind":
        advice = "ask a query here; tables are written by `tables` steps"
        return replace(fault, place=place, advice=advice)
    return replace(fault, place=place)


def _query(
    name: str,
    step: SqlStep,
    file: str,
    workshop: Workshop,
    tables: Mapping[TableName, tuple[str, ...]],
) -> StepQuery:
    setting = workshop.setting
    source = SourceFile(file, step.sql, 0)
    rendered = render(source, macros=workshop.library, variables=setting.variables)
    # As an insert: marks are allowed, and columns are read as a query's.
    analysis = analyse(rendered, name=TableName(_DATABASE, name), kind=Kind.INSERT)
    sources = setting.config.sources if setting.config is not None else {}
    resolved = resolve(rendered, analysis, tables=tables, sources=sources)
    if resolved.faults:
        raise ProjectError(resolved.faults)
    databases = {one.database: f"{one.database}{setting.suffix}" for one in tables}
    return StepQuery(
        physical(rendered, analysis, tables=tables, databases=databases),
        tuple(read.table for read in resolved.reads),
        resolved.sources,
    )
