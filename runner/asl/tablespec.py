"""What a definition tells the keeper about a table, and the statements around its SQL."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Any

from runner.asl.expressions import names_of
from runner.asl.testing import is_iceberg, test_facts, test_query, test_query_end, tests_of
from runner.model.header import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.names import TableName
    from runner.model.project import Allowed, Project, Table
    from runner.model.sqltext import Mark

_HIVE = "org.apache.hadoop.hive"
_TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUT = f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat"
_FORMATS: dict[str, tuple[str, str, str]] = {
    "parquet": (
        f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat",
        f"{_HIVE}.ql.io.parquet.MapredParquetOutputFormat",
        f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "orc": (
        f"{_HIVE}.ql.io.orc.OrcInputFormat",
        f"{_HIVE}.ql.io.orc.OrcOutputFormat",
        f"{_HIVE}.ql.io.orc.OrcSerde",
    ),
    "avro": (
        f"{_HIVE}.ql.io.avro.AvroContainerInputFormat",
        f"{_HIVE}.ql.io.avro.AvroContainerOutputFormat",
        f"{_HIVE}.serde2.avro.AvroSerDe",
    ),
    "json": (_TEXT_IN, _TEXT_OUT, "org.apache.hive.hcatalog.data.JsonSerDe"),
    "textfile": (_TEXT_IN, _TEXT_OUT, f"{_HIVE}.serde2.lazy.LazySimpleSerDe"),
}
_BY_POSITION = frozenset({"orc", "textfile"})
_CODECS = {
    "parquet": "ZSTD",
    "orc": "ZSTD",
    "avro": "SNAPPY",
    "json": "GZIP",
    "textfile": "GZIP",
}
DEFAULT_PATTERNS = {
    "hour": "yyyy-MM-dd'T'HH",
    "day": "yyyy-MM-dd",
    "month": "yyyy-MM",
    "year": "yyyy",
}
"""What a mark prints in a workflow's own grain."""
__all__ = [
    "DEFAULT_PATTERNS",
    "codec_of",
    "format_parameters",
    "is_iceberg",
    "keeper_spec",
    "mark_names",
    "storage_of",
    "test_query",
    "test_query_end",
]


def file_format(table: Table) -> str:
    """Give the format of the table's files; those of an Iceberg table are Parquet."""
    return "parquet" if is_iceberg(table) else table.header.format


def storage_of(table: Table) -> dict[str, Any]:
    """Give Glue's formats and SerDe for the table's file format."""
    reader, writer, serde = _FORMATS[file_format(table)]
    return {
        "InputFormat": reader,
        "OutputFormat": writer,
        "SerdeInfo": {
            "SerializationLibrary": serde,
            "Parameters": {"serialization.format": "1"},
        },
    }


def codec_of(table: Table) -> str:
    """Give the compression codec, always explicit: Athena's defaults differ by table type."""
    return (table.header.compression or _CODECS[file_format(table)]).upper()


def format_parameters(table: Table) -> dict[str, str]:
    """Give the table properties that tell format and codec."""
    files = file_format(table)
    codec = codec_of(table)
    if files in ("parquet", "orc"):
        name = "parquet.compression" if files == "parquet" else "orc.compress"
        return {"classification": files, name: codec}
    return {"classification": files, "write.compression": codec}


def keeper_spec(project: Project, table: Table, grain: str) -> dict[str, Any]:
    """Write the JSON that the keeper reads as its `Spec`; `grain` is the workflow's."""
    header, parts = table.header, table.partitioning
    spec: dict[str, Any] = {
        "name": f"{table.database}.{table.name.table}",
        "kind": Kind.INSERT.value if is_iceberg(table) else table.kind.value,
        "project": project.config.project,
        "fingerprint": published_fingerprint(project, table),
        "marks": {
            name: {
                "base": mark.base,
                "steps": [list(step) for step in mark.steps],
                "format": mark.format or _own_pattern(table, grain),
            }
            for mark, name in names_of(table.sql).items()
        },
    }
    if table.kind in (Kind.VIEW, Kind.DDL):
        return spec
    insert = table.kind is Kind.INSERT
    others = {
        other.column: _allowed(other, header.partition[other.column].interval or 1)
        for other in parts.others
    }
    return {
        **spec,
        "grain": (parts.grain or None) if insert else None,
        "time": [list(pair) for pair in parts.time] if insert else [],
        "partitions": list(header.partition),
        "allowed": others,
        "combinations": parts.combinations,
        "reads": list(_reads(project, table)),
        "storage": storage_of(table),
        "parameters": {
            **format_parameters(table),
            **header.properties,
            **dict(parts.parameters),
        },
        "by_position": header.format in _BY_POSITION,
        "tests": [test_facts(test) for test in tests_of(table)],
        "allow_empty": header.allow_empty,
        "ordered": any(read.table == table.name for read in table.reads),
        "max_window": project.config.defaults.max_window,
        **_iceberg_facts(table),
    }


def _iceberg_facts(table: Table) -> dict[str, Any]:
    if not is_iceberg(table):
        return {}
    header = table.header
    return {"iceberg": {"keys": list(header.keys), "properties": dict(header.properties)}}


def _reads(project: Project, table: Table) -> Iterator[dict[str, Any]]:
    """Name the tables below a table that have records; views are looked through.

    What a view reads counts as read whole: its own filters are not known.
    """
    known = project.by_name
    waiting = [(read, read.windowed) for read in table.reads]
    seen: set[TableName] = {table.name}
    for read, windowed in waiting:
        found = known.get(read.table)
        if found is None or found.name in seen or found.kind is Kind.DDL:
            continue
        seen.add(found.name)
        if found.kind is Kind.VIEW:
            waiting += [(one, False) for one in found.reads]
            continue
        yield {
            "table": f"{found.database}.{found.name.table}",
            "kind": "iceberg" if found.header.format == "iceberg" else found.kind.value,
            "grain": (found.partitioning.grain or None) if found.kind is Kind.INSERT else None,
            "windowed": windowed,
            "lookback": read.lookback if windowed else 0,
        }


def injected_conditions(table: Table) -> tuple[str, ...]:
    """Give the SQL conditions for the values of injected partition columns, one a statement.

    Athena reads an injected column only under an equality, so that each value has a statement of
    its own.  Empty for a table without such columns.
    """
    header = table.header
    names = [name for name, column in header.partition.items() if column.type == "injected"]
    if not names:
        return ()
    values = [header.partition[name].values or () for name in names]
    return tuple(
        " AND ".join(
            f"\"{name}\" = '{value.replace(chr(39), chr(39) * 2)}'"
            for name, value in zip(names, chosen, strict=True)
        )
        for chosen in itertools.product(*values)
    )


def published_fingerprint(project: Project, table: Table) -> str:
    """Give the fingerprint that records carry; a view's covers all that it reads (SEMANTICS 29).

    A view keeps its columns' types, and a changed type passes through tables that say nothing of
    it: the view is made anew when any table below it was changed.
    """
    if table.kind is not Kind.VIEW:
        return table.fingerprint
    reads = {one.name: [read.table for read in one.reads] for one in project.tables}
    below = {read.table for read in table.reads}
    found = list(below)
    for name in found:
        new = set(reads.get(name, ())) - below
        below |= new
        found += new
    parts = [one.fingerprint for one in project.tables if one.name in below]
    return hashlib.sha256("\n".join([table.fingerprint, *parts]).encode()).hexdigest()


def _own_pattern(table: Table, grain: str) -> str:
    time = table.partitioning.time
    return time[0][1] if len(time) == 1 else DEFAULT_PATTERNS[table.partitioning.grain or grain]


def _allowed(other: Allowed, interval: int) -> list[str] | dict[str, int]:
    if other.values:
        return list(other.values)
    return {
        "min": other.least,
        "max": other.greatest,
        "digits": other.digits,
        "interval": interval,
    }


def mark_names(table: Table) -> dict[Mark, str]:
    """Name the marks of a table's SQL as the keeper's spec does."""
    return names_of(table.sql)
