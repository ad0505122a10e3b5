"""The definition of a backfill: compiled for the tables of its plan, cached by content.

In: the project's folder and what is to be written.  Out: the machine in the shape of a compiled
workflow, so that it is executed, watched and continued like one.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from runner.app.bundle import ChildFacts, WorkflowFacts, content_key
from runner.model.names import BACKFILL
from runner.project.cache import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.project.keys import Choice

FORMAT = "2"
"""Layout of the cached file; raise it when `WorkflowFacts` changes."""
_KEPT = 10
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
    key = key_of([FORMAT, content_key(root, choice), json.dumps(asdict(shape))])
    path = root / ".runner" / "cache" / "backfills" / f"{key}.json"
    try:
        return _read(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):
        made = _compile(root, choice, shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(asdict(made)))
    temporary.replace(path)
    return made


def _read(found: dict[str, Any]) -> WorkflowFacts:
    children = tuple(
        ChildFacts(**{**child, "tables": tuple(child["tables"])}) for child in found["children"]
    )
    names = ("tables", "loads", "others", "triggers", "grants")
    lists = {name: tuple(found[name]) for name in names}
    return WorkflowFacts(**{**found, **lists, "children": children})


def _compile(root: Path, choice: Choice, shape: Shape) -> WorkflowFacts:
    from runner.asl.build import render  # noqa: PLC0415 - only when something changed
    from runner.asl.compile import compile_backfill  # noqa: PLC0415
    from runner.asl.steps.scope import Backfill  # noqa: PLC0415
    from runner.asl.validate import check_machine  # noqa: PLC0415
    from runner.model.names import TableName  # noqa: PLC0415
    from runner.project import load_project  # noqa: PLC0415

    project = load_project(
        root,
        environment=choice.environment,
        variables=choice.variables,
        values=choice.values,
        cache_dir=root / ".runner" / "cache",
    )
    budget = project.config.defaults.concurrency
    given = {"dml": shape.dml or budget.dml, "ddl": shape.ddl or budget.ddl}
    machine = compile_backfill(
        project,
        Backfill(
            tables=tuple(map(TableName.parse, shape.tables)),
            loads=tuple(map(TableName.parse, shape.loads)),
            grain=shape.grain,
            refreshed=frozenset(shape.refreshed),
            distributed=frozenset(shape.distributed),
            concurrency=budget.model_copy(update=given),
        ),
    )
    definition = render(machine)
    check_machine(machine, definition, file=BACKFILL)
    children = []
    for child in machine.children:
        text = render(child.machine)
        check_machine(child.machine, text, file=BACKFILL)
        children.append(
            ChildFacts(child.name, child.deployed, child.subject, child.tables, text.decode())
        )
    return WorkflowFacts(
        name=BACKFILL,
        file="",
        grain=shape.grain,
        schedule=None,
        cron="",
        cron_timezone="",
        triggers=(),
        grants=(),
        definition=definition.decode(),
        tables=shape.tables,
        loads=shape.loads,
        others=(),
        children=tuple(children),
    )
