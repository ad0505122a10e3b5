"""Values of row formats (Avro, Ion) as columns of the declared types, and back.

In: dictionaries as a library reads them.  Out: record batches.  A value that is not one of the
declared type fails the query, as Athena's SerDes do.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from runner.local.athena.arrowtypes import EXACT, arrow_type
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from runner.local.athena.sqltypes import SqlType

    Take = Callable[[Mapping[str, object], str], object]

_ROWS = 8192
_ION_NULL = "IonPyNull"
"""The class of Ion's nulls that have a type or an annotation."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - timestamps are wall time in UTC
_BITS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}


def batches(
    rows: Iterable[Mapping[str, object]],
    kinds: Mapping[str, SqlType],
    take: Take | None = None,
) -> Iterator[Any]:
    """Give the columns of rows; `take` finds a column's value in a row, by its name if None."""
    waiting: list[Mapping[str, object]] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) >= _ROWS:
            yield _batch(waiting, kinds, take or _by_name)
            waiting = []
    if waiting:
        yield _batch(waiting, kinds, take or _by_name)


def _batch(rows: Sequence[Mapping[str, object]], kinds: Mapping[str, SqlType], take: Take) -> Any:  # noqa: ANN401 - pyarrow has no types
    if not kinds:
        return bare(len(rows))
    arrays = [
        pa.array([converted(take(row, name), kind, name) for row in rows], arrow_type(kind))
        for name, kind in kinds.items()
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(kinds))


def bare(rows: int) -> Any:  # noqa: ANN401 - as above
    """Give a batch that has rows and no columns."""
    return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))


def _by_name(row: Mapping[str, object], name: str) -> object:
    return row.get(name)


def converted(value: object, kind: SqlType, name: str) -> object:  # noqa: PLR0911 - one a kind
    """Make a value one of the type; raises AthenaFailure if it is of another."""
    if value is None or type(value).__name__ == _ION_NULL:
        return None
    match kind.name:
        case "array" if isinstance(value, list | tuple):
            return [converted(each, kind.parts[0], name) for each in value]
        case "map" if hasattr(value, "items"):
            return [
                (converted(key, kind.parts[0], name), converted(each, kind.parts[1], name))
                for key, each in value.items()
            ]
        case "map" if _is_pairs(value):
            return converted({each["key"]: each["value"] for each in value}, kind, name)  # type: ignore[attr-defined]  # it is a list
        case "row" if hasattr(value, "items"):
            known = {str(key).lower(): each for key, each in value.items()}
            return {
                field: converted(known.get(field), part, f"{name}.{field}")
                for field, part in zip(kind.fields, kind.parts, strict=True)
            }
        case "tinyint" | "smallint" | "integer" | "bigint":
            return _integer(value, kind, name)
        case _:
            return _plain(value, kind, name)


def _is_pairs(value: object) -> bool:
    """Tell whether a value is a map as Avro has it whose keys are no text."""
    return isinstance(value, list) and all(
        isinstance(each, dict) and each.keys() == {"key", "value"} for each in value
    )


def _integer(value: object, kind: SqlType, name: str) -> int:
    if isinstance(value, datetime):
        value = round((_wall(value) - _EPOCH).total_seconds() * 1000)
    elif isinstance(value, date):
        value = value.toordinal() - _EPOCH.toordinal()
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refused(value, kind, name)
    if not -(1 << _BITS[kind.name] - 1) <= value < 1 << _BITS[kind.name] - 1:
        raise AthenaFailure(
            "HIVE_BAD_DATA", f"Value {value} of column {name} is out of range for {kind.trino()}"
        )
    return int(value)


def _plain(value: Any, kind: SqlType, name: str) -> object:  # noqa: ANN401, PLR0911 - what the library gives
    match kind.name:
        case "boolean" if isinstance(value, bool):
            return value
        case "real" | "double" if isinstance(value, int | float | Decimal):
            return float(value)
        case "varchar" | "char" if isinstance(value, str):
            return str(value)
        case "varbinary" if isinstance(value, bytes):
            return bytes(value)
        case "decimal" if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _decimal(Decimal(value), kind, name)
        case "timestamp" if isinstance(value, datetime):
            return _millisecond(_wall(value))
        case name_ if name_ == EXACT and isinstance(value, datetime):
            return _wall(value)
        case "date" if isinstance(value, date):
            return value.date() if isinstance(value, datetime) else value
        case _:
            raise _refused(value, kind, name)


def _decimal(value: Decimal, kind: SqlType, name: str) -> Decimal:
    precision, scale = kind.numbers
    try:
        found = value.quantize(Decimal(1).scaleb(-scale))
    except InvalidOperation as error:
        raise _refused(value, kind, name) from error
    if len(found.as_tuple().digits) > precision:
        raise _refused(value, kind, name)
    return found


def _wall(value: datetime) -> datetime:
    """Give the time in UTC, without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value.replace()


def _millisecond(value: datetime) -> datetime:
    """Cut to milliseconds, which is what Athena's timestamps keep."""
    return datetime(  # noqa: DTZ001 - wall time in UTC
        *value.timetuple()[:6], value.microsecond // 1000 * 1000
    )


def _refused(value: object, kind: SqlType, name: str) -> AthenaFailure:
    return AthenaFailure(
        "HIVE_BAD_DATA",
        f"Column {name} of type {kind.trino()} cannot be read from {type(value).__name__} {value}",
    )
