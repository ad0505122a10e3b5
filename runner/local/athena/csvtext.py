"""Text as OpenCSVSerde reads it, as SQL.

In: a column's type and the properties of the SerDe.  Out: SQL that makes a line fields, and a
field a value.  Numbers must be such, dates are days since 1970 and timestamps milliseconds, as
Athena's user guide tells in "Open CSV SerDe for processing CSV".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.athena.sqltypes import SqlType

_INTEGERS = frozenset({"tinyint", "smallint", "integer", "bigint"})
_WHOLE = "'[-+]?[0-9]+'"
_NUMBER = r"'[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?Infinity|NaN'"


def split_csv(line: str, serde: Mapping[str, str]) -> str:
    """Write the SQL that splits a line into its fields."""
    separator, quote, escape = _marks(serde)
    # The SerDe takes the double quote as escape for "none given".
    escape = "\\" if escape == '"' else escape
    marks = ", ".join(_text(mark) for mark in (separator, quote, escape))
    return (
        f"CASE WHEN contains({line}, {_text(quote)}) OR contains({line}, {_text(escape)}) "
        f"THEN __line_fields({line}, {marks}) ELSE string_split({line}, {_text(separator)}) END"
    )


def _marks(serde: Mapping[str, str]) -> tuple[str, str, str]:
    """Give separator, quote and escape: the first letters of the properties."""
    given = {name.lower(): value for name, value in serde.items()}
    return (
        given.get("separatorchar", "")[:1] or ",",
        given.get("quotechar", "")[:1] or '"',
        given.get("escapechar", "")[:1] or '"',
    )


def csv_options(serde: Mapping[str, str]) -> str:
    """Write the options of COPY for fields that are quoted already."""
    separator = _text(_marks(serde)[0])
    return f"FORMAT csv, HEADER false, DELIMITER {separator}, QUOTE '', ESCAPE '', NULLSTR ''"


def csv_text(value: str, serde: Mapping[str, str]) -> str:
    """Write the SQL that quotes a text; NULL is nothing at all between two separators."""
    _, quote, escape = _marks(serde)
    for mark in dict.fromkeys((escape, quote)):
        value = f"replace({value}, {_text(mark)}, {_text(escape + mark)})"
    return f"{_text(quote)} || {value} || {_text(quote)}"


def csv_value(place: int, kind: SqlType, *, lenient: bool) -> str:
    """Write the SQL that reads the field at a place; what does not fit fails, or is NULL."""
    text = f"f.zqfields[{place + 1}]"
    if kind.name in {"varchar", "char"}:
        return f"left({text}, {kind.numbers[0]})" if kind.numbers else text
    test, value = _reading(text, kind)
    otherwise = "NULL" if lenient else f"error({_message(text, place)})"
    return f"CASE WHEN {text} IS NULL THEN NULL WHEN {test} THEN {value} ELSE {otherwise} END"


def _reading(text: str, kind: SqlType) -> tuple[str, str]:
    """Write the test that a text is of the type, and its value then."""
    whole = f"regexp_full_match({text}, {_WHOLE})"
    tried = f"TRY_CAST({text} AS {kind.duck()})"
    match kind.name:
        case "boolean":
            return f"lower({text}) IN ('true', 'false')", f"lower({text}) = 'true'"
        case "date":
            day = f"CAST(DATE '1970-01-01' + TRY_CAST({text} AS INTEGER) AS DATE)"
            return f"{whole} AND TRY_CAST({text} AS INTEGER) IS NOT NULL", day
        case "timestamp":
            moment = f"make_timestamp(TRY_CAST({text} AS BIGINT) * 1000)"
            return f"{whole} AND TRY_CAST({text} AS BIGINT) IS NOT NULL", moment
        case "decimal" | "real" | "double":
            return f"regexp_full_match({text}, {_NUMBER}) AND {tried} IS NOT NULL", tried
        case name if name in _INTEGERS:
            return f"{whole} AND {tried} IS NOT NULL", tried
        case _:
            raise unsupported(f"A column of type {kind.hive()} with OpenCSVSerde")


def _message(text: str, place: int) -> str:
    return (
        f"'HIVE_BAD_DATA: Error parsing field value ''' || {text} || ''' for field {place}: "
        f"For input string: \"' || {text} || '\"'"
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
