"""Columns: which attributes of an item, and how each is written as a field of CSV.

In: `id, price:n, address.city, @time`.  Out: `Column`s; and for a shape of records, its `Cell`s.

A field of text is quoted, `""` if it is empty; numbers and booleans are bare; what is NULL or not
there is nothing at all.  So NULL and the empty text differ (RFC 4180 has no word for NULL).
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in its types
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .skeleton import Hole, Object, is_number
    from .typed import NotARecordError, items_of, json_of, token_of, typed
else:
    from skeleton import Hole, Object, is_number
    from typed import (
        NotARecordError,
        items_of,
        json_of,
        token_of,
        typed,
    )

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .skeleton import Tree

TYPES = ("auto", "s", "n", "bool", "json")
OF_RECORD = ("@event", "@id", "@table", "@time", "@sequence")
_FIELD = re.compile(r"(@[a-z]+|[^@:\s][^:]*?)(?::([a-z]+))?\Z")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of UTC, written without a zone
_MILLISECONDS = 10**11
_MICROSECONDS = 10**14


@dataclass(frozen=True, slots=True)
class Column:
    """A field of each row."""

    path: tuple[str, ...]
    """Keys and places in lists; one that begins with @ is of the record."""
    type: str = "auto"


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a shape has a column's value, and how it is written."""

    kind: str
    """DynamoDB's type; `time`; `inside` a list that was cut out."""
    value: Tree
    type: str
    rest: tuple[str, ...] = ()
    """Of the path, inside the list."""


def columns_of(text: str) -> tuple[Column, ...]:
    """Read COLUMNS; ValueError names what is wrong.

    >>> columns_of("id, price:n")
    (Column(path=('id',), type='auto'), Column(path=('price',), type='n'))
    """
    found = tuple(_column(field.strip()) for field in text.split(","))
    if len(set(found)) != len(found):
        raise ValueError(f"COLUMNS is {text!r}; a column stands there twice")
    return found


def _column(field: str) -> Column:
    match = _FIELD.match(field)
    kind = (match[2] or "auto") if match else ""
    if match is None or kind not in TYPES:
        expected = f"an attribute, a path such as address.city, or {', '.join(OF_RECORD)}"
        raise ValueError(
            f"COLUMNS has {field!r}; expected {expected}; behind it :{'|:'.join(TYPES)}"
        )
    if match[1][0] == "@" and match[1] not in OF_RECORD:
        raise ValueError(f"COLUMNS has {field!r}; of a record there are {', '.join(OF_RECORD)}")
    return Column((match[1],) if match[1][0] == "@" else tuple(match[1].split(".")), kind)


def cell_of(
    column: Column, record: dict[str, Tree], change: dict[str, Tree], item: Tree
) -> Cell | None:
    """Find a column's value in a record; None if it is not there."""
    first = column.path[0]
    if first == "@time":
        time = change.get("ApproximateCreationDateTime")
        return None if time is None else Cell("time", time, "s")
    if first[0] == "@":
        name = {"@event": "eventName", "@id": "eventID", "@table": "tableName"}.get(first, "")
        value = record.get(name) if name else change.get("SequenceNumber")
        return None if value is None else Cell("S", value, column.type)
    return _inside(item, column.path, column.type)


def _inside(attributes: Tree, path: tuple[str, ...], type_: str) -> Cell | None:
    """Follow a path through maps and lists."""
    if not isinstance(attributes, Object):
        raise NotARecordError("an image is an object")
    attribute = dict(attributes).get(path[0])
    for at, step in enumerate(path[1:], start=1):
        if attribute is None:
            return None
        kind, value = typed(attribute)
        if kind == "L" and isinstance(value, Hole):
            return Cell("inside", value, type_, path[at:])
        attribute = _step(kind, value, step)
    return None if attribute is None else Cell(*typed(attribute), type_)


def _step(kind: str, value: Tree, step: str) -> Tree:
    if kind == "M" and isinstance(value, Object):
        return dict(value).get(step)
    if kind == "L" and isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return None


def field_of(cell: Cell, values: Sequence[str], *, spaced: bool) -> str:
    """Write a cell; NotARecordError if the value is not of the column's type."""
    kind, value = cell.kind, cell.value
    if kind == "time":
        return f'"{time_of(token_of(value, values))}"'
    if kind == "inside":
        attributes = Object((("", Object((("L", items_of(value, values)),))),))
        inner = _inside(attributes, ("", *cell.rest), cell.type)
        return "" if inner is None else field_of(inner, values, spaced=spaced)
    if kind == "NULL":
        return ""
    text = json_of(Object(((kind, value),)), values)
    if cell.type == "json":
        return csv_text(text, spaced=spaced)
    if text[0] == '"':
        plain = json.loads(text)
        if cell.type == "bool" or (cell.type == "n" and not is_number(plain)):
            raise NotARecordError(f"{text} is not of the type {cell.type}")
        return str(plain) if cell.type == "n" else csv_text(plain, spaced=spaced)
    if cell.type in {"n", "bool"} and kind != {"n": "N", "bool": "BOOL"}[cell.type]:
        raise NotARecordError(f"a value of the type {kind} is not of the type {cell.type}")
    bare = kind in {"N", "BOOL"} and cell.type != "s"
    return text if bare else csv_text(text, spaced=spaced)


def csv_text(text: str, *, spaced: bool) -> str:
    """Quote a text; `spaced` writes the ends of its lines as spaces."""
    if spaced:
        text = text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def time_of(token: str) -> str:
    """Write an epoch of seconds, milliseconds or microseconds as UTC.

    >>> time_of("1714980600"), time_of("1714980600123456")
    ('2024-05-06 07:30:00.000', '2024-05-06 07:30:00.123')
    """
    try:
        if token.isdecimal():
            number = int(token)
            scale = 1 if number < _MILLISECONDS else 1000 if number < _MICROSECONDS else 10**6
            seconds, part = divmod(number, scale)
            milliseconds = part * 1000 // scale
        else:
            seconds, milliseconds = divmod(int(float(token) * 1000), 1000)
        return f"{_second(seconds)}.{milliseconds:03}"
    except (ValueError, OverflowError) as error:
        raise NotARecordError(f"{token} is no time") from error


def times_of(tokens: Sequence[bytes]) -> list[bytes] | None:
    """Write epochs as fields; None unless all are of whole milliseconds or microseconds.

    Those of 13 and 16 digits are: their first ten are the second, the next three its part.
    """
    digits = b"".join(tokens)
    if not digits.isdigit() or {*map(len, tokens)} - {13, 16} or digits.startswith(b"0"):
        return None
    return [b'"%b.%b"' % (_second_of(token[:10]), token[10:13]) for token in tokens]


@functools.lru_cache(1024)
def _second_of(digits: bytes) -> bytes:
    return _second(int(digits)).encode()


@functools.lru_cache(1024)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat(" ", "seconds")


def unescaped(token: str, *, spaced: bool) -> str:
    """Write a text of JSON as a field."""
    if token[0] != '"':
        raise NotARecordError(f"{token} is no text")
    return csv_text(scanstring(token, 1)[0], spaced=spaced)
