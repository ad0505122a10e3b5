"""The columns of some files, as Glue's classifiers name them: DuckDB reads, this names the types.

In: paths of files.  Out: classification, columns with Glue's types, and what the crawler notes.
Numbers of text files are `int` where every value fits, else `bigint`, in CSV always `bigint`; dates
and times in text stay `string`, as Glue's own classifiers leave them.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

_PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_LOOKED_AT = 4096
_INT_MAX = 2**31 - 1
_SIMPLE = {
    "boolean": "boolean",
    "tinyint": "tinyint",
    "smallint": "smallint",
    "utinyint": "smallint",
    "usmallint": "int",
    "integer": "int",
    "uinteger": "bigint",
    "bigint": "bigint",
    "ubigint": "decimal(20,0)",
    "hugeint": "decimal(38,0)",
    "uhugeint": "decimal(38,0)",
    "float": "float",
    "double": "double",
    "varchar": "string",
    "blob": "binary",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_s": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp_ns": "timestamp",
    "timestamp with time zone": "timestamp",
}
_NUMBERS = {"bigint": "bigint", "hugeint": "bigint", "ubigint": "bigint", "double": "double"}
"""Of numbers in text."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What some files hold."""

    classification: str
    columns: tuple[tuple[str, str], ...]
    """Names in small letters and Glue's types."""
    rows: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the table, beside what every table has."""
    serde: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the SerDe."""


class UnreadableError(Exception):
    """A file that is of no format that the crawler knows."""


def classify(path: str) -> str:
    """Tell the format of a file by its first bytes."""
    with open(path, "rb") as file:  # noqa: PTH123 - a path as text, of which there are thousands
        start = file.read(_LOOKED_AT)
    if start.startswith(_GZIP_MAGIC):
        with gzip.open(path) as unpacked:
            start = unpacked.read(_LOOKED_AT)
    if start.startswith(_PARQUET_MAGIC):
        return "parquet"
    return "json" if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "csv"


def infer(connection: DuckDBPyConnection, classification: str, paths: Sequence[str]) -> Schema:
    """Read the columns of files of one format; UnreadableError names what cannot be read."""
    readers = {"parquet": _parquet, "json": _json, "csv": _csv}
    try:
        return readers[classification](connection, list(paths))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise UnreadableError(f"{classification}: {reason}") from error


def _parquet(connection: DuckDBPyConnection, paths: list[str]) -> Schema:
    relation = connection.sql(
        "SELECT * FROM read_parquet($paths, union_by_name = true, hive_partitioning = false)",
        params={"paths": paths},
    )
    columns = [
        (name.lower(), glue_type(kind))
        for name, kind in zip(relation.columns, relation.types, strict=True)
    ]
    count = "SELECT sum(num_rows) FROM parquet_file_metadata($paths)"
    (rows,) = connection.execute(count, {"paths": paths}).fetchone() or (0,)
    serde = {"serialization.format": "1"}
    return Schema("parquet", _distinct(columns), int(rows or 0), serde=serde)


def glue_type(kind: DuckDBPyType) -> str:
    """Name a column's type of a Parquet file as the catalogue does."""
    match kind.id:
        case "struct":
            inner = ",".join(f"{name}:{glue_type(one)}" for name, one in _inside(kind))
            return f"struct<{inner}>"
        case "list" | "array":
            return f"array<{glue_type(_inside(kind)[0][1])}>"
        case "map":
            key, value = (glue_type(one) for _, one in _inside(kind))
            return f"map<{key},{value}>"
        case "decimal":
            precision, scale = (number for _, number in kind.children)
            return f"decimal({precision},{scale})"
        case simple:
            return _SIMPLE.get(simple, "string")


def _inside(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """Give the types that a nested type is made of, with their names."""
    return [(name, one) for name, one in kind.children if not isinstance(one, int | list)]


_JSON = (
    "read_json($paths, format = 'auto', union_by_name = true, hive_partitioning = false, "
    "sample_size = -1, map_inference_threshold = -1, convert_strings_to_integers = false)"
)


def _json(connection: DuckDBPyConnection, paths: list[str]) -> Schema:
    relation = connection.sql(f"SELECT * FROM {_JSON}", params={"paths": paths})
    found = list(zip(relation.columns, relation.types, strict=True))
    small = _small_numbers(connection, paths, found)
    columns = [(name, _text_type(kind, (name,), small)) for name, kind in found]
    (rows,) = connection.execute(f"SELECT count(*) FROM {_JSON}", {"paths": paths}).fetchone() or (
        0,
    )
    names = ",".join(sorted(name for name, _ in found))
    return Schema(
        "json",
        _distinct([(name.lower(), kind) for name, kind in columns]),
        rows,
        serde={"paths": names},
    )


_Path = tuple[str, ...]


def _small_numbers(
    connection: DuckDBPyConnection, paths: list[str], found: Sequence[tuple[str, DuckDBPyType]]
) -> frozenset[_Path]:
    """Find the columns of whole numbers that fit an `int`; those in arrays are not looked at."""
    whole = [path for name, kind in found for path in _whole_numbers((name,), kind)]
    if not whole:
        return frozenset()
    tests = ", ".join(
        f"bool_and(abs({'.'.join(map(_quoted, path))}) <= {_INT_MAX})" for path in whole
    )
    row = connection.execute(f"SELECT {tests} FROM {_JSON}", {"paths": paths}).fetchone() or ()
    return frozenset(path for path, fits in zip(whole, row, strict=True) if fits)


def _whole_numbers(path: _Path, kind: DuckDBPyType) -> list[_Path]:
    if kind.id == "struct":
        return [
            one for name, inner in _inside(kind) for one in _whole_numbers((*path, name), inner)
        ]
    return [path] if kind.id in ("bigint", "ubigint", "hugeint") else []


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text_type(kind: DuckDBPyType, path: _Path, small: frozenset[_Path]) -> str:
    """Name the type of a value that was written as text."""
    match kind.id:
        case "struct":
            inner = ",".join(
                f"{name}:{_text_type(one, (*path, name), small)}" for name, one in _inside(kind)
            )
            return f"struct<{inner}>"
        case "list":
            return f"array<{_text_type(_inside(kind)[0][1], (*path, '[]'), small)}>"
        case "boolean":
            return "boolean"
        case simple if path in small:
            return "int"
        case simple:
            return _NUMBERS.get(simple, "string")


def _csv(connection: DuckDBPyConnection, paths: list[str]) -> Schema:
    sniffed = connection.execute(
        "SELECT Delimiter, Quote, HasHeader, Columns FROM sniff_csv($path, sample_size = -1)",
        {"path": paths[0]},
    ).fetchone()
    if sniffed is None:  # pragma: no cover - sniff_csv gives a row or an error
        raise UnreadableError(paths[0])
    delimiter, quote, has_header, _ = sniffed
    by_name = str(bool(has_header)).lower()
    reader = (
        f"read_csv($paths, delim = $delimiter, header = {by_name}, union_by_name = {by_name}, "
        "sample_size = -1, hive_partitioning = false)"
    )
    given = {"paths": paths, "delimiter": delimiter}
    relation = connection.sql(f"SELECT * FROM {reader}", params=given)
    names = relation.columns if has_header else [f"col{n}" for n in range(len(relation.columns))]
    columns = [
        (name.strip().lower(), _text_type(kind, (), frozenset()))
        for name, kind in zip(names, relation.types, strict=True)
    ]
    (rows,) = connection.execute(f"SELECT count(*) FROM {reader}", given).fetchone() or (0,)
    parameters = {
        "areColumnsQuoted": str(_is_quoted(paths[0], quote)).lower(),
        "columnsOrdered": "true",
        "delimiter": delimiter,
    }
    if has_header:
        parameters["skip.header.line.count"] = "1"
    return Schema(
        "csv", _distinct(columns), rows, parameters=parameters, serde={"field.delim": delimiter}
    )


def _is_quoted(path: str, quote: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        start = file.read(_LOOKED_AT)
    if start.startswith(_GZIP_MAGIC):
        with gzip.open(path) as unpacked:
            start = unpacked.read(_LOOKED_AT)
    return bool(quote) and quote != "\0" and quote.encode() in start


def _distinct(columns: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Keep the first of columns that differ in letters only: the catalogue knows no difference."""
    found: dict[str, str] = {}
    for name, kind in columns:
        found.setdefault(name, kind)
    return tuple(found.items())


_RANK = {"tinyint": 1, "smallint": 2, "int": 3, "bigint": 4, "float": 5, "double": 6}


def merged(schemas: Sequence[Schema]) -> tuple[tuple[str, str], ...]:
    """Join the columns of folders of one table: the wider number, `string` for what differs."""
    found: dict[str, str] = {}
    for schema in schemas:
        for name, kind in schema.columns:
            found[name] = _wider(found[name], kind) if name in found else kind
    return tuple(found.items())


def _wider(one: str, other: str) -> str:
    """Give a type for both.

    >>> _wider("int", "bigint"), _wider("bigint", "double"), _wider("boolean", "int")
    ('bigint', 'double', 'string')
    """
    if one == other:
        return one
    if one in _RANK and other in _RANK:
        return max(one, other, key=_RANK.__getitem__)
    return "string"
