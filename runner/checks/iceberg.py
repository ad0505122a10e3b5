"""What an Iceberg table needs, and which settings it does not have (SEMANTICS 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.header import Kind
from runner.model.nearest import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROWS = "iceberg-rows"
_SETTING = "iceberg-setting"
# The closed list of Athena's user guide, "Create Iceberg tables", without what is ours to set.
_PROPERTIES = (
    "optimize_rewrite_data_file_threshold",
    "optimize_rewrite_delete_file_threshold",
    "optimize_rewrite_max_data_file_size_bytes",
    "optimize_rewrite_min_data_file_size_bytes",
    "vacuum_max_metadata_files_to_keep",
    "vacuum_max_snapshot_age_seconds",
    "vacuum_min_snapshots_to_keep",
    "write_target_data_file_size_bytes",
)
_OURS = ("format", "write_compression", "table_type")
"""Names that another rule refuses: they would be told twice."""


def _is_iceberg(subject: Subject) -> bool:
    """Tell whether we write it as an Iceberg table; views and ddl are told that they write none."""
    table = subject.table
    return table.header.format == "iceberg" and table.kind in (Kind.CTAS, Kind.INSERT)


def _find_rows(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    header = subject.table.header
    if _is_iceberg(subject) and not header.keys and not header.partition:
        yield Fault(
            subject.places.value("format"),
            _ROWS,
            "format: iceberg without keys or a partition",
            "`keys`, the columns that tell rows apart, or `partition`, or both",
            "add keys: [...], or leave the format away: a table that is written whole is "
            "replaced at once in any format",
        )


def _find_setting(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    header = subject.table.header
    if not _is_iceberg(subject):
        if subject.wrote("keys") and subject.table.kind in (Kind.CTAS, Kind.INSERT):
            yield Fault(
                subject.places.key("keys"),
                _SETTING,
                f"`keys` in a table of format {header.format}",
                "`keys` with format: iceberg only: other tables are not merged",
                "remove the key; for the mart's keys write load: {keys: [...]}",
            )
        return
    if header.bucket is not None:
        yield Fault(
            subject.places.key("bucket"),
            _SETTING,
            "`bucket` in an Iceberg table",
            "no such key: buckets of Hive tables are not those of Iceberg",
            "remove the key",
        )
    for name, column in header.partition.items():
        if column.type == "injected":
            yield Fault(
                subject.places.value("partition", name, "type"),
                _SETTING,
                f"the injected partition column {name} in an Iceberg table",
                "type: date, integer or enum: there is no projection that values are put into",
                "write type: enum with the values, or make it an ordinary column",
            )
    for name in header.properties:
        if name not in _PROPERTIES and name not in _OURS and not name.startswith("projection."):
            yield Fault(
                subject.places.key("properties", name),
                _SETTING,
                f"the property {name} of an Iceberg table",
                "one that Athena takes: " + ", ".join(_PROPERTIES),
                suggestion(name, _PROPERTIES, otherwise="remove it"),
            )


RULES = (
    Rule(
        _ROWS,
        "error",
        "One MERGE makes the table hold exactly the query's rows: it must know which rows go.",
        _find_rows,
    ),
    Rule(
        _SETTING,
        "error",
        "Athena refuses settings that Iceberg tables do not have, after the query was paid.",
        _find_setting,
    ),
)
