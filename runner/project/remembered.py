"""Unchanged projects: what an earlier load or check made of the same bytes.

In: a snapshot of the files and the caller's choice.  Out: the remembered `Project` or `Findings`,
or what is made now.  Light: jinja2 and sqlglot are imported on a miss only, and for findings not
even pydantic is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.project.cache import Cache
from runner.project.keys import Choice, snapshot_key, with_environ

if TYPE_CHECKING:
    from pathlib import Path

    from runner.errors import Fault
    from runner.model.project import Project
    from runner.project.files import Snapshot


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that is wrong, or worth knowing, sorted by place."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def project_of(snapshot: Snapshot, choice: Choice, cache_dir: Path | None) -> Project:
    """Give the project of a snapshot; ProjectError carries every fault."""
    from runner.model.project import Project  # noqa: PLC0415 - a check needs no project

    choice = with_environ(choice, snapshot)
    cache, key = _open("project", snapshot, choice, cache_dir)
    known = cache.get(key)
    if isinstance(known, Project):
        return known
    from runner.project.load import load_fresh  # noqa: PLC0415 - heavy, on a miss only

    project = load_fresh(snapshot, choice, cache_dir)
    cache.put(key, project)
    cache.save()
    return project


def findings_of(snapshot: Snapshot, choice: Choice, cache_dir: Path | None) -> Findings:
    """Give everything that a check of the snapshot finds."""
    choice = with_environ(choice, snapshot)
    cache, key = _open("findings", snapshot, choice, cache_dir)
    known = cache.get(key)
    if isinstance(known, Findings):
        return known
    from runner.project.inspection import inspect_fresh  # noqa: PLC0415 - heavy, on a miss only

    findings = inspect_fresh(snapshot, choice, cache_dir)
    cache.put(key, findings)
    cache.save()
    return findings


def _open(
    what: str, snapshot: Snapshot, choice: Choice, cache_dir: Path | None
) -> tuple[Cache, str]:
    if cache_dir is None:
        return Cache(None), ""
    name = f"{what}-{choice.file_name()}.pickle"
    return Cache(cache_dir / name), snapshot_key(snapshot, choice)
