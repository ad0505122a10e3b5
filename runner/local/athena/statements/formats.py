"""The storage classes that Athena writes into the catalogue for each format."""

from __future__ import annotations

from typing import Any, NamedTuple

_IO = "org.apache.hadoop.hive.ql.io."
_TEXT_OUT = f"{_IO}HiveIgnoreKeyTextOutputFormat"
_TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"


class Storage(NamedTuple):
    """A format's class names, and what the engine calls it."""

    format: str
    input: str
    output: str
    serde: str


STORAGE = {
    "PARQUET": Storage(
        "parquet",
        f"{_IO}parquet.MapredParquetInputFormat",
        f"{_IO}parquet.MapredParquetOutputFormat",
        f"{_IO}parquet.serde.ParquetHiveSerDe",
    ),
    "JSON": Storage("json", _TEXT_IN, _TEXT_OUT, "org.apache.hive.hcatalog.data.JsonSerDe"),
    "TEXTFILE": Storage(
        "csv", _TEXT_IN, _TEXT_OUT, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    ),
}
ORC = Storage("orc", f"{_IO}orc.OrcInputFormat", f"{_IO}orc.OrcOutputFormat", f"{_IO}orc.OrcSerde")


def storage_of(kind: str) -> dict[str, Any]:
    """Give the keys of a StorageDescriptor that name the classes."""
    storage = {**STORAGE, "ORC": ORC}[kind]
    return {
        "InputFormat": storage.input,
        "OutputFormat": storage.output,
        "SerdeInfo": {
            "SerializationLibrary": storage.serde,
            "Parameters": {"serialization.format": "1"},
        },
    }
