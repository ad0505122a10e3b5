"""A project compiled for one environment: all that a run needs, cached by content.

In: the folder of a project, the name of an environment, variables.  Out: a `Bundle`, plain JSON
with the definitions of all workflows and what the environment provides.  An unchanged project is
neither parsed nor rendered nor compiled again: the cache key covers every byte that could change
the outcome, and the cached bundle needs none of the heavy libraries.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.app.definitions import Definitions
from runner.app.moved import moved_tables
from runner.app.planning_facts import Layout, ReadFacts
from runner.project.cache import key_of, versions
from runner.project.files import read_snapshot
from runner.project.keys import Choice, with_environ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.project import NamedWorkflow, Project, Table
    from runner.model.sqltext import Mark, SqlText

FORMAT = 10
"""Layout of the cached file; raise it when `Bundle` changes."""
CACHE = Path(".runner") / "cache" / "bundles"


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What displays and local services need to know of a table."""

    name: str
    kind: str
    file: str
    sql_line: int
    database: str
    grain: str
    reads: tuple[str, ...]
    lookbacks: dict[str, int]
    """Tables of which more than the window is read, and how many periods before it."""
    load_mart: str
    load_table: str
    sql: str
    """Rendered text with run-time values as {{ start }} and {{ end }}."""
    parts: tuple[str | dict[str, Any], ...]
    """The same as pieces: text, or a run-time value as {base, steps, format}."""
    load_mode: str
    """As the header says it; empty for the default."""
    load_engine: str
    """As the header says it; empty for the environment's."""
    fingerprint: str
    """What its records carry when they are of today's files."""
    inputs: tuple[ReadFacts, ...]
    """What it reads, in the order of `reads`."""
    watch: tuple[str, ...]
    tags: tuple[str, ...]
    time: tuple[tuple[str, str], ...]
    """Partition columns of time and their Java patterns."""
    combinations: int
    """Values of the other partition columns x buckets, per period."""
    first: str
    """First period of its history, as a civil value or `NOW-3YEARS`; empty when unknown."""
    last: str
    """Last period that the projection finds; empty when unknown."""
    format: str
    layout: Layout
    """Where the files of a ddl table are."""
    sources: tuple[str, ...]
    """Tables outside the project that it reads."""
    tests_read: tuple[str, ...]
    """Physical `database.table` of what its header's tests read as published."""
    settings: tuple[tuple[str, str], ...]
    """What of its header decides what is written, as text by key; for people."""
    iceberg: bool


@dataclass(frozen=True, slots=True)
class ChildFacts:
    """A compiled machine that a workflow's one starts for some of its tables."""

    name: str
    machine: str
    """What it is called where it is deployed."""
    subject: str
    """What the names of the workflow's states about it begin with."""
    tables: tuple[str, ...]
    definition: str
    assets: dict[str, str] = field(default_factory=dict)
    """What it reads in the lake at run time: text by key, below the lake's prefix."""
    kind: str = "table"
    """Whether it writes its tables (`table`) or loads them (`load`)."""


@dataclass(frozen=True, slots=True)
class WorkflowFacts:
    """A compiled workflow."""

    name: str
    file: str
    grain: str
    schedule: dict[str, Any] | None
    """Window of a scheduled run: {last, unit, lag}, and `catch_up` unless it is none; or None."""
    cron: str
    """Six fields as EventBridge reads them; empty without a schedule."""
    cron_timezone: str
    triggers: tuple[dict[str, Any], ...]
    """Events that start it, as the workflow's file says them, each with its `name`."""
    grants: tuple[dict[str, Any], ...]
    """{actions, resources} that its raw states ask for."""
    definition: str
    tables: tuple[str, ...]
    loads: tuple[str, ...]
    others: tuple[str, ...]
    """Steps that are neither tables nor loads."""
    exports: tuple[str, ...] = ()
    """Tables that its steps read to bring them elsewhere."""
    children: tuple[ChildFacts, ...] = ()
    """Where the tables are, if they are too many for one definition."""
    assets: dict[str, str] = field(default_factory=dict)
    """What its own machine reads in the lake at run time: text by key, below the lake's prefix."""
    usage: tuple[dict[str, Any], ...] = ()
    """What its machines take of AWS's quotas, as `runner.asl.quotas.Usage` has it."""
    queried: tuple[str, ...] = ()
    """Tables of the project, and sources, that its `sql` steps read."""
    runs: tuple[str, ...] = ()
    """Workflows that its steps run."""

    @property
    def all_assets(self) -> dict[str, str]:
        """Give what all its machines read in the lake."""
        found = dict(self.assets)
        for child in self.children:
            found |= child.assets
        return found


@dataclass(frozen=True, slots=True)
class Bundle:
    """A project compiled for one environment."""

    project: str
    environment_name: str
    environment: dict[str, Any]
    """The environment as `config.yaml` says it, defaults filled in."""
    timezone: str
    prefix: str
    """`<project>-<environment>`: what the names of functions and tasks begin with."""
    databases: tuple[str, ...]
    functions: dict[str, str]
    """Function names of the definitions and their folders under lambdas/."""
    function_settings: dict[str, dict[str, Any]]
    """What function.yaml says, defaults filled in, by folder or `builtin:<name>`."""
    tables: tuple[TableFacts, ...]
    workflows: tuple[WorkflowFacts, ...]
    on_failure: dict[str, str]
    """Workflow and the topic that hears of its failures."""
    max_window: int
    """Most partitions that one run writes."""
    price_per_tb: float
    """What Athena charges for scanning a terabyte."""
    sources: dict[str, tuple[str, ...]]
    """Tables outside the project and the prefixes that hold their files."""
    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Delivery streams as config.yaml says them, defaults filled in."""
    moved: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Tables that exports of RDS move, and which of the environment's `rds` they show."""

    def run_by(self, workflow: WorkflowFacts) -> tuple[WorkflowFacts, ...]:
        """Give the workflows that a workflow's steps run, and those that these run."""
        found: dict[str, WorkflowFacts] = {}
        left = list(workflow.runs)
        while left:
            name = left.pop(0)
            if name not in found:
                found[name] = self.workflow(name)
                left += found[name].runs
        return tuple(found.values())

    def workflow(self, name: str) -> WorkflowFacts:
        """Find a workflow by name; raises KeyError."""
        for workflow in self.workflows:
            if workflow.name == name:
                return workflow
        raise KeyError(name)


def every_table(bundle: Bundle, name: str) -> WorkflowFacts:
    """Give a workflow of all tables and loads, without a definition.

    It stands for the machines of backfills and of loads by hand, which may be about any of them.
    """
    return WorkflowFacts(
        name=name,
        file="",
        grain="day",
        schedule=None,
        cron="",
        cron_timezone="",
        triggers=(),
        grants=(),
        definition="",
        tables=tuple(table.name for table in bundle.tables),
        loads=tuple(table.name for table in bundle.tables if table.load_mart),
        others=(),
    )


def open_bundle(
    root: Path,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    *,
    values: Mapping[str, str] | None = None,
) -> Bundle:
    """Give the compiled project, from the cache when nothing changed; ProjectError for faults.

    `values` are what references of an aws environment (`env:NAME`, `ssm:/name`) stand for.
    """
    given = Choice(environment, dict(variables or {}), dict(values or {}))
    key = content_key(root, given)
    path = root / CACHE / f"{key}.json"
    definitions = Definitions(root)
    cached = _read(path, definitions)
    if cached is not None:
        return cached
    bundle = _compile(root, given, definitions)
    _write(path, bundle, definitions)
    return bundle


def content_key(root: Path, choice: Choice) -> str:
    """Hash everything that decides what is compiled: files, arguments, versions, our own code."""
    snapshot = read_snapshot(root)
    choice = with_environ(choice, snapshot)
    pairs = [text for file in snapshot.files for text in (file.path, file.digest)]
    folders = [*snapshot.lambdas, "/", *snapshot.incomplete_lambdas, "/", *snapshot.builtins]
    return key_of([str(FORMAT), versions(), choice.key(), *pairs, "/", *folders])


def _read(path: Path, definitions: Definitions) -> Bundle | None:
    """Read a cached bundle; anything unreadable is as good as absent."""
    try:
        data = json.loads(path.read_bytes())
        return Bundle(
            **{
                **data,
                "databases": tuple(data["databases"]),
                "sources": {name: tuple(found) for name, found in data["sources"].items()},
                "moved": {name: tuple(found) for name, found in data["moved"].items()},
                "tables": tuple(_read_table(table) for table in data["tables"]),
                "workflows": tuple(read_workflow(one, definitions) for one in data["workflows"]),
            }
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


_LISTS = (
    "tables",
    "loads",
    "exports",
    "others",
    "triggers",
    "grants",
    "usage",
    "queried",
    "runs",
)
"""Fields of a workflow's facts that are written as lists."""


def read_workflow(data: dict[str, Any], definitions: Definitions) -> WorkflowFacts:
    """Read a compiled workflow from JSON.

    KeyError and TypeError for another layout, OSError and ValueError for a definition that is gone.
    """
    lists = {name: tuple(data[name]) for name in _LISTS}
    children = tuple(
        ChildFacts(
            **{
                **child,
                "tables": tuple(child["tables"]),
                "definition": definitions.get(child["definition"]),
            }
        )
        for child in data["children"]
    )
    own = definitions.get(data["definition"])
    return WorkflowFacts(**{**data, **lists, "children": children, "definition": own})


def _read_table(data: dict[str, Any]) -> TableFacts:
    lists = ("reads", "parts", "watch", "tags", "sources", "tests_read")
    return TableFacts(
        **{
            **data,
            **{name: tuple(data[name]) for name in lists},
            "inputs": tuple(ReadFacts(**one) for one in data["inputs"]),
            "time": tuple((column, pattern) for column, pattern in data["time"]),
            "settings": tuple((key, text) for key, text in data["settings"]),
            "layout": Layout(**data["layout"]),
        }
    )


def _write(path: Path, bundle: Bundle, definitions: Definitions) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)[:-20]:
        old.unlink(missing_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(bundle, default=definitions.plain))
    temporary.replace(path)
    definitions.trim()


def _compile(root: Path, choice: Choice, definitions: Definitions) -> Bundle:
    from runner.asl.target import target_of  # noqa: PLC0415 - only when something changed
    from runner.project import load_project  # noqa: PLC0415

    project = load_project(
        root,
        environment=choice.environment,
        variables=choice.variables,
        values=choice.values,
        cache_dir=root / ".runner" / "cache",
    )
    target = target_of(project)
    databases = sorted({table.database for table in project.tables})
    return Bundle(
        project=project.config.project,
        environment_name=choice.environment,
        environment=project.environment.model_dump(mode="json"),
        timezone=project.config.timezone,
        prefix=target.prefix,
        databases=tuple(databases),
        functions={target.function(name): name for name in project.lambdas},
        function_settings={
            one.name: one.settings.model_dump(mode="json") for one in project.functions
        },
        tables=tuple(_table_facts(project)),
        workflows=tuple(
            _workflow_facts(project, named, definitions) for named in project.workflows
        ),
        on_failure={
            named.name: target.topic(named.workflow.on_failure.topic)
            for named in project.workflows
            if named.workflow.on_failure
        },
        max_window=project.config.defaults.max_window,
        price_per_tb=project.config.defaults.price_per_tb,
        sources={name: source.locations for name, source in project.config.sources.items()},
        streams={
            name: {**stream.model_dump(mode="json"), "partitioned": stream.partitioned}
            for name, stream in project.config.streams.items()
        },
        moved=moved_tables(project),
    )


def _table_facts(project: Project) -> Iterator[TableFacts]:
    from runner.app.planning import history_of, layout_of, reads_of  # noqa: PLC0415 - as above
    from runner.asl.tablespec import is_iceberg, published_fingerprint  # noqa: PLC0415

    by_name = {table.name: table for table in project.tables}
    for table in project.tables:
        load = table.header.load
        first, last = history_of(table)
        yield TableFacts(
            name=str(table.name),
            kind=table.kind.value,
            file=table.file,
            sql_line=table.sql_line,
            database=table.database,
            grain=table.partitioning.grain,
            reads=tuple(str(read.table) for read in table.reads),
            lookbacks={str(read.table): read.lookback for read in table.reads if read.lookback},
            load_mart=load.mart if load else "",
            load_table=(load.table or table.name.table) if load else "",
            sql=sql_with_marks(table.sql),
            parts=tuple(_part(part, table) for part in table.sql.parts),
            load_mode=load.mode.value if load and load.mode else "",
            load_engine=(load.engine or "") if load else "",
            fingerprint=published_fingerprint(project, table),
            inputs=reads_of(table, by_name),
            watch=table.header.watch,
            tags=table.header.tags,
            time=table.partitioning.time,
            combinations=table.partitioning.combinations,
            first=first,
            last=last,
            format=table.header.format,
            layout=layout_of(table),
            sources=table.sources,
            tests_read=tuple(one.physical for one in table.tests_read),
            settings=_settings(table),
            iceberg=is_iceberg(table),
        )


_SHOWN = ("partition", "format", "compression", "bucket", "properties", "keys", "load", "tests")
"""Keys of a header whose changes a person wants to see beside the SQL's."""


def _settings(table: Table) -> tuple[tuple[str, str], ...]:
    """Write what a header says beside its SQL, as JSON by key; what it leaves out is left out."""
    said = table.header.model_dump(mode="json", exclude_defaults=True)
    return tuple((key, json.dumps(said[key])) for key in _SHOWN if key in said)


def _workflow_facts(
    project: Project, named: NamedWorkflow, definitions: Definitions
) -> WorkflowFacts:
    from runner.app.rendering import rendered  # noqa: PLC0415
    from runner.asl.compile import compile_workflow, schedule_window  # noqa: PLC0415
    from runner.model.steps_flow import WorkflowStep  # noqa: PLC0415
    from runner.model.steps_sinks import BigqueryTransferStep  # noqa: PLC0415
    from runner.model.workflow import (  # noqa: PLC0415
        LoadsStep,
        TablesStep,
        every_step,
        granted,
    )
    from runner.project import select  # noqa: PLC0415
    from runner.project.step_tables import step_tables  # noqa: PLC0415

    selected = {
        name: step_tables(named.workflow, step, project.tables)
        for name, step in named.workflow.steps.items()
        if isinstance(step, TablesStep | LoadsStep)
    }
    exported = {
        name: select(project, step.tables, step.exclude)
        for name, step in named.workflow.steps.items()
        if isinstance(step, BigqueryTransferStep)
    }
    machine = compile_workflow(project, named, selected | exported)
    files = {str(table.name): table.file for table in project.tables}
    made = rendered(machine, named.name, file=named.file, files=files, known=definitions)

    def names(kind: type) -> tuple[str, ...]:
        found = [
            str(table)
            for step, tables in selected.items()
            if isinstance(named.workflow.steps[step], kind)
            for table in tables
        ]
        return tuple(dict.fromkeys(found))

    return WorkflowFacts(
        name=named.name,
        file=named.file,
        grain=named.workflow.grain,
        schedule=schedule_window(named.workflow),
        cron=named.workflow.schedule.cron if named.workflow.schedule else "",
        cron_timezone=_cron_timezone(project, named),
        triggers=tuple(
            {"name": name, **trigger.model_dump(mode="json")}
            for name, trigger in named.workflow.triggers.items()
        ),
        grants=tuple(
            grant.model_dump(mode="json")
            for step in every_step(named.workflow)
            for grant in granted(step)
        ),
        definition=made.definition,
        tables=names(TablesStep),
        loads=names(LoadsStep),
        exports=tuple(dict.fromkeys(str(one) for found in exported.values() for one in found)),
        others=tuple(name for name in named.workflow.steps if name not in selected),
        children=made.children,
        assets=made.assets,
        usage=made.usage,
        queried=tuple(
            dict.fromkeys(
                text
                for query in named.queries.values()
                for text in (*map(str, query.reads), *query.sources)
            )
        ),
        runs=tuple(
            dict.fromkeys(
                step.workflow
                for step in every_step(named.workflow)
                if isinstance(step, WorkflowStep)
            )
        ),
    )


def _cron_timezone(project: Project, named: NamedWorkflow) -> str:
    schedule = named.workflow.schedule
    return (schedule.timezone or project.config.timezone) if schedule else ""


def _part(part: str | Mark, table: Table) -> str | dict[str, Any]:
    if isinstance(part, str):
        return part
    time = table.partitioning.time
    own = time[0][1] if len(time) == 1 else None
    steps = [list(step) for step in part.steps]
    return {"base": part.base, "steps": steps, "format": part.format or own}


def sql_with_marks(sql: SqlText) -> str:
    """Write rendered SQL with its run-time values as Jinja would have them.

    The same text is written for people beside the compiled definitions.
    """
    return "".join(part if isinstance(part, str) else _mark_text(part) for part in sql.parts)


def _mark_text(mark: Mark) -> str:
    text: str = mark.base
    for name, count in mark.steps:
        text += f".{name}" if name.endswith(("_start", "_end")) else f".add({name}={count})"
    if mark.format is not None:
        text += f".format('{mark.format}')"
    return f"{{{{ {text} }}}}"
