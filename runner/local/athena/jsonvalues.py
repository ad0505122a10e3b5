"""Whole numbers of JSON as the SerDes read them: DuckDB would round 1.5 to 2.

In: a column's type and SQL that gives the value as `read_type` has it read.  Out: SQL of the type.
OpenX's SerDe parses a number's text, so that a fraction fails
(https://github.com/rcongiu/Hive-JSON-Serde/issues/211); Hive's drops the fraction, as Jackson's
getIntValue does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from runner.local.athena.sqltypes import SqlType

_INTEGERS = frozenset({"tinyint", "smallint", "integer", "bigint"})
_WHOLE = "'[-+]?[0-9]+|0[xX][0-9a-fA-F]+'"
_FRACTION = r"'[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?'"


class Fractions(NamedTuple):
    """What becomes of a number that is not whole, and of other values that do not fit."""

    dropped: bool
    lenient: bool
    """Whether the value is NULL, and does not fail."""


def has_integers(kind: SqlType) -> bool:
    """Tell whether a type is, or holds, whole numbers."""
    return kind.name in _INTEGERS or any(has_integers(part) for part in kind.parts)


def read_type(kind: SqlType) -> str:
    """Write the DuckDB type in which a column is read: whole numbers are text."""
    if not has_integers(kind):
        return kind.duck()
    match kind.name:
        case "row":
            pairs = zip(kind.fields, kind.parts, strict=True)
            return f"STRUCT({', '.join(f'{_quote(n)} {read_type(part)}' for n, part in pairs)})"
        case "array":
            return f"{read_type(kind.parts[0])}[]"
        case "map":
            return f"MAP({', '.join(read_type(part) for part in kind.parts)})"
        case _:
            return "VARCHAR"


def read_value(value: str, kind: SqlType, place: int, rule: Fractions, *, depth: int = 0) -> str:
    """Write the SQL that makes a value of `read_type` one of the type itself."""
    if not has_integers(kind):
        return value
    name = f"j{depth}"

    def inner(text: str, part: SqlType) -> str:
        return read_value(text, part, place, rule, depth=depth + 1)

    match kind.name:
        case "row":
            pairs = zip(kind.fields, kind.parts, strict=True)
            fields = (f"{_quote(n)} := {inner(f'{value}.{_quote(n)}', p)}" for n, p in pairs)
            return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"
        case "array":
            return f"list_transform({value}, lambda {name}: {inner(name, kind.parts[0])})"
        case "map":
            pair = (
                f"struct_pack(k := {inner(f'{name}.key', kind.parts[0])}, "
                f"v := {inner(f'{name}.value', kind.parts[1])})"
            )
            entries = f"list_transform(map_entries({value}), lambda {name}: {pair})"
            return f"CASE WHEN {value} IS NOT NULL THEN map_from_entries({entries}) END"
        case _:
            return _number(value, kind, place, rule)


def _number(value: str, kind: SqlType, place: int, rule: Fractions) -> str:
    tried = f"TRY_CAST({value} AS {kind.duck()})"
    cases = f"WHEN regexp_full_match({value}, {_WHOLE}) AND {tried} IS NOT NULL THEN {tried} "
    if rule.dropped:
        cut = f"TRY_CAST(trunc(TRY_CAST({value} AS DOUBLE)) AS {kind.duck()})"
        cases += f"WHEN regexp_full_match({value}, {_FRACTION}) AND {cut} IS NOT NULL THEN {cut} "
    message = (
        f"'HIVE_BAD_DATA: Error parsing field value for field {place}: "
        f"For input string: \"' || {value} || '\"'"
    )
    otherwise = "NULL" if rule.lenient else f"error({message})"
    return f"CASE WHEN {value} IS NULL THEN NULL {cases}ELSE {otherwise} END"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
