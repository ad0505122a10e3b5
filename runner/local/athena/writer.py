"""Writing a query's rows as files of a table: hive folders, one file each, seen one by one.

In: a plan, and where and how to write.  Out: what was written.  DuckDB writes into an invisible
folder of the same file system; the files then appear one after another, and a failure between
two of them leaves those that were there, as Athena does.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.csvtext import csv_options, csv_text
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.lazytext import lazy_options, lazy_text
from runner.local.athena.partitions import hive_folder, unescape_value
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.engine import Engine, Handle
    from runner.local.athena.icebergs.types import IcebergField
    from runner.local.athena.partitions import Values
    from runner.local.athena.tables import Field
    from runner.local.s3 import FolderS3

FOREIGN = frozenset({"orc", "avro", "ion"})
"""Formats that DuckDB does not write: it writes Parquet, from which they are made."""
_KEY = "__k"
_TEXT = frozenset({"json", "csv", "opencsv"})
_PLAIN = ("NONE", "UNCOMPRESSED")
_OWN_CODECS = ("GZIP", "ZSTD")
"""Codecs in which DuckDB packs text."""
_NAME = re.compile(r"(?<![0-9a-f-])([0-9a-f-]{36})_[0-9a-f-]{36}\.parquet\Z")
MOST_WRITERS = 100
"""Partitions that one statement may write."""


class Target(NamedTuple):
    """Where rows go: the location, the columns in order (keys last), and the file format."""

    location: str
    columns: tuple[Field, ...]
    keys: tuple[Field, ...]
    format: str
    compression: str
    level: int = 0
    """Of ZSTD's compression; 0 for its own choice."""
    bucket: int = -1
    """The bucket that the rows belong to, for the files' names; -1 if there are none."""
    numbers: str = ""
    """DuckDB's FIELD_IDS, where columns have numbers of their own."""
    as_text: bool = False
    """Whether Ion is written as text."""
    serde: tuple[tuple[str, str], ...] = ()
    """The properties of a text table's SerDe: more delimiters, and how NULL is written."""
    fields: tuple[IcebergField, ...] = ()
    """Of an Iceberg table whose files are not Parquet: they carry the fields' numbers."""


class Written(NamedTuple):
    """What a statement wrote: rows, file URLs, partitions in order, and bytes that it read."""

    rows: int
    files: tuple[str, ...]
    partitions: tuple[tuple[str | None, ...], ...]
    bytes_read: int


class Writer(NamedTuple):
    """Writes for one statement."""

    engine: Engine
    s3: FolderS3
    query_id: str
    before_file: Callable[[int], None]
    """Called with the number of files already visible; may raise, to fail the statement there."""

    def write(self, cursor: Handle, select: str, target: Target) -> Written:
        """Write the rows of a select whose columns are the target's, by position and type."""
        bucket, _, prefix = target.location.removeprefix("s3://").partition("/")
        folder = f"{self.s3.temporary_folder(bucket)}/{self.query_id}-{os.urandom(4).hex()}"
        os.mkdir(folder)  # noqa: PTH102 - plain text is what costs least per file
        try:
            return self._write(cursor, select, target, (bucket, prefix.rstrip("/"), folder))
        finally:
            _discard(folder)

    def _write(
        self,
        cursor: Handle,
        select: str,
        target: Target,
        place: tuple[str, str, str],
    ) -> Written:
        bucket, prefix, folder = place
        bucket_name = f"bucket-{target.bucket:05}_" if target.bucket >= 0 else ""
        start = f"{folder}/{self.query_id}_{bucket_name}"
        found = self.engine.run(cursor, _copy(select, target, start))
        rows, paths = int(found.rows[0][0]), list(found.rows[0][1]) if found.rows[0][0] else []
        paths = [_finished(path, target) for path in paths]
        keyed = [(_values_of(path, folder, len(target.keys)), path) for path in paths]
        keyed.sort(key=lambda each: ([value or "" for value in each[0]], each[1]))
        counts = Counter(values for values, _ in keyed)
        if len(counts) > MOST_WRITERS:
            raise AthenaFailure(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MOST_WRITERS} open writers for partitions/buckets",
            )
        files = []
        for number, (values, path) in enumerate(keyed):
            self.before_file(number)
            key = f"{prefix}/{hive_folder(target.keys, values)}".strip("/")
            whole = bool(values) and counts[values] == 1
            files.append(self._show(path, bucket, key, own_folder=whole))
        return Written(rows, tuple(files), tuple(counts), found.bytes_read)

    def _show(self, path: str, bucket: str, folder: str, *, own_folder: bool) -> str:
        """Make a finished file visible; a partition's folder moves whole if it is new."""
        parent, _, name = path.rpartition("/")
        key = f"{folder}/{name}" if folder else name
        if not (own_folder and self.s3.adopt_folder(parent, Bucket=bucket, Prefix=folder)):
            self.s3.adopt(path, Bucket=bucket, Key=key)
        return f"s3://{bucket}/{key}"


def _finished(path: str, target: Target) -> str:
    """Make what DuckDB wrote into a file of the target's format and codec; gives its path."""
    if target.format in FOREIGN:
        from runner.local.athena.converting import convert  # noqa: PLC0415 - few tables need it

        path = convert(path, target)
    if _is_packed_after(target):
        from runner.local.athena.packing import pack  # noqa: PLC0415 - as above

        path = pack(path, target.compression)
    return path


def _is_packed_after(target: Target) -> bool:
    if target.format == "ion":
        return target.compression not in _PLAIN
    return target.format in _TEXT and target.compression not in {*_PLAIN, *_OWN_CODECS}


def _discard(folder: str) -> None:
    """Remove a folder, which is empty unless the statement failed."""
    try:
        os.rmdir(folder)  # noqa: PTH106 - as above
    except OSError:
        import shutil  # noqa: PLC0415 - only after failures

        shutil.rmtree(folder, ignore_errors=True)


def statement_of(path: str) -> str:
    """Give the query that wrote a file of a partition, by its name; empty if it was another's.

    >>> statement_of("dt=1/run_" + "1" * 36 + "_" + "2" * 36 + ".parquet") == "1" * 36
    True
    """
    match = _NAME.search(path)
    return match[1] if match else ""


def _values_of(path: str, folder: str, keys: int) -> Values:
    """Read partition values from the path that DuckDB chose."""
    parts = path.removeprefix(f"{folder}/").split("/")[:keys]
    return tuple(unescape_value(part.partition("=")[2]) for part in parts)


def _copy(select: str, target: Target, start: str) -> str:
    """Write the COPY statement; partition columns get names that no data column has.

    `start` is the folder and what the name of each file begins with.
    """
    plain = len(target.columns)
    names = [f"c{n}" for n in range(plain)] + [f"{_KEY}{n}" for n in range(len(target.keys))]
    data = ", ".join(
        f"{_written(f'CAST(c{n} AS {parse_type(column.type).duck()})', column, target)} "
        f'AS "{column.name}"'
        for n, column in enumerate(target.columns)
    )
    keys = "".join(
        f", nullif(CAST({_KEY}{n} AS VARCHAR), '') AS {_KEY}{n}" for n in range(len(target.keys))
    )
    rows = f"SELECT {data}{keys} FROM ({select}) AS q({', '.join(names)})" + _nulls(
        len(names), target
    )
    options = _format(target)
    to, _, name = start.rpartition("/")
    if target.keys:
        keyed = ", ".join(f"{_KEY}{n}" for n in range(len(target.keys)))
        options += f", PARTITION_BY ({keyed}), FILENAME_PATTERN '{name}{{uuid}}'"
    else:
        to = f"{start}f{_suffix(target)}"
    return f"COPY ({rows}) TO {_text(to)} ({options}, RETURN_FILES)"


def _nulls(columns: int, target: Target) -> str:
    """Write no rows at all whose columns may be NULL, so that those of the file may be, too.

    DuckDB would make a column REQUIRED whose values it knows not to be NULL, a constant's for one;
    Athena never does.  DuckDB must not see that there are no rows: `WHERE false` would not do.
    """
    if target.format in _TEXT:
        return ""
    return f" UNION ALL SELECT {', '.join(['NULL'] * columns)} FROM range(0)"


def _written(value: str, column: Field, target: Target) -> str:
    """Write a column's value as its format keeps it."""
    if target.format == "csv":
        return lazy_text(value, parse_type(column.type), dict(target.serde))
    if target.format == "json" and "binary" in column.type:
        raise unsupported(f"Column {column.name} of type {column.type} in JSON")
    if target.format == "opencsv":
        return csv_text(value, dict(target.serde))
    return value


def _format(target: Target) -> str:
    """Write COPY's options: timestamps are INT96, as Hive has them, except in Iceberg's files."""
    codec = target.compression.upper() or "GZIP"
    match target.format:
        case "parquet":
            codecs = {"NONE": "UNCOMPRESSED", "LZ4": "LZ4_RAW"}
            level = (
                f", COMPRESSION_LEVEL {target.level}" if codec == "ZSTD" and target.level else ""
            )
            kind = (
                f"FIELD_IDS {target.numbers}" if target.numbers else "WRITE_TIMESTAMP_AS_INT96 true"
            )
            return f"FORMAT parquet, COMPRESSION {codecs.get(codec, codec)}{level}, {kind}"
        case "json":
            return f"FORMAT json, COMPRESSION {_text_codec(target)}"
        case "csv":
            return f"{lazy_options(dict(target.serde))}, COMPRESSION {_text_codec(target)}"
        case "opencsv":
            return f"{csv_options(dict(target.serde))}, COMPRESSION {_text_codec(target)}"
        case _:
            return "FORMAT parquet, COMPRESSION snappy"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _text_codec(target: Target) -> str:
    codec = target.compression.upper() or "GZIP"
    return codec.lower() if codec in _OWN_CODECS else "none"


def _suffix(target: Target) -> str:
    if target.format == "parquet" or target.format in FOREIGN:
        return ".parquet"
    packed = {"GZIP": ".gz", "ZSTD": ".zst", "": ".gz"}.get(target.compression.upper(), "")
    return (".json" if target.format == "json" else ".csv") + packed
