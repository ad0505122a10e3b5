"""`compile`: write the definitions and the rendered SQL where people can read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.errors import Fault, Place, UsageError
from runner.model.names import BACKFILL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, WorkflowFacts


@dataclass(frozen=True, slots=True)
class CompiledFiles:
    """What was written."""

    definitions: tuple[str, ...]
    """Paths of definitions, relative to the project."""
    sql: tuple[str, ...]
    """Paths of rendered SQL files, relative to the project."""


def compiled_folder(root: Path, environment: str) -> Path:
    """Give the folder of an environment's compiled files."""
    return root / ".runner" / "compiled" / environment


def compile_project(
    root: Path,
    workflow: str | None = None,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
) -> CompiledFiles:
    """Write `<workflow>.asl.json` of one or all workflows and every table's rendered SQL.

    A workflow too large for one definition has `<workflow>.<child>.asl.json` beside it.  For an
    environment on AWS there is `backfill.asl.json` too: the machine that carries out every backfill
    there, told by its input which tables of which plan to write.

    Raises ProjectError for faults of the project, UsageError for an unknown workflow.
    """
    bundle = open_bundle(root, environment, variables)
    chosen = bundle.workflows if workflow is None else (find_workflow(bundle, workflow),)
    folder = compiled_folder(root, environment)
    definitions = {f"{one.name}.asl.json": one.definition for one in chosen}
    definitions |= {
        f"{one.name}.{child.name}.asl.json": child.definition
        for one in chosen
        for child in one.children
    }
    if workflow is None and bundle.environment["engine"] == "aws":
        definitions |= _backfill(root, environment, dict(variables or {}), bundle)
    wanted = {name for one in chosen for name in (*one.tables, *one.loads)}
    sql = {
        f"sql/{table.name}.sql": table.sql + "\n" for table in bundle.tables if table.name in wanted
    }
    for name, text in {**definitions, **sql}.items():
        _write(folder / name, text)
    base = folder.relative_to(root).as_posix()
    return CompiledFiles(
        tuple(f"{base}/{name}" for name in definitions),
        tuple(f"{base}/{name}" for name in sql),
    )


def _backfill(
    root: Path, environment: str, variables: dict[str, str], bundle: Bundle
) -> dict[str, str]:
    """Give the definitions of the machine that may write any table, whole history included."""
    from runner.app.backfill_machine import Shape, open_machine  # noqa: PLC0415 - aws only
    from runner.project.keys import Choice  # noqa: PLC0415

    names = tuple(table.name for table in bundle.tables)
    inserts = tuple(t.name for t in bundle.tables if t.kind == "insert")
    shape = Shape(
        tables=names,
        loads=tuple(table.name for table in bundle.tables if table.load_mart),
        grain="day",
        refreshed=tuple(
            t.name for t in bundle.tables if t.kind == "insert" and t.name not in t.reads
        ),
        distributed=inserts,
    )
    machine = open_machine(root, Choice(environment, variables), shape)
    children = {f"{BACKFILL}.{child.name}.asl.json": child.definition for child in machine.children}
    return {f"{BACKFILL}.asl.json": machine.definition, **children}


def find_workflow(bundle: Bundle, name: str | None) -> WorkflowFacts:
    """Find a workflow; without a name, the only one; UsageError lists what there is."""
    names = [workflow.name for workflow in bundle.workflows]
    if name is None and len(names) == 1:
        return bundle.workflows[0]
    if name in names:
        return bundle.workflow(name or "")
    from runner.model.nearest import listed, suggestion  # noqa: PLC0415 - only for a mistake

    otherwise = "name one of them" if names else "make one with `runner new workflow NAME`"
    fault = Fault(
        Place("WORKFLOW"),
        "unknown-workflow",
        repr(name) if name else "no workflow named",
        f"a workflow of this project: {listed(names)}" if names else "a file under workflows/",
        suggestion(name or "", names, otherwise=otherwise),
    )
    raise UsageError([fault])


def _write(path: Path, text: str) -> None:
    """Write a file unless it holds the text already."""
    data = text.encode()
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)
