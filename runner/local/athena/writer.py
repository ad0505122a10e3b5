"""Writing a query's rows as files of a table: hive folders, one file each, seen one by one.

In: a plan, and where and how to write.  Out: what was written.  DuckDB writes into an invisible
folder of the same file system; the files then appear one after another, and a failure between
two of them leaves those that were there, as Athena does.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.partitions import hive_folder, unescape_value
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.engine import Engine, Handle, Rows
    from runner.local.athena.partitions import Values
    from runner.local.athena.tables import Field
    from runner.local.s3 import FolderS3

_KEY = "__k"
MOST_WRITERS = 100
"""Partitions that one statement may write."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: the location, the columns in order (keys last), and the file format."""

    location: str
    columns: tuple[Field, ...]
    keys: tuple[Field, ...]
    format: str
    compression: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a statement wrote: rows, file URLs, partitions in order, and bytes that it read."""

    rows: int
    files: tuple[str, ...]
    partitions: tuple[tuple[str | None, ...], ...]
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for one statement."""

    engine: Engine
    s3: FolderS3
    query_id: str
    before_file: Callable[[int], None]
    """Called with the number of files already visible; may raise, to fail the statement there."""

    def write(self, cursor: Handle, select: str, target: Target) -> Written:
        """Write the rows of a select whose columns are the target's, by position and type."""
        bucket, _, prefix = target.location.removeprefix("s3://").partition("/")
        folder = self.s3.temporary_folder(bucket) / f"{self.query_id}-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        try:
            return self._write(cursor, select, target, (bucket, prefix.rstrip("/"), folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _write(
        self,
        cursor: Handle,
        select: str,
        target: Target,
        place: tuple[str, str, Path],
    ) -> Written:
        bucket, prefix, folder = place
        found = self.engine.run(cursor, _copy(select, target, folder))
        keyed = _made(found, target, folder)
        keyed.sort(key=lambda each: ([value or "" for value in each[0]], each[1]))
        partitions = tuple(dict.fromkeys(values for values, _, _ in keyed))
        if len(partitions) > MOST_WRITERS:
            raise AthenaFailure(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MOST_WRITERS} open writers for partitions/buckets",
            )
        files = []
        for number, (values, path, _) in enumerate(keyed):
            self.before_file(number)
            folder_key = f"{prefix}/{hive_folder(target.keys, values)}".strip("/")
            files.append(self._show(Path(path), bucket, folder_key, own_folder=bool(values)))
        return Written(
            sum(count for _, _, count in keyed), tuple(files), partitions, found.bytes_read
        )

    def _show(self, path: Path, bucket: str, folder: str, *, own_folder: bool) -> str:
        """Make a finished file visible; a partition's folder moves whole if it is new."""
        name = f"{self.query_id}_{path.name}"
        if own_folder and len(list(path.parent.iterdir())) == 1:
            path = path.rename(path.with_name(name))
            if self.s3.adopt_folder(path.parent, Bucket=bucket, Prefix=folder):
                return f"s3://{bucket}/{folder}/{name}"
        key = f"{folder}/{name}" if folder else name
        self.s3.adopt(path, Bucket=bucket, Key=key)
        return f"s3://{bucket}/{key}"


def _made(found: Rows, target: Target, folder: Path) -> list[tuple[Values, str, int]]:
    """Give what COPY made: partition values, path and rows of each file that has rows.

    Only Parquet's writer tells rows and values per file; for text the values are read from the
    paths and all rows are counted with the first file.
    """
    keys = len(target.keys)
    if target.format == "parquet":
        names = [name for name, _ in found.columns]
        spots = [names.index(each) for each in ("filename", "count", "partition_keys")]
        made = [tuple(row[each] for each in spots) for row in found.rows]
        return [
            (tuple((values or {}).get(f"{_KEY}{n}") for n in range(keys)), path, int(count))
            for path, count, values in made
            if count
        ]
    total, paths = int(found.rows[0][0]), list(found.rows[0][1])
    return [
        (_values_of(path, folder, keys), path, 0 if number else total)
        for number, path in enumerate(paths)
        if total
    ]


def _values_of(path: str, folder: Path, keys: int) -> Values:
    parts = Path(path).relative_to(folder).parts[:keys]
    return tuple(unescape_value(part.partition("=")[2]) for part in parts)


def _copy(select: str, target: Target, folder: Path) -> str:
    """Write the COPY statement; partition columns get names that no data column has."""
    plain = len(target.columns)
    names = [f"c{n}" for n in range(plain)] + [f"{_KEY}{n}" for n in range(len(target.keys))]
    data = ", ".join(
        f'CAST(c{n} AS {parse_type(column.type).duck()}) AS "{column.name}"'
        for n, column in enumerate(target.columns)
    )
    keys = "".join(
        f", nullif(CAST({_KEY}{n} AS VARCHAR), '') AS {_KEY}{n}" for n in range(len(target.keys))
    )
    rows = f"SELECT {data}{keys} FROM ({select}) AS q({', '.join(names)})"
    options = _format(target)
    if target.keys:
        keyed = ", ".join(f"{_KEY}{n}" for n in range(len(target.keys)))
        options += f", PARTITION_BY ({keyed}), FILENAME_PATTERN '{{uuid}}'"
        to = str(folder)
    else:
        to = str(folder / f"f{_suffix(target)}")
    answer = "RETURN_STATS" if target.format == "parquet" else "RETURN_FILES"
    return f"COPY ({rows}) TO '{to}' ({options}, {answer})"


def _format(target: Target) -> str:
    codec = target.compression.upper() or "GZIP"
    match target.format:
        case "parquet":
            codecs = {"NONE": "UNCOMPRESSED", "LZ4": "LZ4_RAW"}
            if codec in {"LZO", "BZIP2"}:
                raise unsupported(f"Compression {codec} of PARQUET")
            return f"FORMAT parquet, COMPRESSION {codecs.get(codec, codec)}"
        case "json":
            return f"FORMAT json, COMPRESSION {_text_codec(codec)}"
        case "csv":
            return (
                f"FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '', "
                f"NULLSTR '\\N', COMPRESSION {_text_codec(codec)}"
            )
        case _:
            raise unsupported(f"Writing {target.format.upper()}")


def _text_codec(codec: str) -> str:
    if codec not in {"GZIP", "ZSTD", "NONE", "UNCOMPRESSED"}:
        raise unsupported(f"Compression {codec} of text")
    return {"UNCOMPRESSED": "none"}.get(codec, codec.lower())


def _suffix(target: Target) -> str:
    if target.format == "parquet":
        return ".parquet"
    packed = {"GZIP": ".gz", "ZSTD": ".zst", "": ".gz"}.get(target.compression.upper(), "")
    return {"json": ".json", "csv": ".csv"}.get(target.format, "") + packed
