"""Manifests of Iceberg tables: which data files a snapshot has, as Avro files.

In: data files and their partitions.  Out: a manifest (a list of data files) and a snapshot's list
of manifests, as bytes; and the way back.  Table format 2; numbers of fields are the
specification's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.avro import read_container, write_container
from runner.local.athena.icebergs.bounds import to_bytes
from runner.local.athena.icebergs.partitioning import avro_type, from_avro, to_avro

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.local.athena.icebergs.document import Document, Snapshot
    from runner.local.athena.icebergs.partitioning import Term, Value

EXISTING, ADDED, DELETED = 0, 1, 2
DATA, DELETES = 0, 1
POSITIONS = 1
"""The content of a delete file that lists rows by file and place."""


class Counts(NamedTuple):
    """What is known of a file's columns, by their numbers."""

    sizes: dict[int, int]
    values: dict[int, int]
    nulls: dict[int, int]
    lowest: dict[int, bytes]
    highest: dict[int, bytes]


class DataFile(NamedTuple):
    """A data file."""

    url: str
    partition: tuple[Value, ...]
    rows: int
    size: int
    counts: Counts
    format: str = "PARQUET"
    content: int = DATA
    """Rows, positions of deleted rows (1), or values of deleted rows (2)."""


class Entry(NamedTuple):
    """A data file in a manifest: added, kept or deleted by a snapshot."""

    status: int
    snapshot: int
    sequence: int
    file: DataFile


class Manifest(NamedTuple):
    """A manifest, as a snapshot's list of manifests tells of it."""

    url: str
    length: int
    spec: int
    content: int
    sequence: int
    least_sequence: int
    snapshot: int
    files: tuple[int, int, int]
    """Added, existing, deleted."""
    rows: tuple[int, int, int]
    """Of these files."""
    partitions: tuple[tuple[bool, bytes | None, bytes | None], ...]
    """For each partition field: whether NULL occurs, its lowest and its highest value."""


def _field(number: int, name: str, kind: object, *, optional: bool = False) -> dict[str, Any]:
    if optional:
        return {"name": name, "type": ["null", kind], "default": None, "field-id": number}
    return {"name": name, "type": kind, "field-id": number}


def _map(key: int, value: int, kind: str) -> dict[str, Any]:
    """Write a map with whole numbers as keys: an array of pairs."""
    pair = {
        "type": "record",
        "name": f"k{key}_v{value}",
        "fields": [_field(key, "key", "int"), _field(value, "value", kind)],
    }
    return {"type": "array", "items": pair, "logicalType": "map"}


def _entry_schema(terms: Sequence[Term]) -> dict[str, Any]:
    partition = {
        "type": "record",
        "name": "r102",
        "fields": [
            _field(each.field, each.name, avro_type(each.result()), optional=True) for each in terms
        ],
    }
    file = {
        "type": "record",
        "name": "r2",
        "fields": [
            _field(134, "content", "int"),
            _field(100, "file_path", "string"),
            _field(101, "file_format", "string"),
            _field(102, "partition", partition),
            _field(103, "record_count", "long"),
            _field(104, "file_size_in_bytes", "long"),
            _field(108, "column_sizes", _map(117, 118, "long"), optional=True),
            _field(109, "value_counts", _map(119, 120, "long"), optional=True),
            _field(110, "null_value_counts", _map(121, 122, "long"), optional=True),
            _field(137, "nan_value_counts", _map(138, 139, "long"), optional=True),
            _field(125, "lower_bounds", _map(126, 127, "bytes"), optional=True),
            _field(128, "upper_bounds", _map(129, 130, "bytes"), optional=True),
            _field(131, "key_metadata", "bytes", optional=True),
            _field(
                132,
                "split_offsets",
                {"type": "array", "items": "long", "element-id": 133},
                optional=True,
            ),
            _field(
                135,
                "equality_ids",
                {"type": "array", "items": "int", "element-id": 136},
                optional=True,
            ),
            _field(140, "sort_order_id", "int", optional=True),
        ],
    }
    return {
        "type": "record",
        "name": "manifest_entry",
        "fields": [
            _field(0, "status", "int"),
            _field(1, "snapshot_id", "long", optional=True),
            _field(3, "sequence_number", "long", optional=True),
            _field(4, "file_sequence_number", "long", optional=True),
            _field(2, "data_file", file),
        ],
    }


_SUMMARY = {
    "type": "record",
    "name": "r508",
    "fields": [
        _field(509, "contains_null", "boolean"),
        _field(518, "contains_nan", "boolean", optional=True),
        _field(510, "lower_bound", "bytes", optional=True),
        _field(511, "upper_bound", "bytes", optional=True),
    ],
}
_LIST_SCHEMA = {
    "type": "record",
    "name": "manifest_file",
    "fields": [
        _field(500, "manifest_path", "string"),
        _field(501, "manifest_length", "long"),
        _field(502, "partition_spec_id", "int"),
        _field(517, "content", "int"),
        _field(515, "sequence_number", "long"),
        _field(516, "min_sequence_number", "long"),
        _field(503, "added_snapshot_id", "long"),
        _field(504, "added_files_count", "int"),
        _field(505, "existing_files_count", "int"),
        _field(506, "deleted_files_count", "int"),
        _field(512, "added_rows_count", "long"),
        _field(513, "existing_rows_count", "long"),
        _field(514, "deleted_rows_count", "long"),
        _field(
            507,
            "partitions",
            {"type": "array", "items": _SUMMARY, "element-id": 508},
            optional=True,
        ),
    ],
}


def write_manifest(document: Document, spec: int, entries: Sequence[Entry]) -> bytes:
    """Write a manifest of data files that all have one partitioning."""
    terms = document.terms(spec)
    properties = {
        "schema": json.dumps(document.schema_document()),
        "schema-id": str(document.schema_id),
        "partition-spec": json.dumps([each.document() for each in terms]),
        "partition-spec-id": str(spec),
        "format-version": "2",
        "content": "data",
    }
    records = (_entry_record(each, terms) for each in entries)
    return write_container(_entry_schema(terms), records, properties)


def _entry_record(entry: Entry, terms: Sequence[Term]) -> dict[str, Any]:
    file, counts = entry.file, entry.file.counts
    pairs = zip(terms, file.partition, strict=True)
    return {
        "status": entry.status,
        "snapshot_id": entry.snapshot,
        "sequence_number": entry.sequence,
        "file_sequence_number": entry.sequence,
        "data_file": {
            "content": file.content,
            "file_path": file.url,
            "file_format": file.format,
            "partition": {each.name: to_avro(value, each.result()) for each, value in pairs},
            "record_count": file.rows,
            "file_size_in_bytes": file.size,
            "column_sizes": _pairs(counts.sizes),
            "value_counts": _pairs(counts.values),
            "null_value_counts": _pairs(counts.nulls),
            "lower_bounds": _pairs(counts.lowest),
            "upper_bounds": _pairs(counts.highest),
            "sort_order_id": 0,
        },
    }


def _pairs(found: Mapping[int, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in sorted(found.items())]


def read_manifest(data: bytes, manifest: Manifest, terms: Sequence[Term]) -> tuple[Entry, ...]:
    """Read a manifest; what it leaves out it has from the list that names it."""
    return tuple(_entry(each, manifest, terms) for each in read_container(data).records)


def _entry(record: Mapping[str, Any], manifest: Manifest, terms: Sequence[Term]) -> Entry:
    snapshot, sequence = record.get("snapshot_id"), record.get("sequence_number")
    return Entry(
        record["status"],
        manifest.snapshot if snapshot is None else snapshot,
        manifest.sequence if sequence is None else sequence,
        _data_file(record["data_file"], terms),
    )


def _data_file(found: Mapping[str, Any], terms: Sequence[Term]) -> DataFile:
    return DataFile(
        found["file_path"],
        tuple(from_avro(found["partition"].get(each.name), each.result()) for each in terms),
        found["record_count"],
        found["file_size_in_bytes"],
        Counts(
            *(
                {each["key"]: each["value"] for each in found.get(name) or ()}
                for name in (
                    "column_sizes",
                    "value_counts",
                    "null_value_counts",
                    "lower_bounds",
                    "upper_bounds",
                )
            )
        ),
        found["file_format"].upper(),
        found.get("content") or DATA,
    )


def describe_manifest(
    url: str,
    length: int,
    *,
    spec: int,
    snapshot: Snapshot,
    entries: Sequence[Entry],
    terms: Sequence[Term],
) -> Manifest:
    """Tell of a manifest that a snapshot writes."""
    files = tuple(sum(e.status == s for e in entries) for s in (ADDED, EXISTING, DELETED))
    rows = tuple(
        sum(e.file.rows for e in entries if e.status == s) for s in (ADDED, EXISTING, DELETED)
    )
    living = [each.sequence for each in entries if each.status != DELETED]
    return Manifest(
        url,
        length,
        spec,
        DATA,
        snapshot.sequence,
        min(living, default=snapshot.sequence),
        snapshot.id,
        (files[0], files[1], files[2]),
        (rows[0], rows[1], rows[2]),
        tuple(_summary(n, each, entries) for n, each in enumerate(terms)),
    )


def _summary(
    number: int, term: Term, entries: Sequence[Entry]
) -> tuple[bool, bytes | None, bytes | None]:
    values = [each.file.partition[number] for each in entries]
    known: list[Any] = [value for value in values if value is not None]
    if not known:
        return bool(values), None, None
    kind = term.result()
    return len(known) < len(values), to_bytes(min(known), kind), to_bytes(max(known), kind)


def write_list(snapshot: Snapshot, manifests: Iterable[Manifest]) -> bytes:
    """Write a snapshot's list of manifests."""
    properties = {
        "snapshot-id": str(snapshot.id),
        "parent-snapshot-id": "null" if snapshot.parent is None else str(snapshot.parent),
        "sequence-number": str(snapshot.sequence),
        "format-version": "2",
    }
    return write_container(_LIST_SCHEMA, map(_list_record, manifests), properties)


def _list_record(manifest: Manifest) -> dict[str, Any]:
    kinds = ("added", "existing", "deleted")
    return {
        "manifest_path": manifest.url,
        "manifest_length": manifest.length,
        "partition_spec_id": manifest.spec,
        "content": manifest.content,
        "sequence_number": manifest.sequence,
        "min_sequence_number": manifest.least_sequence,
        "added_snapshot_id": manifest.snapshot,
        **{f"{k}_files_count": n for k, n in zip(kinds, manifest.files, strict=True)},
        **{f"{k}_rows_count": n for k, n in zip(kinds, manifest.rows, strict=True)},
        "partitions": [
            {"contains_null": null, "lower_bound": low, "upper_bound": high}
            for null, low, high in manifest.partitions
        ],
    }


def read_list(data: bytes) -> tuple[Manifest, ...]:
    """Read a list of manifests."""
    return tuple(_manifest(each) for each in read_container(data).records)


def _manifest(found: Mapping[str, Any]) -> Manifest:
    kinds = ("added", "existing", "deleted")
    files = tuple(_count(found, each, "files") for each in kinds)
    rows = tuple(int(found.get(f"{each}_rows_count") or 0) for each in kinds)
    return Manifest(
        found["manifest_path"],
        found["manifest_length"],
        found["partition_spec_id"],
        found.get("content", DATA),
        found.get("sequence_number", 0),
        found.get("min_sequence_number", 0),
        found["added_snapshot_id"],
        (files[0], files[1], files[2]),
        (rows[0], rows[1], rows[2]),
        tuple(
            (each["contains_null"], each.get("lower_bound"), each.get("upper_bound"))
            for each in found.get("partitions") or ()
        ),
    )


def _count(found: Mapping[str, Any], kind: str, what: str) -> int:
    """Read a count; older writers name it differently."""
    value = found.get(f"{kind}_{what}_count")
    return int((found.get(f"{kind}_data_{what}_count") if value is None else value) or 0)
