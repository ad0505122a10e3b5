"""The FROM clause of a scan: files of one table as rows of its declared types.

In: a table and its parts.  Out: a parenthesised DuckDB query with the table's columns in order.
What a value of the wrong type becomes is each SerDe's affair: OpenX and Parquet fail, text with
LazySimpleSerDe or RegexSerDe gives NULL, OpenCSVSerde fails.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.csvtext import csv_value, split_csv
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.foreign import ForeignScan, foreign_table
from runner.local.athena.jsonvalues import json_sql
from runner.local.athena.lazytext import (
    delimiters,
    lazy_value,
    needs_lines,
    split_line,
    strict_try,
)
from runner.local.athena.partitions import Part
from runner.local.athena.regextext import needs_java, optional_groups
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.struck import unstruck
from runner.local.athena.textlines import QUOTE
from runner.local.athena.unpacking import MARKED
from runner.local.athena.writer import statement_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.footers import Footers
    from runner.local.athena.grok import Grok
    from runner.local.athena.partitions import File
    from runner.local.athena.tables import Field, TableInfo

_NO_NULL = "\x03\x03"
_NO_DELIMITER = "\x1f\x1e\x1d\x1c"
"""What no line has, so that DuckDB gives lines whole."""
_PLAIN_VALUE = re.compile(r"(?!null\Z)[a-z0-9][a-z0-9._-]*", re.IGNORECASE)
_FEW = 3
_FEW_STATEMENTS = 8
"""Statements whose files are read each by itself, and not united by name."""


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
    if footers is None or table.format != "parquet" or table.is_iceberg:
        return None
    paths = {statement_of(file.path) or file.path: file.path for p in parts for file in p.files}
    first, found = next(iter(paths.values())), footers(tuple(paths.values()))
    one = found.get(first)
    alike = one is not None and all(found.get(path) == one for path in paths.values())
    return one.names if one is not None and alike else None


def located_sql(table: TableInfo, parts: Sequence[Part]) -> str:
    """Write the query that reads data files with each row's place: `__file` and `__row`."""
    if not parts:
        nothing = ", ".join(f"CAST(NULL AS {_duck(f)}) AS {_quote(f.name)}" for f in table.columns)
        return (
            f"(SELECT {nothing}, CAST(NULL AS VARCHAR) AS __file, CAST(NULL AS BIGINT) AS __row "
            f"WHERE false)"
        )
    extra = _Extra(
        ", hive_partitioning=false, filename='__file', file_row_number=true", ("__file",), _ROW
    )
    columns = f"{_columns(table)}, f.__file AS __file, f.{_ROW} AS __row"
    return f"(SELECT {columns} FROM {_files(table, parts, extra)} AS f)"


class _Extra(NamedTuple):
    """What a reader gives beside the table's columns: its options (after a comma) and names."""

    options: str
    names: tuple[str, ...] = ()
    row: str = ""
    """The name of the column that counts the rows of a file."""
    alike: frozenset[str] | None = None
    """The columns of all files, if they have the same."""


_NESTED = frozenset({"array", "map", "row"})
_ROW = "file_row_number"
_FOREIGN = (".orc", ".avro")
_BARE = _Extra(", hive_partitioning=false")
_NAMED = _Extra(", hive_partitioning=false, filename='__path'", ("__path",))


def _tell_values(table: TableInfo, parts: Sequence[Part]) -> bool:
    """Tell whether DuckDB reads the parts' values, and no others, out of the folders' names."""
    if table.format not in {"parquet", "json", "openx"} or _is_by_index(table):
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
        alike=alike,
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
    files = [file for part in parts for file in part.files]
    if any(file.deletes for file in files):
        return _undeleted(table, files, extra)
    paths = [file.path for file in files]
    if table.is_iceberg and any(path.endswith(_FOREIGN) for path in paths):
        return _mixed(table, paths, extra)
    return _read(table, paths, extra)


def _read(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    match table.format:
        case "parquet" if not _is_by_index(table):
            return _parquet(table, paths, extra)
        case "json" | "openx":
            return json_sql(table, paths, options=extra.options, names=extra.names)
        case "csv" | "opencsv":
            return _csv(table, paths, extra)
        case "regex" | "grok":
            return _lines(table, paths, extra)
        case "orc" | "avro" | "ion" | "parquet":
            return _foreign(table, paths, extra)
        case _:
            raise unsupported(f"The SerDe of table {table}")


def _undeleted(table: TableInfo, files: Sequence[File], extra: _Extra) -> str:
    """Read an Iceberg table's files without the rows that delete files list."""
    struck = tuple(file for file in files if file.deletes)
    named = extra.names[0] if extra.names else "__file"
    located = _Extra(
        f", hive_partitioning=false, filename='{named}', file_row_number=true", (named,), _ROW
    )
    columns = [*(f.name for f in table.columns), *extra.names, *([extra.row] if extra.row else [])]
    bare = tuple(file._replace(deletes=()) for file in struck)
    read = _files(table, [Part((), bare)], located)
    reads = [unstruck(struck, read, columns, (named, _ROW))]
    if clean := tuple(file for file in files if not file.deletes):
        picked = ", ".join(_quote(name) for name in columns)
        reads.append(f"SELECT {picked} FROM {_files(table, [Part((), clean)], extra)}")
    return f"({' UNION ALL '.join(reads)})"


def _mixed(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Read an Iceberg table's files, each as its own format."""
    if any("time zone" in each.type for each in table.columns):
        raise unsupported("A timestamp with time zone in ORC or Avro")
    reads = [
        _foreign(table._replace(format=kind), found, extra)
        for kind in ("orc", "avro")
        if (found := [path for path in paths if path.endswith(f".{kind}")])
    ]
    plain = [path for path in paths if not path.endswith(_FOREIGN)]
    reads += [_parquet(table, plain, extra)] if plain else []
    return f"({' UNION ALL BY NAME '.join(f'SELECT * FROM {each}' for each in reads)})"


def _foreign(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Read what DuckDB does not: the statement names the files, and the engine opens them."""
    by_index = _is_by_index(table)
    return foreign_table(
        ForeignScan(
            table.format,
            tuple(paths),
            tuple((field.name, field.type) for field in table.columns),
            tuple((name.lower(), value) for name, value in table.serde),
            by_index=by_index,
            path_column="".join(extra.names),
            row_column=extra.row,
            numbers=tuple(each.number for each in table.columns) if table.is_iceberg else (),
        )
    )


def _is_by_index(table: TableInfo) -> bool:
    """Tell whether columns are found by their place: by default in ORC, and not in Parquet."""
    serde = {name.lower(): value for name, value in (*table.parameters, *table.serde)}
    default = "true" if table.format == "orc" else "false"
    name = f"{table.format}.column.index.access"
    return not table.is_iceberg and serde.get(name, default).strip().lower() == "true"


def _columns(table: TableInfo) -> str:
    """Write the data columns, cast to their declared types from what `_files` gives."""
    match table.format:
        case "regex":
            return _regex_columns(table)
        case "grok":
            return _grok_columns(table)
        case "csv":
            return _lazy_columns(table)
        case "opencsv":
            return _csv_columns(table)
        case _:
            return ", ".join(
                f"CAST(f.{_quote(f.name)} AS {_duck(f)}) AS {_quote(f.name)}" for f in table.columns
            )


def _parquet(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Read by name: a declared column that no file has is NULL.

    Files of one statement have one schema, so that DuckDB need not open them all to plan.
    """
    if table.columns and all(each.number for each in table.columns):
        return _by_number(table, paths, extra)
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


def _by_number(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Read an Iceberg table's columns by their numbers, whatever their names were."""
    columns = ", ".join(
        f"{each.number}: {{name: {_text(each.name)}, type: {_text(_duck(each))}, "
        f"default_value: NULL}}"
        for each in table.columns
    )
    return f"read_parquet({_list(paths)}, schema=MAP {{{columns}}}{extra.options})"


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


def _csv(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Read fields; where DuckDB cannot tell them apart as the SerDe does, lines are split."""
    serde = dict(table.serde)
    if table.format == "opencsv":
        fields = split_csv("zqfields", serde)
        lines = _whole_lines(table, paths, extra, name="zqfields")
        return f"(SELECT * REPLACE ({fields} AS zqfields) FROM {lines})"
    if _splits_lines(table):
        fields = split_line("zqfields", serde)
        lines = _whole_lines(table, paths, extra, name="zqfields")
        return f"(SELECT * REPLACE ({fields} AS zqfields) FROM {lines})"
    names = ", ".join(f"{_text(f.name)}: 'VARCHAR'" for f in table.columns)
    options = (
        f"{_plain_options(table, paths)}, delim={_text(delimiters(serde).levels[0])}, "
        f"null_padding=true, columns={{{names}}}" + extra.options
    )
    return f"read_csv({_list(paths)}, {options})"


def _plain_options(table: TableInfo, paths: Sequence[str]) -> str:
    """Write the options of every read of text: nothing is quoted, but the marks of empty lines."""
    quote = QUOTE if any(path.endswith(MARKED) for path in paths) else ""
    return (
        f"auto_detect=false, header=false, quote={_text(quote)}, escape='', "
        f"nullstr={_text(_NO_NULL)}, strict_mode=false, skip={_skip(table)}"
    )


def _whole_lines(table: TableInfo, paths: Sequence[str], extra: _Extra, *, name: str) -> str:
    options = (
        f"{_plain_options(table, paths)}, delim={_text(_NO_DELIMITER)}, "
        f"max_line_size=33554432, columns={{{_text(name)}: 'VARCHAR'}}" + extra.options
    )
    return f"read_csv({_list(paths)}, {options})"


def _skip(table: TableInfo) -> int:
    text = dict(table.parameters).get("skip.header.line.count", "0")
    return int(text) if text.strip().isdigit() else 0


def _splits_lines(table: TableInfo) -> bool:
    return needs_lines([parse_type(field.type) for field in table.columns], dict(table.serde))


def _csv_columns(table: TableInfo) -> str:
    """Read text as OpenCSVSerde does in Athena: what does not fit the type fails."""
    given = {name.lower(): value for name, value in (*table.parameters, *table.serde)}
    lenient = given.get("use.null.for.invalid.data", "").strip().lower() == "true"
    return ", ".join(
        f"{csv_value(place, parse_type(f.type), lenient=lenient)} AS {_quote(f.name)}"
        for place, f in enumerate(table.columns)
    )


def _lazy_columns(table: TableInfo) -> str:
    """Read text as LazySimpleSerDe does: what does not fit the type is NULL."""
    serde, whole = dict(table.serde), _splits_lines(table)
    texts = [
        f"f.zqfields[{place}]" if whole else f"f.{_quote(f.name)}"
        for place, f in enumerate(table.columns, 1)
    ]
    return ", ".join(
        f"{lazy_value(text, parse_type(f.type), serde)} AS {_quote(f.name)}"
        for f, text in zip(table.columns, texts, strict=True)
    )


def _lines(table: TableInfo, paths: Sequence[str], extra: _Extra) -> str:
    """Match each line once: the groups are a struct, NULL where the line does not match."""
    if table.format == "grok":
        found = _grok(table)
        anchored, groups = _text(f"(?s){found.pattern}"), len(found.names)
    else:
        flags, pattern, groups = _regex(table)
        if needs_java(pattern):
            matched = f"__line_groups(g, {_text(flags + pattern)})"
            lines = _whole_lines(table, paths, extra, name="g")
            return f"(SELECT * REPLACE ({matched} AS g) FROM {lines})"
        anchored = _text(f"{flags}^(?:{pattern})$")
    names = ", ".join(f"'g{number}'" for number in range(groups))
    lines = _whole_lines(table, paths, extra, name="line")
    return (
        f"(SELECT * REPLACE (CASE WHEN regexp_matches(g, {anchored}) "
        f"THEN regexp_extract(g, {anchored}, [{names}]) END AS g) "
        f"FROM (SELECT * RENAME (line AS g) FROM {lines}))"
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
    pattern = _regex(table)[1]
    if needs_java(pattern):
        return ", ".join(
            f"{_taken(f'f.g[{place}]', column)} AS {_quote(column.name)}"
            for place, column in enumerate(table.columns, 1)
        )
    optional = optional_groups(pattern)
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
    return _taken(value, column)


def _taken(value: str, column: Field) -> str:
    kind = parse_type(column.type)
    return value if kind.name == "varchar" else strict_try(value, kind)


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
