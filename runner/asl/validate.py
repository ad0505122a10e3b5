"""Limits of AWS Step Functions that a definition must keep before anything is deployed.

Sources: Step Functions quotas (definition 1 MB), state names of at most 80 characters, unique in
the whole machine, inner states included.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from runner.asl.flow import MAX_NAME, every_state
from runner.errors import Fault, Place, ProjectError

if TYPE_CHECKING:
    from runner.asl.flow import Machine

MAX_DEFINITION_BYTES = 1_048_576


def check_machine(machine: Machine, definition: bytes, *, file: str) -> None:
    """Raise ProjectError when Step Functions would refuse the definition."""
    place = Place(file)
    names = [state.name for state in every_state(machine.flow)]
    faults = [
        Fault(
            place,
            "state-name-twice",
            f"two states named {name!r}",
            "every state of a workflow to have a name of its own",
            "rename a step, or let only one step select the table",
        )
        for name, count in sorted(Counter(names).items())
        if count > 1
    ]
    faults += [
        Fault(
            place,
            "state-name-too-long",
            f"{name!r}, {len(name)} characters",
            f"at most {MAX_NAME} characters",
            "shorten the name of the step",
        )
        for name in names
        if len(name) > MAX_NAME
    ]
    size = len(definition)
    if size > MAX_DEFINITION_BYTES:
        size = _compact_size(definition)
    if size > MAX_DEFINITION_BYTES:
        faults.append(
            Fault(
                place,
                "definition-too-large",
                f"a definition of {size:,} bytes ({len(names)} states)",
                f"at most {MAX_DEFINITION_BYTES:,} bytes (AWS Step Functions)",
                "split the workflow: select fewer tables in each",
            )
        )
    if faults:
        raise ProjectError(faults)


def _compact_size(definition: bytes) -> int:
    whole = json.loads(definition)
    return len(json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode())
