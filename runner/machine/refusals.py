"""What AWS says when it refuses a definition, and the same as faults of ours.

A `Refusal` is one diagnostic of ValidateStateMachineDefinition: a code, a message in AWS's words,
and a place.  AWS names the object that holds a wrong field; the pointer here goes to the field
itself, so that a line can be shown.  Pointers are JSON pointers but for items of arrays, which are
written as AWS writes them: `/States/A/Choices[0]/Next`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.machine.failures import definition_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.errors import Fault
    from runner.machine.definition import Language
    from runner.model.places import Places

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"
NO_END = "MISSING_END_STATE"
BAD_JSON = "INVALID_JSON_DESCRIPTION"
BAD_EXPRESSION = "INVALID_JSONATA_EXPRESSION"
FOREIGN_REFERENCE = "UNSUPPORTED_JSONATA_EXPRESSION"
STATE_TWICE = "DUPLICATE_STATE_NAME"
BAD_STATE_NAME = "INVALID_STATE_NAME"
LABEL_TWICE = "DUPLICATE_LABEL_NAME"
BAD_LABEL = "INVALID_LABEL_NAME"
VARIABLE_TWICE = "DUPLICATE_VARIABLE_NAME"
BAD_VARIABLE = "INVALID_VARIABLE_NAME"
RESERVED_VARIABLE = "RESERVED_VARIABLE_NAME"
NESTED = "TOO_DEEPLY_NESTED"

_FAULT_CODES: Mapping[str, str] = {
    SCHEMA: "definition-schema",
    TARGET: "definition-target",
    NO_END: "definition-target",
    BAD_JSON: "definition-json",
    BAD_EXPRESSION: "definition-expression",
    FOREIGN_REFERENCE: "definition-expression",
}
_NAME_CODE = "definition-name"


class Refusal(NamedTuple):
    """One thing that AWS refuses in a definition."""

    code: str
    """As ValidateStateMachineDefinition gives it."""
    message: str
    pointer: str
    """The most exact place; empty: the whole definition."""
    expected: str
    location: str | None
    """The place that AWS names; None: it names none."""

    def text(self) -> str:
        """Write it as CreateStateMachine does."""
        return f"{self.code}: {self.message.rstrip()} at {self.location or 'null'}"


def escape(name: str) -> str:
    """Write a key as a part of a pointer; a bracket would begin an index.

    >>> escape("a/b[0]")
    'a~1b~20]'
    """
    return name.replace("~", "~0").replace("/", "~1").replace("[", "~2")


def unescape(pointer: str) -> str:
    """Write a pointer as AWS does, with the names as they are.

    >>> unescape("/States/a~1b")
    '/States/a/b'
    """
    return pointer.replace("~2", "[").replace("~1", "/").replace("~0", "~")


def refuse(code: str, pointer: str, message: str, expected: str) -> Refusal:
    """Make a refusal at a place that AWS names exactly."""
    return Refusal(code, message, pointer, expected, unescape(pointer) or "/")


def schema(pointer: str, message: str, expected: str, *, within: str | None = None) -> Refusal:
    """Make the refusal of a value or a field; `within` is the place that AWS names instead."""
    named = pointer if within is None else within
    return Refusal(SCHEMA, message, pointer, expected, unescape(named) or "/")


def nowhere(code: str, message: str, expected: str) -> Refusal:
    """Make the refusal of a whole definition."""
    return Refusal(code, message, "", expected, None)


def unsupported(within: str, field: str, expected: str) -> Refusal:
    """Make the refusal of a field that an object may not have."""
    message = f"Field '{field}' is not supported"
    return schema(f"{within}/{escape(field)}", message, expected, within=within)


def foreign(within: str, field: str, language: Language) -> Refusal:
    """Make the refusal of a field that only the other query language has."""
    other = "JSONPath" if language == "JSONata" else "JSONata"
    told = f"The QueryLanguage is set to '{language}', but field '{field}' is only supported"
    message = f"{told} for the '{other}' QueryLanguage"
    expected = f"a field of {language}"
    return schema(f"{within}/{escape(field)}", message, expected, within=within)


def required(within: str, *fields: str) -> Refusal:
    """Make the refusal of an object that lacks fields."""
    named = ", ".join(fields)
    return schema(within, f"These fields are required: [{named}]", named)


def one_of(within: str, fields: Iterable[str], *, given: int) -> Refusal:
    """Make the refusal of an object that needs exactly one of some fields."""
    named = ", ".join(fields)
    told = "There should only be one of" if given else "This object should have only one of"
    return schema(within, f"{told} the following fields: [{named}]", f"exactly one of {named}")


def among(pointer: str, values: Iterable[str]) -> Refusal:
    """Make the refusal of a value that is none of those allowed."""
    named = ", ".join(values)
    told = f"Value should be one of the following: [{named}]"
    return schema(pointer, told, f"one of {named}")


def as_fault(refusal: Refusal, places: Places | None = None) -> Fault:
    """Write a refusal as a fault; with the places of its text it says file, line and column."""
    code = _FAULT_CODES.get(refusal.code, _NAME_CODE)
    found = refusal.message.rstrip()
    if places is None:
        return definition_fault(refusal.pointer, found, refusal.expected, code)
    from runner.machine.positions import parse_pointer  # noqa: PLC0415  (only to show a fault)

    place = places.key(*parse_pointer(refusal.pointer))
    if refusal.pointer:
        found = f"{found} at {unescape(refusal.pointer)}"
    return definition_fault(place, found, refusal.expected, code)


def create_message(refusals: Iterable[Refusal]) -> str:
    """Write the message of CreateStateMachine's InvalidDefinition.

    >>> create_message([nowhere(NO_END, "Workflow has no terminal state", "")])
    "Invalid State Machine Definition: 'MISSING_END_STATE: Workflow has no terminal state at null'"
    """
    told = ", ".join(refusal.text() for refusal in refusals)
    return f"Invalid State Machine Definition: '{told}'"
