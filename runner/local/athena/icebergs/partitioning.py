"""What tells the partitions of an Iceberg table: columns, and transforms of columns.

In: the terms of a DDL statement or of a metadata document.  Out: `Term`s, which write the value
of a row as SQL (the name of its folder), and read a folder's name as the value that manifests keep.
Names, transforms and values are those of Iceberg's specification.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.icebergs.types import hive_of
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.local.athena.icebergs.types import IcebergField, Kind

TRANSFORMS = frozenset({"year", "month", "day", "hour", "bucket", "truncate"})
FIRST_NUMBER = 1000
"""Partition fields are numbered from here on."""
_TERM = re.compile(r"(?:(\w+)\((?:(\d+), )?)?(\w+)\)?")
_DATES = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "hour": "%Y-%m-%d-%H"}
_TRANSFORM = re.compile(r"(\w+)(?:\[(\d+)\])?")
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
_EPOCH = date(1970, 1, 1)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_SUFFIXES = {"truncate": "trunc"}
_EMPTY = "\x01"
"""What stands for an empty text in a folder's name, where nothing means NULL."""
Value = None | bool | int | float | str | bytes


class Term(NamedTuple):
    """What tells partitions: a column (`identity`), or a transform of one."""

    name: str
    """Of the folders' key."""
    transform: str
    number: int
    """The buckets of `bucket`, the width of `truncate`; else 0."""
    column: str
    source: int
    """The column's number."""
    field: int
    """The partition field's own number."""
    kind: str
    """The column's type; those that have partitions are primitive."""

    def text(self) -> str:
        """Write it as in DDL: `dt`, `month(dt)`, `bucket(16, id)`."""
        if self.transform == "identity":
            return self.column
        return f"{self.transform}({f'{self.number}, ' if self.number else ''}{self.column})"

    def document(self) -> dict[str, Any]:
        """Write it as in a metadata document."""
        number = f"[{self.number}]" if self.number else ""
        return {
            "name": self.name,
            "transform": f"{self.transform}{number}",
            "source-id": self.source,
            "field-id": self.field,
        }

    def result(self) -> str:
        """Give the type of its values."""
        match self.transform:
            case "identity" | "truncate":
                return self.kind
            case "day":
                return "date"
            case _:
                return "int"

    def sql(self, column: str) -> str:
        """Write the folder's name for a row, as DuckDB's text."""
        match self.transform:
            case "identity":
                return _plain(column, self.kind)
            case "bucket":
                return f"CAST({_bucket(column, self.kind, self.number)} AS VARCHAR)"
            case "truncate":
                return _plain(_truncated(column, self.kind, self.number), self.kind)
            case _:
                return f"strftime({_in_utc(column, self.kind)}, '{_DATES[self.transform]}')"

    def value(self, text: str | None) -> Value:
        """Read the name of a folder."""
        if text is None:
            return None
        if self.transform in _DATES:
            return _time_value(self.transform, text)
        if self.transform == "bucket":
            return int(text)
        return read_value(text, self.kind)

    def folder(self, value: int) -> str:
        """Write a year, month, day or hour as folders have it; empty for other transforms."""
        match self.transform:
            case "year":
                return str(_EPOCH.year + value)
            case "month":
                return f"{_EPOCH.year + value // 12}-{value % 12 + 1:02d}"
            case "day":
                return str(_EPOCH + timedelta(days=value))
            case "hour":
                return f"{_EPOCH + timedelta(days=value // 24)}-{value % 24:02d}"
            case _:
                return ""


def read_term(text: str, fields: Sequence[IcebergField], number: int) -> Term:
    """Read a term of DDL; `number` is its place among the terms."""
    match = _TERM.fullmatch(text)
    transform, width, name = match.groups() if match else ("", "", text)
    source = next(each for each in fields if each["name"] == name)
    transform = transform or "identity"
    suffix = "" if transform == "identity" else f"_{_SUFFIXES.get(transform, transform)}"
    return Term(
        f"{name}{suffix}",
        transform,
        int(width or 0),
        name,
        source["id"],
        FIRST_NUMBER + number,
        str(source["type"]),
    )


def term_of(document: dict[str, Any], fields: Sequence[IcebergField]) -> Term:
    """Read a field of a partition spec."""
    match = _TRANSFORM.fullmatch(document["transform"])
    transform, width = match.groups() if match else (document["transform"], "")
    source = next((each for each in fields if each["id"] == document["source-id"]), None)
    return Term(
        document["name"],
        transform,
        int(width or 0),
        source["name"] if source else "",
        document["source-id"],
        document["field-id"],
        str(source["type"]) if source else "string",
    )


def column_of(term: str) -> str:
    """Give the column of `dt` or `bucket(16, id)`."""
    match = _TERM.fullmatch(term)
    return match[3] if match else term


def refusal_of(transform: str, kind: Kind) -> str:
    """Say why a transform does not take a type; empty if it does."""
    name = kind if isinstance(kind, str) else str(kind["type"])
    name = name.partition("(")[0]
    times = {"date", "timestamp", "timestamptz"}
    allowed = {
        "year": times,
        "month": times,
        "day": times,
        "hour": times - {"date"},
        "bucket": {"int", "long", "decimal", "string", "binary", *times},
        "truncate": {"int", "long", "decimal", "string", "binary"},
    }.get(transform)
    if not isinstance(kind, str) or (allowed is not None and name not in allowed):
        width = "[]" if transform in {"bucket", "truncate"} else ""
        return (
            f"Invalid source type {hive_of(kind)} for transform: {transform or 'identity'}{width}"
        )
    return ""


def _plain(column: str, kind: str) -> str:
    if kind == "string":
        return f"CASE WHEN {column} = '' THEN chr(1) ELSE {column} END"
    if kind == "binary":
        return f"CASE WHEN octet_length({column}) = 0 THEN chr(1) ELSE hex({column}) END"
    return f"CAST({column} AS VARCHAR)"


def _in_utc(column: str, kind: str) -> str:
    return f"{column} AT TIME ZONE 'UTC'" if kind == "timestamptz" else column


def _bucket(column: str, kind: str, count: int) -> str:
    if kind == "string":
        return f"__iceberg_bucket_bytes(encode({column}), {count})"
    if kind == "binary":
        return f"__iceberg_bucket_bytes({column}, {count})"
    if match := _DECIMAL.fullmatch(kind):
        digits = f"replace(CAST({column} AS VARCHAR), '.', '')" if match[2] != "0" else ""
        return f"__iceberg_bucket_digits({digits or f'CAST({column} AS VARCHAR)'}, {count})"
    number = {
        "date": f"date_diff('day', DATE '1970-01-01', {column})",
        "timestamp": f"epoch_us({column})",
        "timestamptz": f"epoch_us({column})",
    }.get(kind, f"CAST({column} AS BIGINT)")
    return f"__iceberg_bucket_long({number}, {count})"


def _truncated(column: str, kind: str, width: int) -> str:
    if kind == "string":
        return f"left({column}, {width})"
    if kind == "binary":
        return f"array_slice({column}, 1, {width})"
    step = str(width)
    if match := _DECIMAL.fullmatch(kind):
        step = f"CAST('{Decimal(width).scaleb(-int(match[2]))}' AS {parse_type(kind).duck()})"
    return f"({column} - (({column} % {step}) + {step}) % {step})"


def _time_value(transform: str, text: str) -> int:
    if transform == "year":
        return int(text) - _EPOCH.year
    if transform == "month":
        year, month = text.rsplit("-", 1)
        return (int(year) - _EPOCH.year) * 12 + int(month) - 1
    if transform == "day":
        return (date.fromisoformat(text) - _EPOCH).days
    day, hour = text[:-3], text[-2:]
    return (date.fromisoformat(day) - _EPOCH).days * 24 + int(hour)


def read_value(text: str, kind: str) -> Value:
    """Read DuckDB's text of a value as what manifests keep."""
    read = _READ.get(kind)
    return read(text) if read else int(text.replace(".", ""))


def micros(text: str) -> int:
    """Read DuckDB's text of a timestamp, with or without a zone, as microseconds since 1970.

    >>> micros("1970-01-01 00:00:01.5"), micros("1970-01-01 00:00:01+00")
    (1500000, 1000000)
    """
    found = datetime.fromisoformat(text)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    spent = found - _START
    return (spent.days * 86400 + spent.seconds) * 1_000_000 + spent.microseconds


def _days(text: str) -> int:
    return (date.fromisoformat(text) - _EPOCH).days


_READ: dict[str, Callable[[str], Value]] = {
    "string": lambda text: "" if text == _EMPTY else text,
    "binary": lambda text: b"" if text == _EMPTY else bytes.fromhex(text),
    "boolean": lambda text: text == "true",
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "date": _days,
    "timestamp": micros,
    "timestamptz": micros,
}
"""How the text of a value is read; a decimal is its digits."""


def decimal_bytes(unscaled: int, precision: int) -> bytes:
    """Write a decimal as the fixed of Iceberg's Avro files."""
    return unscaled.to_bytes(decimal_size(precision), "big", signed=True)


def decimal_size(precision: int) -> int:
    """Give the bytes that hold so many digits."""
    return next(size for size in range(1, 17) if 2 ** (8 * size - 1) > 10**precision)


def avro_type(kind: str) -> Any:  # noqa: ANN401 - Avro's schemas are JSON
    """Give the Avro type of a partition's value."""
    if match := _DECIMAL.fullmatch(kind):
        precision, scale = int(match[1]), int(match[2])
        return {
            "type": "fixed",
            "name": f"decimal_{precision}_{scale}",
            "size": decimal_size(precision),
            "logicalType": "decimal",
            "precision": precision,
            "scale": scale,
        }
    match kind:
        case "date":
            return {"type": "int", "logicalType": "date"}
        case "timestamp" | "timestamptz":
            zoned = kind == "timestamptz"
            return {"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": zoned}
        case "binary":
            return "bytes"
        case _:
            return kind


def to_avro(value: Value, kind: str) -> Value:
    """Write a value as its Avro type takes it."""
    match = _DECIMAL.fullmatch(kind)
    if match and isinstance(value, int):
        return decimal_bytes(value, int(match[1]))
    return value


def from_avro(value: Value, kind: str) -> Value:
    """Read a value back."""
    if _DECIMAL.fullmatch(kind) and isinstance(value, bytes):
        return int.from_bytes(value, "big", signed=True)
    return value
