"""Trino's functions of JSON, row by row: parts, sizes, and casts from and to JSON."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.jsoncasts import cast_nested, cast_scalar, render_typed
from runner.local.athena.jsonextract import find, size, steps_of
from runner.local.athena.jsontext import (
    FloatText,
    IntText,
    JsonError,
    Members,
    Missing,
    char_at,
    elements,
    parse,
    scan,
    skip,
    write,
)
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.udfs import Udf

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.jsontext import Json

_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
P = ParamSpec("P")
R = TypeVar("R")
_MOST_SHOWN = 1000


def _null_first(function: Callable[P, R]) -> Callable[P, R | None]:
    """Answer NULL as soon as one argument is NULL."""

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R | None:
        return None if None in arguments else function(*arguments, **named)

    return call


@_null_first
def json_parse(text: str) -> str:
    """Read JSON into its canonical text."""
    try:
        return write(parse(text), ordered=True)
    except JsonError as error:
        raise AthenaFailure(
            "INVALID_FUNCTION_ARGUMENT", f"Cannot convert value to JSON: '{text}'"
        ) from error


@_null_first
def json_extract(text: str, path: str) -> str | None:
    """Give the value at a path as JSON."""
    found = _found(text, path)
    return None if isinstance(found, Missing) else write(found)


@_null_first
def json_extract_scalar(text: str, path: str) -> str | None:
    """Give the scalar at a path as text; numbers as they are written."""
    found = _found(text, path)
    return None if isinstance(found, Missing | Members | list) else _text(found)


@_null_first
def json_size(text: str, path: str) -> int | None:
    """Count the parts of the value at a path."""
    found = _found(text, path)
    return None if isinstance(found, Missing) else size(found)


def _found(text: str, path: str) -> Json | Missing:
    steps_of(path)
    try:
        return find(text, path)
    except JsonError:
        return Missing()


def _text(value: Json) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


@_null_first
def json_array_length(text: str) -> int | None:
    """Count an array's elements."""
    try:
        start = _array(text)
        return None if start is None else sum(1 for _ in elements(text, start))
    except JsonError:
        return None


def _array(text: str) -> int | None:
    start = skip(text, 0)
    return start if char_at(text, start) == "[" else None


@_null_first
def json_array_get(text: str, index: int) -> str | None:
    """Give an element; strings come without their quotes, as Trino has it."""
    try:
        start = _array(text)
        if start is None:
            return None
        places: list[int] = []
        for place in elements(text, start):
            places.append(place)
            if len(places) == index + 1:
                break
        if not -len(places) <= index < len(places):
            return None
        value = scan(text, places[index])[0]
    except JsonError:
        return None
    return write(value) if isinstance(value, Members | list) else _text(value)


def _contains(text: str, wanted: Callable[[Json], bool]) -> bool | None:
    try:
        start = _array(text)
        if start is None:
            return None
        return any(wanted(scan(text, place)[0]) for place in elements(text, start))
    except JsonError:
        return None


@_null_first
def json_contains_text(text: str, value: str) -> bool | None:
    """Tell whether a string is among the elements."""
    return _contains(text, lambda each: type(each) is str and each == value)


@_null_first
def json_contains_boolean(text: str, value: bool) -> bool | None:  # noqa: FBT001 - a SQL argument
    """Tell whether true or false is among the elements."""
    return _contains(text, lambda each: isinstance(each, bool) and each == value)


@_null_first
def json_contains_bigint(text: str, value: int) -> bool | None:
    """Tell whether an integer is among the elements; 1.0 is none."""
    return _contains(text, lambda each: isinstance(each, IntText) and int(each) == value)


@_null_first
def json_contains_double(text: str, value: float) -> bool | None:
    """Tell whether a number with a fraction or exponent is among the elements; 1 is none."""
    return _contains(text, lambda each: isinstance(each, FloatText) and float(each) == value)


@_null_first
def json_contains_any(text: str, value: str, kind: str) -> bool | None:
    """Tell whether a value of a type that only DuckDB knew is among the elements."""
    wanted = parse(value, constants=True)
    if kind == "VARCHAR":
        return json_contains_text(text, str(wanted))
    if kind == "BOOLEAN":
        return json_contains_boolean(text, wanted is True)
    if kind in _INTEGERS:
        return json_contains_bigint(text, int(value))
    return json_contains_double(text, float(value))


@_null_first
def is_json_scalar(text: str) -> bool:
    """Tell scalars from objects and arrays."""
    try:
        return not isinstance(parse(text), Members | list)
    except JsonError as error:
        shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...(truncated)"
        raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON value: {shown}") from error


@_null_first
def json_of(text: str, kind: str) -> str:
    """Write DuckDB's JSON of a value as Trino's cast to JSON writes it."""
    return render_typed(parse(text, constants=True), parse_type(kind))


FUNCTIONS = {
    "__json_parse": Udf(json_parse, ("VARCHAR",), "JSON"),
    "__json_extract": Udf(json_extract, ("VARCHAR", "VARCHAR"), "JSON"),
    "__json_extract_scalar": Udf(json_extract_scalar, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    "__json_size": Udf(json_size, ("VARCHAR", "VARCHAR"), "BIGINT"),
    "__json_array_length": Udf(json_array_length, ("VARCHAR",), "BIGINT"),
    "__json_array_get": Udf(json_array_get, ("VARCHAR", "BIGINT"), "JSON"),
    "__json_contains_text": Udf(json_contains_text, ("VARCHAR", "VARCHAR"), "BOOLEAN"),
    "__json_contains_boolean": Udf(json_contains_boolean, ("VARCHAR", "BOOLEAN"), "BOOLEAN"),
    "__json_contains_bigint": Udf(json_contains_bigint, ("VARCHAR", "BIGINT"), "BOOLEAN"),
    "__json_contains_double": Udf(json_contains_double, ("VARCHAR", "DOUBLE"), "BOOLEAN"),
    "__json_contains_any": Udf(json_contains_any, ("VARCHAR", "VARCHAR", "VARCHAR"), "BOOLEAN"),
    "__json_is_scalar": Udf(is_json_scalar, ("VARCHAR",), "BOOLEAN"),
    "__json_of": Udf(json_of, ("VARCHAR", "VARCHAR"), "JSON"),
    "__json_to_scalar": Udf(_null_first(cast_scalar), ("VARCHAR", "VARCHAR"), "VARCHAR"),
    "__json_to_nested": Udf(_null_first(cast_nested), ("VARCHAR", "VARCHAR"), "JSON"),
}
