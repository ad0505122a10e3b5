"""Whether a column of a mart holds every value of an Athena type, and which numbers it takes.

In: a column as the server describes it, and a type.  Out: yes or no, or bounds.  "Holds" means:
without a loss that no error reports.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING

from runner.loads.target import plain_type
from runner.loads.types import AthenaType, Family, parse_type

if TYPE_CHECKING:
    from runner.loads.shapes import MartColumn
    from runner.model.loads import LoadColumn

INTEGER_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")
BLOBS = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
TIMES = ("datetime", "timestamp")
_EXACT = Context(prec=200)
"""MySQL's decimals have 65 digits, Python's default context 28."""
_GREATEST_FLOAT = Decimal("3.4028234663852886e38")
_AFFINITIES = {
    "TEXT": ("TEXT", "BLOB"),
    "INTEGER": ("INTEGER", "NUMERIC", "BLOB"),
    "REAL": ("REAL", "NUMERIC", "BLOB"),
    "NUMERIC": ("NUMERIC", "BLOB"),
    "BLOB": ("BLOB", "TEXT", "INTEGER", "REAL", "NUMERIC"),
}
"""Affinities that store a value of the first one unchanged."""


def holds(found: MartColumn, column: LoadColumn) -> bool:
    """Tell whether a MySQL column takes the load's; a type in the header is the user's word.

    Digits of seconds and lengths of texts are judged apart (`fine_enough`, `long_enough`).
    """
    if column.mart_type is not None:
        return plain_type(found.full_type) == plain_type(column.mart_type)
    return _holds_type(found, parse_type(column.athena_type))


def _holds_type(found: MartColumn, kind: AthenaType) -> bool:
    match kind.family:
        case Family.INTEGER:
            return _holds_integer(found, kind.size)
        case Family.FLOAT:
            return found.type == "double" or (found.type == "float" and kind.size == 32)  # noqa: PLR2004 - bits
        case Family.DECIMAL:
            return _holds_decimal(found, kind)
        case _:
            return found.type in _TAKERS[kind.family]


_TAKERS: dict[Family, tuple[str, ...]] = {
    Family.BOOLEAN: (*INTEGER_BITS, "bit"),
    Family.TEXT: (*TEXTS, "json", "uuid"),
    Family.DATE: ("date", "datetime"),
    Family.TIMESTAMP: TIMES,
    Family.BINARY: BLOBS,
    Family.NESTED: ("json", "longtext", "mediumtext", "text"),
}


def _holds_integer(found: MartColumn, bits: int) -> bool:
    if found.type == "decimal":
        return found.digits - found.scale >= len(str(2 ** (bits - 1)))
    return INTEGER_BITS.get(found.type, 0) >= bits


def _holds_decimal(found: MartColumn, kind: AthenaType) -> bool:
    whole = kind.size - kind.scale
    if found.type == "decimal":
        return found.scale >= kind.scale and found.digits - found.scale >= whole
    return kind.scale == 0 and found.type == "bigint" and whole < len(str(2**63))


def fine_enough(found: MartColumn, column: LoadColumn) -> bool:
    """Tell whether a column keeps every digit of a second that the type may have."""
    kind = parse_type(column.athena_type)
    if kind.family is not Family.TIMESTAMP or found.type not in TIMES:
        return True
    return found.fraction >= kind.size


def long_enough(found: MartColumn, column: LoadColumn) -> bool:
    """Tell whether a text of the declared length fits.

    One of unknown length may go anywhere: a strict server refuses what is too long.
    """
    kind = parse_type(column.athena_type)
    if kind.family is not Family.TEXT or column.mart_type is not None:
        return True
    most = found.characters or found.bytes
    return kind.size == 0 or most == 0 or most >= kind.size


def affinity(declared: str) -> str:
    """Tell a declared type's affinity by SQLite's own five rules (sqlite.org/datatype3.html).

    >>> affinity("VARCHAR(9)"), affinity(""), affinity("DOUBLE"), affinity("DECIMAL(9,2)")
    ('TEXT', 'BLOB', 'REAL', 'NUMERIC')
    """
    text = declared.upper()
    if "INT" in text:
        return "INTEGER"
    if any(word in text for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in text or not text:
        return "BLOB"
    if any(word in text for word in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def stores(declared: str, wanted: str) -> bool:
    """Tell whether a SQLite column of a declared type stores values of the wanted one unchanged."""
    return affinity(declared) in _AFFINITIES[affinity(wanted)]


def bounds(found: MartColumn) -> tuple[Decimal, Decimal, Decimal] | None:
    """Give the least and greatest number that a MySQL column takes, and the step between numbers.

    None where it is no number, or one without bounds that a load could meet.

    >>> from runner.loads.target import read_type
    >>> [str(number) for number in bounds(read_type("x", "TINYINT UNSIGNED"))]
    ['0', '255', '1']
    """
    if found.type in INTEGER_BITS:
        bits = INTEGER_BITS[found.type]
        if found.unsigned:
            return Decimal(0), Decimal(2**bits - 1), Decimal(1)
        return Decimal(-(2 ** (bits - 1))), Decimal(2 ** (bits - 1) - 1), Decimal(1)
    if found.type == "decimal":
        step = Decimal(1).scaleb(-found.scale)
        most = Decimal("9" * found.digits or "0").scaleb(-found.scale, _EXACT)
        return Decimal(0) if found.unsigned else most.copy_negate(), most, step
    if found.type == "float":
        return _GREATEST_FLOAT.copy_negate(), _GREATEST_FLOAT, Decimal(0)
    return None


def outside(found: MartColumn, least: object, greatest: object) -> str:
    """Say which numbers a column takes, when it does not take these; empty when it does.

    A number between two steps is rounded by the server, so half a step more is still inside.
    """
    limits = bounds(found)
    if limits is None or least is None or greatest is None:
        return ""
    low, high, step = limits
    half = _EXACT.divide(step, Decimal(2))
    under, over = _EXACT.subtract(low, half), _EXACT.add(high, half)
    values = (Decimal(str(least)), Decimal(str(greatest)))
    if all(low <= value <= high or under < value < over for value in values):
        return ""
    return f"{low:f} to {high:f}"
