"""The columns that an Avro schema means, as Hive's AvroSerDe derives them.

In: the JSON of a schema.  Out: Glue's columns.
"""

from __future__ import annotations

import json
from typing import Any

from runner.local.athena.errors import DdlFailure

_PLAIN = {
    "boolean": "boolean",
    "int": "int",
    "long": "bigint",
    "float": "float",
    "double": "double",
    "bytes": "binary",
    "fixed": "binary",
    "string": "string",
    "enum": "string",
}
_LOGICAL = {"date": "date", "timestamp-millis": "timestamp"}
_TWO = 2


def avro_columns(literal: str) -> list[dict[str, str]]:
    """Give the columns of a record's schema; raises DdlFailure for what has no Hive type.

    >>> avro_columns('{"type":"record","name":"r","fields":[{"name":"A","type":["null","long"]}]}')
    [{'Name': 'a', 'Type': 'bigint'}]
    """
    try:
        schema = json.loads(literal)
        fields = schema["fields"]
        return [
            {"Name": each["name"].lower(), "Type": _hive(each["type"])}
            | ({"Comment": each["doc"]} if each.get("doc") else {})
            for each in fields
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise DdlFailure(
            f"SemanticException Encountered AvroSerdeException determining schema: {error}"
        ) from error


def _hive(schema: object) -> str:
    if isinstance(schema, list):
        kinds = [each for each in schema if each != "null"]
        if len(kinds) != 1 or len(schema) > _TWO:
            raise ValueError(f"the union {json.dumps(schema)} has no type in Athena")
        return _hive(kinds[0])
    if isinstance(schema, dict):
        return _named(schema)
    return _PLAIN[str(schema)]


def _named(schema: dict[str, Any]) -> str:
    logical = schema.get("logicalType")
    if logical == "decimal":
        return f"decimal({schema['precision']},{schema.get('scale', 0)})"
    if logical in _LOGICAL:
        return _LOGICAL[logical]
    match schema["type"]:
        case "record":
            inner = (f"{each['name'].lower()}:{_hive(each['type'])}" for each in schema["fields"])
            return f"struct<{','.join(inner)}>"
        case "array":
            return f"array<{_hive(schema['items'])}>"
        case "map":
            return f"map<string,{_hive(schema['values'])}>"
        case kind:
            return _hive(kind)
