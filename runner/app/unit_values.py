"""Cells of unit tests: what a YAML value is as a value of an Athena type, and how it is shown.

In: values as YAML has them, types.  Out: Python values that compare with what the engine gives,
JSON for the files that stand in for tables, text for people.
"""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from runner.local.athena.sqltypes import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from runner.model.unit_test import Row

Columns = tuple[tuple[str, SqlType], ...]
_WHOLE = ("tinyint", "smallint", "integer", "bigint")
_INFERRED: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "bigint"),
    (float, "double"),
    (str, "varchar"),
)


class UnfitValueError(ValueError):
    """A value that is none of its column's type: what would be, and what to do."""

    def __init__(self, expected: str, advice: str) -> None:
        """Take the two lines that a fault needs."""
        self.expected = expected
        self.advice = advice
        super().__init__(expected)


def value_of(cell: object, kind: SqlType) -> object:
    """Read a cell as a value of a type; UnfitValueError when it is none."""
    if cell is None:
        return None
    if kind.parts:
        return _nested(cell, kind)
    for names, read in _READERS:
        if kind.name in names:
            return read(cell)
    return str(cell)


def _nested(cell: object, kind: SqlType) -> object:
    if kind.name == "array" and isinstance(cell, list):
        return [value_of(item, kind.parts[0]) for item in cell]
    if kind.name == "map" and isinstance(cell, dict):
        return {
            value_of(key, kind.parts[0]): value_of(item, kind.parts[1])
            for key, item in cell.items()
        }
    if kind.name == "row" and isinstance(cell, dict) and set(cell) <= set(kind.fields):
        fields = zip(kind.fields, kind.parts, strict=True)
        return {name: value_of(cell.get(name), part) for name, part in fields}
    brackets = "[a, b]" if kind.name == "array" else "{name: value}"
    raise UnfitValueError(f"a value of type {kind.trino()}", f"write it as {brackets}")


def _whole(cell: object) -> int:
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    raise UnfitValueError("a whole number", "write it without quotes, point or unit")


def _floating(cell: object) -> float:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    if cell in ("NaN", "Infinity", "-Infinity"):
        return float(str(cell))
    raise UnfitValueError("a number", "write it without quotes or unit")


def _decimal(cell: object) -> Decimal:
    try:
        if isinstance(cell, int | float | str) and not isinstance(cell, bool):
            return Decimal(str(cell))
    except InvalidOperation:
        pass
    raise UnfitValueError("a decimal number", "write it like 12.50")


def _boolean(cell: object) -> bool:
    if isinstance(cell, bool):
        return cell
    raise UnfitValueError("true or false", "write it without quotes")


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    raise UnfitValueError("text", f'quote it: "{json.dumps(cell)}"')


def _date(cell: object) -> date:
    try:
        return date.fromisoformat(_text(cell))
    except ValueError as error:
        raise UnfitValueError("a date", "write it like 2013-01-05") from error


def _timestamp(cell: object) -> datetime:
    try:
        return datetime.fromisoformat(_text(cell))
    except ValueError as error:
        raise UnfitValueError("a timestamp", "write it like 2013-01-05 07:30:00") from error


_READERS: tuple[tuple[tuple[str, ...], Callable[[object], object]], ...] = (
    (_WHOLE, _whole),
    (("real", "double"), _floating),
    (("decimal",), _decimal),
    (("boolean",), _boolean),
    (("varchar", "char"), _text),
    (("date",), _date),
    (("timestamp", "timestamp with time zone"), _timestamp),
)


def infer(rows: Iterable[Row], names: Sequence[str] = ()) -> Columns:
    """Give columns the types of their cells; text where there is nothing but NULL."""
    cells: dict[str, list[object]] = {name: [] for name in names}
    for row in rows:
        for name, cell in row.items():
            cells.setdefault(name, []).append(cell)
    return tuple((name, _inferred(found)) for name, found in cells.items())


def _inferred(cells: list[object]) -> SqlType:
    given = [cell for cell in cells if cell is not None]
    if given and all(isinstance(cell, list) for cell in given):
        items = [item for cell in given if isinstance(cell, list) for item in cell]
        return SqlType("array", (), (_inferred(items),))
    if given and all(isinstance(cell, dict) for cell in given):
        fields = infer(cell for cell in given if isinstance(cell, dict))
        parts = tuple(kind for _, kind in fields)
        return SqlType("row", (), parts, tuple(name for name, _ in fields))
    for kind, name in _INFERRED:
        numbers = kind is float and all(type(cell) in (int, float) for cell in given)
        if given and (numbers or all(type(cell) is kind for cell in given)):
            return SqlType(name)
    return SqlType("varchar")


def same(one: object, other: object, *, tolerance: float) -> bool:
    """Compare two values; numbers with a fraction by their relative difference."""
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same(a, b, tolerance=tolerance) for a, b in pairs)
    if isinstance(one, dict) and isinstance(other, dict):
        names = [(one.get(name), other.get(name)) for name in one]
        return set(one) == set(other) and all(same(a, b, tolerance=tolerance) for a, b in names)
    return one == other


def as_json(value: object) -> object:
    """Write a value as the files of stand-ins hold it."""
    match value:
        case datetime():
            return value.isoformat(sep=" ")
        case date() | Decimal():
            return str(value)
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {str(as_json(name)): as_json(item) for name, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case _:
            return value


def shown(value: object) -> str:
    """Write a value for people."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case datetime():
            return value.isoformat(sep=" ")
        case dict() | list() | tuple():
            return json.dumps(as_json(value), ensure_ascii=False)
        case _:
            return str(value)
