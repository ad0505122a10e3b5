"""Types and columns of Iceberg's schemas: numbered fields, as JSON.

In: columns with types of the catalogue.  Out: fields of a schema, each with a number that stays
its own when it is renamed; what DuckDB needs to write and read these numbers; and the way back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from runner.local.athena.sqltypes import SqlType, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TO = {
    "integer": "int",
    "bigint": "long",
    "real": "float",
    "varchar": "string",
    "char": "string",
    "varbinary": "binary",
    "timestamp with time zone": "timestamptz",
    "tinyint": "int",
    "smallint": "int",
}
_FROM = {
    "long": "bigint",
    "timestamptz": "timestamp with time zone",
    "uuid": "string",
    "time": "string",
}
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
WIDER = frozenset({("int", "long"), ("float", "double")})
"""Types that may become others, beside decimals of more digits."""

Kind = str | dict[str, Any]
"""A type in JSON: a primitive's name, or a struct, list or map."""


class IcebergField(TypedDict):
    """A field of a schema, as the metadata document has it."""

    id: int
    name: str
    required: bool
    type: Kind
    doc: NotRequired[str]


class Numbers:
    """Gives the next field its number."""

    def __init__(self, last: int = 0) -> None:
        """Take the last number that was given."""
        self.last = last

    def take(self) -> int:
        """Give the next one."""
        self.last += 1
        return self.last


def fields_of(columns: Sequence[Mapping[str, Any]], numbers: Numbers) -> list[IcebergField]:
    """Make fields of Glue's columns; a level is numbered before what lies inside of it."""
    given = [numbers.take() for _ in columns]
    found: list[IcebergField] = []
    for number, column in zip(given, columns, strict=True):
        kind = kind_of(parse_type(column["Type"]), numbers)
        made = IcebergField(id=number, name=column["Name"].lower(), required=False, type=kind)
        if column.get("Comment"):
            made["doc"] = column["Comment"]
        found.append(made)
    return found


def kind_of(found: SqlType, numbers: Numbers) -> Kind:
    """Write a type."""
    if found.name == "row":
        names = [*found.fields] or [f"field{n}" for n in range(len(found.parts))]
        given = [numbers.take() for _ in names]
        inner = [
            {"id": number, "name": name, "required": False, "type": kind_of(part, numbers)}
            for number, name, part in zip(given, names, found.parts, strict=True)
        ]
        return {"type": "struct", "fields": inner}
    if found.name == "array":
        number = numbers.take()
        return {
            "type": "list",
            "element-id": number,
            "element-required": False,
            "element": kind_of(found.parts[0], numbers),
        }
    if found.name == "map":
        key, value = numbers.take(), numbers.take()
        return {
            "type": "map",
            "key-id": key,
            "key": kind_of(found.parts[0], numbers),
            "value-id": value,
            "value-required": False,
            "value": kind_of(found.parts[1], numbers),
        }
    if found.name == "decimal":
        precision, scale = found.numbers or (10, 0)
        return f"decimal({precision}, {scale})"
    return _TO.get(found.name, found.name)


def hive_of(kind: Kind) -> str:
    """Write a type as the catalogue does.

    >>> hive_of("decimal(10, 2)"), hive_of("long")
    ('decimal(10,2)', 'bigint')
    """
    if isinstance(kind, str):
        if match := _DECIMAL.fullmatch(kind):
            return f"decimal({match[1]},{match[2]})"
        return "binary" if kind.startswith("fixed") else _FROM.get(kind, kind)
    match kind["type"]:
        case "struct":
            inner = (f"{each['name']}:{hive_of(each['type'])}" for each in kind["fields"])
            return f"struct<{','.join(inner)}>"
        case "list":
            return f"array<{hive_of(kind['element'])}>"
        case _:
            return f"map<{hive_of(kind['key'])},{hive_of(kind['value'])}>"


def widens(old: str, new: str) -> bool:
    """Tell whether Iceberg lets a column's type become another (types of the catalogue)."""
    if old == new:
        return True
    before, after = (kind_of(parse_type(each), Numbers()) for each in (old, new))
    if isinstance(before, str) and isinstance(after, str):
        first, second = _DECIMAL.fullmatch(before), _DECIMAL.fullmatch(after)
        if first and second:
            return first[2] == second[2] and int(second[1]) >= int(first[1])
        return (before, after) in WIDER
    return False


def duck_ids(fields: Sequence[Mapping[str, Any]]) -> str:
    """Write DuckDB's FIELD_IDS for COPY.

    >>> duck_ids([{"id": 1, "name": "a", "type": "int"}])
    '{"a": 1}'
    """
    return (
        "{" + ", ".join(f"{_quoted(f['name'])}: {_ids(f['id'], f['type'])}" for f in fields) + "}"
    )


def _ids(number: int, kind: Kind) -> str:
    if isinstance(kind, str):
        return str(number)
    match kind["type"]:
        case "struct":
            inner = [(f["name"], f["id"], f["type"]) for f in kind["fields"]]
        case "list":
            inner = [("element", kind["element-id"], kind["element"])]
        case _:
            inner = [
                ("key", kind["key-id"], kind["key"]),
                ("value", kind["value-id"], kind["value"]),
            ]
    given = ", ".join(f"{_quoted(name)}: {_ids(each, part)}" for name, each, part in inner)
    return f"{{__duckdb_field_id: {number}, {given}}}"


def leaves(fields: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int, str]]:
    """Give path in a Parquet file, number and type of every primitive."""
    for each in fields:
        yield from _leaves(each["name"], each["id"], each["type"])


def _leaves(path: str, number: int, kind: Kind) -> Iterator[tuple[str, int, str]]:
    if isinstance(kind, str):
        yield path, number, kind
        return
    match kind["type"]:
        case "struct":
            for each in kind["fields"]:
                yield from _leaves(f"{path}, {each['name']}", each["id"], each["type"])
        case "list":
            yield from _leaves(f"{path}, list, element", kind["element-id"], kind["element"])
        case _:
            yield from _leaves(f"{path}, key_value, key", kind["key-id"], kind["key"])
            yield from _leaves(f"{path}, key_value, value", kind["value-id"], kind["value"])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
