"""A compiled machine as plain values: definitions, what they read in the lake, what they take.

In: a `Machine`.  Out: what `WorkflowFacts` and `ChildFacts` hold of it.  ProjectError when AWS
would refuse it.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from runner.app.bundle import ChildFacts
from runner.asl.build import render
from runner.asl.flow import content_of
from runner.asl.quotas import Usage, find_faults, usage_of
from runner.asl.validate import check_machine
from runner.errors import ProjectError
from runner.project.cache import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.app.definitions import Definitions
    from runner.asl.flow import Machine


@dataclass(frozen=True, slots=True)
class Rendered:
    """A machine with those that it starts."""

    definition: str
    assets: dict[str, str]
    children: tuple[ChildFacts, ...]
    usage: tuple[dict[str, Any], ...]


def rendered(
    machine: Machine, name: str, *, file: str, files: Mapping[str, str], known: Definitions
) -> Rendered:
    """Write a machine's definitions; `files` are those of tables, for faults.

    What is `known` of a machine that is the same as before is not worked out again.
    """
    own = _drawn(machine, name, file, known)
    parts = [_drawn(one.machine, f"{name} {one.name}", file, known) for one in machine.children]
    usages = [usage for _, usage in (own, *parts)]
    faults = [fault for one in usages for fault in find_faults(one, files, file=file)]
    if faults:
        raise ProjectError(faults)
    children = tuple(
        ChildFacts(
            name=child.name,
            machine=child.deployed,
            subject=child.subject,
            tables=child.tables,
            definition=text,
            assets=child.machine.assets,
            kind=child.kind,
        )
        for child, (text, _) in zip(machine.children, parts, strict=True)
    )
    return Rendered(own[0], machine.assets, children, tuple(asdict(one) for one in usages))


def _drawn(machine: Machine, title: str, file: str, known: Definitions) -> tuple[str, Usage]:
    """Give a machine's text and what it takes; ProjectError when AWS would refuse the text."""
    key = key_of([title, content_of(machine)])
    found = known.noted(key)
    if found is not None:
        with contextlib.suppress(TypeError):  # of another layout
            return found[0], Usage(**found[1])
    definition = render(machine)
    check_machine(machine, definition, file=file)
    text, usage = definition.decode(), usage_of(machine, title)
    known.note(key, text, asdict(usage))
    return text, usage
