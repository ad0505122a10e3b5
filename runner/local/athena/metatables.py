"""Metadata tables of Iceberg tables: `"t$snapshots"`, `"t$files"` and the like, as rows.

Which there are says Athena's user guide, "Query Iceberg table metadata"; their columns are those of
Trino's Iceberg connector.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from runner.local.athena.iceberg import METADATA, read_document, read_snapshot
from runner.local.athena.icebergs.bounds import from_bytes
from runner.local.athena.icebergs.manifests import DELETED
from runner.local.athena.icebergs.types import hive_of, leaves
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runner.local.athena.icebergs.document import Document
    from runner.local.athena.icebergs.manifests import DataFile, Manifest
    from runner.local.athena.icebergs.partitioning import Term
    from runner.local.athena.partitions import Locator
    from runner.local.athena.tables import TableInfo

    Columns = tuple[tuple[str, str], ...]

_INSTANT = "timestamp with time zone"
_COUNTS = "map(integer, bigint)"
_RANGES = (
    "array(row(contains_null boolean, contains_nan boolean, lower_bound varchar, "
    "upper_bound varchar))"
)
_BOUNDS = "map(integer, varchar)"
_EPOCH = date(1970, 1, 1)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_FIXED: dict[str, Columns] = {
    "history": (
        ("made_current_at", _INSTANT),
        ("snapshot_id", "bigint"),
        ("parent_id", "bigint"),
        ("is_current_ancestor", "boolean"),
    ),
    "snapshots": (
        ("committed_at", _INSTANT),
        ("snapshot_id", "bigint"),
        ("parent_id", "bigint"),
        ("operation", "varchar"),
        ("manifest_list", "varchar"),
        ("summary", "map(varchar, varchar)"),
    ),
    "refs": (
        ("name", "varchar"),
        ("type", "varchar"),
        ("snapshot_id", "bigint"),
        ("max_reference_age_in_ms", "bigint"),
        ("min_snapshots_to_keep", "integer"),
        ("max_snapshot_age_in_ms", "bigint"),
    ),
    "manifests": (
        ("path", "varchar"),
        ("length", "bigint"),
        ("partition_spec_id", "integer"),
        ("added_snapshot_id", "bigint"),
        ("added_data_files_count", "integer"),
        ("added_rows_count", "bigint"),
        ("existing_data_files_count", "integer"),
        ("existing_rows_count", "bigint"),
        ("deleted_data_files_count", "integer"),
        ("deleted_rows_count", "bigint"),
        ("partitions", _RANGES),
    ),
    "files": (
        ("content", "integer"),
        ("file_path", "varchar"),
        ("file_format", "varchar"),
        ("record_count", "bigint"),
        ("file_size_in_bytes", "bigint"),
        ("column_sizes", _COUNTS),
        ("value_counts", _COUNTS),
        ("null_value_counts", _COUNTS),
        ("nan_value_counts", _COUNTS),
        ("lower_bounds", _BOUNDS),
        ("upper_bounds", _BOUNDS),
        ("key_metadata", "varbinary"),
        ("split_offsets", "array(bigint)"),
        ("equality_ids", "array(integer)"),
    ),
}


def columns(locator: Locator, table: TableInfo, kind: str) -> Columns | None:
    """Give the columns of a metadata table; None if there is none of that name."""
    if kind != "partitions":
        return _FIXED.get(kind)
    document = _document(locator, table)
    terms = document.terms()
    partition = ", ".join(f'"{term.name}" {_trino(term.result())}' for term in terms)
    facts = ", ".join(
        f'"{name}" row("min" {kind}, "max" {kind}, "null_count" bigint, "nan_count" bigint)'
        for _, name, kind in _plain_columns(document)
    )
    return (
        *((("partition", f"row({partition})"),) if terms else ()),
        ("record_count", "bigint"),
        ("file_count", "bigint"),
        ("total_size", "bigint"),
        *((("data", f"row({facts})"),) if facts else ()),
    )


def _plain_columns(document: Document) -> list[tuple[int, str, str]]:
    """Give the primitive columns that are no partition's: number, name, type."""
    keys = {term.source for term in document.terms() if term.transform == "identity"}
    return [
        (each["id"], each["name"], _trino(each["type"]))
        for each in document.schema()
        if isinstance(each["type"], str) and each["id"] not in keys
    ]


def _trino(kind: str) -> str:
    return parse_type(hive_of(kind)).trino()


def _document(locator: Locator, table: TableInfo) -> Document:
    return read_document(locator.s3, dict(table.parameters)[METADATA])


def rows(locator: Locator, table: TableInfo, kind: str) -> Iterator[Sequence[Any]]:
    """Give the rows of a metadata table."""
    document = _document(locator, table)
    if kind in _OF_DOCUMENT:
        yield from _OF_DOCUMENT[kind](document)
        return
    manifests, entries = read_snapshot(locator.s3, document, document.current())
    files = [each.file for one in entries for each in one if each.status != DELETED]
    match kind:
        case "manifests":
            yield from (_manifest(each, document) for each in manifests)
        case "files":
            yield from (_file(each, document) for each in files)
        case _:
            yield from _partitions(files, document)


def _instant(millis: int) -> datetime:
    return _START + timedelta(milliseconds=millis)


def _history(document: Document) -> Iterator[Sequence[Any]]:
    ancestors = set(document.ancestors())
    for millis, number in document.log():
        snapshot = document.snapshot(number)
        parent = snapshot.parent if snapshot else None
        yield _instant(millis), number, parent, number in ancestors


def _snapshots(document: Document) -> Iterator[Sequence[Any]]:
    for each in document.snapshots():
        summary = {k: v for k, v in each.summary.items() if k != "operation"}
        yield (
            _instant(each.made_ms),
            each.id,
            each.parent,
            each.operation,
            each.manifest_list,
            summary,
        )


def _refs(document: Document) -> Iterator[Sequence[Any]]:
    for name, each in (document.content.get("refs") or {}).items():
        yield (
            name,
            each["type"].upper(),
            each["snapshot-id"],
            each.get("max-ref-age-ms"),
            each.get("min-snapshots-to-keep"),
            each.get("max-snapshot-age-ms"),
        )


_OF_DOCUMENT: dict[str, Callable[[Document], Iterator[Sequence[Any]]]] = {
    "history": _history,
    "snapshots": _snapshots,
    "refs": _refs,
}


def _manifest(manifest: Manifest, document: Document) -> Sequence[Any]:
    counts = [n for pair in zip(manifest.files, manifest.rows, strict=True) for n in pair]
    terms = document.terms(manifest.spec)
    partitions = [
        (null, False, _term_bound(low, term), _term_bound(high, term))
        for (null, low, high), term in zip(manifest.partitions, terms, strict=True)
    ]
    return (
        manifest.url,
        manifest.length,
        manifest.spec,
        manifest.snapshot,
        *counts,
        partitions,
    )


def _file(file: DataFile, document: Document) -> Sequence[Any]:
    kinds = {
        number: kind
        for schema in document.content["schemas"]
        for _, number, kind in leaves(schema["fields"])
    }
    lowest, highest = (
        {key: _bound(value, kinds.get(key, "string")) for key, value in found.items()}
        for found in (file.counts.lowest, file.counts.highest)
    )
    return (
        0,
        file.url,
        file.format,
        file.rows,
        file.size,
        file.counts.sizes,
        file.counts.values,
        file.counts.nulls,
        {},
        lowest,
        highest,
        None,
        None,
        None,
    )


def _partitions(files: Sequence[DataFile], document: Document) -> Iterator[Sequence[Any]]:
    terms, plain = document.terms(), _plain_columns(document)
    found: dict[tuple[Any, ...], list[DataFile]] = {}
    for each in files:
        found.setdefault(each.partition, []).append(each)
    kinds = {each["id"]: each["type"] for each in document.schema()}
    for values, mine in found.items():
        facts = tuple(_facts(mine, number, str(kinds[number])) for number, _, _ in plain)
        shown = tuple(_shown(v, t.result()) for v, t in zip(values, terms, strict=True))
        yield (
            *((shown,) if terms else ()),
            sum(each.rows for each in mine),
            len(mine),
            sum(each.size for each in mine),
            *((facts,) if plain else ()),
        )


def _facts(files: Sequence[DataFile], number: int, kind: str) -> Sequence[Any]:
    """Give least, greatest and number of NULLs of a column, where all files tell."""
    lows = [each.counts.lowest.get(number) for each in files]
    highs = [each.counts.highest.get(number) for each in files]
    nulls: Counter[int] = Counter()
    for each in files:
        nulls.update(each.counts.nulls)
    least, most = None, None
    known = [low is not None and high is not None for low, high in zip(lows, highs, strict=True)]
    if all(known):
        least = _shown(min(from_bytes(low, kind) for low in lows if low is not None), kind)
        most = _shown(max(from_bytes(high, kind) for high in highs if high is not None), kind)
    return least, most, nulls[number], None


def _term_bound(data: bytes | None, term: Term) -> str | None:
    """Write a partition's value for people: months as 2020-01, not as a count since 1970."""
    if data is None:
        return None
    value = from_bytes(data, term.result())
    return term.folder(value) or str(_shown(value, term.result()))


def _bound(data: bytes | None, kind: str) -> str | None:
    return None if data is None else str(_shown(from_bytes(data, kind), kind))


def _shown(value: Any, kind: str) -> Any:  # noqa: ANN401 - a value of the kind, as SQL has it
    if value is None:
        return None
    if kind == "date":
        return _EPOCH + timedelta(days=value)
    if kind in {"timestamp", "timestamptz"}:
        found = _START + timedelta(microseconds=value)
        return found if kind == "timestamptz" else found.replace(tzinfo=None).isoformat(sep=" ")
    if kind.startswith("decimal"):
        return Decimal(value).scaleb(-int(kind.rstrip(")").split(",")[1]))
    return value
