"""Iceberg tables on this machine: snapshots of a table's files, committed one after another.

In: a table of the catalogue.  Out: the files of a snapshot, and commits of new ones.  The files are
Iceberg's own (table format 2): metadata documents, manifests in Avro, data in Parquet with numbered
columns; other engines read them.  A statement reads one snapshot, a commit is one catalogue update
that fails if somebody else committed first, and what a failed statement wrote belongs to no
snapshot.  A change of rows writes the files anew that hold them: there are no delete files.  Those
of other engines are read if they list positions; a table that has some is not changed here.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.icebergs.document import Document, Snapshot, load_document
from runner.local.athena.icebergs.manifests import (
    ADDED,
    DELETED,
    DELETES,
    EXISTING,
    POSITIONS,
    Entry,
    describe_manifest,
    read_list,
    read_manifest,
    write_list,
    write_manifest,
)
from runner.local.athena.icebergs.skipping import may_hold
from runner.local.athena.icebergs.types import hive_of
from runner.local.athena.partitions import File
from runner.local.athena.tables import ICEBERG_FIELD, SNAPSHOT, table_info
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.local.athena.icebergs.manifests import DataFile, Manifest
    from runner.local.athena.icebergs.partitioning import Term
    from runner.local.athena.partitions import Part
    from runner.local.athena.session import Session
    from runner.local.athena.tables import TableInfo
    from runner.local.athena.template import Condition
    from runner.local.s3 import FolderS3

METADATA = "metadata_location"
PREVIOUS = "previous_metadata_location"
_MOST_KEPT = 512
"""Manifests that a process remembers."""
_KEPT = ("Name", "Description", "Owner", "Retention", "PartitionKeys", "TableType")


class Opened(NamedTuple):
    """A table as a statement found it: what it reads, and what its commit must still find."""

    table: TableInfo
    version: str
    glue: dict[str, Any]
    document: Document
    url: str
    """Where the document lies."""
    manifests: tuple[Manifest, ...]
    entries: tuple[tuple[Entry, ...], ...]
    """Of each manifest."""

    def terms(self) -> tuple[Term, ...]:
        """Give what tells partitions, in the order of the partitioning."""
        return self.document.terms()

    def files(self) -> tuple[DataFile, ...]:
        """Give the data files of the current snapshot."""
        return tuple(
            each.file for entries in self.entries for each in entries if each.status != DELETED
        )

    def urls(self) -> tuple[str, ...]:
        """Give the places of the data files."""
        return tuple(each.url for each in self.files())


class Change(NamedTuple):
    """What a statement did to a table's files."""

    operation: str
    """append, overwrite, delete or replace."""
    added: tuple[DataFile, ...] = ()
    removed: frozenset[str] = frozenset()


# --- reading ----------------------------------------------------------------------------------


def read_document(s3: FolderS3, url: str) -> Document:
    """Read a metadata document; raises AthenaFailure if it is gone, or none."""
    try:
        return load_document(read_bytes(s3, url))
    except FileNotFoundError as error:
        raise AthenaFailure(
            "ICEBERG_MISSING_METADATA", f"Metadata not found in metadata location: {url}"
        ) from error
    except ValueError as error:
        raise AthenaFailure("ICEBERG_INVALID_METADATA", f"Invalid metadata file: {url}") from error


def read_bytes(s3: FolderS3, url: str) -> bytes:
    """Read an object; raises FileNotFoundError."""
    with open(s3.place_of(url), "rb") as file:  # noqa: PTH123 - text is what places are
        return file.read()


def read_snapshot(
    s3: FolderS3, document: Document, snapshot: Snapshot | None, *, whole: bool = False
) -> tuple[tuple[Manifest, ...], tuple[tuple[Entry, ...], ...]]:
    """Read a snapshot's manifests and what they list; raises AthenaFailure.

    Only who asks for the `whole` is given delete files; all others are refused a table with some.
    """
    if snapshot is None:
        return (), ()
    try:
        manifests = read_list(read_bytes(s3, snapshot.manifest_list))
        if not whole and any(each.content == DELETES for each in manifests):
            raise unsupported("Anything but a query of an Iceberg table with delete files")
        entries = tuple(_entries(s3, each, document.terms(each.spec)) for each in manifests)
    except FileNotFoundError as error:
        raise AthenaFailure(
            "ICEBERG_MISSING_METADATA", f"Manifest not found: {error.filename}"
        ) from error
    except ValueError as error:
        raise AthenaFailure(
            "ICEBERG_INVALID_METADATA", f"Invalid manifest of {snapshot.manifest_list}: {error}"
        ) from error
    return manifests, entries


def _entries(s3: FolderS3, manifest: Manifest, terms: tuple[Term, ...]) -> tuple[Entry, ...]:
    place = s3.place_of(manifest.url)
    state = os.stat(place)  # noqa: PTH116 - as above
    return _read_once(place, (state.st_size, state.st_mtime_ns), manifest, terms)


@lru_cache(maxsize=_MOST_KEPT)
def _read_once(
    place: str, _state: tuple[int, int], manifest: Manifest, terms: tuple[Term, ...]
) -> tuple[Entry, ...]:
    """Read a manifest, or remember it: a file that is the same in size and time is the same."""
    with open(place, "rb") as file:  # noqa: PTH123 - as above
        return read_manifest(file.read(), manifest, terms)


def snapshot_files(
    s3: FolderS3, table: TableInfo, conditions: Sequence[Condition] = ()
) -> tuple[File, ...]:
    """Give the files of the snapshot that the table's description means: else the current one.

    Files that surely have no row for which the conditions hold are left out.
    """
    parameters = dict(table.parameters)
    document = read_document(s3, parameters.get(METADATA, ""))
    wanted = parameters.get(SNAPSHOT)
    snapshot = document.snapshot(int(wanted)) if wanted else document.current()
    manifests, entries = read_snapshot(s3, document, snapshot, whole=True)
    schema = document.schema(snapshot.schema if wanted and snapshot else None)
    fields = {each["name"].lower(): each for each in schema}
    terms = {each.spec: document.terms(each.spec) for each in manifests}
    listed = [
        (manifest, each)
        for manifest, found in zip(manifests, entries, strict=True)
        for each in found
        if each.status != DELETED
    ]
    deletes = [(m.spec, each) for m, each in listed if m.content == DELETES]
    return tuple(
        _file(s3, each.file.url)._replace(
            url=each.file.url, deletes=_deletes(s3, (manifest.spec, each), deletes)
        )
        for manifest, each in listed
        if manifest.content != DELETES
        and may_hold(each.file, terms[manifest.spec], fields, conditions)
    )


def _deletes(
    s3: FolderS3, data: tuple[int, Entry], deletes: Sequence[tuple[int, Entry]]
) -> tuple[str, ...]:
    """Give the delete files that may list rows of a data file: of its partition, and not older."""
    found = [
        each
        for spec, each in deletes
        if each.file.content != POSITIONS
        or (
            each.sequence >= data[1].sequence
            and (spec, each.file.partition) == (data[0], data[1].file.partition)
        )
    ]
    for each in found:
        if each.file.content != POSITIONS or each.file.format != "PARQUET":
            kind = "position" if each.file.content == POSITIONS else "equality"
            raise unsupported(f"A file of {kind} deletes in {each.file.format}")
    return tuple(_file(s3, each.file.url).path for each in found)


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
    url = dict(table.parameters).get(METADATA, "")
    document = read_document(session.s3, url)
    manifests, entries = read_snapshot(session.s3, document, document.current())
    return Opened(table, found["VersionId"], found, document, url, manifests, entries)


def parts_of(session: Session, urls: Sequence[str]) -> tuple[Part, ...]:
    """Give data files as the one part of an unpartitioned table."""
    from runner.local.athena.partitions import Part  # noqa: PLC0415 - a value, made late

    files = tuple(_file(session.s3, url) for url in urls)
    return (Part((), files),) if files else ()


# --- committing ---------------------------------------------------------------------------------


def commit(session: Session, opened: Opened, change: Change) -> None:
    """Make a snapshot the current one; raises AthenaFailure if another was committed first."""
    written: list[str] = []
    snapshot = _new_snapshot(session, opened, change)
    manifests = list(_manifests(session, opened, change, snapshot, written))
    listed = write_list(snapshot, manifests)
    written.append(put(session.s3, snapshot.manifest_list, listed))
    try:
        commit_document(session, opened, opened.document.with_snapshot(snapshot))
    except AthenaFailure:
        for url in written:
            with suppress(FileNotFoundError):
                os.unlink(session.s3.place_of(url))  # noqa: PTH108 - as above
        raise


def commit_document(session: Session, opened: Opened, document: Document) -> None:
    """Make a document the table's own; raises AthenaFailure if another was committed first."""
    old = opened.table
    parameters = dict(opened.glue.get("Parameters") or {})
    url = write_document(session, document.after(opened.url, now_ms()), after=opened.url)
    columns = glue_columns(document)
    storage = {**opened.glue["StorageDescriptor"], "Columns": columns}
    kept = {name: opened.glue[name] for name in _KEPT if name in opened.glue}
    try:
        session.catalog.update_table(
            DatabaseName=old.database,
            TableInput={
                **kept,
                "StorageDescriptor": storage,
                "Parameters": {**parameters, METADATA: url, PREVIOUS: opened.url},
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


def write_document(session: Session, document: Document, *, after: str = "") -> str:
    """Write a metadata document under a new name; gives its URL."""
    number = int(after.rpartition("/")[2].partition("-")[0]) + 1 if after else 0
    name = f"{number:05d}-{uuid.uuid4()}.metadata.json"
    url = f"{document.location.rstrip('/')}/metadata/{name}"
    return put(session.s3, url, document.dump())


def first_snapshot(session: Session, document: Document, change: Change) -> Document:
    """Write the first snapshot of a table that is not in the catalogue yet."""
    nothing = Opened(_nothing(), "", {}, document, "", (), ())
    snapshot = _new_snapshot(session, nothing, change)
    manifests = list(_manifests(session, nothing, change, snapshot, []))
    put(session.s3, snapshot.manifest_list, write_list(snapshot, manifests))
    return document.with_snapshot(snapshot)


def _nothing() -> TableInfo:
    return table_info({"DatabaseName": "", "Name": ""})


def put(s3: FolderS3, url: str, body: bytes) -> str:
    """Write an object; gives its URL."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return url


def now_ms() -> int:
    """Give the time in milliseconds."""
    return time.time_ns() // 1_000_000


def glue_columns(document: Document) -> list[dict[str, Any]]:
    """Give the columns of the current schema as Athena writes them into the catalogue."""
    return [
        {
            "Name": each["name"],
            "Type": hive_of(each["type"]),
            **({"Comment": each["doc"]} if each.get("doc") else {}),
            "Parameters": {
                f"{ICEBERG_FIELD}current": "true",
                f"{ICEBERG_FIELD}id": str(each["id"]),
                f"{ICEBERG_FIELD}optional": str(not each.get("required", False)).lower(),
            },
        }
        for each in document.schema()
    ]


def _new_snapshot(session: Session, opened: Opened, change: Change) -> Snapshot:
    document = opened.document
    parent = document.current()
    number = int.from_bytes(os.urandom(8), "big") >> 1
    made = max(now_ms(), parent.made_ms + 1 if parent else 0, document.content["last-updated-ms"])
    folder = f"{document.location.rstrip('/')}/metadata"
    return Snapshot(
        number,
        parent.id if parent else None,
        document.last_sequence + 1,
        made,
        _summary(session, opened, change),
        f"{folder}/snap-{number}-1-{uuid.uuid4()}.avro",
        document.schema_id,
    )


def _summary(session: Session, opened: Opened, change: Change) -> dict[str, str]:
    files = opened.files()
    gone = [each for each in files if each.url in change.removed]
    counts = {
        "added-data-files": len(change.added),
        "added-records": sum(each.rows for each in change.added),
        "added-files-size": sum(each.size for each in change.added),
        "deleted-data-files": len(gone),
        "deleted-records": sum(each.rows for each in gone),
        "removed-files-size": sum(each.size for each in gone),
    }
    partitions = {each.partition for each in (*change.added, *gone)}
    size = sum(each.size for each in files)
    rows = sum(each.rows for each in files)
    return {
        "operation": change.operation,
        "trino_query_id": session.query_id,
        **{name: str(count) for name, count in counts.items() if count},
        "changed-partition-count": str(len(partitions)),
        "total-data-files": str(len(files) - len(gone) + len(change.added)),
        "total-records": str(rows - counts["deleted-records"] + counts["added-records"]),
        "total-files-size": str(size - counts["removed-files-size"] + counts["added-files-size"]),
        "total-delete-files": "0",
        "total-position-deletes": "0",
        "total-equality-deletes": "0",
    }


def _manifests(
    session: Session, opened: Opened, change: Change, snapshot: Snapshot, written: list[str]
) -> Iterator[Manifest]:
    """Write the manifests that the change needs; those without removed files stay."""
    document, stem = opened.document, uuid.uuid4()
    new = [Entry(ADDED, snapshot.id, snapshot.sequence, each) for each in change.added]
    waiting = [(document.spec_id, new)] if new else []
    for manifest, entries in zip(opened.manifests, opened.entries, strict=True):
        if not any(each.file.url in change.removed for each in entries):
            if any(each.status != DELETED for each in entries):
                yield manifest
            continue
        waiting.append((manifest.spec, [_after(e, change, snapshot) for e in _living(entries)]))
    for number, (spec, entries_) in enumerate(waiting):
        body = write_manifest(document, spec, entries_)
        url = f"{document.location.rstrip('/')}/metadata/{stem}-m{number}.avro"
        written.append(put(session.s3, url, body))
        yield describe_manifest(
            url,
            len(body),
            spec=spec,
            snapshot=snapshot,
            entries=entries_,
            terms=document.terms(spec),
        )


def _living(entries: Sequence[Entry]) -> list[Entry]:
    return [each for each in entries if each.status != DELETED]


def _after(entry: Entry, change: Change, snapshot: Snapshot) -> Entry:
    if entry.file.url in change.removed:
        return entry._replace(status=DELETED, snapshot=snapshot.id)
    return entry._replace(status=EXISTING)
