"""The rows of foreign files as DuckDB takes them: a dataset that is asked for columns.

In: a `ForeignScan`.  Out: an object that DuckDB can scan as often as it likes; each time it asks
for the columns that the query needs, and files are then read one by one, in pieces.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.dataset

from runner.local.athena.arrowtypes import arrow_type
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.foreign import missing
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runner.local.athena.foreign import ForeignScan, Reading

    Reader = Callable[[Any, ForeignScan, Sequence[str]], Iterator[Any]]

_PLAIN_NAME = re.compile(r"\w+")


def _reader(kind: str) -> Reader:
    try:
        match kind:
            case "orc":
                from runner.local.athena.orcfiles import read  # noqa: PLC0415 - few tables need it
            case "parquet":
                from runner.local.athena.orcfiles import (  # noqa: PLC0415 - as above
                    read_parquet as read,
                )
            case "avro":
                from runner.local.athena.avrofiles import read  # noqa: PLC0415 - as above
            case _:
                from runner.local.athena.ionfiles import read  # noqa: PLC0415 - as above
    except ImportError as error:
        raise missing(f"Reading {kind.upper()}", error) from error
    return read


class ForeignDataset(pyarrow.dataset.InMemoryDataset):  # type: ignore[misc]  # pyarrow has no types
    """What DuckDB knows as a dataset of pyarrow."""

    def __init__(self, scan: ForeignScan, reading: Reading) -> None:
        """Take what is read, and where bytes and failures are kept."""
        fields = [(name, arrow_type(parse_type(hive))) for name, hive in scan.columns]
        fields += [(scan.path_column, pa.string())] if scan.path_column else []
        fields += [(scan.row_column, pa.int64())] if scan.row_column else []
        schema = pa.schema(fields)
        super().__init__(schema.empty_table(), schema)
        self._scan, self._reading, self._schema = scan, reading, schema
        self._read = _reader(scan.format)

    def scanner(self, columns: Sequence[str] | None = None, filter: Any = None, **_: Any) -> Any:  # noqa: A002, ANN401 - pyarrow's names
        """Read the columns of all files, keeping the rows for which the filter holds."""
        names = self._needed(columns, filter)
        schema = pa.schema([self._schema.field(name) for name in names])
        return pyarrow.dataset.Scanner.from_batches(
            self._batches(names), schema=schema, columns=columns, filter=filter
        )

    def _needed(self, columns: Sequence[str] | None, condition: Any) -> list[str]:  # noqa: ANN401 - as above
        """Give the columns to read: those asked for, and those that stand in the filter."""
        if columns is None:
            return list(self._schema.names)
        text = "" if condition is None else str(condition)
        return [
            name
            for name in self._schema.names
            if name in columns or name in text or (text and not _PLAIN_NAME.fullmatch(name))
        ]

    def _batches(self, names: Sequence[str]) -> Iterator[Any]:
        own = {self._scan.path_column, self._scan.row_column}
        wanted = [name for name in names if name not in own]
        try:
            for path in self._scan.paths:
                first = 0
                with Path(path).open("rb") as file:
                    for batch in self._read(_Counted(file, self._reading), self._scan, wanted):
                        yield self._whole(batch, names, path, first)
                        first += batch.num_rows
        except AthenaFailure as failure:
            self._reading.fail(failure)
            raise

    def _whole(self, batch: Any, names: Sequence[str], path: str, first: int) -> Any:  # noqa: ANN401 - as above
        """Add what is known of the rows' places to the columns of a file."""
        size = batch.num_rows
        added = {
            self._scan.path_column: lambda: pa.repeat(pa.scalar(path), size),
            self._scan.row_column: lambda: pa.array(range(first, first + size), pa.int64()),
        }
        arrays = [added[name]() if name in added else batch.column(name) for name in names]
        return pa.RecordBatch.from_arrays(arrays, names=list(names))


class _Counted(io.RawIOBase):
    """A file that tells how many bytes are read."""

    def __init__(self, file: BinaryIO, reading: Reading) -> None:
        super().__init__()
        self._file, self._reading = file, reading

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size)
        self._reading.bytes_read += len(found)
        return found

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as io declares it
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True
