"""Codecs that a format has, and table properties that are ours to set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.header import Kind
from runner.model.nearest import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODEC = "compression"
_PROPERTY = "property-reserved"
# Codecs that Athena writes: docs.aws.amazon.com/athena/latest/ug/compression-support-hive.html
# and compression-support-iceberg.html
_CODECS = {
    "parquet": ("gzip", "lz4", "lzo", "snappy", "zstd", "none", "uncompressed"),
    "iceberg": ("gzip", "snappy", "zstd", "none"),
    "orc": ("lz4", "snappy", "zlib", "zstd", "none"),
    "avro": ("bzip2", "deflate", "snappy", "zstd", "none"),
    "json": ("bzip2", "gzip", "lz4", "snappy", "zstd", "none"),
    "textfile": ("bzip2", "gzip", "lz4", "snappy", "zstd", "none"),
}
_OURS = ("projection.", "runner.")
_OURS_EXACT = (
    *("external_location", "partitioned_by", "bucketed_by", "bucket_count", "format"),
    *("write_compression", "storage.location.template", "EXTERNAL", "table_type"),
)


def _find_codec(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    header = subject.table.header
    codecs = _CODECS.get(header.format, ())
    written = subject.table.kind in (Kind.CTAS, Kind.INSERT)
    if written and codecs and header.compression and header.compression.lower() not in codecs:
        yield Fault(
            subject.places.value("compression"),
            _CODEC,
            f"compression: {header.compression} for format {header.format}",
            f"one of {', '.join(codecs)}",
            suggestion(header.compression, codecs, otherwise="choose one, or remove the key"),
        )


def _find_property(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    for name in subject.table.header.properties:
        if name in _OURS_EXACT or name.startswith(_OURS):
            yield Fault(
                subject.places.key("properties", name),
                _PROPERTY,
                f"the property {name}",
                "properties that no other key of the header sets",
                "remove it; partition, format, compression and bucket set it",
            )


RULES = (
    Rule(_CODEC, "error", "Athena refuses a codec that the format does not have.", _find_codec),
    Rule(
        _PROPERTY,
        "error",
        "What is written must be what the projection looks for; two places would disagree.",
        _find_property,
    ),
)
