"""The FROM clause of a scan: files of one table as rows of its declared types.

In: a table and its parts.  Out: a parenthesised DuckDB query with the table's columns in order.
What a value of the wrong type becomes is each SerDe's affair: OpenX and Parquet fail, text with
LazySimpleSerDe or RegexSerDe gives NULL, OpenCSVSerde fails.
"""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.sqltypes import SqlType, parse_type
from runner.local.athena.writer import statement_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.local.athena.footers import Footers
    from runner.local.athena.grok import Grok
    from runner.local.athena.partitions import Part
    from runner.local.athena.tables import Field, TableInfo

_NO_QUOTE = "\x02"
_PLAIN_VALUE = re.compile(r"(?!null\Z)[a-z0-9][a-z0-9._-]*", re.IGNORECASE)
_HEAD = 4096
_FEW = 3
_FEW_STATEMENTS = 8
"""Statements whose files are read each by itself, and not united by name."""
_NESTED = frozenset({"array", "map", "row"})


def scan_sql(table: TableInfo, parts: Sequence[Part], footers: Footers | None = None) -> str:
    """Write the query that reads the parts; raises AthenaFailure for formats that cannot be.

    Parquet files whose footers say that they are alike are read as one.
    """
    if not parts:
        nothing = ", ".join(f"CAST(NULL AS {_duck(f)}) AS {_quote(f.name)}" for f in table.fields())
        return f"(SELECT {nothing} WHERE false)"
    bare = _BARE._replace(alike=_alike(table, parts, footers))
    if not table.keys:
        return f"(SELECT {_columns(table)} FROM {_files(table, parts, bare)} AS f)"
    if len(parts) <= _FEW:
        each = (
            f"SELECT {_columns(table)}, {_constants(table, part)} "
            f"FROM {_files(table, [part], bare)} AS f"
            for part in parts
        )
        return f"({' UNION ALL '.join(each)})"
    read = _by_folders if _tell_values(table, parts) else _mapped
    return read(table, parts, bare.alike)


def _alike(
    table: TableInfo, parts: Sequence[Part], footers: Footers | None
) -> frozenset[str] | None:
    """Give the columns that all Parquet files have, if they have the same; None if unknown."""
    if footers is None or table.format != "parquet":
        return None
    paths = {statement_of(file.path) or file.path: file.path for p in parts for file in p.files}
    first, found = next(iter(paths.values())), footers(tuple(paths.values()))
    one = found.get(first)
    alike = one is not None and all(found.get(path) == one for path in paths.values())
    return one.names if one is not None and alike else None


def located_sql(table: TableInfo, parts: Sequence[Part]) -> str:
    """Write the query that reads Parquet files with each row's place: `__file` and `__row`."""
    if not parts:
        nothing = ", ".join(f"CAST(NULL AS {_duck(f)}) AS {_quote(f.name)}" for f in table.columns)
        return (
            f"(SELECT {nothing}, CAST(NULL AS VARCHAR) AS __file, CAST(NULL AS BIGINT) AS __row "
            f"WHERE false)"
        )
    extra = _Extra(", hive_partitioning=false, filename='__file', file_row_number=true")
    columns = f"{_columns(table)}, f.__file AS __file, f.file_row_number AS __row"
    return f"(SELECT {columns} FROM {_files(table, parts, extra)} AS f)"


class _Extra(NamedTuple):
    """What a reader gives beside the table's columns: its options (after a comma) and names."""

    options: str
    names: tuple[str, ...] = ()
    alike: frozenset[str] | None = None
    """The columns of all files, if they have the same."""


_BARE = _Extra(", hive_partitioning=false")
_NAMED = _Extra(", hive_partitioning=false, filename='__path'", ("__path",))


def _tell_values(table: TableInfo, parts: Sequence[Part]) -> bool:
    """Tell whether DuckDB reads the parts' values, and no others, out of the folders' names."""
    if table.format not in {"parquet", "json", "openx"}:
        return False
    base = ""
    for part in parts:
        if not all(value and _PLAIN_VALUE.fullmatch(value) for value in part.values):
            return False
        pairs = zip(table.keys, part.values, strict=True)
        folder = "/" + "".join(f"{key.name}={value}/" for key, value in pairs)
        for file in part.files:
            above, found, name = file.path.partition(folder)
            if not found or "=" in name or above != (base := base or above):
                return False
    names = {field.name for field in table.fields()}
    return not set("\\?") & set(base) and not any(
        step.partition("=")[0].lower() in names for step in base.split("/") if "=" in step
    )


def _by_folders(table: TableInfo, parts: Sequence[Part], alike: frozenset[str] | None) -> str:
    """Read all parts at once; DuckDB takes the keys from the names of the folders."""
    keys = ", ".join(
        f"CAST(f.{_quote(key.name)} AS {_duck(key)}) AS {_quote(key.name)}" for key in table.keys
    )
    types = ", ".join(f"{_text(key.name)}: VARCHAR" for key in table.keys)
    extra = _Extra(
        f", hive_partitioning=true, hive_types={{{types}}}, hive_types_autocast=false",
        tuple(key.name for key in table.keys),
        alike,
    )
    return f"(SELECT {_columns(table)}, {keys} FROM {_files(table, parts, extra)} AS f)"


def _mapped(table: TableInfo, parts: Sequence[Part], alike: frozenset[str] | None) -> str:
    """Read all parts at once and look each row's partition up by the name of its file."""
    named = _NAMED._replace(alike=alike)
    names = [f"k{number}" for number in range(len(table.keys))]
    rows = ", ".join(
        f"({', '.join([_text(file.path), *(_literal(v) for v in part.values)])})"
        for part in parts
        for file in part.files
    )
    keys = ", ".join(
        f"CAST(p.{name} AS {_duck(key)}) AS {_quote(key.name)}"
        for name, key in zip(names, table.keys, strict=True)
    )
    return (
        f"(SELECT {_columns(table)}, {keys} FROM {_files(table, parts, named)} AS f "
        f"JOIN (VALUES {rows}) AS p(path, {', '.join(names)}) ON f.__path = p.path)"
    )


def _constants(table: TableInfo, part: Part) -> str:
    return ", ".join(
        f"CAST({_literal(value)} AS {_duck(key)}) AS {_quote(key.name)}"
        for key, value in zip(table.keys, part.values, strict=True)
    )


def _files(table: TableInfo, parts: Sequence[Part], extra: _Extra) -> str:
    paths = [file.path for part in parts for file in part.files]
    match table.format:
        case "parquet":
            return _parquet(table, paths, extra)
        case "json" | "openx":
            return _json(table, paths, extra)
        case "csv" | "opencsv":
            return _csv(table, paths, extra)
        case "regex" | "grok":
            return _lines(table, paths, extra)
        case _:
            raise unsupported(f"The SerDe of table {table}")


def _columns(table: TableInfo) -> str:
    """Write the data columns, cast to their declared types from what `_files` gives."""
    match table.format:
        case "regex":
            return _regex_columns(table)
        case "grok":
            return _grok_columns(table)
        case "csv":
            return ", ".join(f"{_lazy(f)} AS {_quote(f.name)}" for f in table.columns)
        case "opencsv":
            return ", ".join(f"{_opencsv(f)} AS {_quote(f.name)}" for f in table.columns)
        case _:
            return ", ".join(
                f"CAST(f.{_quote(f.name)} AS {_duck(f)}) AS {_quote(f.name)}" for f in table.columns
            )


def _parquet(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Read by name: a declared column that no file has is NULL.

    Files of one statement have one schema, so that DuckDB need not open them all to plan.
    """
    nested = any(parse_type(f.type).name in _NESTED for f in table.columns)
    if extra.alike is not None and not nested:
        return _parquet_alike(table, paths, extra.alike, extra.options)
    declared = ", ".join(f"CAST(NULL AS {_duck(f)}) AS {_quote(f.name)}" for f in table.columns)
    groups: dict[str, list[str]] = {}
    for path in paths:
        groups.setdefault(statement_of(path) or path, []).append(path)
    if extra.alike is not None:
        groups = {"alike": list(paths)}
    elif len(groups) > _FEW_STATEMENTS:
        groups = {"": list(paths)}
    reads = (
        f" UNION ALL BY NAME SELECT * FROM read_parquet({_list(group)}, "
        f"union_by_name={str(not statement).lower()}{extra.options})"
        for statement, group in groups.items()
    )
    return f"(SELECT {declared} WHERE false{''.join(reads)})"


def _parquet_alike(
    table: TableInfo, paths: Sequence[str], names: frozenset[str], options: str
) -> str:
    """Read files that have these columns: one scan, into which DuckDB pushes all it can."""
    read = f"read_parquet({_list(paths)}{options})"
    missing = "".join(
        f", CAST(NULL AS {_duck(f)}) AS {_quote(f.name)}"
        for f in table.columns
        if f.name not in names
    )
    return f"(SELECT *{missing} FROM {read})" if missing else read


def _json(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Read JSON lines; keys are matched without regard to case when a file has capitals."""
    serde = {name.lower(): value for name, value in table.serde}
    lenient = serde.get("ignore.malformed.json", "").lower() == "true"
    mapping = {n.removeprefix("mapping."): v for n, v in serde.items() if n.startswith("mapping.")}
    keys = {f.name: mapping.get(f.name, f.name) for f in table.columns}
    options = "format='newline_delimited', maximum_object_size=33554432"
    options += ", ignore_errors=true" if lenient else ""
    options += extra.options
    if mapping or _have_capitals(paths):
        return _json_any_case(keys, paths, options, extra)
    columns = ", ".join(f"{_text(f.name)}: {_text(_duck(f))}" for f in table.columns)
    return f"read_json({_list(paths)}, {options}, columns={{{columns}}})"


def _json_any_case(keys: dict[str, str], paths: Sequence[str], options: str, extra: _Extra) -> str:
    """Look keys up in lower case: slower, for files that have capitals."""
    picked = ", ".join(
        f"json_extract_string(o, '$.\"' || list_filter(json_keys(o), lambda k: "
        f"lower(k) = {_text(key.lower())})[1] || '\"') AS {_quote(name)}"
        for name, key in keys.items()
    )
    others = "".join(f", {_quote(name)}" for name in extra.names)
    return (
        f"(SELECT {picked}{others} FROM (SELECT json AS o{others} FROM "
        f"read_json_objects({_list(paths)}, {options})))"
    )


def _have_capitals(paths: Iterable[str]) -> bool:
    """Tell whether the first line of any file has a key with a capital letter."""
    return any(re.search(rb'"[^"]*[A-Z][^"]*"\s*:', _first_line(path)) for path in paths)


def _first_line(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - many small files: Path costs more
        head = file.read(_HEAD)
    packed = head.startswith(b"\x1f\x8b")
    with suppress(zlib.error):
        start = zlib.decompressobj(31).decompress(head, _HEAD) if packed else head
        line, ended, _ = start.partition(b"\n")
        if ended:
            return line
    import gzip  # noqa: PLC0415 - long first lines are rare

    with gzip.open(path) if packed else open(path, "rb") as whole:  # noqa: PTH123 - as above
        return whole.readline(1_000_000)


def _csv(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    serde = {name.lower(): value for name, value in table.serde}
    if table.format == "opencsv":
        delimiter = serde.get("separatorchar", ",")
        quote, escape = serde.get("quotechar", '"'), serde.get("escapechar", "\\")
    else:
        delimiter = text_delimiter(table)
        quote, escape = _NO_QUOTE, serde.get("escape.delim") or ""
    names = ", ".join(f"{_text(f.name)}: 'VARCHAR'" for f in table.columns)
    lazy_null = serde.get("serialization.null.format", "\\N")
    null = _text(lazy_null if table.format == "csv" else "\x03\x03")
    options = (
        f"auto_detect=false, header=false, delim={_text(delimiter)}, quote={_text(quote)}, "
        f"escape={_text(escape)}, nullstr={null}, null_padding=true, strict_mode=false, "
        f"skip={_skip(table)}, columns={{{names}}}" + extra.options
    )
    return f"read_csv({_list(paths)}, {options})"


def text_delimiter(table: TableInfo) -> str:
    """Give what LazySimpleSerDe puts between the fields of a table."""
    serde = {name.lower(): value for name, value in table.serde}
    return _delimiter(serde.get("field.delim") or serde.get("serialization.format") or "")


def _delimiter(text: str) -> str:
    if not text:
        return "\x01"
    return chr(int(text)) if text.isdigit() and len(text) > 1 else text if text != "1" else "\x01"


def _skip(table: TableInfo) -> int:
    text = dict(table.parameters).get("skip.header.line.count", "0")
    return int(text) if text.strip().isdigit() else 0


def _lazy(column: Field) -> str:
    """Read text as LazySimpleSerDe does: what does not fit the type is NULL."""
    kind, name = parse_type(column.type), f"f.{_quote(column.name)}"
    if kind.name in _NESTED:
        raise unsupported(f"Column {column.name} of type {column.type} in a text file")
    if kind.name == "varchar":
        return name
    return _strict_try(name, kind)


def _strict_try(value: str, kind: SqlType) -> str:
    """Cast text that looks like the type, else NULL (no rounding of 1.5 to an integer)."""
    if kind.name in {"tinyint", "smallint", "integer", "bigint"}:
        return (
            f"CASE WHEN regexp_full_match({value}, '[-+]?[0-9]+') "
            f"THEN TRY_CAST({value} AS {kind.duck()}) END"
        )
    if kind.name == "boolean":
        return f"CASE lower({value}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    return f"TRY_CAST({value} AS {kind.duck()})"


def _opencsv(column: Field) -> str:
    """Read text as OpenCSVSerde does in Athena: dates are days, timestamps milliseconds."""
    kind, name = parse_type(column.type), f"f.{_quote(column.name)}"
    match kind.name:
        case "varchar":
            return name
        case "date":
            return f"CAST(DATE '1970-01-01' + CAST({name} AS INTEGER) AS DATE)"
        case "timestamp":
            return f"make_timestamp(CAST({name} AS BIGINT) * 1000)"
        case _:
            return f"CAST({name} AS {kind.duck()})"


def _lines(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Match each line once: the groups are a struct, NULL where the line does not match."""
    if table.format == "grok":
        found = _grok(table)
        anchored, groups = _text(f"(?s){found.pattern}"), len(found.names)
    else:
        flags, pattern, groups = _regex(table)
        anchored = _text(f"{flags}^(?:{pattern})$")
    names = ", ".join(f"'g{number}'" for number in range(groups))
    options = (
        f"auto_detect=false, header=false, delim='\x1f', quote='', escape='', nullstr='\x03\x03', "
        f"strict_mode=false, max_line_size=33554432, skip={_skip(table)}, "
        f"columns={{'line': 'VARCHAR'}}"
    ) + extra.options
    return (
        f"(SELECT * REPLACE (CASE WHEN regexp_matches(g, {anchored}) "
        f"THEN regexp_extract(g, {anchored}, [{names}]) END AS g) "
        f"FROM (SELECT * RENAME (line AS g) FROM read_csv({_list(paths)}, {options})))"
    )


def _regex(table: TableInfo) -> tuple[str, str, int]:
    """Give flags, pattern and number of groups of a table's input.regex."""
    serde = {name.lower(): value for name, value in table.serde}
    pattern = serde.get("input.regex")
    if not pattern:
        raise AthenaFailure("HIVE_BAD_DATA", "This table does not have serde property input.regex!")
    flags = "(?si)" if serde.get("input.regex.case.insensitive", "").lower() == "true" else "(?s)"
    try:
        groups = re.compile(flags + pattern).groups
    except re.error as error:
        raise unsupported(f"The regular expression of table {table} ({error})") from error
    if groups < len(table.columns):
        raise AthenaFailure(
            "HIVE_CURSOR_ERROR",
            f"Number of matching groups doesn't match the number of columns: {groups} groups, "
            f"{len(table.columns)} columns",
        )
    return flags, pattern, groups


def _regex_columns(table: TableInfo) -> str:
    optional = _optional_groups(_regex(table)[1])
    return ", ".join(
        f"{_group(number, column, optional=number in optional)} AS {_quote(column.name)}"
        for number, column in enumerate(table.columns)
    )


def _grok(table: TableInfo) -> Grok:
    from runner.local.athena.grok import compile_grok  # noqa: PLC0415 - few tables need it

    serde = {name.lower(): value for name, value in table.serde}
    return compile_grok(serde.get("input.format", ""), serde.get("input.grokcustompatterns", ""))


def _grok_columns(table: TableInfo) -> str:
    names = _grok(table).names
    return ", ".join(
        (
            _group(names.index(f.name), f, optional=True)
            if f.name in names
            else f"CAST(NULL AS {_duck(f)})"
        )
        + f" AS {_quote(f.name)}"
        for f in table.columns
    )


def _group(number: int, column: Field, *, optional: bool) -> str:
    value = f"f.g.g{number}"
    if optional:
        value = f"nullif({value}, '')"
    kind = parse_type(column.type)
    return value if kind.name == "varchar" else _strict_try(value, kind)


def _optional_groups(pattern: str) -> frozenset[int]:
    """Find groups `( x)?` that cannot match nothing: when absent, Java gives NULL, RE2 ''."""
    opened: list[int] = []
    found: set[int] = set()
    groups, place, in_class = 0, 0, False
    starts: dict[int, int] = {}
    while place < len(pattern):
        letter = pattern[place]
        if letter == "\\":
            place += 2
            continue
        if in_class or letter == "[":
            in_class = not (in_class and letter == "]")
        elif letter == "(":
            capturing = not pattern.startswith("(?", place)
            opened.append(groups if capturing else -1)
            starts[groups] = place if capturing else -1
            groups += capturing
        elif letter == ")" and opened:
            group = opened.pop()
            inner = pattern[starts.get(group, 0) + 1 : place]
            if group >= 0 and pattern[place + 1 : place + 2] == "?":
                found |= {group} if _never_empty(inner) else set()
        place += 1
    return frozenset(found)


def _never_empty(inner: str) -> bool:
    try:
        return re.fullmatch(inner, "") is None
    except re.error:
        return False


def _duck(column: Field) -> str:
    return parse_type(column.type).duck()


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _literal(value: str | None) -> str:
    return "NULL" if value is None else _text(value)


def _list(paths: Sequence[str]) -> str:
    return f"[{', '.join(_text(path) for path in paths)}]"
