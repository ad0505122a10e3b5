"""Machines without a workflow file: of a backfill, for the tables of its plan, and of loads.

In: the project's folder and what is to be written.  Out: the machine in the shape of a compiled
workflow, so that it is executed, watched and continued like one.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from runner.app.bundle import WorkflowFacts, content_key, read_workflow
from runner.app.definitions import Definitions
from runner.model.names import BACKFILL, LOAD
from runner.project.cache import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.asl.flow import Machine
    from runner.asl.steps.scope import Backfill
    from runner.model.project import Project
    from runner.project.keys import Choice

FORMAT = "4"
"""Layout of the cached file; raise it when `WorkflowFacts` changes."""
_KEPT = 12
_EVENTS_A_CHUNK = 40
_EVENTS_A_TABLE = 80
_MOST_EVENTS = 15_000
"""Of the 25,000 events that an execution's history holds; retries need room too."""
_FEW_CHUNKS = 25


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the definition of a backfill."""

    tables: tuple[str, ...]
    """In the order of dependencies."""
    loads: tuple[str, ...]
    grain: str
    refreshed: tuple[str, ...] = ()
    distributed: tuple[str, ...] = ()
    dml: int | None = None
    """Statements at once; the project's setting if None."""
    ddl: int | None = None


def distributed(chunks: Mapping[str, int]) -> tuple[str, ...]:
    """Name the tables whose chunks do not fit the history of one execution with all others.

    >>> distributed({"marts.a": 4, "marts.b": 20}), distributed({"marts.a": 4, "marts.b": 900})
    ((), ('marts.b',))
    """
    events = sum(_EVENTS_A_CHUNK * count + _EVENTS_A_TABLE for count in chunks.values())
    if events <= _MOST_EVENTS:
        return ()
    return tuple(name for name, count in chunks.items() if count > _FEW_CHUNKS)


def open_machine(root: Path, choice: Choice, shape: Shape) -> WorkflowFacts:
    """Give the compiled machine of a backfill; ProjectError for faults of the project."""

    def compiled(project: Project) -> Machine:
        from runner.asl.compile import compile_backfill  # noqa: PLC0415 - only when it changed

        return compile_backfill(project, _backfill(project, shape))

    facts = _Facts(BACKFILL, shape.tables, shape.loads, shape.grain)
    return _cached(root, choice, facts, key=json.dumps(asdict(shape)), compiled=compiled)


def open_loads(root: Path, choice: Choice, loads: tuple[str, ...]) -> WorkflowFacts:
    """Give the compiled machine that only loads; `loads` are the tables with a `load:` header."""

    def compiled(project: Project) -> Machine:
        from runner.asl.compile import compile_loads  # noqa: PLC0415 - only when it changed

        return compile_loads(project)

    return _cached(root, choice, _Facts(LOAD, (), loads, "day"), key=LOAD, compiled=compiled)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a machine that has no workflow file is called, and what it does."""

    name: str
    tables: tuple[str, ...]
    loads: tuple[str, ...]
    grain: str


def _cached(
    root: Path,
    choice: Choice,
    facts: _Facts,
    *,
    key: str,
    compiled: Callable[[Project], Machine],
) -> WorkflowFacts:
    name = key_of([FORMAT, content_key(root, choice), key])
    path = root / ".runner" / "cache" / "backfills" / f"{name}.json"
    definitions = Definitions(root)
    try:
        return read_workflow(json.loads(path.read_bytes()), definitions)
    except (OSError, ValueError, TypeError, KeyError):
        made = _compile(root, choice, facts, compiled=compiled, known=definitions)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(made, default=definitions.plain))
    temporary.replace(path)
    definitions.trim()
    return made


def _backfill(project: Project, shape: Shape) -> Backfill:
    from runner.asl.steps.scope import Backfill  # noqa: PLC0415 - only when it changed
    from runner.model.names import TableName  # noqa: PLC0415

    budget = project.config.defaults.concurrency
    given = {"dml": shape.dml or budget.dml, "ddl": shape.ddl or budget.ddl}
    return Backfill(
        tables=tuple(map(TableName.parse, shape.tables)),
        loads=tuple(map(TableName.parse, shape.loads)),
        grain=shape.grain,
        refreshed=frozenset(shape.refreshed),
        distributed=frozenset(shape.distributed),
        concurrency=budget.model_copy(update=given),
    )


def _compile(
    root: Path,
    choice: Choice,
    facts: _Facts,
    *,
    compiled: Callable[[Project], Machine],
    known: Definitions,
) -> WorkflowFacts:
    from runner.app.rendering import rendered  # noqa: PLC0415 - only when something changed
    from runner.project import load_project  # noqa: PLC0415

    project = load_project(
        root,
        environment=choice.environment,
        variables=choice.variables,
        values=choice.values,
        cache_dir=root / ".runner" / "cache",
    )
    files = {str(table.name): table.file for table in project.tables}
    made = rendered(compiled(project), facts.name, file=facts.name, files=files, known=known)
    return WorkflowFacts(
        name=facts.name,
        file="",
        grain=facts.grain,
        schedule=None,
        cron="",
        cron_timezone="",
        triggers=(),
        grants=(),
        definition=made.definition,
        tables=facts.tables,
        loads=facts.loads,
        others=(),
        children=made.children,
        assets=made.assets,
        usage=made.usage,
    )
