"""ORC files: read stripe by stripe, written batch by batch.

In: a file and the columns that are wanted.  Out: record batches of the declared types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet

from runner.local.athena.arrowtypes import arrow_type, conform, exact
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.rowvalues import bare
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.local.athena.foreign import ForeignScan

_ROWS = 65_536
_NUMBER = b"iceberg.id"
_CODECS = {"NONE": "uncompressed", "UNCOMPRESSED": "uncompressed", "GZIP": "zlib"}


def read(file: Any, scan: ForeignScan, wanted: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    """Give the wanted columns of an ORC file."""
    try:
        opened = pyarrow.orc.ORCFile(file)
        places = _numbered(opened.schema, scan, wanted) or _places(
            opened.schema.names, scan, wanted
        )
        # One column is read for the number of rows where the file has none of those wanted.
        picked = sorted(set(places.values())) or [0]
        for number in range(opened.nstripes):
            stripe = opened.read_stripe(number, columns=[opened.schema.names[p] for p in picked])
            yield from _batches(
                stripe, scan, wanted, {n: picked.index(p) for n, p in places.items()}
            )
    except (pa.ArrowInvalid, OSError) as error:
        if "nanosecond resolution" in str(error):
            raise unsupported("A timestamp before 1677 or after 2262 in an ORC file") from error
        raise AthenaFailure("HIVE_BAD_DATA", f"Malformed ORC file. {error}") from error


def read_parquet(file: Any, scan: ForeignScan, wanted: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Give the wanted columns of a Parquet file, found by place."""
    try:
        opened = pyarrow.parquet.ParquetFile(file)
        names = opened.schema_arrow.names
        places = _places(names, scan, wanted)
        picked = sorted(set(places.values())) or [0]
        for batch in opened.iter_batches(_ROWS, columns=[names[place] for place in picked]):
            yield from _batches(
                batch, scan, wanted, {n: picked.index(p) for n, p in places.items()}
            )
    except (pa.ArrowInvalid, OSError) as error:
        raise AthenaFailure("HIVE_CANNOT_OPEN_SPLIT", str(error)) from error


def _places(names: Sequence[str], scan: ForeignScan, wanted: Sequence[str]) -> dict[str, int]:
    """Tell where the wanted columns stand in the file; those it does not have are left out."""
    if scan.by_index:
        order = {name: place for place, (name, _) in enumerate(scan.columns)}
        return {name: order[name] for name in wanted if order[name] < len(names)}
    known = {name.lower(): place for place, name in reversed(list(enumerate(names)))}
    return {name: known[name] for name in wanted if name in known}


def _numbered(schema: Any, scan: ForeignScan, wanted: Sequence[str]) -> dict[str, int]:  # noqa: ANN401 - as above
    """Tell where columns stand by Iceberg's numbers; nothing if the file has none."""
    places = {
        int(field.metadata[_NUMBER]): place
        for place, field in enumerate(schema)
        if field.metadata and _NUMBER in field.metadata
    }
    if not scan.numbers or not places:
        return {}
    order = {name: number for (name, _), number in zip(scan.columns, scan.numbers, strict=True)}
    return {name: places[order[name]] for name in wanted if order[name] in places}


def _batches(
    batch: Any,  # noqa: ANN401 - as above
    scan: ForeignScan,
    wanted: Sequence[str],
    places: dict[str, int],
) -> Iterator[Any]:
    kinds = {name: parse_type(hive) for name, hive in scan.columns}
    if scan.numbers:
        kinds = {name: exact(kind) for name, kind in kinds.items()}
    for start in range(0, batch.num_rows, _ROWS):
        piece = batch.slice(start, _ROWS)
        arrays = [
            conform(piece.column(places[name]), kinds[name], name)
            if name in places
            else pa.nulls(piece.num_rows, arrow_type(kinds[name]))
            for name in wanted
        ]
        yield (
            pa.RecordBatch.from_arrays(arrays, names=list(wanted))
            if wanted
            else bare(piece.num_rows)
        )


def write(batches: Iterator[Any], path: str, schema: Any, *, codec: str) -> None:  # noqa: ANN401 - as above
    """Write an ORC file."""
    compression = _CODECS.get(codec, codec.lower())
    with pyarrow.orc.ORCWriter(path, compression=compression) as writer:
        writer.write(schema.empty_table())
        for batch in batches:
            writer.write(pa.Table.from_batches([batch], schema))
