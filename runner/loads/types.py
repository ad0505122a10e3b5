"""Athena's types, and what each becomes in DuckDB and in a mart.

In: type texts as the Glue catalogue writes them.  Out: `AthenaType`, and type texts of the other
engines.  Source of the table: docs of Athena's data types; MySQL's ranges.

SQLite has no exact decimal.  A decimal of at most 15 digits is stored as a number (NUMERIC): a
double keeps 15 decimal digits, so every value reads back exactly and still compares and sums as a
number.  A longer one is stored as TEXT: exact, where a double would lose digits in silence.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from runner.model.ports import ServiceError


class Family(StrEnum):
    """Kinds of values that convert into one another without surprise."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BINARY = "binary"
    NESTED = "nested"


class AthenaType(NamedTuple):
    """A parsed type; `size` is bits, digits, characters or digits of a second, 0 if unlimited."""

    family: Family
    size: int = 0
    scale: int = 0


MOST_EXACT_DIGITS = 15
"""Decimal digits that a double keeps."""
_MICROSECONDS = 6
_TYPE = re.compile(r"\s*([a-z]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*(.*)\Z", re.DOTALL)
_INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64}
_FLOATS = {"float": 32, "real": 32, "double": 64}
_PLAIN = {
    "boolean": AthenaType(Family.BOOLEAN),
    "string": AthenaType(Family.TEXT),
    "json": AthenaType(Family.NESTED),
    "date": AthenaType(Family.DATE),
    "binary": AthenaType(Family.BINARY),
    "varbinary": AthenaType(Family.BINARY),
}
_NESTED = ("array", "map", "struct", "row")
_MAX_VARCHAR = 1024
"""Longer strings become LONGTEXT: MySQL's rows end at 65,535 bytes, LONGTEXT lies outside them."""
_KEY_BYTES = 3072
_UTF8MB4_BYTES = 4
_MAX_KEY_CHARACTERS = 255


def parse_type(text: str) -> AthenaType:  # noqa: PLR0911 - one per case
    """Read a type; ServiceError for one that no load can carry.

    >>> parse_type("decimal(10,2)")
    AthenaType(family=<Family.DECIMAL: 'decimal'>, size=10, scale=2)
    """
    match = _TYPE.match(text.lower())
    name = match[1] if match else ""
    first, second = (int(match[2] or 0), int(match[3] or 0)) if match else (0, 0)
    if name in _NESTED:
        return AthenaType(Family.NESTED)
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _INTEGERS:
        return AthenaType(Family.INTEGER, _INTEGERS[name])
    if name in _FLOATS:
        return AthenaType(Family.FLOAT, _FLOATS[name])
    match name:
        case "decimal":
            return AthenaType(Family.DECIMAL, first or 10, second)
        case "varchar" | "char":
            return AthenaType(Family.TEXT, first)
        case "timestamp":
            return AthenaType(Family.TIMESTAMP, min(first or _MICROSECONDS, _MICROSECONDS))
        case _:
            raise ServiceError("Load.UnknownType", f"the loader does not know Athena's type {text}")


def duckdb_type(kind: AthenaType) -> str:
    """Give the DuckDB type that holds every value of an Athena type."""
    match kind.family:
        case Family.INTEGER:
            return {8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT"}[kind.size]
        case Family.FLOAT:
            return "FLOAT" if kind.size == 32 else "DOUBLE"  # noqa: PLR2004 - bits
        case Family.DECIMAL:
            return f"DECIMAL({kind.size},{kind.scale})"
        case Family.BINARY:
            return "BLOB"
        case Family.TEXT | Family.NESTED:
            return "VARCHAR"
        case Family.BOOLEAN | Family.DATE | Family.TIMESTAMP:
            return kind.family.value.upper()


def duckdb_family(text: str) -> Family:
    """Tell the family of a type that DuckDB reports for a file's column.

    >>> duckdb_family("DECIMAL(18,3)"), duckdb_family("STRUCT(a INTEGER)[]")
    (<Family.DECIMAL: 'decimal'>, <Family.NESTED: 'nested'>)
    """
    if text.endswith("]") or text.startswith(("STRUCT", "MAP", "UNION", "JSON", "VARIANT")):
        return Family.NESTED
    name = text.partition("(")[0]
    if name.startswith("TIMESTAMP"):
        return Family.TIMESTAMP
    known = {
        "BOOLEAN": Family.BOOLEAN,
        "FLOAT": Family.FLOAT,
        "DOUBLE": Family.FLOAT,
        "DECIMAL": Family.DECIMAL,
        "DATE": Family.DATE,
        "BLOB": Family.BINARY,
    }
    if name.endswith(("INT", "INTEGER")):
        return Family.INTEGER
    return known.get(name, Family.TEXT)


def sqlite_type(kind: AthenaType) -> str:
    """Give the declared type of a new SQLite column."""
    match kind.family:
        case Family.BOOLEAN | Family.INTEGER:
            return "INTEGER"
        case Family.FLOAT:
            return "REAL"
        case Family.DECIMAL:
            return "NUMERIC" if kind.size <= MOST_EXACT_DIGITS else "TEXT"
        case Family.BINARY:
            return "BLOB"
        case Family.TEXT | Family.DATE | Family.TIMESTAMP | Family.NESTED:
            return "TEXT"


def mysql_type(kind: AthenaType) -> str:  # noqa: PLR0911 - one per case
    """Give the type of a new MySQL column that is no part of a key."""
    match kind.family:
        case Family.BOOLEAN:
            return "BOOLEAN"
        case Family.INTEGER:
            return {8: "TINYINT", 16: "SMALLINT", 32: "INT", 64: "BIGINT"}[kind.size]
        case Family.FLOAT:
            return "FLOAT" if kind.size == 32 else "DOUBLE"  # noqa: PLR2004 - bits
        case Family.DECIMAL:
            return f"DECIMAL({kind.size},{kind.scale})"
        case Family.TEXT:
            return f"VARCHAR({kind.size})" if 0 < kind.size <= _MAX_VARCHAR else "LONGTEXT"
        case Family.DATE:
            return "DATE"
        case Family.TIMESTAMP:
            return f"DATETIME({kind.size})"
        case Family.BINARY:
            return "LONGBLOB"
        case Family.NESTED:
            return "JSON"


def mysql_key_type(kind: AthenaType, *, texts: int) -> str:
    """Give the type of a new MySQL column in a key that holds `texts` columns of text."""
    if kind.family is not Family.TEXT:
        return mysql_type(kind)
    most = min(_MAX_KEY_CHARACTERS, _KEY_BYTES // _UTF8MB4_BYTES // texts)
    return f"VARCHAR({min(kind.size, most) if kind.size else most})"


def mysql_staging_type(kind: AthenaType) -> str:
    """Give a type at least as wide as anything that the CSV may hold, so that no value is cut."""
    match kind.family:
        case Family.BOOLEAN | Family.INTEGER:
            return "BIGINT"
        case Family.FLOAT:
            return "DOUBLE"
        case Family.DATE | Family.DECIMAL:
            return mysql_type(kind)
        case Family.TIMESTAMP:
            return f"DATETIME({_MICROSECONDS})"
        case Family.TEXT | Family.BINARY | Family.NESTED:
            return "LONGTEXT"
