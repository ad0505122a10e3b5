"""Iceberg tables on this machine: snapshots of a table's files, committed one after another.

In: a table of the catalogue.  Out: the files of its current snapshot, and commits of new ones.
What is kept is what a reader or writer of Athena's Iceberg tables can tell apart: a statement
reads one snapshot, a commit is one catalogue update that fails if somebody else committed first,
and what a failed statement wrote belongs to no snapshot.  The files themselves are not Iceberg's:
one JSON document a snapshot (`metadata/<number>-<statement>.metadata.json`) lists the Parquet
files, there are no manifests, and a change of rows writes the files anew that hold them.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.partitions import File
from runner.local.athena.tables import Field, table_info
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.athena.partitions import Part
    from runner.local.athena.session import Session
    from runner.local.athena.tables import TableInfo
    from runner.local.s3 import FolderS3

METADATA = "metadata_location"
PREVIOUS = "previous_metadata_location"
_KEPT = ("Name", "Description", "Owner", "Retention", "PartitionKeys", "TableType")
CURRENT = {"iceberg.field.current": "true"}
"""Parameters of each column that is in the current schema, as Athena writes them."""


class Snapshot(NamedTuple):
    """What one metadata document says."""

    number: int
    operation: str
    partition: tuple[str, ...]
    """What tells partitions: columns (`dt`), or transforms of them (`bucket(16, id)`)."""
    files: tuple[str, ...]
    """URLs of the data files."""

    def dump(self, table: str, previous: str) -> bytes:
        """Write the document."""
        found = {
            "format": "local-iceberg",
            "table": table,
            "previous": previous,
            **self._asdict(),
        }
        return json.dumps(found, indent=1).encode()


class Opened(NamedTuple):
    """A table as a statement found it: what it reads, and what its commit must still find."""

    table: TableInfo
    version: str
    glue: dict[str, Any]
    snapshot: Snapshot

    def terms(self) -> tuple[Term, ...]:
        """Give what tells partitions, in the order of the partitioning."""
        by_name = {each.name: each for each in self.table.columns}
        return tuple(_term(text, by_name) for text in self.snapshot.partition)


class Term(NamedTuple):
    """What tells partitions: a column, or a transform of one."""

    field: Field
    """The name and type of the folders' key."""
    column: str
    sql: str
    """The value, with `{}` for the column."""


_TERM = re.compile(r"(?:(\w+)\((?:(\d+), )?)?(\w+)\)?")
_DATES = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "hour": "%Y-%m-%d-%H"}
TRANSFORMS = frozenset({*_DATES, "bucket", "truncate"})


def column_of(term: str) -> str:
    """Give the column of `dt` or `bucket(16, id)`."""
    match = _TERM.fullmatch(term)
    return match[3] if match else term


def _term(text: str, columns: Mapping[str, Field]) -> Term:
    """Read `dt`, `month(dt)` or `bucket(16, id)`; the buckets are DuckDB's hash, not Iceberg's."""
    match = _TERM.fullmatch(text)
    transform, number, name = match.groups() if match else ("", "", text)
    column = columns[name]
    if not transform:
        return Term(column, name, "{}")
    key = Field(f"{name}_{transform.removesuffix('cate')}", "string")
    if transform in _DATES:
        return Term(key, name, f"strftime({{}}, '{_DATES[transform]}')")
    if transform == "bucket":
        return Term(key, name, f"CAST(hash({{}}) % {number} AS VARCHAR)")
    if column.type in {"int", "bigint"}:
        return Term(key, name, f"CAST({{}} - (({{}} % {number}) + {number}) % {number} AS VARCHAR)")
    return Term(key, name, f"left({{}}, {number})")


def read_snapshot(s3: FolderS3, url: str) -> Snapshot:
    """Read a metadata document; raises AthenaFailure if it is gone."""
    try:
        with open(s3.place_of(url), "rb") as file:  # noqa: PTH123 - text is what places are
            found = json.load(file)
    except FileNotFoundError as error:
        raise AthenaFailure(
            "ICEBERG_MISSING_METADATA", f"Metadata not found in metadata location: {url}"
        ) from error
    return Snapshot(
        found["number"], found["operation"], tuple(found["partition"]), tuple(found["files"])
    )


def snapshot_files(s3: FolderS3, table: TableInfo) -> tuple[File, ...]:
    """Give the files of the snapshot that the table's description names."""
    snapshot = read_snapshot(s3, dict(table.parameters).get(METADATA, ""))
    return tuple(_file(s3, url) for url in snapshot.files)


def _file(s3: FolderS3, url: str) -> File:
    path = s3.place_of(url)
    try:
        return File(path, os.stat(path).st_size)  # noqa: PTH116 - as above
    except FileNotFoundError as error:
        raise AthenaFailure("ICEBERG_CANNOT_OPEN_SPLIT", f"Error opening {url}") from error


def open_table(session: Session, database: str, name: str) -> Opened:
    """Open an Iceberg table for a statement; raises AthenaFailure for any other table."""
    try:
        found = session.catalog.get_table(DatabaseName=database, Name=name)["Table"]
    except GlueError as error:
        raise AthenaFailure(
            "TABLE_NOT_FOUND",
            f"Table 'awsdatacatalog.{database}.{name}' does not exist",
            line=1,
            column=1,
        ) from error
    table = table_info(found)
    if not table.is_iceberg:
        raise AthenaFailure("NOT_SUPPORTED", f"Modifying Hive table rows is not supported: {table}")
    snapshot = read_snapshot(session.s3, dict(table.parameters)[METADATA])
    return Opened(table, found["VersionId"], found, snapshot)


def parts_of(session: Session, urls: Sequence[str]) -> tuple[Part, ...]:
    """Give data files as the one part of an unpartitioned table."""
    from runner.local.athena.partitions import Part  # noqa: PLC0415 - a value, made late

    files = tuple(_file(session.s3, url) for url in urls)
    return (Part((), files),) if files else ()


def commit(
    session: Session,
    opened: Opened,
    *,
    operation: str,
    files: Sequence[str],
    columns: Sequence[dict[str, Any]] | None = None,
) -> None:
    """Make a snapshot the current one; raises AthenaFailure if another was committed first."""
    old = opened.table
    parameters = dict(opened.glue.get("Parameters") or {})
    snapshot = opened.snapshot._replace(
        number=opened.snapshot.number + 1, operation=operation, files=tuple(files)
    )
    previous = parameters[METADATA]
    url = write_snapshot(session, str(old), old.location, snapshot, previous=previous)
    storage = dict(opened.glue["StorageDescriptor"])
    if columns is not None:
        storage["Columns"] = list(columns)
    kept = {name: opened.glue[name] for name in _KEPT if name in opened.glue}
    try:
        session.catalog.update_table(
            DatabaseName=old.database,
            TableInput={
                **kept,
                "StorageDescriptor": storage,
                "Parameters": {**parameters, METADATA: url, PREVIOUS: previous},
            },
            VersionId=opened.version,
            SkipArchive=True,
        )
    except GlueError as error:
        with suppress(FileNotFoundError):
            os.unlink(session.s3.place_of(url))  # noqa: PTH108 - as above
        raise AthenaFailure(
            "ICEBERG_COMMIT_ERROR",
            f"Failed to commit Iceberg update to table: {old.database}.{old.name}",
        ) from error


def write_snapshot(
    session: Session, table: str, location: str, snapshot: Snapshot, *, previous: str = ""
) -> str:
    """Write the metadata document of a snapshot; gives its URL."""
    name = f"{snapshot.number:05d}-{session.query_id}-{os.urandom(4).hex()}.metadata.json"
    url = f"{location.rstrip('/')}/metadata/{name}"
    bucket, _, key = url.removeprefix("s3://").partition("/")
    session.s3.put_object(Bucket=bucket, Key=key, Body=snapshot.dump(table, previous))
    return url
