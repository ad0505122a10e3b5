"""What the `sql` steps of a workflow ask: rendered, looked at, with this environment's names.

In: a workflow, the workshop with macros and variables, all tables.  Out: an `Asked` for each step,
and faults, each at its place in the workflow's file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.errors import Fault, ProjectError
from runner.model.header import Header, Kind
from runner.model.names import TableName
from runner.model.places import Places
from runner.model.project import StepQuery
from runner.model.steps_flow import SqlStep
from runner.project.drafts import literal_key_faults
from runner.project.steps_flow import every_step
from runner.query import analyse, physical, put_masks, render, resolve
from runner.query.lexer import lex
from runner.query.source import SourceFile, offset_of, value_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Place
    from runner.model.project import NamedWorkflow
    from runner.project.workshop import Workshop
    from runner.query import Analysis, Rendered

DATABASE = "workflows"
"""Stands for the database of a query's own name, which no table has."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one `sql` step asks, before and after this environment's names are put in."""

    step: str
    query: StepQuery
    rendered: Rendered
    analysis: Analysis


def step_queries(
    named: NamedWorkflow,
    places: Places,
    workshop: Workshop,
    tables: Mapping[TableName, tuple[str, ...]],
) -> tuple[tuple[Asked, ...], tuple[Fault, ...]]:
    """Render the queries; `tables` are the project's, with their time columns."""
    found: list[Asked] = []
    faults: list[Fault] = []
    for at, step in every_step(named.workflow):
        if isinstance(step, SqlStep):
            source = _source(named.file, places.value(*at, "sql"), step, workshop)
            try:
                asked = _asked(str(at[1]), source, workshop, tables)
                found.append(asked)
                faults += _parameter_faults(asked, step, places.key(*at, "parameters"))
            except ProjectError as error:
                faults += [_advised(fault) for fault in error.faults]
    return tuple(found), tuple(faults)


def _parameter_faults(asked: Asked, step: SqlStep, place: Place) -> Iterator[Fault]:
    sample = asked.rendered.sample
    marks = [token for token in lex(sample, hive=False) if token.text == "?"]
    if len(marks) != len(step.parameters):
        yield Fault(
            place,
            "sql-parameters",
            f"{len(step.parameters)} values for {len(marks)} question marks",
            "one of `parameters` for each ? of the query, in order",
            "add what is missing, or remove what is too much",
        )


def _source(file: str, place: Place, step: SqlStep, workshop: Workshop) -> SourceFile:
    text = workshop.texts[file]
    start = offset_of(text, place.line, place.column)
    return SourceFile(file, step.sql, within=value_within(text, start, step.sql))


def _advised(fault: Fault) -> Fault:
    """Say a fault of a query as one of a step."""
    if fault.code == "sql-kind":
        return replace(fault, advice="ask a query here; tables are written by `tables` steps")
    return fault


def _asked(
    name: str,
    source: SourceFile,
    workshop: Workshop,
    tables: Mapping[TableName, tuple[str, ...]],
) -> Asked:
    setting, own = workshop.setting, TableName(DATABASE, name)
    rendered = render(source, macros=workshop.library, variables=setting.variables)
    if workshop.masked:
        rendered = put_masks(
            rendered, name=own, header=Header(), places=Places(source.path), sources=workshop.masked
        )
    # As an insert: marks are allowed, and columns are read as a query's.
    analysis = analyse(rendered, name=own, kind=Kind.INSERT)
    sources = setting.config.sources if setting.config is not None else {}
    resolved = resolve(rendered, analysis, tables=tables, sources=sources)
    faults = (*resolved.faults, *literal_key_faults(rendered, analysis))
    if faults:
        raise ProjectError(faults)
    databases = {one.database: f"{one.database}{setting.suffix}" for one in tables}
    query = StepQuery(
        physical(rendered, analysis, tables=tables, databases=databases),
        tuple(read.table for read in resolved.reads),
        resolved.sources,
    )
    return Asked(name, query, rendered, analysis)
