"""The storage classes that Athena writes into the catalogue for each format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.sqltypes import SqlType, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.local.athena.tables import Field

_HIVE = "org.apache.hadoop.hive."
_IO = f"{_HIVE}ql.io."
_TEXT_OUT = f"{_IO}HiveIgnoreKeyTextOutputFormat"
_TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
_LAZY = f"{_HIVE}serde2.lazy.LazySimpleSerDe"
_ION = "com.amazon.ionhiveserde."


_TEXT_CODECS = ("BZIP2", "GZIP", "LZ4", "SNAPPY", "ZSTD", "NONE", "UNCOMPRESSED")
_MOST_LEVEL = 22


class Codecs(NamedTuple):
    """What a format is packed with: by default, and at all."""

    default: str
    known: tuple[str, ...]


class Storage(NamedTuple):
    """A format's class names, and what the engine calls it."""

    format: str
    input: str
    output: str
    serde: str


_JSON = Storage("json", _TEXT_IN, _TEXT_OUT, "org.apache.hive.hcatalog.data.JsonSerDe")
FORMATS = {
    "PARQUET": Storage(
        "parquet",
        f"{_IO}parquet.MapredParquetInputFormat",
        f"{_IO}parquet.MapredParquetOutputFormat",
        f"{_IO}parquet.serde.ParquetHiveSerDe",
    ),
    "JSON": _JSON,
    "TEXTFILE": Storage("csv", _TEXT_IN, _TEXT_OUT, _LAZY),
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
    "JSONFILE": _JSON,
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
WRITTEN = {
    "PARQUET": Codecs("GZIP", ("GZIP", "SNAPPY", "ZSTD", "NONE", "UNCOMPRESSED")),
    "ORC": Codecs("ZLIB", ("LZ4", "SNAPPY", "ZLIB", "ZSTD", "NONE")),
    "AVRO": Codecs("DEFLATE", ("BZIP2", "DEFLATE", "SNAPPY", "ZSTD", "NONE")),
    "JSON": Codecs("GZIP", _TEXT_CODECS),
    "TEXTFILE": Codecs("GZIP", _TEXT_CODECS),
    "ION": Codecs("GZIP", _TEXT_CODECS),
}
"""The formats that CTAS, INSERT INTO and UNLOAD write, with the codecs of Athena's user guide,
"Hive table compression", for engine version 3."""
_NAMES = {"GZIP", "SNAPPY", "ZSTD", "LZ4", "LZO", "BZIP2", "DEFLATE", "ZLIB", "NONE"}


def format_written(name: str) -> str:
    """Give the name of the format that a table of an engine's format is written in."""
    return next(kind for kind in WRITTEN if FORMATS[kind].format == name)


def codec_of(texts: Mapping[str, str], kind: str) -> str:
    """Choose the codec of a write from its properties; raises AthenaFailure for what is none."""
    own = f"{kind.lower()}_compression"
    names = [name for name in ("write_compression", "compression", own) if name in texts]
    if len(names) > 1:
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"Only one of the properties {' and '.join(names)} may be set",
        )
    if not names:
        return WRITTEN[kind].default
    return checked_codec(texts[names[0]], kind, names[0])


def checked_codec(text: str, kind: str, property_name: str) -> str:
    """Check a codec's name, and that Athena writes the format with it; raises AthenaFailure."""
    codec = text.upper()
    if codec not in {*_NAMES, "UNCOMPRESSED"}:
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"Unable to set catalog 'awsdatacatalog' table property '{property_name}' to "
            f"['{text}']",
        )
    if codec not in WRITTEN[kind].known:
        raise AthenaFailure(
            "HIVE_UNSUPPORTED_FORMAT", f"Compression codec {codec} not supported for {kind}"
        )
    return codec


def level_of(text: str) -> int:
    """Read compression_level, 1 to 22; 0 if it is not set."""
    if not text:
        return 0
    if not text.isdigit() or not 1 <= int(text) <= _MOST_LEVEL:
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"compression_level must be between 1 and {_MOST_LEVEL}, and not {text}",
        )
    return int(text)


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


def check_avro(fields: Iterable[Field]) -> None:
    """Raise AthenaFailure for a type that Avro does not have."""
    for field in fields:
        _check_type(parse_type(field.type), field.name)


def _check_type(kind: SqlType, name: str) -> None:
    if kind.name in {"tinyint", "smallint"}:
        raise AthenaFailure(
            "NOT_SUPPORTED",
            f"Column '{name}' is {kind.name}, which is not supported by Avro. Use integer instead.",
        )
    if kind.name == "map" and kind.parts[0].name != "varchar":
        raise AthenaFailure(
            "NOT_SUPPORTED",
            f"Column '{name}' has a non-varchar map key, which is not supported by Avro",
        )
    for part in kind.parts:
        _check_type(part, name)
