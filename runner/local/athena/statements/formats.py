"""The storage classes that Athena writes into the catalogue for each format."""

from __future__ import annotations

from typing import Any, NamedTuple

_HIVE = "org.apache.hadoop.hive."
_IO = f"{_HIVE}ql.io."
_TEXT_OUT = f"{_IO}HiveIgnoreKeyTextOutputFormat"
_TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
_LAZY = f"{_HIVE}serde2.lazy.LazySimpleSerDe"
_ION = "com.amazon.ionhiveserde."


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
    "TEXTFILE": Storage("csv", _TEXT_IN, _TEXT_OUT, _LAZY),
}
"""The formats that can be written here."""
FORMATS = {
    **STORAGE,
    "ORC": Storage(
        "orc", f"{_IO}orc.OrcInputFormat", f"{_IO}orc.OrcOutputFormat", f"{_IO}orc.OrcSerde"
    ),
    "AVRO": Storage(
        "avro",
        f"{_IO}avro.AvroContainerInputFormat",
        f"{_IO}avro.AvroContainerOutputFormat",
        f"{_HIVE}serde2.avro.AvroSerDe",
    ),
    "ION": Storage(
        "ion",
        f"{_ION}formats.IonInputFormat",
        f"{_ION}formats.IonOutputFormat",
        f"{_ION}IonHiveSerDe",
    ),
    "JSONFILE": STORAGE["JSON"],
    "SEQUENCEFILE": Storage(
        "sequence",
        "org.apache.hadoop.mapred.SequenceFileInputFormat",
        f"{_IO}HiveSequenceFileOutputFormat",
        _LAZY,
    ),
    "RCFILE": Storage(
        "rc",
        f"{_IO}RCFileInputFormat",
        f"{_IO}RCFileOutputFormat",
        f"{_HIVE}serde2.columnar.LazyBinaryColumnarSerDe",
    ),
}
"""The formats that a table may be declared to have."""
UNWRITTEN = {
    "org.apache.hadoop.hive.ql.io.orc.OrcSerde": "ORC",
    "org.apache.hadoop.hive.serde2.avro.AvroSerDe": "AVRO",
    f"{_ION}IonHiveSerDe": "ION",
}
"""SerDes that Athena writes and the local engine does not."""


def storage_of(kind: str) -> dict[str, Any]:
    """Give the keys of a StorageDescriptor that name the classes."""
    storage = FORMATS[kind]
    return {
        "InputFormat": storage.input,
        "OutputFormat": storage.output,
        "SerdeInfo": {
            "SerializationLibrary": storage.serde,
            "Parameters": {"serialization.format": "1"},
        },
    }
