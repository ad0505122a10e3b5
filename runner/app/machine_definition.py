"""The definition of a state machine from a file of JSON or YAML, with faults at their lines.

In: a path, or a definition as a value.  Out: `Machine`, or ProjectError with every fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import Fault, Place, ProjectError
from runner.machine import InvalidDefinition, parse_definition
from runner.machine.refusals import unescape

if TYPE_CHECKING:
    from runner.machine import Definition
    from runner.model.places import Places

Source = Path | Mapping[str, Any]
"""A file, or a definition as a value."""

_ENDINGS = re.compile(r"(\.asl)?\.(json|ya?ml|asl)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Machine:
    """A definition that can be executed, and what its machine is called."""

    name: str
    definition: Definition

    @property
    def source(self) -> dict[str, Any]:
        """Give the definition as it was written."""
        found: dict[str, Any] = dict(self.definition.source)
        return found


def read_machine(source: Source, *, name: str = "", express: bool = False) -> Machine:
    """Read a definition; `express` checks it as an EXPRESS machine."""
    if isinstance(source, Mapping):
        return Machine(name or "machine", parse_definition(source, express=express))
    text = _text(source)
    data, file = _json(text), str(source)
    if data is None:
        from runner.project.documents import parse_document  # noqa: PLC0415 - YAML takes a while

        document = parse_document(text, file=file)
        if document.faults:
            raise ProjectError(document.faults)
        data = document.data
    if not isinstance(data, dict):
        found, advice = "no mapping", "write StartAt and States at the top"
        raise ProjectError(
            [Fault(Place(file), "definition-json", found, "a state machine", advice)]
        )
    try:
        definition = parse_definition(data, express=express)
    except InvalidDefinition as refused:
        from runner.project.documents import parse_document  # noqa: PLC0415 - likewise

        places = parse_document(text, file=file).places
        raise ProjectError(located(fault, places) for fault in refused.faults) from refused
    return Machine(name or machine_name(source), definition)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        from runner.project.documents import read_text  # noqa: PLC0415 - only for a mistake

        return read_text(path, option="DEFINITION")  # which says what is wrong


def _json(text: str) -> object:
    """Read JSON without looking for places, which takes a while; None when it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def machine_name(path: Path) -> str:
    """Name a machine by its file.

    >>> machine_name(Path("machines/pay.asl.json"))
    'pay'
    """
    name = re.sub(r"[^0-9A-Za-z_-]+", "-", _ENDINGS.sub("", path.name)).strip("-")
    return name[:80] or "machine"


def located(fault: Fault, places: Places) -> Fault:
    """Put a fault of a definition, which has a JSON pointer, at its line of the file."""
    from runner.machine.positions import parse_pointer  # noqa: PLC0415 - only for a mistake

    pointer = fault.place.file.removesuffix("/")
    told = fault.found.rstrip()
    if pointer:
        told = f"{told} at {unescape(pointer)}"
    return replace(fault, place=places.key(*parse_pointer(pointer)), found=told)
