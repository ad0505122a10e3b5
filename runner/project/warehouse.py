"""Personal data in `redshift` steps: what their SQL takes out of external schemas over the lake.

In: the workflows with their places and texts, where tagged columns are.  Out: faults.  That an
external schema shows a table takes nothing out: it is read by the rights of its role.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.checks.pii import statement_fault, statement_lost
from runner.model.steps_sinks import RedshiftStep
from runner.project.steps_flow import every_step
from runner.query.source import SourceFile, offset_of, value_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.errors import Fault, Place
    from runner.model.places import Path, Places
    from runner.model.project import Column, NamedWorkflow, PersonalStep
    from runner.project.personal import Personal

MOUNTED = "awsdatacatalog"
"""The catalogue as Redshift mounts it: `awsdatacatalog.database.table` needs no schema."""


@dataclass(frozen=True, slots=True)
class Lake:
    """What statements of Redshift may read."""

    personal: Personal
    columns: Mapping[str, tuple[Column, ...]]
    """By `database.table`."""
    databases: Mapping[str, str]
    """The project's databases by their names in this environment."""
    place_of_step: Callable[[PersonalStep], Place]

    def shown(self, schema: str, database: str) -> dict[str, str]:
        """Give the tagged tables of a database by what a schema calls them."""
        return {
            f"{schema.lower()}.{table.partition('.')[2]}": table
            for table in self.personal.columns
            if table.partition(".")[0] == database
        }


def warehouse_faults(
    workflows: Sequence[NamedWorkflow],
    places: Mapping[str, Places],
    texts: Mapping[str, str],
    lake: Lake,
) -> Iterator[Fault]:
    """Refuse SQL by which personal data would leave the lake unmasked."""
    shown = _schemas(workflows, lake)
    for named in workflows:
        for at, step in every_step(named.workflow):
            if not isinstance(step, RedshiftStep):
                continue
            for path, statement in _statements(at, step):
                place = places[named.name].value(*path)
                text = texts[named.file]
                start = offset_of(text, place.line, place.column)
                within = value_within(text, start, statement)
                source = SourceFile(named.file, statement, within=within)
                yield from _Statement(str(at[1]), source, shown[_where(step)], lake).faults()


def _statements(at: Path, step: RedshiftStep) -> Iterator[tuple[Path, str]]:
    if isinstance(step.sql, str):
        yield (*at, "sql"), step.sql
        return
    for index, one in enumerate(step.sql):
        yield (*at, "sql", index), one


_Where = tuple[str, str, str]


def _where(step: RedshiftStep) -> _Where:
    return step.cluster or "", step.workgroup or "", step.database


def _schemas(workflows: Sequence[NamedWorkflow], lake: Lake) -> dict[_Where, dict[str, str]]:
    """Give the tagged tables by their names in Redshift, whichever step makes the schema."""
    found: dict[_Where, dict[str, str]] = {}
    for named in workflows:
        for at, step in every_step(named.workflow):
            if not isinstance(step, RedshiftStep):
                continue
            tables = found.setdefault(_where(step), {})
            external = step.external_schema
            if external is not None:
                tables |= lake.shown(external.name, external.database)
            for _, statement in _statements(at, step):
                tables |= _made(statement, lake)
    return found


def _made(statement: str, lake: Lake) -> dict[str, str]:
    from runner.query import external_schemas  # noqa: PLC0415 - sqlglot, for tagged projects

    found: dict[str, str] = {}
    for schema, database in external_schemas(statement):
        found |= lake.shown(schema, lake.databases.get(database, database))
    return found


@dataclass(frozen=True, slots=True)
class _Statement:
    """One statement of a step."""

    step: str
    source: SourceFile
    shown: Mapping[str, str]
    lake: Lake

    def faults(self) -> Iterator[Fault]:
        from runner.query import trace_statement  # noqa: PLC0415 - sqlglot, for tagged projects

        shown = dict(self.shown)
        if MOUNTED in self.source.text.lower():
            for physical, database in self.lake.databases.items():
                shown |= self.lake.shown(physical, database)
        columns = self.lake.personal.columns
        lineage = trace_statement(
            self.source.text,
            tagged={name: frozenset(columns[table]) for name, table in shown.items()},
            schemas={
                name: known
                for name, table in shown.items()
                if (known := self.lake.columns.get(table, ()))
            },
        )
        if lineage.lost:
            text = self.source.text.lower()
            tables = sorted({table for name, table in shown.items() if name in text})
            named = tuple(f"{table}.{one}" for table in tables for one in columns[table])
            yield statement_lost(named, lineage.lost, self.source.place(lineage.lost_at))
        for one in lineage.carried:
            place = self.source.place(one.offset)
            for before in columns[shown[one.table]][one.column]:
                output = one.output or one.column
                yield statement_fault(self.step, output, before, place, self.lake.place_of_step)
