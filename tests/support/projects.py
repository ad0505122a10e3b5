"""Small projects as values, for tests of the pure stages: no files, no rendering."""

from __future__ import annotations

from typing import Any

from runner.model.config import Config
from runner.model.header import Header
from runner.model.names import TableName
from runner.model.project import NamedWorkflow, Partitioning, Project, Read, Table
from runner.model.sqltext import Mark, SqlText
from runner.model.workflow import LoadsStep, TablesStep, Workflow

DAILY = {"dt": {"type": "date", "format": "yyyy-MM-dd", "range": "2013-01-01,NOW+1DAYS"}}
START, END = Mark("start"), Mark("end")


def table(name: str, *reads: str, kind: str = "insert", **header: Any) -> Table:  # noqa: ANN401
    """Make a table that reads others within the window."""
    fields: dict[str, Any] = {"kind": kind, **header}
    partitioning = Partitioning()
    if kind == "insert":
        fields.setdefault("partition", DAILY)
        partitioning = Partitioning(
            grain="day",
            time=(("dt", "yyyy-MM-dd"),),
            parameters=(("projection.enabled", "true"),),
        )
    read = reads[0] if reads else "nothing"
    whole = Header.model_validate(fields)
    return Table(
        name=TableName.parse(name),
        file=f"sql/{name.replace('.', '/')}.sql",
        header=whole,
        kind=whole.resolved_kind(),
        sql=SqlText((f"SELECT * FROM {read} WHERE dt BETWEEN '", START, "' AND '", END, "'"))
        if kind == "insert"
        else SqlText((f"SELECT 'it''s \"quoted\" \\ {{% x %}}' AS a FROM {read}",)),
        sql_line=3,
        reads=tuple(Read(TableName.parse(one), windowed=True) for one in reads),
        sources=(),
        columns=(),
        fingerprint=name.encode().hex().ljust(64, "0")[:64],
        partitioning=partitioning,
        database=name.partition(".")[0],
    )


def project(*tables: Table, environment: dict[str, Any] | None = None, **config: Any) -> Project:  # noqa: ANN401
    """Make a project of one environment, `local` unless another is given."""
    chosen = environment or {"engine": "local", "marts": {"main": SQLITE}}
    said = Config.model_validate({"project": "flights", "environments": {"env": chosen}, **config})
    return Project(
        root="/project",
        config=said,
        environment_name="env",
        environment=said.environments["env"],
        tables=tables,
        workflows=(),
        lambdas=("validate",),
    )


SQLITE = {"engine": "sqlite", "path": "mart.sqlite"}


def workflow(**fields: Any) -> NamedWorkflow:  # noqa: ANN401
    """Make a workflow called daily."""
    return NamedWorkflow("daily", "workflows/daily.yaml", Workflow.model_validate(fields))


def select_all(named: NamedWorkflow, found: Project) -> dict[str, tuple[TableName, ...]]:
    """Select every table in every tables and loads step."""
    return {
        name: tuple(one.name for one in found.tables)
        for name, step in named.workflow.steps.items()
        if isinstance(step, TablesStep | LoadsStep)
    }
