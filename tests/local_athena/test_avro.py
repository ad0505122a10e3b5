"""Avro files: bytes by the hand of its specification, both ways."""

from __future__ import annotations

import json
import zlib

import pytest

from runner.local.athena.avro import AvroError, read_container, write_container

SCHEMA = {
    "type": "record",
    "name": "test",
    "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}],
}
"""The example of the specification's section on complex types."""
EXAMPLE = bytes.fromhex("36 06 66 6f 6f")
SYNC = bytes(range(16))


def container(body: bytes, codec: str, *, count: int = 1, schema: object = SCHEMA) -> bytes:
    """Make a file by hand, with a map of two properties and one block."""
    text = json.dumps(schema).encode()
    packed = zlib.compress(body, wbits=-15) if codec == "deflate" else body
    pairs = _text(b"avro.codec") + _text(codec.encode()) + _text(b"avro.schema") + _text(text)
    return b"Obj\x01" + b"\x04" + pairs + b"\0" + SYNC + _long(count) + _text(packed) + SYNC


def _text(value: bytes) -> bytes:
    return _long(len(value)) + value


def _long(value: int) -> bytes:
    value *= 2
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_the_example_of_the_specification_is_read(codec: str) -> None:
    found = read_container(container(EXAMPLE, codec))
    assert found.records == ({"a": 27, "b": "foo"},)
    assert found.properties["avro.codec"] == codec.encode()


def test_the_example_of_the_specification_is_written() -> None:
    data = write_container(SCHEMA, [{"a": 27, "b": "foo"}], {"iceberg": "yes"})
    sync = data[-16:]
    assert data.startswith(b"Obj\x01")
    assert data.endswith(sync + b"\x02\x0a" + EXAMPLE + sync)
    assert read_container(data).properties["iceberg"] == b"yes"


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "00"), (-1, "01"), (1, "02"), (-2, "03"), (-64, "7f"), (64, "8001")],
)
def test_numbers_are_zig_zag(number: int, written: str) -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": "n", "type": "long"}]}
    body = bytes.fromhex(written)
    assert read_container(container(body, "null", schema=schema)).records == ({"n": number},)
    assert body in write_container(schema, [{"n": number}], {})


def test_what_holds_others_comes_back() -> None:
    pair = {"type": "record", "name": "pair", "fields": [{"name": "key", "type": "int"}]}
    schema = {
        "type": "record",
        "name": "r",
        "fields": [
            {"name": "maybe", "type": ["null", "double"]},
            {"name": "many", "type": {"type": "array", "items": pair}},
            {"name": "named", "type": {"type": "map", "values": "boolean"}},
            {"name": "three", "type": {"type": "fixed", "name": "three", "size": 3}},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "real", "type": "float"},
        ],
    }
    records: tuple[dict[str, object], ...] = (
        {"maybe": None, "many": [], "named": {}, "three": b"abc", "day": -1, "real": 0.5},
        {
            "maybe": 1.5,
            "many": [{"key": 1}, {"key": -(2**31)}],
            "named": {"a": True},
            "three": b"\0\1\2",
            "day": 7,
            "real": -1.0,
        },
    )
    assert read_container(write_container(schema, records, {})).records == records
    assert read_container(write_container(schema, [], {})).records == ()


def test_an_array_may_come_in_blocks_that_tell_their_size() -> None:
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "many", "type": {"type": "array", "items": "long"}}],
    }
    body = bytes.fromhex("03 04 36 38 02 3a 00")  # -2 items of 2 bytes, then 1 item
    found = read_container(container(body, "null", schema=schema))
    assert found.records == ({"many": [27, 28, 29]},)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PAR1", "not an Avro file"),
        (container(EXAMPLE, "null")[:-20], "ends too early"),
        (container(EXAMPLE, "null")[:-1] + b"x", "does not end where it should"),
        (container(EXAMPLE, "snappy"), "codec snappy"),
    ],
)
def test_other_bytes_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(AvroError, match=reason):
        read_container(data)
