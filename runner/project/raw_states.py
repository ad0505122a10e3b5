"""Raw states (`type: asl`): what AWS would refuse of them, at its place in the workflow's file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.model.workflow import AslStep
from runner.project.steps_flow import every_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.errors import Place
    from runner.model.places import Path, Places
    from runner.model.workflow import Workflow

_PART = re.compile(r"/([^/\[]*)|\[(\d+)\]")
_ELSEWHERE = "MISSING_TRANSITION_TARGET"
"""A state's own catcher may name a state that is made around it."""


def raw_state_faults(workflow: Workflow, places: Places) -> Iterator[Fault]:
    """Find what AWS Step Functions refuses in raw states, each looked at by itself."""
    for at, step in every_step(workflow):
        if isinstance(step, AslStep):
            yield from _faults(at, step, places)


def _faults(at: Path, step: AslStep, places: Places) -> Iterator[Fault]:
    from runner.machine.validate import find_refusals  # noqa: PLC0415 - few projects have any

    state = {key: value for key, value in step.state.items() if key != "End"}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "step",
        "States": {"step": {**state, "Next": "after"}, "after": {"Type": "Succeed"}},
    }
    for refusal in find_refusals(definition, express=False):
        path = path_of(refusal.pointer)[2:]
        if refusal.code == _ELSEWHERE and path[:1] == ("Catch",):
            continue
        yield Fault(
            _place((*at, "state", *path), places),
            "raw-state",
            f"{refusal.message} ({refusal.code})",
            refusal.expected,
            "correct the state; `runner machine test-state` tries one by itself",
        )


def _place(path: Path, places: Places) -> Place:
    return places.value(*path) if path in places.values else places.key(*path)


def path_of(pointer: str) -> Path:
    """Read a pointer of the checker as keys and indexes.

    >>> path_of("/States/a~1b/Catch[0]/Next")
    ('States', 'a/b', 'Catch', 0, 'Next')
    """
    found: list[str | int] = []
    for match in _PART.finditer(pointer):
        if match[2] is not None:
            found.append(int(match[2]))
        else:
            found.append(match[1].replace("~2", "[").replace("~1", "/").replace("~0", "~"))
    return tuple(found)
