"""The types that a partition key may have in an expression, and how their values are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from runner.local.glue.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TIMESTAMP = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?")
_INTEGER = re.compile(r"[-+]?\d+")


@dataclass(frozen=True, slots=True)
class KeyType:
    """A type of partition keys."""

    kind: str
    """What Glue's refusals call it."""
    read: Callable[[str], Any]
    """Reads a text; raises ValueError in Glue's words."""
    is_text: bool = False


def _text(text: str) -> str:
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(f'"{text}" is not an integer.')
    return int(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text} is not a decimal.") from error


def _date(text: str) -> date:
    found = _DATE.fullmatch(text)
    try:
        return date(*map(int, found.groups() if found else ()))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{text} is not a date.") from error


def _timestamp(text: str) -> tuple[datetime, str]:
    """Read a timestamp as its second and the nine digits of its fraction."""
    found = _TIMESTAMP.fullmatch(text)
    try:
        return datetime.fromisoformat(found[1] if found else ""), (
            (found and found[2]) or ""
        ).ljust(9, "0")
    except ValueError as error:
        raise ValueError(
            f"Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff] {text} is not a timestamp."
        ) from error


_STRING = KeyType("String", _text, is_text=True)
_INTEGRAL = KeyType("Integral", _integer)
_TYPES = {
    "string": _STRING,
    "varchar": _STRING,
    "char": _STRING,
    "tinyint": _INTEGRAL,
    "smallint": _INTEGRAL,
    "int": _INTEGRAL,
    "integer": _INTEGRAL,
    "bigint": _INTEGRAL,
    "long": _INTEGRAL,
    "decimal": KeyType("Decimal", _decimal),
    "date": KeyType("Date", _date),
    "timestamp": KeyType("Timestamp", _timestamp),
}


def key_type(name: str) -> KeyType:
    """Find a type by its Hive name; InvalidInputException for one that Glue cannot compare.

    >>> key_type("decimal(10,2)").kind
    'Decimal'
    """
    found = _TYPES.get(name.lower().partition("(")[0].strip())
    if found is None:
        raise invalid(f"Unknown type : '{name}'")
    return found
