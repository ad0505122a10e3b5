"""BigQuery's schema of an exported table: Glue's types as BigQuery names them.

In: columns as Glue describes them.  Out: fields of a BigQuery schema file (TableFieldSchema: name,
type, mode, description, fields, precision, scale), for the Parquet that UNLOAD writes.

A load has to be made with list inference (`parquet_options: {enable_list_inference: true}`): then
a list is a repeated field.  A map is a record with a repeated `key_value` of key and value, as its
Parquet has it.  Parquet written by Athena holds a `timestamp` as INT96, which a load takes for a
TIMESTAMP (of UTC); for another way to load, a schema may say DATETIME.
"""

from __future__ import annotations

import re
from typing import Any

from .faults import NotForBigQuery

INSTANT, CIVIL = "timestamp", "datetime"
"""What a `timestamp` of Athena becomes."""
_TYPES = {
    "tinyint": "INT64",
    "smallint": "INT64",
    "int": "INT64",
    "integer": "INT64",
    "bigint": "INT64",
    "float": "FLOAT64",
    "real": "FLOAT64",
    "double": "FLOAT64",
    "boolean": "BOOL",
    "string": "STRING",
    "varchar": "STRING",
    "char": "STRING",
    "date": "DATE",
    "binary": "BYTES",
    "varbinary": "BYTES",
}
_STRUCTS = ("struct", "row")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}\Z")
_FORBIDDEN = ("_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER")
"""What the name of a column may not begin with."""
_MOST_DEPTH = 15
"""How deep BigQuery nests records."""
_PRECISION, _SCALE, _WHOLE = 38, 9, 29
"""Of NUMERIC: digits in all, behind the point, before it."""


def schema(columns: list[dict[str, str]], *, timestamps: str = INSTANT) -> list[dict[str, Any]]:
    """Give the fields of a table; NotForBigQuery for what BigQuery has no place for.

    `columns` have Name, Type and maybe Comment.  No field is REQUIRED: in the files that Athena
    writes every column may be NULL, and a load refuses such a file for a required field.
    """
    return [
        _field(
            one["Name"],
            one["Type"].strip().lower(),
            mode="NULLABLE",
            description=one.get("Comment") or "",
            timestamps=timestamps,
            depth=0,
        )
        for one in columns
    ]


def _field(
    name: str, kind: str, *, mode: str, timestamps: str, depth: int, description: str = ""
) -> dict[str, Any]:
    _check_name(name)
    word, inside = _split(kind)
    if word == "array":
        return _repeated(name, inside, timestamps, depth, description)
    field: dict[str, Any] = {"name": name, "type": "STRUCT", "mode": mode}
    if word in _STRUCTS:
        pairs = [_named(part) for part in _parts(inside)]
        field["fields"] = _inner(name, pairs, timestamps, depth)
    elif word == "map":
        field["fields"] = [_entries(name, inside, timestamps, depth)]
    else:
        field |= _plain(name, word, inside, timestamps)
    if description:
        field["description"] = description
    return field


def _plain(name: str, word: str, inside: str, timestamps: str) -> dict[str, Any]:
    if word == "decimal":
        return _decimal(inside)
    if word.startswith("timestamp"):
        zoned = word != "timestamp"
        return {"type": "DATETIME" if timestamps == CIVIL and not zoned else "TIMESTAMP"}
    if word not in _TYPES:
        raise NotForBigQuery(f"the column {name} has the type {word}, which BigQuery does not load")
    return {"type": _TYPES[word]}


def _decimal(inside: str) -> dict[str, Any]:
    """Give NUMERIC where it is wide enough, else BIGNUMERIC."""
    digits, _, behind = inside.partition(",")
    precision, scale = int(digits or 10), int(behind or 0)
    fits = scale <= _SCALE and precision - scale <= _WHOLE and precision <= _PRECISION
    return {
        "type": "NUMERIC" if fits else "BIGNUMERIC",
        "precision": str(precision),
        "scale": str(scale),
    }


def _repeated(
    name: str, inside: str, timestamps: str, depth: int, description: str
) -> dict[str, Any]:
    if _split(inside)[0] == "array":
        raise NotForBigQuery(
            f"the column {name} is a list of lists, which BigQuery does not have; "
            "put the inner lists into a ROW, or write them as JSON text"
        )
    return _field(
        name,
        inside,
        mode="REPEATED",
        timestamps=timestamps,
        depth=depth,
        description=description,
    )


def _entries(name: str, inside: str, timestamps: str, depth: int) -> dict[str, Any]:
    key, value = _parts(inside)
    pairs = [("key", key), ("value", value)]
    fields = _inner(name, pairs, timestamps, depth + 1)
    fields[0]["mode"] = "REQUIRED"
    return {"name": "key_value", "type": "STRUCT", "mode": "REPEATED", "fields": fields}


def _inner(
    name: str, pairs: list[tuple[str, str]], timestamps: str, depth: int
) -> list[dict[str, Any]]:
    if depth + 1 > _MOST_DEPTH:
        raise NotForBigQuery(
            f"the column {name} is nested deeper than the {_MOST_DEPTH} levels of BigQuery"
        )
    return [
        _field(inner, kind, mode="NULLABLE", timestamps=timestamps, depth=depth + 1)
        for inner, kind in pairs
    ]


def _check_name(name: str) -> None:
    if not _NAME.match(name) or name.upper().startswith(_FORBIDDEN):
        raise NotForBigQuery(
            f"the column {name}: BigQuery wants letters, digits and _, no digit first, "
            f"300 at most, and none of its own beginnings, such as {_FORBIDDEN[0]}; rename it in "
            "the query"
        )


def _split(kind: str) -> tuple[str, str]:
    """Split a type into its word and what is between its brackets.

    >>> _split("decimal(10,2)"), _split("array<int>"), _split("date")
    (('decimal', '10,2'), ('array', 'int'), ('date', ''))
    """
    kind = kind.strip()
    found = re.match(r"[a-z ]+", kind)
    word = found[0].strip() if found else kind
    rest = kind[len(found[0]) if found else len(kind) :]
    if word == "timestamp" and rest.startswith("("):  # timestamp(3) with time zone
        return f"timestamp{rest.partition(')')[2]}", ""
    return word, rest[1:-1]


def _parts(inside: str) -> list[str]:
    """Split at the commas that stand in no inner brackets."""
    parts, depth, begin = [], 0, 0
    for position, sign in enumerate(inside):
        depth += (sign in "<(") - (sign in ">)")
        if sign == "," and not depth:
            parts.append(inside[begin:position].strip())
            begin = position + 1
    return [*parts, inside[begin:].strip()]


def _named(part: str) -> tuple[str, str]:
    """Split a member of a struct, `name:type`."""
    name, _, kind = part.partition(":")
    return name.strip().strip("`"), kind.strip()
