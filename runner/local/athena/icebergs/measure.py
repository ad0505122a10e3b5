"""What manifests tell of data files: rows, sizes, and counts of their columns.

In: files that were just written.  Out: `DataFile`s; the partition is read from the folders' names,
the rest from the Parquet files' own footers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.icebergs.bounds import bound_of, to_bytes
from runner.local.athena.icebergs.manifests import Counts, DataFile
from runner.local.athena.icebergs.types import leaves
from runner.local.athena.partitions import unescape_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.icebergs.document import Document
    from runner.local.athena.session import Session

_FOOTERS = (
    "SELECT file_name, row_group_id, row_group_num_rows, path_in_schema, num_values, "
    "stats_null_count, stats_min_value, stats_max_value, total_compressed_size "
    "FROM parquet_metadata([{}])"
)


class _Chunk(NamedTuple):
    """A column of a row group, as the footer tells of it."""

    file: str
    group: int
    rows: int
    path: str
    values: int
    nulls: int | None
    lowest: str | None
    highest: str | None
    size: int


def measure(session: Session, document: Document, urls: Sequence[str]) -> tuple[DataFile, ...]:
    """Measure data files."""
    if not urls:
        return ()
    if not urls[0].endswith(".parquet"):
        return tuple(_counted(session, document, url) for url in urls)
    places = {session.s3.place_of(url): url for url in urls}
    listed = ", ".join("'" + place.replace("'", "''") + "'" for place in places)
    found = session.engine.run(session.cursor, _FOOTERS.format(listed))
    chunks: dict[str, list[_Chunk]] = {place: [] for place in places}
    for row in found.rows:
        chunk = _Chunk(*row)
        chunks[chunk.file].append(chunk)
    return tuple(
        _data_file(document, url, os.stat(place).st_size, chunks[place])  # noqa: PTH116 - text
        for place, url in places.items()
    )


def _counted(session: Session, document: Document, url: str) -> DataFile:
    """Tell of a file in ORC or Avro: nothing of its columns, which no reader needs to know."""
    place, kind = session.s3.place_of(url), url.rpartition(".")[2]
    size = os.stat(place).st_size  # noqa: PTH116 - text
    nothing = Counts({}, {}, {}, {}, {})
    partition = _partition(document, url)
    return DataFile(url, partition, _rows_of(place, kind), size, nothing, kind.upper())


def _rows_of(place: str, kind: str) -> int:
    if kind == "orc":
        import pyarrow.orc  # noqa: PLC0415 - few tables need it

        return int(pyarrow.orc.ORCFile(place).nrows)
    import fastavro  # noqa: PLC0415 - as above

    with Path(place).open("rb") as file:
        return sum(int(block.num_records) for block in fastavro.block_reader(file))


def _data_file(document: Document, url: str, size: int, chunks: Sequence[_Chunk]) -> DataFile:
    return DataFile(
        url,
        _partition(document, url),
        sum({each.group: each.rows for each in chunks}.values()),
        size,
        _counts(document, chunks),
    )


def _partition(document: Document, url: str) -> tuple[Any, ...]:
    """Read the partition's values: the last folders, one a term."""
    terms = document.terms()
    folders = url.split("/")[-1 - len(terms) : -1] if terms else []
    texts = (unescape_value(folder.partition("=")[2]) for folder in folders)
    return tuple(term.value(text) for term, text in zip(terms, texts, strict=True))


def _counts(document: Document, chunks: Sequence[_Chunk]) -> Counts:
    by_path: dict[str, list[_Chunk]] = {}
    for each in chunks:
        by_path.setdefault(each.path, []).append(each)
    counts = Counts({}, {}, {}, {}, {})
    for path, number, kind in leaves(document.schema()):
        mine = by_path.get(path)
        if mine:
            _count(counts, number, kind, mine)
    return counts


def _count(counts: Counts, number: int, kind: str, chunks: Sequence[_Chunk]) -> None:
    counts.sizes[number] = sum(each.size for each in chunks)
    counts.values[number] = sum(each.values for each in chunks)
    if all(each.nulls is not None for each in chunks):
        counts.nulls[number] = sum(each.nulls or 0 for each in chunks)
    told = [each for each in chunks if each.nulls != each.values]  # the others have no bounds
    lows: list[Any] = [bound_of(each.lowest, kind) for each in told]
    highs: list[Any] = [bound_of(each.highest, kind) for each in told]
    if told and None not in lows and None not in highs:
        counts.lowest[number] = to_bytes(min(lows), kind)
        counts.highest[number] = to_bytes(max(highs), kind)
