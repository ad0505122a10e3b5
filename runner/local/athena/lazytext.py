r"""Text as LazySimpleSerDe reads and writes it, as SQL.

In: a column's type and the properties of the SerDe.  Out: SQL that makes text a value, or a value
text.  Each level of nesting has a delimiter of its own: fields, items of collections, keys of
maps, then \x04 to \x08.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.athena.sqltypes import SqlType

_NULL = "\\N"
_LEVELS = 8
_PRIVATE = 0xE000
"""Where escaped delimiters are hidden while text is split: code points that no text should have."""
_NESTED = frozenset({"array", "map", "row"})
_WHOLE = "[-+]?[0-9]+"
_NUMBER = r"\s*([-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?Infinity|NaN)\s*"
_DATE = r"\s*[0-9]{1,4}-.*"
_TIMESTAMP = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{1,9})?"
_INTEGERS = frozenset({"tinyint", "smallint", "integer", "bigint"})


class Delimiters(NamedTuple):
    """The delimiters by level, the mark of NULL, and the escape character (empty for none)."""

    levels: tuple[str, ...]
    null: str
    escape: str


def delimiters(serde: Mapping[str, str]) -> Delimiters:
    """Read a table's SerDe properties, as Hive does."""
    given = {name.lower(): value for name, value in serde.items()}
    levels = [
        _byte(given.get("field.delim") or given.get("serialization.format") or "", "\x01"),
        # The second name is what Hive wrote by mistake for years.
        _byte(given.get("collection.delim") or given.get("colelction.delim") or "", "\x02"),
        _byte(given.get("mapkey.delim") or "", "\x03"),
    ]
    levels += [chr(number + 1) for number in range(len(levels), _LEVELS)]
    escape = given.get("escape.delim")
    return Delimiters(
        tuple(levels),
        given.get("serialization.null.format", _NULL),
        _byte(escape, "") if escape else "",
    )


def _byte(text: str, default: str) -> str:
    r"""Give one character: a number is that of a byte, of other text the first letter counts.

    >>> _byte("9", ","), _byte("||", ","), _byte("", ",")
    ('\t', '|', ',')
    """
    try:
        return chr(int(text) % 256)
    except ValueError:
        return text[0] if text else default


def needs_lines(kinds: list[SqlType], serde: Mapping[str, str]) -> bool:
    """Tell whether whole lines are read and split by SQL, and not fields by DuckDB."""
    found = delimiters(serde)
    return bool(found.escape) or any(kind.name in _NESTED for kind in kinds)


def split_line(line: str, serde: Mapping[str, str]) -> str:
    """Write the SQL that splits a line into its fields."""
    found = delimiters(serde)
    return f"string_split({_hidden(line, found)}, {_text(found.levels[0])})"


def _hidden(line: str, found: Delimiters) -> str:
    """Hide escaped delimiters and escaped escapes from what splits."""
    if not found.escape:
        return line
    for number, mark in enumerate((found.escape, *found.levels)):
        line = f"replace({line}, {_text(found.escape + mark)}, chr({_PRIVATE + number}))"
    return line


def _shown(value: str, found: Delimiters) -> str:
    """Undo `_hidden`, and every other escape."""
    if not found.escape:
        return value
    plain = value
    for letter, meant in (("n", "chr(10)"), ("r", "chr(13)")):
        plain = f"replace({plain}, {_text(found.escape + letter)}, {meant})"
    plain = f"replace({plain}, {_text(found.escape)}, '')"
    for number, mark in enumerate((found.escape, *found.levels)):
        plain = f"replace({plain}, chr({_PRIVATE + number}), {_text(mark)})"
    return plain


def lazy_value(text: str, kind: SqlType, serde: Mapping[str, str]) -> str:
    """Write the SQL that reads a field's text; what does not fit the type is NULL."""
    return _value(text, kind, delimiters(serde), 1)


def _value(text: str, kind: SqlType, found: Delimiters, level: int) -> str:
    """Read text whose delimiters begin at a level; `text` is a name or another short term."""
    if kind.name not in _NESTED:
        return _plain(text, kind, found)
    _check_depth(kind, level)
    null = _text(found.null)
    match kind.name:
        case "array":
            read = _array(text, kind, found, level)
        case "map":
            read = _map(text, kind, found, level)
        case _:
            read = _row(text, kind, found, level)
    return f"(CASE WHEN {text} IS NULL OR {text} = {null} THEN NULL ELSE {read} END)"


def _array(text: str, kind: SqlType, found: Delimiters, level: int) -> str:
    item = f"zqe{level}"
    value = _value(item, kind.parts[0], found, level + 1)
    mark = _text(found.levels[level])
    return (
        f"CASE WHEN {text} = '' THEN CAST([] AS {kind.duck()}) "
        f"ELSE list_transform(string_split({text}, {mark}), lambda {item}: {value}) END"
    )


def _map(text: str, kind: SqlType, found: Delimiters, level: int) -> str:
    """Read pairs; of equal keys the first counts, and pairs without a key are left out."""
    item, entry = f"zqp{level}", f"zqk{level}"
    between, inside = _text(found.levels[level]), _text(found.levels[level + 1])
    key = _value(f"split_part({item}, {inside}, 1)", kind.parts[0], found, level + 2)
    rest = (
        f"CASE WHEN contains({item}, {inside}) "
        f"THEN substr({item}, strpos({item}, {inside}) + 1) END"
    )
    value = _value(f"({rest})", kind.parts[1], found, level + 2)
    pairs = (
        f"list_filter(list_transform(string_split({text}, {between}), lambda {item}: "
        f"{{'k': {key}, 'v': {value}}}), lambda {entry}: {entry}.k IS NOT NULL)"
    )
    all_pairs, place = f"zqa{level}", f"zqi{level}"
    keys = f"list_transform({all_pairs}, lambda {entry}: {entry}.k)"
    first = (
        f"list_filter({all_pairs}, lambda {entry}, {place}: "
        f"list_position({keys}, {entry}.k) = {place})"
    )
    made = f"list_transform([{pairs}], lambda {all_pairs}: map_from_entries({first}))[1]"
    return f"CASE WHEN {text} = '' THEN CAST(MAP {{}} AS {kind.duck()}) ELSE {made} END"


def _row(text: str, kind: SqlType, found: Delimiters, level: int) -> str:
    fields = f"zqf{level}"
    values = ", ".join(
        f"{_quote(name)} := {_value(f'{fields}[{place}]', part, found, level + 1)}"
        for place, (name, part) in enumerate(zip(kind.fields, kind.parts, strict=True), 1)
    )
    return (
        f"list_transform([string_split({text}, {_text(found.levels[level])})], "
        f"lambda {fields}: struct_pack({values}))[1]"
    )


def _check_depth(kind: SqlType, level: int) -> None:
    if level + (kind.name == "map") >= _LEVELS:
        raise unsupported("Nesting that deep in a text file")


def _plain(text: str, kind: SqlType, found: Delimiters) -> str:
    value = _shown(f"nullif({text}, {_text(found.null)})", found)
    match kind.name:
        case "varchar" | "char":
            return f"left({value}, {kind.numbers[0]})" if kind.numbers else value
        case "varbinary":
            return f"coalesce(TRY(from_base64({value})), encode({value}))"
        case _:
            return strict_try(value, kind)


def strict_try(value: str, kind: SqlType) -> str:
    """Cast text that looks like the type, else NULL (no rounding of 1.5 to an integer)."""
    tried = f"TRY_CAST({value} AS {kind.duck()})"
    match kind.name:
        case "boolean":
            return f"CASE lower({value}) WHEN 'true' THEN true WHEN 'false' THEN false END"
        case "timestamp":
            # java.sql.Timestamp's form, and the milliseconds that Athena keeps.
            rounded = f"date_trunc('millisecond', {tried} + INTERVAL 500 MICROSECOND)"
            return _if_like(value, _TIMESTAMP, rounded)
        case "date":
            return _if_like(value, _DATE, tried)
        case "real" | "double" | "decimal":
            return _if_like(value, _NUMBER, tried)
        case name if name in _INTEGERS:
            return _if_like(value, _WHOLE, tried)
        case _:
            return tried


def _if_like(value: str, pattern: str, then: str) -> str:
    return f"CASE WHEN regexp_full_match({value}, {_text(pattern)}) THEN {then} END"


def lazy_options(serde: Mapping[str, str]) -> str:
    """Write the options of COPY for fields that are text already."""
    found = delimiters(serde)
    return (
        f"FORMAT csv, HEADER false, DELIMITER {_text(found.levels[0])}, QUOTE '', ESCAPE '', "
        f"NULLSTR {_text(found.null)}"
    )


def lazy_text(value: str, kind: SqlType, serde: Mapping[str, str]) -> str:
    """Write the SQL that makes a value the text of a field; NULL stays NULL."""
    return _written(value, kind, delimiters(serde), 1)


def _written(value: str, kind: SqlType, found: Delimiters, level: int) -> str:
    if kind.name in _NESTED:
        _check_depth(kind, level)
    null = _text(found.null)
    match kind.name:
        case "array":
            item = f"zqe{level}"
            inner = f"coalesce({_written(item, kind.parts[0], found, level + 1)}, {null})"
            return _joined(f"list_transform({value}, lambda {item}: {inner})", found.levels[level])
        case "map":
            item = f"zqp{level}"
            key = _written(f"{item}.key", kind.parts[0], found, level + 2)
            inner = _written(f"{item}.value", kind.parts[1], found, level + 2)
            pair = f"{key} || {_text(found.levels[level + 1])} || coalesce({inner}, {null})"
            pairs = f"list_transform(map_entries({value}), lambda {item}: {pair})"
            return _joined(pairs, found.levels[level])
        case "row":
            item = f"zqf{level}"
            texts = ", ".join(
                f"coalesce({_written(f'{item}.{_quote(name)}', part, found, level + 1)}, {null})"
                for name, part in zip(kind.fields, kind.parts, strict=True)
            )
            made = _joined(f"[{texts}]", found.levels[level])
            whole = f"list_transform([{value}], lambda {item}: {made})[1]"
            return f"CASE WHEN {value} IS NOT NULL THEN {whole} END"
        case "varbinary":
            return f"to_base64({value})"
        case "timestamp":
            return _timestamp(value)
        case _:
            return _escaped(f"CAST({value} AS VARCHAR)", kind, found)


def _joined(items: str, mark: str) -> str:
    return f"array_to_string({items}, {_text(mark)})"


def _timestamp(value: str) -> str:
    """Write milliseconds, as java.sql.Timestamp does: no zeros at the end but one."""
    text = f"strftime({value}, '%Y-%m-%d %H:%M:%S.%g')"
    return f"regexp_replace({text}, '0{{1,2}}$', '')"


def _escaped(text: str, kind: SqlType, found: Delimiters) -> str:
    if not found.escape or kind.name not in {"varchar", "char"}:
        return text
    for mark in (found.escape, *found.levels):
        text = f"replace({text}, {_text(mark)}, {_text(found.escape + mark)})"
    return text


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
