"""Files of JSON lines as rows, and whole numbers as the SerDes read them.

In: a table and its files, whose keys are ready (see `unpacked`).  Out: SQL that reads them.  DuckDB
would round 1.5 to 2: whole numbers are read as text and made numbers here.
OpenX's SerDe parses a number's text, so that a fraction fails
(https://github.com/rcongiu/Hive-JSON-Serde/issues/211); Hive's drops the fraction, as Jackson's
getIntValue does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import unsupported
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.unpacking import json_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.sqltypes import SqlType
    from runner.local.athena.tables import TableInfo

_INTEGERS = frozenset({"tinyint", "smallint", "integer", "bigint"})
_WHOLE = "'[-+]?[0-9]+|0[xX][0-9a-fA-F]+'"
_FRACTION = r"'[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?'"


class Fractions(NamedTuple):
    """What becomes of a number that is not whole, and of other values that do not fit."""

    dropped: bool
    lenient: bool
    """Whether the value is NULL, and does not fail."""


def json_sql(table: TableInfo, paths: Sequence[str], *, options: str, names: Sequence[str]) -> str:
    """Read files; `options` are more of the reader's, which give columns with `names`."""
    for field in table.columns:
        if "binary" in field.type:
            raise unsupported(f"Column {field.name} of type {field.type} in JSON")
    serde = {name.lower(): value for name, value in table.serde}
    rules, formats = json_rules(table), serde.get("timestamp.formats", "")
    kinds = {each.name: parse_type(each.type) for each in table.columns}
    timed = {name for name, kind in kinds.items() if formats and kind.name == "timestamp"}
    columns = ", ".join(
        f"{_text(rules.key(name))}: {_text('VARCHAR' if name in timed else read_type(kind))}"
        for name, kind in kinds.items()
    )
    options += ", ignore_errors=true" if rules.forgives_values else ""
    read = (
        f"read_json([{', '.join(map(_text, paths))}], format='newline_delimited', "
        f"maximum_object_size=33554432{options}, columns={{{columns}}})"
    )
    rule = Fractions(dropped=table.format == "json", lenient=rules.forgives_values)
    picked = [
        f"make_timestamp(__line_timestamp({_quote(rules.key(name))}, {_text(formats)}))"
        if name in timed
        else read_value(_quote(rules.key(name)), kind, place, rule)
        for place, (name, kind) in enumerate(kinds.items())
    ]
    if picked == [_quote(name) for name in kinds]:
        return read
    named = [f"{value} AS {_quote(name)}" for value, name in zip(picked, kinds, strict=True)]
    return f"(SELECT {', '.join([*named, *map(_quote, names)])} FROM {read})"


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


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
