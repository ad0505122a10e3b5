"""Arrow's arrays as the declared types of a table: what fits is cast, the rest is refused.

In: an array as a file has it, and a Hive type.  Out: an array of the Arrow type that DuckDB reads
as the declared one.  Which types may stand for which is what Athena's readers allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from runner.local.athena.sqltypes import SqlType

EXACT = "timestamp(6)"
"""The name of a timestamp whose microseconds count, as in Iceberg's files."""
_PLAIN = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "char": pa.string(),
    "varbinary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    EXACT: pa.timestamp("us"),
}
_INTEGERS = frozenset({"tinyint", "smallint", "integer", "bigint"})
_ORC_NAMES = (
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_int8, "BYTE"),
    (pa.types.is_int16, "SHORT"),
    (pa.types.is_int32, "INT"),
    (pa.types.is_int64, "LONG"),
    (pa.types.is_float32, "FLOAT"),
    (pa.types.is_float64, "DOUBLE"),
    (pa.types.is_date, "DATE"),
    (pa.types.is_timestamp, "TIMESTAMP"),
    (pa.types.is_decimal, "DECIMAL"),
    (pa.types.is_binary, "BINARY"),
    (pa.types.is_struct, "STRUCT"),
    (pa.types.is_map, "MAP"),
    (pa.types.is_list, "LIST"),
)


def arrow_type(kind: SqlType) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Give the Arrow type of a column."""
    if kind.name == "decimal":
        return pa.decimal128(*kind.numbers)
    if kind.name == "array":
        return pa.list_(arrow_type(kind.parts[0]))
    if kind.name == "map":
        return pa.map_(arrow_type(kind.parts[0]), arrow_type(kind.parts[1]))
    if kind.name == "row":
        pairs = zip(kind.fields, kind.parts, strict=True)
        return pa.struct([pa.field(name, arrow_type(part)) for name, part in pairs])
    return _PLAIN[kind.name]


def exact(kind: SqlType) -> SqlType:
    """Give a type whose timestamps keep their microseconds."""
    name = EXACT if kind.name == "timestamp" else kind.name
    return kind._replace(name=name, parts=tuple(map(exact, kind.parts)))


def conform(array: Any, kind: SqlType, name: str) -> Any:  # noqa: ANN401 - as above
    """Make an array one of the declared type; raises AthenaFailure where Athena does.

    Fields of rows are found by name, whatever the case; what a file does not have is NULL.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    match kind.name:
        case "row" if pa.types.is_struct(array.type):
            return _row(array, kind, name)
        case "array" if _is_list(array.type):
            inner = conform(array.flatten(), kind.parts[0], f"{name}.item")
            return pa.ListArray.from_arrays(_offsets(array), inner, mask=_mask(array))
        case "map" if pa.types.is_map(array.type):
            return _map(array, kind, name)
        case _:
            return _cast(array, kind, name)


def _is_list(kind: Any) -> bool:  # noqa: ANN401 - as above
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _row(array: Any, kind: SqlType, name: str) -> Any:  # noqa: ANN401 - as above
    places = {field.name.lower(): place for place, field in enumerate(array.type)}
    children = [
        conform(array.field(places[field]), part, f"{name}.{field}")
        if field in places
        else pa.nulls(len(array), arrow_type(part))
        for field, part in zip(kind.fields, kind.parts, strict=True)
    ]
    fields = list(arrow_type(kind))
    return pa.StructArray.from_arrays(children, fields=fields, mask=array.is_null())


def _map(array: Any, kind: SqlType, name: str) -> Any:  # noqa: ANN401 - as above
    first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
    keys = conform(array.keys[first:last], kind.parts[0], f"{name}.key")
    items = conform(array.items[first:last], kind.parts[1], f"{name}.value")
    offsets = pc.subtract(array.offsets, first)
    valid = array.is_valid().to_pylist()
    if not all(valid):
        numbers = offsets.to_pylist()
        kept = [numbers[at] if ok else None for at, ok in enumerate(valid)]
        offsets = pa.array([*kept, numbers[-1]], pa.int32())
    return pa.MapArray.from_arrays(offsets, keys, items)


def _offsets(array: Any) -> Any:  # noqa: ANN401 - as above
    """Give offsets into the flattened elements, which leave out those of NULL lists."""
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    sums = pc.cumulative_sum(lengths.cast(pa.int32()))
    return pa.concat_arrays([pa.array([0], pa.int32()), sums])


def _mask(array: Any) -> Any:  # noqa: ANN401 - as above
    return array.is_null() if array.null_count else None


def _cast(array: Any, kind: SqlType, name: str) -> Any:  # noqa: ANN401 - as above
    if pa.types.is_null(array.type):
        return array.cast(arrow_type(kind))
    if not _may_be(array.type, kind.name):
        raise _mismatch(array.type, kind, name)
    if kind.name == "timestamp":
        return _milliseconds(array)
    if kind.name == EXACT:
        return array.cast(pa.timestamp(array.type.unit)).cast(pa.timestamp("us"), safe=False)
    try:
        return array.cast(arrow_type(kind))
    except pa.ArrowInvalid as error:
        raise AthenaFailure("HIVE_BAD_DATA", f"Column {name}: {error}") from error


def _milliseconds(array: Any) -> Any:  # noqa: ANN401 - as above
    """Round to milliseconds in UTC, which is what Athena's timestamps keep."""
    wall = array.cast(pa.timestamp(array.type.unit))
    if array.type.unit in {"us", "ns"}:
        wall = pc.round_temporal(wall, unit="millisecond")
    return wall.cast(pa.timestamp("us"))


def _may_be(given: Any, wanted: str) -> bool:  # noqa: ANN401 - as above
    if wanted in _INTEGERS:
        return bool(pa.types.is_integer(given))
    if wanted in {"real", "double"}:
        return bool(pa.types.is_floating(given))
    if wanted in {"varchar", "char"}:
        return bool(pa.types.is_string(given) or pa.types.is_large_string(given))
    if wanted == "varbinary":
        return bool(
            pa.types.is_binary(given)
            or pa.types.is_fixed_size_binary(given)
            or pa.types.is_large_binary(given)
            or pa.types.is_string(given)
        )
    tests = {
        "boolean": pa.types.is_boolean,
        "date": pa.types.is_date,
        "timestamp": pa.types.is_timestamp,
        EXACT: pa.types.is_timestamp,
        "decimal": pa.types.is_decimal,
    }
    return wanted in tests and bool(tests[wanted](given))


def _mismatch(given: Any, kind: SqlType, name: str) -> AthenaFailure:  # noqa: ANN401 - as above
    stream = next((word for test, word in _ORC_NAMES if test(given)), "STRING")
    return AthenaFailure(
        "HIVE_BAD_DATA",
        f"Malformed ORC file. Can not read SQL type {kind.trino()} from ORC stream .{name} of "
        f"type {stream}",
    )
