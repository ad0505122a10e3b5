"""Where a project is: the nearest folder upward with a config.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def project_root(start: Path) -> Path:
    """Give the nearest folder, upward from `start`, that holds a config.yaml."""
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / "config.yaml").is_file():
            return folder
    fault = Fault(
        Place(str(start)),
        "no-project",
        "no config.yaml in this folder or above it",
        "a project's folder",
        "go to your project, say --project FOLDER, or make one with `runner init NAME`",
    )
    raise UsageError([fault])
