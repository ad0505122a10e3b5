"""`check`: every fault of a project, at once, without running anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault, ProjectError, RunnerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found; no faults means that the project is fine."""

    faults: tuple[Fault, ...]
    tables: int
    workflows: int

    def text(self) -> str:
        """Write the faults the way errors are written, at most 20 and a count."""
        return RunnerError(self.faults).describe()


def check(
    root: Path, *, environment: str = "local", variables: Mapping[str, str] | None = None
) -> CheckResult:
    """Look for faults in every file of the project."""
    from runner.app.bundle import open_bundle  # noqa: PLC0415 - hashes the whole project
    from runner.project import check_project  # noqa: PLC0415 - heavy when something changed

    cache = root / ".runner" / "cache"
    faults = check_project(
        root, environment=environment, variables=variables or {}, cache_dir=cache
    )
    faults = (*faults, *_function_faults(root))
    if faults:
        return CheckResult(tuple(sorted(faults)), 0, 0)
    try:
        bundle = open_bundle(root, environment, variables)
    except ProjectError as error:
        return CheckResult(error.faults, 0, 0)
    return CheckResult((), len(bundle.tables), len(bundle.workflows))


def _function_faults(root: Path) -> Iterator[Fault]:
    """Find in the code of functions what would keep them from being deployed."""
    folders = sorted(path.parent for path in (root / "lambdas").glob("*/handler.py"))
    if not folders:
        return
    from runner.project.packing import import_faults, own_files  # noqa: PLC0415 - rarely any
    from runner.project.requirements import read_requirements  # noqa: PLC0415 - likewise

    for folder in folders:
        shown = f"lambdas/{folder.name}"
        yield from import_faults(own_files(folder), folder=shown)
        try:
            read_requirements(folder, shown=shown)
        except ProjectError as error:
            yield from error.faults
