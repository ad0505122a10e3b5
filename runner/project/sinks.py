"""Steps that bring tables elsewhere: what they export, and what they say that cannot be done.

In: a workflow, the places of its file, the project's tables.  Out: a step's tables, and faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.model.header import Kind
from runner.model.nearest import listed, suggestion
from runner.model.selection import matches
from runner.model.sqlparameters import WINDOW, parameters_of
from runner.model.steps_sinks import BigqueryTransferStep, RedshiftStep
from runner.model.workflow import SnsStep
from runner.project.steps_flow import every_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.model.names import TableName
    from runner.model.places import Path, Places
    from runner.model.project import Table
    from runner.model.workflow import AnyStep, Workflow

_FIFO = ".fifo"
_MOST_STATEMENTS = 40
"""Of one transaction of the Data API."""


def exported_tables(step: AnyStep, tables: Sequence[Table]) -> tuple[Table, ...]:
    """Give the tables whose rows a step brings out of the lake; none for most steps.

    What guards the columns of a table asks here, once for each step of a workflow.
    """
    if not isinstance(step, BigqueryTransferStep):
        return ()
    wanted = {name for pattern in step.tables for name in matches(tables, pattern)}
    unwanted = {name for pattern in step.exclude for name in matches(tables, pattern)}
    return tuple(table for table in tables if table.name in wanted - unwanted)


def exported_columns(step: AnyStep, table: TableName) -> tuple[str, ...]:
    """Give the columns of a table that a step exports; empty for all of them."""
    return step.columns.get(str(table), ()) if isinstance(step, BigqueryTransferStep) else ()


def sink_faults(workflow: Workflow, places: Places, tables: Sequence[Table]) -> Iterator[Fault]:
    """Find what the steps of a workflow say that cannot be done."""
    owners: dict[tuple[str, TableName], str] = {}
    for name, step in workflow.steps.items():
        if isinstance(step, BigqueryTransferStep):
            yield from _Export(name, step, places, tables).faults(owners)
    for at, step in every_step(workflow):
        if isinstance(step, RedshiftStep):
            yield from _redshift(at, step, places, tables)
        elif isinstance(step, SnsStep):
            yield from _ordered(at, step, places)
    if workflow.on_failure is not None and workflow.on_failure.topic.endswith(_FIFO):
        yield Fault(
            places.value("on_failure", "topic"),
            "sns-fifo",
            "a FIFO topic, to which EventBridge does not deliver",
            "a standard topic",
            "name another topic, or publish from an sns step",
        )


def _ordered(at: Path, step: SnsStep, places: Places) -> Iterator[Fault]:
    """Hold group and FIFO topic together."""
    if step.topic.endswith(_FIFO) and step.group is None:
        yield Fault(
            places.key(*at),
            "sns-fifo",
            "a message to a FIFO topic without `group`",
            "the message group, in which messages keep their order",
            "add group: ...",
        )
    key = "group" if step.group is not None else "deduplication"
    if not step.topic.endswith(_FIFO) and (step.group or step.deduplication):
        yield Fault(
            places.key(*at, key),
            "sns-fifo",
            f"`{key}` for a topic that is no FIFO topic",
            "the ARN of a topic whose name ends in .fifo",
            "name such a topic, or remove the key",
        )


class _Export:
    """The faults of one step that exports."""

    def __init__(
        self, name: str, step: BigqueryTransferStep, places: Places, tables: Sequence[Table]
    ) -> None:
        self._name = name
        self._step = step
        self._places = places
        self._tables = tables
        self._exported = exported_tables(step, tables)

    def faults(self, owners: dict[tuple[str, TableName], str]) -> Iterator[Fault]:
        if not self._step.tables and self._step.transfer is None:
            yield Fault(
                self._places.key("steps", self._name),
                "export-nothing",
                "neither `tables` nor `transfer`",
                "tables to export, a transfer to run, or both",
                "add tables: [database.table], or transfer: projects/.../transferConfigs/...",
            )
        yield from self._kinds()
        yield from self._columns()
        yield from self._folder()
        yield from self._twice(owners)

    def _kinds(self) -> Iterator[Fault]:
        for table in self._exported:
            if table.kind in (Kind.VIEW, Kind.DDL):
                yield Fault(
                    self._places.key("steps", self._name, "tables"),
                    "export-kind",
                    f"{table.name}, of kind {table.kind.value}, which has no published rows",
                    "tables of kind ctas or insert",
                    f"add exclude: [{table.name}], or make a table of it",
                )

    def _columns(self) -> Iterator[Fault]:
        exported = {str(table.name): table for table in self._exported}
        for name, columns in self._step.columns.items():
            place = self._places.key("steps", self._name, "columns", name)
            if name not in exported:
                yield Fault(
                    place,
                    "export-columns",
                    f"columns of {name}, which the step does not export",
                    f"one of {listed(exported)}" if exported else "a table of `tables`",
                    suggestion(name, exported, otherwise="add it to `tables`, or remove the key"),
                )
                continue
            table = exported[name]
            names = [one.name for one in table.columns]
            known = (*names, *(one for one in table.header.partition if one not in names))
            for index, column in enumerate(columns):
                if table.columns and column not in known:
                    yield Fault(
                        self._places.value("steps", self._name, "columns", name, index),
                        "export-columns",
                        f"the column `{column}`, which {name} does not have",
                        f"one of {listed(known)}",
                        suggestion(column, known, otherwise="correct the name, or remove it"),
                    )

    def _folder(self) -> Iterator[Fault]:
        folder = self._step.folder
        databases = {table.database for table in self._tables}
        if folder is not None and folder.partition("/")[0] in databases:
            yield Fault(
                self._places.value("steps", self._name, "folder"),
                "export-folder",
                f"`{folder}`, where the lake keeps the tables of a database",
                "a folder that holds nothing else, such as exports/bigquery/",
                "name another folder, or leave the key out",
            )

    def _twice(self, owners: dict[tuple[str, TableName], str]) -> Iterator[Fault]:
        folder = (self._step.folder or self._name).rstrip("/")
        for table in self._exported:
            owner = owners.setdefault((folder, table.name), self._name)
            if owner != self._name:
                yield Fault(
                    self._places.key("steps", self._name),
                    "export-twice",
                    f"{table.name} in this step and in `{owner}`, into the same folder",
                    "a folder of its own for each export of a table",
                    "name another `folder` in one of the two, or exclude the table",
                )


def _redshift(
    at: Path, step: RedshiftStep, places: Places, tables: Sequence[Table]
) -> Iterator[Fault]:
    here = places.key(*at)
    if (step.cluster is None) == (step.workgroup is None):
        found = "neither `cluster` nor `workgroup`" if step.cluster is None else "both"
        yield Fault(
            here,
            "redshift-place",
            found if step.cluster is None else "`cluster` and `workgroup` at once",
            "one of the two: a provisioned cluster, or a serverless workgroup",
            "name the one that holds the database",
        )
    if step.user is not None and (step.cluster is None or step.secret is not None):
        yield Fault(
            places.key(*at, "user"),
            "redshift-place",
            "`user` beside a workgroup or a secret",
            "`user` for temporary credentials of a cluster, and nothing else",
            "remove `user`: the secret, or the role's own identity, says who connects",
        )
    yield from _statements(at, step, places)
    external, databases = step.external_schema, sorted({str(t.name.database) for t in tables})
    if external is not None and external.database not in databases:
        yield Fault(
            places.value(*at, "external_schema", "database"),
            "redshift-schema",
            f"the database `{external.database}`, in which the project has no table",
            f"one of {listed(databases)}",
            suggestion(external.database, databases, otherwise="name a folder of sql/"),
        )


def _statements(at: Path, step: RedshiftStep, places: Places) -> Iterator[Fault]:
    statements = (step.sql,) if isinstance(step.sql, str) else step.sql
    here = places.key(*at, "sql" if step.sql else "type")
    if not any(one.strip() for one in statements) and step.external_schema is None:
        yield Fault(
            here,
            "redshift-nothing",
            "neither `sql` nor `external_schema`",
            "a statement to run, or a schema to make",
            "add sql: ...",
        )
    if step.transaction and len(statements) > _MOST_STATEMENTS:
        yield Fault(
            here,
            "redshift-many",
            f"{len(statements)} statements in one transaction",
            f"{_MOST_STATEMENTS} at most, as the Data API takes them",
            "say transaction: false, or call a stored procedure",
        )
    used = parameters_of(statements)
    given = (*WINDOW, *step.parameters)
    for one in used:
        if one not in given:
            yield Fault(
                here,
                "redshift-parameter",
                f"`:{one}`, which has no value",
                f"one of {listed([f':{known}' for known in given])}",
                suggestion(one, given, otherwise=f"add {one} to `parameters`"),
            )
    for one in step.parameters:
        if one not in used:
            yield Fault(
                places.key(*at, "parameters", one),
                "redshift-parameter",
                f"the parameter `{one}`, which no statement names",
                "parameters that stand in the SQL as :name",
                "use it, or remove it",
            )
