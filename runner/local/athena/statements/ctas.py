"""CREATE TABLE AS: a query's rows become files of a new table, Hive's or Iceberg's.

The properties are those of Athena's user guide, "CREATE TABLE AS".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure, unknown_statement
from runner.local.athena.hive import unescape
from runner.local.athena.partitions import visible_files
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.statements import iceberg, iceberg_ctas
from runner.local.athena.statements.formats import (
    FORMATS,
    WRITTEN,
    check_avro,
    codec_of,
    format_written,
    level_of,
    storage_of,
)
from runner.local.athena.statements.inserts import register
from runner.local.athena.statements.outputs import check_names
from runner.local.athena.tables import Field
from runner.local.athena.writer import MOST_WRITERS, Target, Written
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import TableInfo


@dataclass(frozen=True, slots=True)
class Properties:
    """The WITH clause of a CTAS."""

    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Buckets(NamedTuple):
    """Columns that tell buckets, and how many buckets there are."""

    names: tuple[str, ...]
    number: int


_ALLOWED = frozenset(
    {
        "format",
        "location",
        "external_location",
        "write_compression",
        "parquet_compression",
        "orc_compression",
        "compression_level",
        "field_delimiter",
        "partitioned_by",
        "partitioning",
        "bucketed_by",
        "bucket_count",
        "table_type",
        "is_external",
        "ion_encoding",
        "optimize_rewrite_min_data_file_size_bytes",
        "optimize_rewrite_max_data_file_size_bytes",
        "optimize_rewrite_data_file_threshold",
        "optimize_rewrite_delete_file_threshold",
        "vacuum_min_snapshots_to_keep",
        "vacuum_max_snapshot_age_seconds",
        "vacuum_max_snapshot_age_ms",
        "write_target_data_file_size_bytes",
    }
)

_HIVE_ONLY = frozenset(
    {"external_location", "partitioned_by", "bucketed_by", "bucket_count", "field_delimiter"}
    | {"ion_encoding"}
)
_ICEBERG_ONLY = frozenset(
    name
    for name in _ALLOWED
    if name.startswith(("optimize_", "vacuum_", "write_target_")) or name == "partitioning"
) | {"location"}


def create_as(session: Session, statement: Statement) -> Outcome:
    """Run CREATE TABLE ... AS: write into an empty prefix, register table and partitions."""
    cursor = Cursor(statement)
    cursor.expect("CREATE", "TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database, name = cursor.qualified(session.database)
    token = cursor.peek()
    if token is not None and token.text == "(":
        return iceberg.create(session, statement)
    if cursor.accept("LIKE"):
        raise unknown_statement()
    properties = take_with(cursor)
    cursor.expect("AS")
    query, with_data = _with_data(statement, cursor)
    if if_not_exists and session.planner.lookup(database, name) is not None:
        return Outcome("DDL", "CREATE_TABLE_AS_SELECT")
    _check_kind(properties)
    _check_absent(session, database, name)
    plan = session.planner.plan(session.cursor, query, database=session.database)
    check_names(query, [column for column, _ in plan.columns])
    if properties.texts.get("table_type", "HIVE").upper() == "ICEBERG":
        return iceberg_ctas.create_as(
            session, (database, name), properties, plan, with_data=with_data
        )
    target = _ctas_target(session, properties, plan.declared_columns())
    buckets = _buckets(properties, target)
    check_empty(session, f"{database}.{name}", target.location)
    if not with_data:
        _create(session, (database, name), target, buckets)
        return Outcome("DDL", "CREATE_TABLE_AS_SELECT")
    written = _write(session, plan.sql, target, buckets)
    table = _create(session, (database, name), target, buckets)
    if table.keys:
        register(session, table, written)
    return Outcome(
        "DDL",
        "CREATE_TABLE_AS_SELECT",
        bytes_scanned=plan.scanned(written.bytes_read),
        rows_written=written.rows,
        files=written.files,
    )


def _check_kind(properties: Properties) -> None:
    """Refuse the properties of the other kind of table."""
    given = {*properties.texts, *properties.lists}
    kind = properties.texts.get("table_type", "HIVE").upper()
    if kind not in {"HIVE", "ICEBERG"}:
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"Unable to set catalog 'awsdatacatalog' table property 'table_type' to ['{kind}']",
        )
    foreign = _HIVE_ONLY if kind == "ICEBERG" else _ICEBERG_ONLY
    for name in sorted(given & foreign):
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"Table property '{name}' is not supported for table type {kind}",
        )


def _buckets(properties: Properties, target: Target) -> Buckets:
    """Read bucketed_by and bucket_count, which go together."""
    names, count = properties.lists.get("bucketed_by", ()), properties.texts.get("bucket_count", "")
    if bool(names) != bool(count) or (count and not (count.isdigit() and int(count))):
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            "bucketed_by and bucket_count must be specified together, the count above zero",
        )
    plain = {each.name for each in target.columns}
    for name in names:
        if name not in plain:
            raise AthenaFailure(
                "INVALID_TABLE_PROPERTY", f"Bucketing columns [{name}] not present in schema"
            )
    return Buckets(names, int(count or 0))


def _write(session: Session, sql: str, target: Target, buckets: Buckets) -> Written:
    """Write the rows; those of a bucket go into files of their own.

    Which bucket a row belongs to is DuckDB's hash of the columns, not Hive's.
    """
    if not buckets.names:
        return session.writer.write(session.cursor, sql, target)
    fields = (*target.columns, *target.keys)
    names = ", ".join(f"s{number}" for number in range(len(fields)))
    hashed = ", ".join(
        f"s{number}" for number, each in enumerate(fields) if each.name in buckets.names
    )
    kept = f"buckets_{session.query_id.replace('-', '')}"
    made = session.engine.run(
        session.cursor,
        f"CREATE TEMP TABLE {kept} AS "
        f"SELECT {names}, hash({hashed}) % {buckets.number} AS __bucket FROM ({sql}) AS s({names})",
    )
    _check_writers(session, kept, target)
    found = [
        session.writer.write(
            session.cursor,
            f"SELECT {names} FROM {kept} WHERE __bucket = {number}",
            target._replace(bucket=number),
        )
        for number in range(buckets.number)
    ]
    session.engine.run(session.cursor, f"DROP TABLE {kept}")
    return Written(
        sum(each.rows for each in found),
        tuple(file for each in found for file in each.files),
        tuple(dict.fromkeys(values for each in found for values in each.partitions)),
        made.bytes_read,
    )


def _check_writers(session: Session, kept: str, target: Target) -> None:
    first = len(target.columns)
    keys = "".join(f", s{first + number}" for number in range(len(target.keys)))
    counted = session.engine.run(
        session.cursor, f"SELECT count(*) FROM (SELECT DISTINCT __bucket{keys} FROM {kept})"
    )
    if int(counted.rows[0][0]) > MOST_WRITERS:
        raise AthenaFailure(
            "HIVE_TOO_MANY_OPEN_PARTITIONS",
            f"Exceeded limit of {MOST_WRITERS} open writers for partitions/buckets",
        )


def take_with(cursor: Cursor) -> Properties:
    """Take the WITH clause, if there is one."""
    if not cursor.accept("WITH"):
        return Properties()
    return take_given(cursor, _ALLOWED)


def take_given(cursor: Cursor, allowed: frozenset[str]) -> Properties:
    """Take `(name = value, ...)`; raises AthenaFailure for a name that is not allowed."""
    found = Properties()
    cursor.expect("(")
    while True:
        name = cursor.take().text
        if name not in allowed:
            raise AthenaFailure(
                "INVALID_TABLE_PROPERTY",
                f"Catalog 'awsdatacatalog' table property '{name}' does not exist",
                line=1,
                column=1,
            )
        cursor.expect("=")
        if cursor.accept("ARRAY"):
            found.lists[name] = _array(cursor)
        else:
            token = cursor.take()
            found.texts[name] = token.literal() if token.kind == "string" else token.text
        if cursor.accept(")"):
            return found
        cursor.expect(",")


def _array(cursor: Cursor) -> tuple[str, ...]:
    cursor.expect("[")
    values: list[str] = []
    while not cursor.accept("]"):
        values.append(cursor.string().lower())
        cursor.accept(",")
    return tuple(values)


def _with_data(statement: Statement, cursor: Cursor) -> tuple[str, bool]:
    """Split WITH [NO] DATA off the end; the query stays where it stands."""
    words = [token.text.upper() for token in statement.tokens[-3:]]
    query = cursor.rest_in_place()
    if words == ["WITH", "NO", "DATA"]:
        return query[: statement.tokens[-3].start], False
    if words[-2:] == ["WITH", "DATA"]:
        return query[: statement.tokens[-2].start], True
    return query, True


def _check_absent(session: Session, database: str, name: str) -> None:
    try:
        session.catalog.get_database(Name=database)
    except GlueError as error:
        raise AthenaFailure(
            "SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist", line=1, column=1
        ) from error
    if session.planner.lookup(database, name) is not None:
        raise AthenaFailure(
            "TABLE_ALREADY_EXISTS",
            f"Destination table 'awsdatacatalog.{database}.{name}' already exists",
            line=1,
            column=1,
        )


def _ctas_target(
    session: Session, properties: Properties, columns: Sequence[tuple[str, str]]
) -> Target:
    fields = storable_fields(columns)
    location = properties.texts.get("external_location")
    return target_of(properties, fields, location or f"{session.results}tables/{session.query_id}/")


def storable_fields(columns: Sequence[tuple[str, str]]) -> tuple[Field, ...]:
    """Give the columns that a query's result is stored in; raises AthenaFailure."""
    fields = tuple(_storable(column, kind) for column, kind in columns)
    names = [each.name for each in fields]
    if len(set(names)) != len(names):
        twice = next(each for each in names if names.count(each) > 1)
        raise AthenaFailure(
            "DUPLICATE_COLUMN_NAME",
            f"Column name '{twice}' specified more than once",
            line=1,
            column=1,
        )
    return fields


def target_of(properties: Properties, fields: tuple[Field, ...], location: str) -> Target:
    """Make the target of a write; raises AthenaFailure for properties that do not fit."""
    keys = properties.lists.get("partitioned_by", ())
    names = [each.name for each in fields]
    if keys and tuple(names[-len(keys) :]) != keys:
        raise AthenaFailure(
            "HIVE_COLUMN_ORDER_MISMATCH",
            f"Partition keys must be the last columns in the table and in the same order as the "
            f"table properties: [{', '.join(keys)}]",
        )
    plain = len(fields) - len(keys)
    if not plain:
        raise AthenaFailure("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    texts = properties.texts
    kind = texts.get("format", "PARQUET").upper()
    if kind not in WRITTEN:
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"Unable to set catalog 'awsdatacatalog' table property 'format' to ['{kind}']",
        )
    if kind == "AVRO":
        check_avro(fields[:plain])
    delimiter = _delimiter(texts.get("field_delimiter", "\x01"))
    return Target(
        location,
        fields[:plain],
        fields[plain:],
        FORMATS[kind].format,
        codec_of(texts, kind),
        level=level_of(texts.get("compression_level", "")),
        as_text=_ion_text(texts),
        serde=(("field.delim", delimiter), ("serialization.format", delimiter)),
    )


def _ion_text(texts: Mapping[str, str]) -> bool:
    encoding = texts.get("ion_encoding", "BINARY").upper()
    if encoding not in {"BINARY", "TEXT"}:
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"Unable to set catalog 'awsdatacatalog' table property 'ion_encoding' to "
            f"['{texts['ion_encoding']}']",
        )
    return encoding == "TEXT"


def _delimiter(text: str) -> str:
    found = unescape(text)
    if len(found) != 1:
        raise AthenaFailure("INVALID_TABLE_PROPERTY", "field_delimiter must be a single character")
    return found


def _storable(name: str, kind: str) -> Field:
    found = parse_type(kind)
    if found.name == "unknown":
        raise AthenaFailure(
            "COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {name}", line=1, column=1
        )
    if found.name in {"timestamp with time zone", "time", "uuid", "json", "ipaddress"}:
        raise AthenaFailure("NOT_SUPPORTED", f"Unsupported Hive type: {found.trino()}")
    return Field(name.lower(), found.hive())


def check_empty(session: Session, name: str, location: str) -> None:
    """Raise AthenaFailure if there is anything below a location."""
    if visible_files(session.s3.place_of(location)):
        raise AthenaFailure(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table '{name}' already exists: {location}. ",
        )


def _create(session: Session, name: tuple[str, str], target: Target, buckets: Buckets) -> TableInfo:
    database, table = name
    storage = storage_of(format_written(target.format))
    if target.format == "csv":
        storage["SerdeInfo"]["Parameters"] |= dict(target.serde)
    if target.format == "ion":
        storage["SerdeInfo"]["Parameters"]["ion.encoding"] = "TEXT" if target.as_text else "BINARY"
    if buckets.names:
        storage |= {"BucketColumns": list(buckets.names), "NumberOfBuckets": buckets.number}
    session.catalog.create_table(
        DatabaseName=database,
        TableInput={
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {
                "EXTERNAL": "TRUE",
                "classification": target.format,
                "has_encrypted_data": "false",
                "presto_query_id": session.query_id,
                "write.compression": target.compression,
            },
            "PartitionKeys": [{"Name": f.name, "Type": f.type} for f in target.keys],
            "StorageDescriptor": {
                "Columns": [{"Name": f.name, "Type": f.type} for f in target.columns],
                "Location": target.location.rstrip("/"),
                **storage,
            },
        },
    )
    found = session.planner.lookup(database, table)
    if found is None:
        raise AthenaFailure("GENERIC_INTERNAL_ERROR", f"Table {database}.{table} vanished")
    return found
