"""Schemas of Iceberg's data files in ORC and Avro: the numbers of fields stand in them.

In: fields of an Iceberg schema.  Out: an Avro schema, or an Arrow schema whose fields carry ORC's
attributes.  As Iceberg's specification has it, appendix A.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.icebergs.types import IcebergField, Kind

_PLAIN = {"binary": "bytes"}
_LOGICAL: dict[str, dict[str, object]] = {
    "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": False},
}
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def record_schema(fields: Sequence[IcebergField]) -> dict[str, Any]:
    """Write the Avro schema of a table's rows.

    >>> record_schema([{"id": 1, "name": "a", "required": False, "type": "long"}])["fields"]
    [{'name': 'a', 'type': ['null', 'long'], 'default': None, 'field-id': 1}]
    """
    return {"type": "record", "name": "table", "fields": [_field(dict(each)) for each in fields]}


def _field(each: dict[str, Any]) -> dict[str, Any]:
    if not _NAME.fullmatch(each["name"]):
        raise unsupported(f"The column {each['name']} of an Iceberg table in Avro")
    kind = ["null", _schema(each["type"], each["id"])]
    return {"name": each["name"], "type": kind, "default": None, "field-id": each["id"]}


def _schema(kind: Kind, number: int) -> object:
    if isinstance(kind, str):
        return _primitive(kind, number)
    match kind["type"]:
        case "struct":
            inner = [_field(each) for each in kind["fields"]]
            return {"type": "record", "name": f"r{number}", "fields": inner}
        case "list":
            items = ["null", _schema(kind["element"], kind["element-id"])]
            return {"type": "array", "items": items, "element-id": kind["element-id"]}
        case _:
            return _map(kind)


def _map(kind: dict[str, Any]) -> object:
    key, value = kind["key-id"], kind["value-id"]
    values = ["null", _schema(kind["value"], value)]
    if kind["key"] == "string":
        return {"type": "map", "values": values, "key-id": key, "value-id": value}
    fields = [
        {"name": "key", "type": _schema(kind["key"], key), "field-id": key},
        {"name": "value", "type": values, "default": None, "field-id": value},
    ]
    pair = {"type": "record", "name": f"k{key}_v{value}", "fields": fields}
    return {"type": "array", "items": pair, "logicalType": "map"}


def _primitive(kind: str, number: int) -> object:
    if match := _DECIMAL.fullmatch(kind):
        precision, scale = int(match[1]), int(match[2])
        size = (10**precision).bit_length() // 8 + 1
        logical = {"logicalType": "decimal", "precision": precision, "scale": scale}
        return {"type": "fixed", "name": f"decimal_{number}", "size": size, **logical}
    return _LOGICAL.get(kind) or _PLAIN.get(kind, kind)


def arrow_schema(fields: Sequence[IcebergField]) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Write the Arrow schema from which an ORC file is written."""
    import pyarrow as pa  # noqa: PLC0415 - few tables need it

    return pa.schema([_arrow(each["name"], each["id"], each["type"]) for each in fields])


def _arrow(name: str, number: int, kind: Kind, *, required: bool = False) -> Any:  # noqa: ANN401 - as above
    import pyarrow as pa  # noqa: PLC0415 - as above

    from runner.local.athena.arrowtypes import arrow_type  # noqa: PLC0415 - as above
    from runner.local.athena.icebergs.types import hive_of  # noqa: PLC0415 - as above
    from runner.local.athena.sqltypes import parse_type  # noqa: PLC0415 - as above

    if isinstance(kind, str):
        made = arrow_type(parse_type(hive_of(kind)))
    elif kind["type"] == "struct":
        made = pa.struct(
            [_arrow(each["name"], each["id"], each["type"]) for each in kind["fields"]]
        )
    elif kind["type"] == "list":
        made = pa.list_(_arrow("element", kind["element-id"], kind["element"]))
    else:
        made = pa.map_(
            _arrow("key", kind["key-id"], kind["key"], required=True),
            _arrow("value", kind["value-id"], kind["value"]),
        )
    attributes = {"iceberg.id": str(number), "iceberg.required": str(required).lower()}
    return pa.field(name, made, nullable=not required, metadata=attributes)
