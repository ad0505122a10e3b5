"""The user's files, loaded: `load_project` for whoever compiles, `check_project` for whoever asks.

In: a project's folder, an environment's name, variables.  Out: `Project`, or every fault at once.
Loading an unchanged project imports neither jinja2 nor sqlglot; checking one not even pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.model.selection import select
from runner.project.files import find_root, read_snapshot
from runner.project.keys import Choice
from runner.project.remembered import Findings, findings_of, project_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.errors import Fault
    from runner.model.project import Project

__all__ = ["Findings", "check_project", "find_root", "inspect_project", "load_project", "select"]


def load_project(
    root: Path,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
    cache_dir: Path | None = None,
) -> Project:
    """Load a project for one environment; ProjectError carries every fault of every file.

    `values` are what the environment's references stand for, as far as they are resolved.
    """
    snapshot = read_snapshot(root)
    choice = Choice(environment, dict(variables or {}), dict(values or {}))
    return project_of(snapshot, choice, cache_dir)


def check_project(
    root: Path,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    cache_dir: Path | None = None,
) -> tuple[Fault, ...]:
    """Give every fault, those of columns included, which loading does not look for."""
    return inspect_project(
        root, environment=environment, variables=variables, cache_dir=cache_dir
    ).faults


def inspect_project(
    root: Path,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    cache_dir: Path | None = None,
) -> Findings:
    """Give every fault and every warning."""
    snapshot = read_snapshot(root)
    return findings_of(snapshot, Choice(environment, dict(variables or {})), cache_dir)
