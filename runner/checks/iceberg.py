"""Iceberg tables are described but not written yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = "iceberg-unsupported"


def _find(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    if subject.table.header.format == "iceberg":
        yield Fault(
            subject.places.value("format"),
            _CODE,
            "format: iceberg",
            "a format that this version writes: parquet, orc, avro, json, textfile",
            "choose one of them; Iceberg tables are not supported by this version yet",
        )


RULE = Rule(
    _CODE, "error", "Iceberg tables need another write path, which is not built yet.", _find
)
