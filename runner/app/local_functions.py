"""The functions of a local run: their folders, settings, and what their requirements.txt names.

In: a bundle and what the run may call.  Out: a `Function` for each; the dependencies of those that
are called are installed first, for this machine, once per content.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runner.app.function_calls import readers
from runner.app.functions import definitions_of, deployed_name, folder_of, is_called
from runner.errors import Fault, ProjectError
from runner.local.lambdas import Function
from runner.model.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from runner.app.bundle import Bundle, WorkflowFacts


def workflow_functions(
    root: Path, bundle: Bundle, workflow: WorkflowFacts, say: Callable[[str], None] | None
) -> dict[str, Function]:
    """Give the functions for a run of a workflow; see `local_functions`."""
    every = (workflow, *bundle.run_by(workflow))
    texts = [text for one in every for text in definitions_of(one)]
    return local_functions(root, bundle, texts, say=say)


def local_functions(
    root: Path,
    bundle: Bundle,
    definitions: Iterable[str],
    *,
    say: Callable[[str], None] | None = None,
) -> dict[str, Function]:
    """Give every function by its deployed name, those that may be called ready for it.

    These are the ones that definitions call, and those that objects call.

    `say` hears of an installation that takes a while.  Raises ProjectError for functions that
    could not run on AWS either, and for dependencies that cannot be installed.
    """
    texts = tuple(definitions)
    puts = any("firehose:" in text for text in texts)
    wanted = {one["transform"] for one in bundle.streams.values()} if puts else set()
    wanted |= {one.function for one in readers(bundle, "object")}
    found: dict[str, Function] = {}
    faults: list[Fault] = []
    for name, settings in bundle.function_settings.items():
        deployed = deployed_name(bundle, name)
        folder, shown = folder_of(root, name, settings)
        packages = None
        if name in wanted or is_called(deployed, texts):
            try:
                packages = _ready(root, folder, shown, say)
            except ProjectError as error:
                faults += error.faults
        found[deployed] = Function(
            folder,
            seconds(settings["timeout"]),
            memory_mib=settings["memory"],
            environment={**settings["environment"], **settings["secrets"]},
            packages=packages,
            reaches=bool(settings["permissions"]),
        )
    if faults:
        raise ProjectError(faults)
    return found


def _ready(root: Path, folder: Path, shown: str, say: Callable[[str], None] | None) -> Path | None:
    """Look at a function's imports and install its dependencies; gives where they are."""
    from runner.project.packing import import_faults, own_files  # noqa: PLC0415 - only if called
    from runner.project.vendoring import CACHE, vendor  # noqa: PLC0415 - likewise

    faults = import_faults(own_files(folder), folder=shown)
    if faults:
        raise ProjectError(faults)
    return vendor(folder, None, root / CACHE, shown=shown, environ=os.environ, tell=say)
