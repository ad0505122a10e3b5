"""DuckDB's failures of casts in Trino's words."""

from __future__ import annotations

import re

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.macros_casts import MARK
from runner.local.athena.render import render_double

_NAMES = {
    "INT8": "TINYINT",
    "INT16": "SMALLINT",
    "INT32": "INT",
    "INT64": "BIGINT",
    "BOOL": "BOOLEAN",
    "DOUBLE": "DOUBLE",
    "FLOAT": "REAL",
}
_LONG = {**_NAMES, "INT32": "INTEGER"}
_TEXT = re.compile(
    rf"Could not convert string ['\"]({MARK}?)(.*)['\"] to (\w+)(?:\((\d+),\s*(\d+)\))?", re.DOTALL
)
_VALUE = re.compile(r"Could not cast value (\S+) to DECIMAL\((\d+),\s*(\d+)\)")
_RANGE = re.compile(
    r"Type (\w+) with value (\S+) can't be cast .* out of range for the destination type (\w+)"
)
_NO_TEXT = frozenset({"inf", "-inf", "nan"})
"""How DuckDB words doubles on their way to a decimal."""
_WIDEST = 2**31


def cast_failure(text: str) -> AthenaFailure | None:
    """Word a failed cast as Trino does; None for other failures.

    >>> cast_failure("Could not convert string 'x' to INT32").reason
    "INVALID_CAST_ARGUMENT: Cannot cast 'x' to INT"
    """
    if found := _TEXT.search(text):
        return _from_text(*found.groups())
    if found := _VALUE.search(text):
        value, precision, scale = found.groups()
        kind, shown = _number(value)
        message = f"Cannot cast {kind} '{shown}' to DECIMAL({precision}, {scale})"
        return AthenaFailure("INVALID_CAST_ARGUMENT", message)
    if found := _RANGE.search(text):
        return _out_of_range(*found.groups())
    return None


def _from_text(
    mark: str, value: str, name: str, precision: str | None, scale: str | None
) -> AthenaFailure:
    if name == "DECIMAL":
        kind, shown = ("VARCHAR", value) if mark or value not in _NO_TEXT else _number(value)
        message = f"Cannot cast {kind} '{shown}' to DECIMAL({precision}, {scale})"
    else:
        message = f"Cannot cast '{value}' to {_NAMES.get(name, name)}"
    return AthenaFailure("INVALID_CAST_ARGUMENT", message)


def _number(value: str) -> tuple[str, str]:
    if re.fullmatch(r"-?\d+", value):
        return ("INTEGER" if abs(int(value)) < _WIDEST else "BIGINT"), value
    return "DOUBLE", render_double(float(value))


def _out_of_range(source: str, value: str, target: str) -> AthenaFailure:
    name = _LONG.get(target, target).lower()
    if source in {"DOUBLE", "FLOAT"}:
        shown = render_double(float(value))
        if name == "bigint":
            return AthenaFailure("INVALID_CAST_ARGUMENT", f"Unable to cast {shown} to bigint")
        if shown == "NaN":
            message = f"Cannot cast {source.lower()} NaN to {name}"
            return AthenaFailure("INVALID_CAST_ARGUMENT", message)
        return AthenaFailure("INVALID_CAST_ARGUMENT", f"Out of range for {name}: {shown}")
    return AthenaFailure("NUMERIC_VALUE_OUT_OF_RANGE", f"Out of range for {name}: {value}")
