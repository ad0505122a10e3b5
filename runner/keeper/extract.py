"""The query whose result CSV Embulk loads: the window's rows, each value in a form it reads.

In: a table's spec and the manifest of a load.  Out: text for Athena.  Sources: Athena user guide,
"Working with query results" (the CSV encloses every value, NULL is nothing between two commas);
Trino's functions.  MySQL reads every text but that of booleans, which Embulk does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .spec import Spec

_NESTED = ("array", "map", "struct", "row")


def statement(spec: Spec, manifest: dict[str, Any]) -> str:
    """Write the SELECT of a load's rows."""
    files = [_value(one["name"], one["athena_type"]) for one in manifest["columns"]]
    partitions = [_quoted(one["name"]) for one in manifest["partition_columns"]]
    columns = ",\n    ".join([*files, *partitions])
    text = f'SELECT\n    {columns}\nFROM "{spec.database}"."{spec.table}"'
    window = manifest["window"]
    return text if window is None else f"{text}\nWHERE {within(window)}"


def _value(name: str, kind: str) -> str:
    """Write one column; floating values that MySQL lacks are NULL."""
    column = _quoted(name)
    word = kind.lower().partition("(")[0].partition("<")[0].strip()
    if word in _NESTED:
        text = f"json_format(CAST({column} AS JSON))"
    elif word in ("double", "float", "real"):
        text = f"CASE WHEN is_finite({column}) THEN {column} END"
    elif word in ("binary", "varbinary"):
        text = f"to_hex({column})"
    elif word == "timestamp":
        text = f"CAST({column} AS VARCHAR)"
    else:
        return column
    return f"{text} AS {column}"


def within(window: dict[str, Any]) -> str:
    """Write the condition of the window's partitions: {columns, values}."""
    columns, values = window["columns"], window["values"]
    if len(columns) == 1:
        listed = ", ".join(_literal(value) for (value,) in values)
        return f"{_quoted(columns[0])} IN ({listed})"
    return " OR ".join(
        "("
        + " AND ".join(
            f"{_quoted(column)} = {_literal(value)}"
            for column, value in zip(columns, one, strict=True)
        )
        + ")"
        for one in values
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
