"""A compiled machine as plain values: definitions, what they read in the lake, what they take.

In: a `Machine`.  Out: what `WorkflowFacts` and `ChildFacts` hold of it.  ProjectError when AWS
would refuse it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from runner.app.bundle import ChildFacts
from runner.asl.build import render
from runner.asl.quotas import find_faults, usage_of
from runner.asl.validate import check_machine
from runner.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.asl.flow import Machine


@dataclass(frozen=True, slots=True)
class Rendered:
    """A machine with those that it starts."""

    definition: str
    assets: dict[str, str]
    children: tuple[ChildFacts, ...]
    usage: tuple[dict[str, Any], ...]


def rendered(machine: Machine, name: str, *, file: str, files: Mapping[str, str]) -> Rendered:
    """Write a machine's definitions; `files` are those of tables, for faults."""
    texts = [_text(machine, file)]
    children = []
    for child in machine.children:
        texts.append(_text(child.machine, file))
        children.append(
            ChildFacts(
                name=child.name,
                machine=child.deployed,
                subject=child.subject,
                tables=child.tables,
                definition=texts[-1],
                assets=child.machine.assets,
                kind=child.kind,
            )
        )
    named = [(name, machine), *((f"{name} {one.name}", one.machine) for one in machine.children)]
    usages = [
        usage_of(one, title, definition=text.encode())
        for (title, one), text in zip(named, texts, strict=True)
    ]
    faults = [fault for one in usages for fault in find_faults(one, files, file=file)]
    if faults:
        raise ProjectError(faults)
    usage = tuple(asdict(one) for one in usages)
    return Rendered(texts[0], machine.assets, tuple(children), usage)


def _text(machine: Machine, file: str) -> str:
    definition = render(machine)
    check_machine(machine, definition, file=file)
    return definition.decode()
