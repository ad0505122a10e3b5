"""Avro's container files, as far as Iceberg's manifests need them.

In: a schema (Avro's own JSON, as Python values) and records, or a file's bytes.  Out: the bytes,
or the file's properties and records.  What is written is not compressed; deflate is read, too.
Logical types are left to the caller: a decimal is the bytes of its fixed, a date is an int.
Format: the Avro 1.11 specification.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Write = Callable[[Any, bytearray], None]
    Read = Callable[["_Bytes"], Any]

_MAGIC = b"Obj\x01"
_SYNC = 16
_PROPERTIES = {"type": "map", "values": "bytes"}
_MOST_BITS = 63


class AvroError(ValueError):
    """Bytes that are no Avro file, or a file of a kind that is not read."""


class Container(NamedTuple):
    """A file's properties (`iceberg.schema`, ...) and its records."""

    properties: dict[str, bytes]
    records: tuple[dict[str, object], ...]


def write_container(
    schema: object, records: Iterable[Mapping[str, object]], properties: Mapping[str, str]
) -> bytes:
    """Write records as a file."""
    sync = os.urandom(_SYNC)
    header = {
        **{name: text.encode() for name, text in properties.items()},
        "avro.schema": json.dumps(schema).encode(),
        "avro.codec": b"null",
    }
    out = bytearray(_MAGIC)
    _writer(_PROPERTIES)(header, out)
    out += sync
    write, body, count = _writer(schema), bytearray(), 0
    for record in records:
        write(record, body)
        count += 1
    if count:
        _write_long(count, out)
        _write_long(len(body), out)
        out += body + sync
    return bytes(out)


def read_container(data: bytes) -> Container:
    """Read a file; raises AvroError."""
    source = _Bytes(data)
    if source.take(len(_MAGIC)) != _MAGIC:
        raise AvroError("not an Avro file")
    properties: dict[str, bytes] = _reader(_PROPERTIES, {})(source)
    sync = source.take(_SYNC)
    codec = properties.get("avro.codec", b"null").decode()
    if codec not in {"null", "deflate"}:
        raise AvroError(f"codec {codec}")
    read = _reader(json.loads(properties["avro.schema"]), {})
    records: list[dict[str, object]] = []
    while source.left():
        count, size = _read_long(source), _read_long(source)
        block = source.take(size)
        inner = _Bytes(zlib.decompress(block, -15) if codec == "deflate" else block)
        records += [read(inner) for _ in range(count)]
        if source.take(_SYNC) != sync:
            raise AvroError("a block does not end where it should")
    return Container(properties, tuple(records))


class _Bytes:
    """Bytes, and how many of them are read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, count: int) -> bytes:
        """Take so many bytes; raises AvroError at the end."""
        found = self._data[self._place : self._place + count]
        if count < 0 or len(found) != count:
            raise AvroError("the file ends too early")
        self._place += count
        return found

    def left(self) -> bool:
        """Tell whether there are more."""
        return self._place < len(self._data)


# --- numbers and texts ----------------------------------------------------------------------------


def _write_long(value: int, out: bytearray) -> None:
    """Write a zig-zag varint."""
    number = (value << 1) ^ (value >> _MOST_BITS)
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _read_long(source: _Bytes) -> int:
    number = shift = 0
    while True:
        byte = source.take(1)[0]
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte
            return (number >> 1) ^ -(number & 1)


def _write_bytes(value: bytes, out: bytearray) -> None:
    _write_long(len(value), out)
    out += value


def _read_bytes(source: _Bytes) -> bytes:
    return source.take(_read_long(source))


_WRITERS: dict[str, Write] = {
    "null": lambda _, out: None,  # noqa: ARG005 - nothing is written
    "boolean": lambda value, out: out.append(int(bool(value))),
    "int": _write_long,
    "long": _write_long,
    "float": lambda value, out: out.extend(struct.pack("<f", value)),
    "double": lambda value, out: out.extend(struct.pack("<d", value)),
    "bytes": _write_bytes,
    "string": lambda value, out: _write_bytes(str(value).encode(), out),
}
_READERS: dict[str, Read] = {
    "null": lambda _: None,
    "boolean": lambda source: source.take(1) == b"\x01",
    "int": _read_long,
    "long": _read_long,
    "float": lambda source: struct.unpack("<f", source.take(4))[0],
    "double": lambda source: struct.unpack("<d", source.take(8))[0],
    "bytes": _read_bytes,
    "string": lambda source: _read_bytes(source).decode(),
}


# --- types that hold others ---------------------------------------------------------------------


def _writer(schema: Any) -> Write:  # noqa: ANN401, PLR0911 - JSON; one return a type
    if isinstance(schema, str):
        return _WRITERS[schema]
    if isinstance(schema, list):
        return _write_union(schema)
    match schema["type"]:
        case "record":
            return _write_record(schema)
        case "array":
            return _write_array(_writer(schema["items"]))
        case "map":
            return _write_map(_writer(schema["values"]))
        case "fixed":
            return lambda value, out: out.extend(value)
        case inner:
            return _writer(inner)


def _write_record(schema: dict[str, Any]) -> Write:
    fields = tuple((each["name"], _writer(each["type"])) for each in schema["fields"])

    def write(value: Any, out: bytearray) -> None:  # noqa: ANN401 - as above
        for name, each in fields:
            each(value.get(name), out)

    return write


def _write_union(schemas: list[Any]) -> Write:
    """Write one of `["null", x]`, the only unions that manifests have."""
    place = next(number for number, each in enumerate(schemas) if each != "null")
    inner = _writer(schemas[place])

    def write(value: Any, out: bytearray) -> None:  # noqa: ANN401 - as above
        if value is None:
            _write_long(schemas.index("null"), out)
            return
        _write_long(place, out)
        inner(value, out)

    return write


def _write_array(inner: Write) -> Write:
    def write(value: Any, out: bytearray) -> None:  # noqa: ANN401 - as above
        if value:
            _write_long(len(value), out)
            for each in value:
                inner(each, out)
        _write_long(0, out)

    return write


def _write_map(inner: Write) -> Write:
    def write(value: Any, out: bytearray) -> None:  # noqa: ANN401 - as above
        if value:
            _write_long(len(value), out)
            for name, each in value.items():
                _write_bytes(name.encode(), out)
                inner(each, out)
        _write_long(0, out)

    return write


def _reader(schema: Any, names: dict[str, Read]) -> Read:  # noqa: ANN401, PLR0911 - as above
    if isinstance(schema, str):
        return names[schema] if schema in names else _READERS[schema]
    if isinstance(schema, list):
        inner = [_reader(each, names) for each in schema]
        return lambda source: inner[_read_long(source)](source)
    match schema["type"]:
        case "record":
            return _read_record(schema, names)
        case "array":
            return _read_array(_reader(schema["items"], names))
        case "map":
            pair = _read_pair(_reader(schema["values"], names))
            pairs = _read_array(pair)
            return lambda source: dict(pairs(source))
        case "fixed":
            size: int = schema["size"]
            names[schema["name"]] = lambda source: source.take(size)
            return names[schema["name"]]
        case inner:
            return _reader(inner, names)


def _read_record(schema: dict[str, Any], names: dict[str, Read]) -> Read:
    fields: list[tuple[str, Read]] = []

    def read(source: _Bytes) -> dict[str, Any]:
        return {name: each(source) for name, each in fields}

    names[schema["name"]] = read
    fields += [(each["name"], _reader(each["type"], names)) for each in schema["fields"]]
    return read


def _read_pair(inner: Read) -> Read:
    return lambda source: (_read_bytes(source).decode(), inner(source))


def _read_array(inner: Read) -> Read:
    def read(source: _Bytes) -> list[Any]:
        found: list[Any] = []
        while count := _read_long(source):
            if count < 0:  # the block's size in bytes follows
                _read_long(source)
            found += [inner(source) for _ in range(abs(count))]
        return found

    return read
