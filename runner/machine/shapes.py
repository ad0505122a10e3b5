"""Whether a field's value has the shape that its field asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Language
from runner.machine.fields import Range, Shape
from runner.machine.refusals import Refusal, schema
from runner.machine.templates import CLOSE, OPEN, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.ports import Json

_TYPES = {str: "STRING", bool: "BOOLEAN", dict: "OBJECT", list: "ARRAY", (list, dict): "ARRAY"}
_TEXT_FUNCTIONS = frozenset(
    {"Format", "JsonToString", "ArrayGetItem", "Base64Encode", "Base64Decode", "Hash", "UUID"}
)
"""Intrinsic functions that ErrorPath and CausePath take."""


def check_value(value: Json, shape: Shape, at: str, language: Language) -> Refusal | None:
    """Find what is wrong with a field's value."""
    may_be_expression = shape.takes_expression and shape is not Shape.FILLED
    if language is Language.JSONATA and may_be_expression and isinstance(value, str):
        if is_expression(value):
            return None
        if is_unclosed(value):
            return unclosed(at)
    if shape.range is not None:
        return check_number(value, shape.range, at)
    if shape.plain is None:
        return _check_path(value, shape, at)
    if isinstance(value, shape.plain):
        return None
    return wrong_type(at, _TYPES[shape.plain])


def wrong_type(at: str, name: str) -> Refusal:
    """Make the refusal of a value of another type."""
    return schema(at, f"Expected value of type [{name}]", f"a value of type {name.lower()}")


def is_unclosed(text: str) -> bool:
    """Tell whether a text has one brace of an expression but not the other.

    >>> is_unclosed("{% $x"), is_unclosed(" {% $x %}"), is_unclosed("{% $x %}"), is_unclosed("x")
    (True, True, False, False)
    """
    return text.startswith(OPEN) is not text.endswith(CLOSE)


def unclosed(at: str) -> Refusal:
    """Make the refusal of an expression without one of its braces."""
    told = "JSONata string must start with {% and end with %}"
    return schema(at, told, "{% expression %} with no blanks around it")


def check_number(value: Json, limits: Range, at: str) -> Refusal | None:
    """Find what is wrong with a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        name = "Integer" if limits.whole else "Float"
        return schema(at, f"Expected value of type {name}", _told(limits))
    if limits.whole and isinstance(value, float) and not value.is_integer():
        return schema(at, "Expected value of type Integer", _told(limits))
    if not value >= limits.least:
        return schema(at, f"Minimum value is {limits.least}", _told(limits))
    if limits.most is not None and value > limits.most:
        return schema(at, f"Maximum value is {limits.most}", _told(limits))
    return None


def check_timestamp(value: str, at: str) -> Refusal | None:
    """Find what is wrong with an instant written in a definition."""
    from runner.machine.waits import parse_timestamp  # noqa: PLC0415  (seldom used)

    if parse_timestamp(value) is not None:
        return None
    told = "String does not match RFC3339 timestamp"
    return schema(at, told, "an instant such as 2030-01-01T00:00:00Z")


def _told(limits: Range) -> str:
    kind = "a whole number" if limits.whole else "a number"
    if limits.most is None:
        return f"{kind} of at least {limits.least}"
    return f"{kind} from {limits.least} to {limits.most}"


_PAYLOAD = (
    "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call"
)


def check_payload(payload: Json, at: str) -> Iterator[Refusal]:
    """Find keys that end in `.$` and hold neither a path nor an intrinsic function."""
    if isinstance(payload, list):
        for index, item in enumerate(payload):
            if isinstance(item, (list, dict)):
                yield from check_payload(item, f"{at}[{index}]")
    elif isinstance(payload, dict):
        for key, value in payload.items():
            if key.endswith(".$"):
                if not is_path_or_function(value):
                    yield schema(_member(at, key), _PAYLOAD.format(key), "a path", within=at)
            elif isinstance(value, (list, dict)):
                yield from check_payload(value, _member(at, key))


def _member(at: str, key: str) -> str:
    from runner.machine.refusals import escape  # noqa: PLC0415  (only in JSONPath payloads)

    return f"{at}/{escape(key)}"


def is_path_or_function(value: Json) -> bool:
    """Tell whether a value is a path or a call of an intrinsic function."""
    if not isinstance(value, str):
        return False
    if value.startswith("States."):
        from runner.machine.intrinsics import is_intrinsic  # noqa: PLC0415  (seldom used)

        return is_intrinsic(value)
    from runner.machine.paths import is_path  # noqa: PLC0415  (JSONPath only)

    return is_path(value)


def _check_path(value: Json, shape: Shape, at: str) -> Refusal | None:
    if value is None and shape in {Shape.NULLABLE_PATH, Shape.REFERENCE}:
        return None
    if not isinstance(value, str):
        return wrong_type(at, "STRING")
    if shape is Shape.TEXT_PATH and value.startswith("States."):
        name = value.removeprefix("States.").partition("(")[0].strip()
        if name in _TEXT_FUNCTIONS and is_path_or_function(value):
            return None
        told = "The value for the field must be a valid JSONPath or a valid intrinsic function call"
        return schema(
            at, f"{told} that returns a string", "a path, or a function that gives a text"
        )
    if not value.startswith("States.") and is_path_or_function(value):
        return _check_target(value, shape, at)
    return schema(at, "Value must be a valid JSONPath.", "a path such as $.a")


def _check_target(value: str, shape: Shape, at: str) -> Refusal | None:
    from runner.machine.paths import Root, is_reference, parse_path  # noqa: PLC0415  (JSONPath only)

    if shape is Shape.REFERENCE:
        fits = is_reference(value)
    elif shape is Shape.SINGLE_PATH:
        path = parse_path(value)
        fits = path.definite and path.root is not Root.CONTEXT
    else:
        return None
    if fits:
        return None
    return schema(
        at, "Value is not a Reference Path", "a path of the input that leads to one value"
    )
