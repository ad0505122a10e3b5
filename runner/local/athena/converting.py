"""Files that DuckDB wrote as Parquet, made into what the table's format asks for.

In: a Parquet file and a target.  Out: an ORC, Avro or Ion file in its place, made batch by batch.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.local.athena.foreign import missing
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.athena.writer import Target

_ROWS = 16_384


def convert(path: str, target: Target) -> str:
    """Write a file again in the target's format; gives the new path."""
    made = f"{path.removesuffix('.parquet')}.{target.format}"
    columns = [(field.name, field.type) for field in target.columns]
    try:
        match target.format:
            case "orc":
                _write_orc(path, made, _orc_schema(target), target.compression)
            case "avro" if target.fields:
                from runner.local.athena.avrofiles import (  # noqa: PLC0415 - few tables need it
                    write_numbered,
                )

                write_numbered(_rows(path), made, target.fields, codec=target.compression)
            case "avro":
                from runner.local.athena.avrofiles import write  # noqa: PLC0415 - few tables need it

                write(_rows(path), made, columns, codec=target.compression)
            case _:
                from runner.local.athena.ionfiles import (  # noqa: PLC0415 - as above
                    write as write_ion,
                )

                write_ion(_rows(path), made, columns, text=target.as_text)
    except ImportError as error:
        raise missing(f"Writing {target.format.upper()}", error) from error
    os.unlink(path)  # noqa: PTH108 - plain text is what costs least per file
    return made


def _orc_schema(target: Target) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa  # noqa: PLC0415 - few tables need it

    from runner.local.athena.arrowtypes import arrow_type  # noqa: PLC0415 - as above
    from runner.local.athena.icebergs.schemas import arrow_schema  # noqa: PLC0415 - as above

    if target.fields:
        return arrow_schema(target.fields)
    return pa.schema([(each.name, arrow_type(parse_type(each.type))) for each in target.columns])


def _write_orc(path: str, made: str, schema: Any, codec: str) -> None:  # noqa: ANN401 - as above
    import pyarrow as pa  # noqa: PLC0415 - few tables need it
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - as above

    from runner.local.athena.orcfiles import write  # noqa: PLC0415 - as above

    with ParquetFile(path) as file:
        batches = (
            pa.RecordBatch.from_arrays(
                [
                    column.cast(field.type)
                    for column, field in zip(batch.columns, schema, strict=True)
                ],
                schema=schema,
            )
            for batch in file.iter_batches(_ROWS)
        )
        write(batches, made, schema, codec=codec)


def _rows(path: str) -> Iterator[dict[str, Any]]:
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - few tables need it

    with Path(path).open("rb") as opened, ParquetFile(opened) as file:
        for batch in file.iter_batches(_ROWS):
            yield from batch.to_pylist()
