"""One export: every table's rows as Parquet files, at the keys that RDS gives them.

    <prefix>/<identifier>/<database>/<schema>.<table>/1/part-00000-<uuid>.gz.parquet
    <prefix>/<identifier>/export_info_<identifier>.json

In: a database, a place.  Out: the files; a second go at one identifier begins by removing what the
first left, so that a killed export leaves no row twice.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from runner.local.rds.reading import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from runner.local.loader.targets import Target
    from runner.local.rds.reading import Reader, Row, Table
    from runner.local.s3 import FolderS3

FILE_ROWS = 500_000
"""Rows of one file, at least; RDS makes one for each part of a table that it reads at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export goes."""

    bucket: str
    prefix: str
    """With a slash at its end, or empty."""
    identifier: str

    @property
    def folder(self) -> str:
        """Give the prefix of all that the export writes."""
        return f"{self.prefix}{self.identifier}/"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    tables: tuple[str, ...]
    left_out: tuple[str, ...]
    size: int


class ExportError(Exception):
    """An export that cannot be done, in words."""


def export(
    target: Target, name: str, *, only: Sequence[str], place: Place, s3: FolderS3
) -> Exported:
    """Export a database's tables; ExportError says what is wrong."""
    _empty(s3, place)
    with open_reader(target, name) as reader, duckdb.connect() as connection:
        tables = _chosen(reader.tables(), only)
        fit = [table for table in tables if not table.unfit]
        size = sum(_export_table(reader, table, connection, place, s3) for table in fit)
    left_out = tuple(f"{table.name}: {table.unfit}" for table in tables if table.unfit)
    made = Exported(tuple(table.name for table in fit), left_out, size)
    _describe(s3, place, made)
    return made


def _empty(s3: FolderS3, place: Place) -> None:
    while True:
        page = s3.list_objects_v2(Bucket=place.bucket, Prefix=place.folder)
        keys = [{"Key": item["Key"]} for item in page.get("Contents", ())]
        if not keys:
            return
        s3.delete_objects(Bucket=place.bucket, Delete={"Objects": keys})


def _chosen(tables: list[Table], only: Sequence[str]) -> list[Table]:
    """Choose by `database`, `database.table` or `database.schema.table`."""
    if not only:
        return tables
    names = {one: [table for table in tables if one in _names(table)] for one in only}
    absent = [one for one, found in names.items() if not found]
    if absent:
        known = ", ".join(f"{table.database}.{table.name}" for table in tables) or "none"
        raise ExportError(f"ExportOnly names {', '.join(absent)}; the tables are: {known}")
    return [table for table in tables if any(table in found for found in names.values())]


def _names(table: Table) -> tuple[str, ...]:
    whole = f"{table.database}.{table.name}"
    return table.database, whole, f"{table.database}.{whole}"


def _export_table(
    reader: Reader, table: Table, connection: DuckDBPyConnection, place: Place, s3: FolderS3
) -> int:
    folder = f"{place.folder}{table.database}/{table.database}.{table.name}/1/"
    size = 0
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / "rows.json"
        for number, _ in enumerate(_filled(lines, reader.batches(table))):
            name = f"part-{number:05}-{uuid.uuid4()}.gz.parquet"
            path = Path(scratch) / name
            _write(connection, table, lines, path)
            size += path.stat().st_size
            s3.put_object(Bucket=place.bucket, Key=f"{folder}{name}", Body=path.read_bytes())
            path.unlink()
    return size


def _filled(lines: Path, batches: Iterator[list[Row]]) -> Iterator[int]:
    """Fill the file with the rows of one Parquet file after the other; once without any."""
    rows, files = 0, 0
    out = lines.open("w", encoding="utf-8")
    try:
        for batch in batches:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in batch)
            rows += len(batch)
            if rows >= FILE_ROWS:
                out.close()
                yield rows
                out, rows, files = lines.open("w", encoding="utf-8"), 0, files + 1
    finally:
        out.close()
    if rows or not files:
        yield rows


def _write(connection: DuckDBPyConnection, table: Table, lines: Path, path: Path) -> None:
    """Cast the text of every row to the export's types, into one Parquet file."""
    chosen = ", ".join(
        f"{_cast(number, kind)} AS {_quoted(name)}"
        for number, (name, kind) in enumerate(table.columns)
    )
    rows = (
        f"SELECT {chosen} FROM (SELECT json AS r FROM read_json_objects({_literal(lines)}, "
        "format = 'newline_delimited', maximum_object_size = 1073741824))"
    )
    connection.execute(f"COPY ({rows}) TO {_literal(path)} (FORMAT parquet, COMPRESSION gzip)")


def _cast(number: int, kind: str) -> str:
    text = f"(r ->> {number})"
    return f"from_hex({text})" if kind == "BLOB" else f"CAST({text} AS {kind})"


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _describe(s3: FolderS3, place: Place, made: Exported) -> None:
    """Leave the export's own description beside the databases, as RDS does."""
    told = {
        "exportTaskIdentifier": place.identifier,
        "status": "COMPLETE",
        "tables": list(made.tables),
        "leftOut": list(made.left_out),
    }
    key = f"{place.folder}export_info_{place.identifier}.json"
    s3.put_object(Bucket=place.bucket, Key=key, Body=json.dumps(told).encode())
