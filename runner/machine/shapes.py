"""Whether a field's value has the shape that its field asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from runner.machine.definition import Language
from runner.machine.fields import Shape
from runner.machine.templates import is_expression

if TYPE_CHECKING:
    from runner.model.ports import Json

_LARGEST = 99_999_999


def fits(value: Json, shape: Shape, language: Language) -> bool:
    """Tell whether a value may stand in a field of that shape."""
    if language is Language.JSONATA and is_expression(value):
        return shape not in {Shape.NAME, Shape.BOOLEAN, Shape.LIST}
    if shape in {Shape.COUNT, Shape.NUMBER}:
        return _is_number(value, whole=shape is Shape.COUNT)
    if shape in {Shape.PATH, Shape.NULLABLE_PATH, Shape.REFERENCE}:
        return _is_path(value, shape)
    return _is_plain(value, shape)


def _is_plain(value: Json, shape: Shape) -> bool:
    match shape:
        case Shape.TEXT | Shape.NAME:
            return isinstance(value, str)
        case Shape.BOOLEAN:
            return isinstance(value, bool)
        case Shape.OBJECT:
            return isinstance(value, dict)
        case Shape.LIST:
            return isinstance(value, list)
        case Shape.ITEMS:
            return isinstance(value, (list, dict))
        case Shape.ANY:
            return True
        case Shape.COUNT | Shape.NUMBER | Shape.PATH | Shape.NULLABLE_PATH | Shape.REFERENCE:
            return False
        case _:
            assert_never(shape)


def _is_number(value: Any, *, whole: bool) -> bool:  # noqa: ANN401  (JSON)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value <= _LARGEST and not (whole and value != int(value))


def _is_path(value: Json, shape: Shape) -> bool:
    if value is None:
        return shape is not Shape.PATH
    if not isinstance(value, str):
        return False
    from runner.machine.paths import is_path, is_reference  # noqa: PLC0415  (JSONPath only)

    if shape is Shape.REFERENCE:
        return is_reference(value)
    return is_path(value)
