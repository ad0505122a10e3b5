"""`compile`: write the definitions and the rendered SQL where people can read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.asl.quotas import Usage


@dataclass(frozen=True, slots=True)
class CompiledFiles:
    """What was written."""

    definitions: tuple[str, ...]
    """Paths of definitions, relative to the project."""
    sql: tuple[str, ...]
    """Paths of rendered SQL files, relative to the project."""
    assets: tuple[str, ...] = ()
    """Paths of what machines read in the lake at run time."""
    usage: tuple[Usage, ...] = ()
    """What each machine takes of AWS's quotas."""
    warnings: tuple[Fault, ...] = ()
    """Where that comes near to them."""


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
    environment on AWS there are `backfill.asl.json` too, the machine that carries out every
    backfill there, told by its input which tables of which plan to write, and `load.asl.json`.
    Texts that machines read in the lake are below `_runner/`, as they are there.

    Raises ProjectError for faults of the project, UsageError for an unknown workflow.
    """
    bundle = open_bundle(root, environment, variables)
    chosen = bundle.workflows if workflow is None else (find_workflow(bundle, workflow),)
    folder = compiled_folder(root, environment)
    if workflow is None and bundle.environment["engine"] == "aws":
        from runner.app.machines import own_machines  # noqa: PLC0415 - aws only
        from runner.project.keys import Choice  # noqa: PLC0415

        choice = Choice(environment, dict(variables or {}))
        chosen = (*chosen, *own_machines(root, choice, bundle))
    definitions = {f"{one.name}.asl.json": one.definition for one in chosen}
    definitions |= {
        f"{one.name}.{child.name}.asl.json": child.definition
        for one in chosen
        for child in one.children
    }
    assets = {key: text for one in chosen for key, text in one.all_assets.items()}
    wanted = {name for one in chosen for name in (*one.tables, *one.loads)}
    sql = {
        f"sql/{table.name}.sql": table.sql + "\n" for table in bundle.tables if table.name in wanted
    }
    for name, text in {**definitions, **sql, **assets}.items():
        _write(folder / name, text)
    base = folder.relative_to(root).as_posix()
    return CompiledFiles(
        tuple(f"{base}/{name}" for name in definitions),
        tuple(f"{base}/{name}" for name in sql),
        tuple(f"{base}/{name}" for name in assets),
        tuple(usage for machine in chosen for usage in usage_of(machine)),
        tuple(fault for machine in chosen for fault in quota_warnings(bundle, machine)),
    )


def usage_of(machine: WorkflowFacts) -> tuple[Usage, ...]:
    """Give what a compiled machine, and those that it starts, take of AWS's quotas."""
    from runner.asl.quotas import Usage  # noqa: PLC0415 - runs need none of it

    return tuple(Usage(**one) for one in machine.usage)


def quota_warnings(bundle: Bundle, machine: WorkflowFacts) -> tuple[Fault, ...]:
    """Say where a compiled machine comes near to one of AWS's quotas."""
    from runner.asl.quotas import find_warnings  # noqa: PLC0415 - as above

    files = {table.name: table.file for table in bundle.tables}
    usages = usage_of(machine)
    place = machine.file or machine.name
    return tuple(fault for one in usages for fault in find_warnings(one, files, file=place))


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
