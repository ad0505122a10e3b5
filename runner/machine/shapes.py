"""Whether a field's value has the shape that its field asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.machine.definition import Language
from runner.machine.failures import definition_fault
from runner.machine.fields import Shape
from runner.machine.templates import is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Fault
    from runner.model.ports import Json

_LARGEST = 99_999_999


def fits(value: Json, shape: Shape, language: Language) -> bool:
    """Tell whether a value may stand in a field of that shape."""
    if language is Language.JSONATA and is_expression(value):
        return shape.takes_expression
    if shape.plain is not None:
        return isinstance(value, shape.plain)
    if shape is Shape.COUNT or shape is Shape.NUMBER:
        return _is_number(value, whole=shape is Shape.COUNT)
    return _is_path(value, shape)


_PAYLOADS = ("Parameters", "ResultSelector", "Assign", "ItemSelector", "Credentials")


def check_payloads(state: Mapping[str, Json], kind: str, at: str) -> Iterator[Fault]:
    """Find keys that end in `.$` and hold neither a path nor an intrinsic function."""
    places = [(state.get(name), f"{at}/{name}") for name in _PAYLOADS]
    for name in ("Catch", "Choices"):
        parts = state.get(name)
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict):
                places.append((part.get("Assign"), f"{at}/{name}[{index}]/Assign"))
    if kind == "Map":
        for name, inner in _NESTED:
            part = state.get(name)
            if isinstance(part, dict):
                places.append((part.get(inner), f"{at}/{name}/{inner}"))
    for payload, pointer in places:
        for key in _bad_keys(payload):
            found = f"The value for the field '{key}' must be a valid JSONPath or"
            told = f"{found} a valid intrinsic function call"
            yield definition_fault(pointer, told, "a path or function", "definition-schema")


_NESTED = (
    ("ItemReader", "Parameters"),
    ("ItemBatcher", "BatchInput"),
    ("ResultWriter", "Parameters"),
)


def _bad_keys(payload: Json) -> Iterator[str]:
    if isinstance(payload, list):
        for item in payload:
            yield from _bad_keys(item)
    if isinstance(payload, dict):
        for key, value in payload.items():
            if not key.endswith(".$"):
                yield from _bad_keys(value)
            elif not _is_path(value, Shape.PATH):
                yield key


def _is_number(value: Any, *, whole: bool) -> bool:  # noqa: ANN401  (JSON)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value <= _LARGEST and not (whole and value != int(value))


def _is_path(value: Json, shape: Shape) -> bool:
    if value is None:
        return shape is not Shape.PATH
    if not isinstance(value, str):
        return False
    if value.startswith("States."):
        from runner.machine.intrinsics import is_intrinsic  # noqa: PLC0415  (seldom used)

        return shape is not Shape.REFERENCE and is_intrinsic(value)
    from runner.machine.paths import is_path, is_reference  # noqa: PLC0415  (JSONPath only)

    if shape is Shape.REFERENCE:
        return is_reference(value)
    return is_path(value)
