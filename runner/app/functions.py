"""Functions by their names: folders here, deployed names, who calls them.

In: a bundle.  Out: names and folders.  Light: a run without functions pays for nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.project.files import BUNDLED, LAMBDAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, WorkflowFacts

BUILTIN = "builtin:"


def deployed_functions(bundle: Bundle) -> tuple[str, ...]:
    """Name every function of the project, and the bundled ones that a workflow or stream calls."""
    texts = [text for workflow in bundle.workflows for text in definitions_of(workflow)]
    transforms = {stream["transform"] for stream in bundle.streams.values()}
    return tuple(
        name
        for name in bundle.function_settings
        if not name.startswith(BUILTIN)
        or name in transforms
        or is_called(deployed_name(bundle, name), texts)
    )


def definitions_of(workflow: WorkflowFacts) -> tuple[str, ...]:
    """Give the texts of a workflow's machines."""
    return (workflow.definition, *(child.definition for child in workflow.children))


def is_called(deployed: str, definitions: Iterable[str]) -> bool:
    """Tell whether definitions call a function by its deployed name."""
    return any(f'"{deployed}"' in text for text in definitions)


def deployed_name(bundle: Bundle, name: str) -> str:
    """Give what a function is called where it is deployed, as definitions say it."""
    return f"{bundle.prefix}-{name.replace(':', '-')}"


def folder_of(root: Path, name: str, settings: Mapping[str, Any]) -> tuple[Path, str]:
    """Give the folder of a function's code, and what faults call it."""
    code = settings["uses"] or name
    if code.startswith(BUILTIN):
        folder = BUNDLED / code.removeprefix(BUILTIN)
        return folder, str(folder)
    return root / LAMBDAS / name, f"{LAMBDAS}/{name}"
