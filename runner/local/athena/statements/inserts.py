"""INSERT INTO and CREATE TABLE AS: rows become files of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.partitions import NULL_PARTITION, hive_folder, visible_files
from runner.local.athena.projection import is_projected
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import SqlType, coerces, parse_type
from runner.local.athena.statements import iceberg
from runner.local.athena.statements.formats import STORAGE, storage_of
from runner.local.athena.tables import Field
from runner.local.athena.writer import Target
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import TableInfo
    from runner.local.athena.writer import Written

_BATCH = 100


def insert_into(session: Session, statement: Statement) -> Outcome:
    """Add rows to a table; always new files, never a changed one."""
    cursor = Cursor(statement)
    cursor.expect("INSERT", "INTO")
    database, name = cursor.qualified(session.database)
    named = _column_list(cursor)
    table = session.planner.lookup(database, name)
    if table is None or table.view is not None:
        raise AthenaFailure(
            "TABLE_NOT_FOUND",
            f"Table 'awsdatacatalog.{database}.{name}' does not exist",
            line=1,
            column=1,
        )
    _check_insertable(table)
    plan = session.planner.plan(session.cursor, cursor.rest()[0], database=session.database)
    given = [parse_type(kind) for _, kind in plan.columns]
    fields = _targets(table, named)
    _check_types(fields, given)
    select = _reordered(plan.sql, table, fields)
    if table.is_iceberg:
        written = iceberg.append(session, database, name, select)
    else:
        written = session.writer.write(session.cursor, select, _target(table))
    if table.keys and not is_projected(dict(table.parameters)):
        _register(session, table, written)
    return Outcome(
        "DML",
        "INSERT",
        bytes_scanned=plan.scanned(written.bytes_read),
        rows_written=written.rows,
        files=written.files,
    )


def _column_list(cursor: Cursor) -> tuple[str, ...]:
    """Take `("a", "b")` after the table's name; a parenthesised query is left alone."""
    mark = cursor.mark()
    if not cursor.accept("("):
        return ()
    token = cursor.peek()
    if token is None or token.word() in {"SELECT", "WITH", "VALUES", "TABLE"} or token.text == "(":
        cursor.reset(mark)
        return ()
    names = [cursor.name()]
    while cursor.accept(","):
        names.append(cursor.name())
    cursor.expect(")")
    return tuple(names)


def _targets(table: TableInfo, named: Sequence[str]) -> tuple[Field, ...]:
    fields = {each.name: each for each in table.fields()}
    if not named:
        return table.fields()
    for name in named:
        if name not in fields:
            raise AthenaFailure(
                "COLUMN_NOT_FOUND",
                f"Insert column name does not exist in target table: {name}",
                line=1,
                column=1,
            )
    if len(set(named)) != len(named):
        raise AthenaFailure(
            "DUPLICATE_COLUMN_NAME",
            "Insert column name is specified more than once",
            line=1,
            column=1,
        )
    return tuple(fields[name] for name in named)


def _check_types(fields: Sequence[Field], given: Sequence[SqlType]) -> None:
    wanted = [parse_type(each.type) for each in fields]
    if len(wanted) == len(given) and all(
        coerces(have, want) for have, want in zip(given, wanted, strict=True)
    ):
        return
    table = ", ".join(each.trino() for each in wanted)
    query = ", ".join(each.trino() for each in given)
    raise AthenaFailure(
        "TYPE_MISMATCH",
        f"Insert query has mismatched column types: Table: [{table}], Query: [{query}]",
        line=1,
        column=1,
    )


def _reordered(sql: str, table: TableInfo, fields: Sequence[Field]) -> str:
    """Put the query's columns in the table's order; columns that are not named are NULL."""
    place = {each.name: number for number, each in enumerate(fields)}
    names = ", ".join(f"s{number}" for number in range(len(fields)))
    picked = ", ".join(
        f"s{place[each.name]}" if each.name in place else "NULL" for each in table.fields()
    )
    return f"SELECT {picked} FROM ({sql}) AS s({names})"


def _check_insertable(table: TableInfo) -> None:
    if table.format not in {"parquet", "json", "csv"}:
        raise AthenaFailure(
            "NOT_SUPPORTED", f"Table {table} has a SerDe that INSERT INTO cannot write"
        )


def _target(table: TableInfo) -> Target:
    parameters = {name.lower(): value for name, value in table.parameters}
    codec = parameters.get("write.compression") or parameters.get("parquet.compression") or "GZIP"
    return Target(table.location, table.columns, table.keys, table.format, codec)


def _register(session: Session, table: TableInfo, written: Written) -> None:
    inputs = []
    for values in written.partitions:
        location = table.location.rstrip("/") + "/" + hive_folder(table.keys, values)
        inputs.append(
            {
                "Values": [value or NULL_PARTITION for value in values],
                "StorageDescriptor": {"Location": location.rstrip("/")},
            }
        )
    for start in range(0, len(inputs), _BATCH):
        session.catalog.batch_create_partition(
            DatabaseName=table.database,
            TableName=table.name,
            PartitionInputList=inputs[start : start + _BATCH],
        )


@dataclass(frozen=True, slots=True)
class _Properties:
    """The WITH clause of a CTAS."""

    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)


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
        "bucketed_by",
        "bucket_count",
        "table_type",
        "is_external",
    }
)


def create_as(session: Session, statement: Statement) -> Outcome:
    """Run CREATE TABLE ... AS: write into an empty prefix, register table and partitions."""
    cursor = Cursor(statement)
    cursor.expect("CREATE", "TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database, name = cursor.qualified(session.database)
    token = cursor.peek()
    if token is not None and token.text == "(":
        return iceberg.create(session, statement)
    properties = _with(cursor)
    cursor.expect("AS")
    query, with_data = _with_data(statement, cursor)
    if if_not_exists and session.planner.lookup(database, name) is not None:
        return Outcome("DML", "CREATE_TABLE_AS_SELECT")
    _check_absent(session, database, name)
    plan = session.planner.plan(session.cursor, query, database=session.database)
    target = _ctas_target(session, f"{database}.{name}", properties, plan.columns)
    _check_empty(session, f"{database}.{name}", target)
    if not with_data:
        _create(session, (database, name), target)
        return Outcome("DML", "CREATE_TABLE_AS_SELECT")
    written = session.writer.write(session.cursor, plan.sql, target)
    table = _create(session, (database, name), target)
    if table.keys:
        _register(session, table, written)
    return Outcome(
        "DML",
        "CREATE_TABLE_AS_SELECT",
        bytes_scanned=plan.scanned(written.bytes_read),
        rows_written=written.rows,
        files=written.files,
    )


def _with(cursor: Cursor) -> _Properties:
    found = _Properties()
    if not cursor.accept("WITH"):
        return found
    cursor.expect("(")
    while True:
        name = cursor.take().text
        if name not in _ALLOWED:
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
    """Split WITH [NO] DATA off the end."""
    words = [token.text.upper() for token in statement.tokens[-3:]]
    _, start = cursor.rest()
    if words == ["WITH", "NO", "DATA"]:
        return statement.sql[start : statement.tokens[-3].start], False
    if words[-2:] == ["WITH", "DATA"]:
        return statement.sql[start : statement.tokens[-2].start], True
    return statement.sql[start:], True


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
    session: Session,
    name: str,
    properties: _Properties,
    columns: Sequence[tuple[str, str]],
) -> Target:
    if properties.texts.get("table_type", "HIVE").upper() != "HIVE":
        raise unsupported("CREATE TABLE AS with table_type ICEBERG")
    if properties.lists.get("bucketed_by"):
        raise unsupported("bucketed_by")
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
    keys = properties.lists.get("partitioned_by", ())
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
    codec = texts.get("write_compression") or texts.get("parquet_compression") or "GZIP"
    location = texts.get("external_location") or f"{session.results}tables/{session.query_id}/"
    kind = texts.get("format", "PARQUET").upper()
    if kind not in STORAGE:
        raise unsupported(f"Format {kind} of table {name}")
    return Target(location, fields[:plain], fields[plain:], STORAGE[kind].format, codec.upper())


def _storable(name: str, kind: str) -> Field:
    found = parse_type(kind)
    if found.name in {"unknown", "timestamp with time zone", "time", "ipaddress", "uuid"}:
        raise AthenaFailure("NOT_SUPPORTED", f"Unsupported Hive type: {found.trino()}")
    return Field(name.lower(), found.hive())


def _check_empty(session: Session, name: str, target: Target) -> None:
    if visible_files(session.s3.place_of(target.location)):
        raise AthenaFailure(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table '{name}' already exists: {target.location}. ",
        )


def _create(session: Session, name: tuple[str, str], target: Target) -> TableInfo:
    database, table = name
    kind = next(k for k, each in STORAGE.items() if each.format == target.format)
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
                **storage_of(kind),
            },
        },
    )
    found = session.planner.lookup(database, table)
    if found is None:
        raise AthenaFailure("GENERIC_INTERNAL_ERROR", f"Table {database}.{table} vanished")
    return found
