"""What a definition tells the keeper about a table, and the statements around its SQL."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from runner.asl.expressions import names_of
from runner.model.header import ColumnTest, Kind

if TYPE_CHECKING:
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
_DEFAULT_PATTERNS = {
    "hour": "yyyy-MM-dd'T'HH",
    "day": "yyyy-MM-dd",
    "month": "yyyy-MM",
    "year": "yyyy",
}
_ROWS = '"rows"'


def file_format(table: Table) -> str:
    """Give the format of the table's files; those of an Iceberg table are Parquet."""
    return "parquet" if is_iceberg(table) else table.header.format


def is_iceberg(table: Table) -> bool:
    """Tell whether the table is published by a MERGE."""
    return table.header.format == "iceberg" and table.kind in (Kind.CTAS, Kind.INSERT)


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
        "fingerprint": _fingerprint(project, table),
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
        "storage": storage_of(table),
        "parameters": {
            **format_parameters(table),
            **header.properties,
            **dict(parts.parameters),
        },
        "by_position": header.format in _BY_POSITION,
        "tests": [_test_facts(test) for test in tests_of(table)],
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


def tests_of(table: Table) -> tuple[ColumnTest, ...]:
    """Give the tests of the header, and what a MERGE by keys takes for granted."""
    tests, keys = table.header.tests, table.header.keys
    if not is_iceberg(table) or not keys:
        return tests
    row = tuple(dict.fromkeys([*keys, *table.header.partition]))
    return (*tests, ColumnTest(unique=row), ColumnTest(not_null=keys))


def _fingerprint(project: Project, table: Table) -> str:
    """Give the table's fingerprint; a view's also covers all that it reads (SEMANTICS 29).

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
    return time[0][1] if len(time) == 1 else _DEFAULT_PATTERNS[table.partitioning.grain or grain]


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


def test_name(test: ColumnTest) -> str:
    """Name a test as its YAML says it: `unique: dt, carrier`."""
    if test.unique:
        return f"unique: {', '.join(test.unique)}"
    if test.not_null:
        return f"not_null: {', '.join(test.not_null)}"
    if test.accepted_values:
        return f"accepted_values: {', '.join(test.accepted_values)}"
    if test.range:
        return f"range: {', '.join(test.range)}"
    if test.min_rows is not None:
        return f"min_rows: {test.min_rows}"
    return f"max_rows: {test.max_rows}"


def _test_facts(test: ColumnTest) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": test_name(test), "severity": test.severity, "test": "count"}
    if test.min_rows is not None:
        return {**facts, "test": "min_rows", "value": test.min_rows}
    if test.max_rows is not None:
        return {**facts, "test": "max_rows", "value": test.max_rows}
    return facts


def test_query(table: Table) -> str:
    """Write the test query up to the stage table's name; one row per partition.

    Columns: the partition columns, `rows`, then offending rows of each counting test.
    """
    keys = [_name(column) for column in table.header.partition]
    counts = [
        f"{_offending(test)} AS {_name(f't{number}')}"
        for number, test in enumerate(t for t in tests_of(table) if _counts(t))
    ]
    return f"SELECT {', '.join([*keys, f'count(*) AS {_ROWS}', *counts])} FROM "


def test_query_end(table: Table) -> str:
    """Write what follows the stage table's name in the test query."""
    keys = ", ".join(_name(column) for column in table.header.partition)
    return f" GROUP BY {keys}" if keys else ""


def _counts(test: ColumnTest) -> bool:
    return test.min_rows is None and test.max_rows is None


def _offending(test: ColumnTest) -> str:
    if test.unique:
        columns = ", ".join(_name(column) for column in test.unique)
        return f"count(*) - count(DISTINCT ROW({columns}))"
    if test.not_null:
        return _count_if([f"{_name(column)} IS NULL" for column in test.not_null])
    if test.accepted_values:
        return _count_if(
            [
                f"{_name(column)} NOT IN ({', '.join(_literal(value) for value in values)})"
                for column, values in test.accepted_values.items()
            ]
        )
    bounds = []
    for column, (least, greatest) in (test.range or {}).items():
        if least is not None:
            bounds.append(f"{_name(column)} < {_number(least)}")
        if greatest is not None:
            bounds.append(f"{_name(column)} > {_number(greatest)}")
    return _count_if(bounds)


def _count_if(conditions: list[str]) -> str:
    return f"count_if({' OR '.join(conditions) or 'false'})"


def _name(column: str) -> str:
    return f'"{column}"'


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
