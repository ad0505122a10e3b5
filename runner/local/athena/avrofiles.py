"""Avro files: read block by block, written batch by batch.

In: a file and the columns that are wanted.  Out: record batches of the declared types.  Columns
are found by name; with the property avro.schema.literal, Avro's rules bring each file's rows into
that schema first (defaults, aliases, promotions).
"""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro

from runner.local.athena.arrowtypes import exact
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.foreign import missing
from runner.local.athena.icebergs.schemas import record_schema
from runner.local.athena.icebergs.types import hive_of
from runner.local.athena.rowvalues import batches
from runner.local.athena.sqltypes import SqlType, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.local.athena.foreign import ForeignScan
    from runner.local.athena.icebergs.types import IcebergField

_CODECS = {
    "GZIP": "deflate",
    "DEFLATE": "deflate",
    "BZIP2": "bzip2",
    "SNAPPY": "snappy",
    "ZSTD": "zstandard",
    "NONE": "null",
    "UNCOMPRESSED": "null",
}
_PLAIN = {
    "boolean": "boolean",
    "tinyint": "int",
    "smallint": "int",
    "integer": "int",
    "bigint": "long",
    "real": "float",
    "double": "double",
    "varchar": "string",
    "char": "string",
    "varbinary": "bytes",
}
_LOGICAL = {"date": ("int", "date"), "timestamp": ("long", "timestamp-millis")}


def read(file: Any, scan: ForeignScan, wanted: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    """Give the wanted columns of an Avro file."""
    if scan.option("avro.schema.url"):
        raise unsupported("The SerDe property avro.schema.url")
    literal = scan.option("avro.schema.literal")
    declared = {name: parse_type(hive) for name, hive in scan.columns}
    try:
        schema = json.loads(literal) if literal else None
        reader: Iterable[Any] = fastavro.reader(file, reader_schema=schema)
        names = _numbered(reader, scan)
        lowered = (
            {names.get(key, key.lower()): value for key, value in row.items()} for row in reader
        )
        kinds = {name: declared[name] for name in wanted}
        yield from batches(lowered, {n: exact(k) for n, k in kinds.items()} if names else kinds)
    except (ValueError, KeyError, EOFError, fastavro.schema.SchemaParseException) as error:
        message = f"Error opening Hive split: Avro file cannot be read ({error})"
        raise AthenaFailure("HIVE_CANNOT_OPEN_SPLIT", message) from error


def _numbered(reader: Any, scan: ForeignScan) -> dict[str, str]:  # noqa: ANN401 - fastavro has no types
    """Give a table's names of an Iceberg file's columns; a column that is gone has none."""
    order = {number: name for (name, _), number in zip(scan.columns, scan.numbers, strict=False)}
    if not order:
        return {}
    return {
        each["name"]: order.get(each.get("field-id"), "") for each in reader.writer_schema["fields"]
    }


def write_numbered(
    rows: Iterable[dict[str, Any]], path: str, fields: Sequence[IcebergField], *, codec: str
) -> None:
    """Write a data file of an Iceberg table."""
    kinds = {each["name"]: parse_type(hive_of(each["type"])) for each in fields}
    made = (
        {name: _value(row[name], kind, pairs=True) for name, kind in kinds.items()} for row in rows
    )
    _write(made, path, record_schema(fields), codec=codec)


def write(
    rows: Iterable[dict[str, Any]], path: str, columns: Sequence[tuple[str, str]], *, codec: str
) -> None:
    """Write an Avro file."""
    fields = [
        {"name": name, "type": ["null", _schema(parse_type(hive), f"r{at}")], "default": None}
        for at, (name, hive) in enumerate(columns)
    ]
    schema = {"type": "record", "name": "runner_record", "fields": fields}
    kinds = {name: parse_type(hive) for name, hive in columns}
    made = ({name: _value(row[name], kind) for name, kind in kinds.items()} for row in rows)
    _write(made, path, schema, codec=codec)


def _write(made: Iterable[Any], path: str, schema: dict[str, Any], *, codec: str) -> None:
    with Path(path).open("wb") as file:
        try:
            fastavro.writer(file, fastavro.parse_schema(schema), made, codec=_CODECS[codec])
        except ImportError as error:
            raise missing(f"Compression {codec} of Avro", error) from error


def _schema(kind: SqlType, name: str) -> object:
    """Give the Avro schema of a type; records in it have names by their place, each its own."""
    if kind.name == "array":
        return {"type": "array", "items": ["null", _schema(kind.parts[0], f"{name}_0")]}
    if kind.name == "map":
        return {"type": "map", "values": ["null", _schema(kind.parts[1], f"{name}_0")]}
    if kind.name == "row":
        fields = [
            {"name": field, "type": ["null", _schema(part, f"{name}_{at}")], "default": None}
            for at, (field, part) in enumerate(zip(kind.fields, kind.parts, strict=True))
        ]
        return {"type": "record", "name": name, "fields": fields}
    if kind.name == "decimal":
        precision, scale = kind.numbers
        logical = {"logicalType": "decimal", "precision": precision, "scale": scale}
        return {"type": "bytes", **logical}
    if kind.name in _LOGICAL:
        plain, logical_name = _LOGICAL[kind.name]
        return {"type": plain, "logicalType": logical_name}
    return _PLAIN[kind.name]


def _value(value: Any, kind: SqlType, *, pairs: bool = False) -> Any:  # noqa: ANN401, PLR0911 - any value of SQL
    """Make a value one that fastavro writes: pairs become maps, wall times those of UTC.

    With `pairs`, maps whose keys are no text stay pairs, as Iceberg has them.
    """
    if value is None:
        return None
    match kind.name:
        case "array":
            return [_value(each, kind.parts[0], pairs=pairs) for each in value]
        case "map" if pairs and kind.parts[0].name != "varchar":
            items = ((key, _value(each, kind.parts[1], pairs=pairs)) for key, each in value)
            return [
                {"key": _value(key, kind.parts[0], pairs=pairs), "value": each}
                for key, each in items
            ]
        case "map":
            return {key: _value(each, kind.parts[1], pairs=pairs) for key, each in value}
        case "row":
            named = zip(kind.fields, kind.parts, strict=True)
            return {field: _value(value[field], part, pairs=pairs) for field, part in named}
        case "timestamp":
            return value.replace(tzinfo=UTC)
        case _:
            return value
