"""INSERT INTO: rows become new files of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.partitions import NULL_PARTITION, hive_folder
from runner.local.athena.projection import is_projected
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import SqlType, parse_type
from runner.local.athena.statements import iceberg
from runner.local.athena.statements.assignments import all_assign, cast_query, fitted
from runner.local.athena.statements.formats import (
    WRITTEN,
    check_avro,
    checked_codec,
    format_written,
    level_of,
)
from runner.local.athena.statements.registration import partition_input
from runner.local.athena.writer import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.planner import Plan
    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import Field, TableInfo
    from runner.local.athena.writer import Written

_BATCH = 100
_CODEC_PROPERTIES = ("write.compression", "write_compression")
_OWN_PROPERTIES: dict[str, tuple[str, ...]] = {
    "PARQUET": ("parquet.compression", "parquet.compress"),
    "ORC": ("orc.compress", "orc.compression"),
    "AVRO": ("avro.compression", "avro.output.codec"),
    "JSON": (),
    "TEXTFILE": (),
    "ION": ("ion.compression",),
}
"""Table properties that tell the codec, by format."""


def insert_into(session: Session, statement: Statement) -> Outcome:
    """Add rows to a table; always new files, never a changed one."""
    cursor = Cursor(statement)
    cursor.expect("INSERT")
    if not cursor.accept("INTO"):
        raise cursor.fault("Expecting: 'INTO'")
    if (token := cursor.peek()) is not None and token.word() == "TABLE":
        raise cursor.fault("Expecting: <identifier>")
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
    _check_insertable(session, table)
    sql = cursor.rest_in_place()
    plan = session.planner.plan(session.cursor, sql, database=session.database)
    fields = _targets(table, named)
    plan = _assigned(session, plan, sql, fields)
    select = _reordered(plan.sql, table, fields)
    if table.is_iceberg:
        written = iceberg.append(session, database, name, select)
    else:
        written = session.writer.write(session.cursor, select, _target(table))
    if table.keys and not is_projected(dict(table.parameters)):
        register(session, table, written)
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


def _assigned(session: Session, plan: Plan, sql: str, fields: Sequence[Field]) -> Plan:
    """Plan the query so that its values have the types of their columns; raises AthenaFailure."""
    given = [parse_type(kind) for _, kind in plan.columns]
    wanted = [parse_type(each.type) for each in fields]
    if not all_assign(given, wanted):
        table = ", ".join(each.trino() for each in wanted)
        query = ", ".join(each.trino() for each in given)
        raise AthenaFailure(
            "TYPE_MISMATCH",
            f"Insert query has mismatched column types: Table: [{table}], Query: [{query}]",
            line=1,
            column=1,
        )
    if cast := cast_query(sql, given, wanted):
        return session.planner.plan(session.cursor, cast, database=session.database)
    return plan


def _reordered(sql: str, table: TableInfo, fields: Sequence[Field]) -> str:
    """Put the query's columns in the table's order; columns that are not named are NULL."""
    place = {each.name: number for number, each in enumerate(fields)}
    names = ", ".join(f"s{number}" for number in range(len(fields)))
    picked = ", ".join(
        fitted(f"s{place[each.name]}", parse_type(each.type)) if each.name in place else "NULL"
        for each in table.fields()
    )
    return f"SELECT {picked} FROM ({sql}) AS s({names})"


def _check_insertable(session: Session, table: TableInfo) -> None:
    """Refuse what Athena refuses (other SerDes, buckets) and what cannot be written here."""
    glue = session.catalog.get_table(DatabaseName=table.database, Name=table.name)["Table"]
    storage = glue.get("StorageDescriptor") or {}
    if storage.get("BucketColumns"):
        raise AthenaFailure(
            "NOT_SUPPORTED", f"Inserting into bucketed tables is not supported: {table}"
        )
    if table.format == "opencsv":
        _check_strings(table)
    elif table.format not in {"parquet", "json", "csv", "orc", "avro", "ion"}:
        serde = (storage.get("SerdeInfo") or {}).get("SerializationLibrary", "")
        raise AthenaFailure(
            "HIVE_UNSUPPORTED_FORMAT",
            f"Output format {storage.get('OutputFormat')} with SerDe {serde} is not supported.",
        )


def _check_strings(table: TableInfo) -> None:
    others = [
        f"{field.name} {parse_type(field.type).trino()}"
        for field in table.columns
        if parse_type(field.type) != SqlType("varchar")
    ]
    if others:
        raise AthenaFailure(
            "NOT_SUPPORTED",
            "Hive CSV storage format only supports VARCHAR (unbounded). Unsupported columns: "
            + ", ".join(others),
        )


def _target(table: TableInfo) -> Target:
    parameters = {name.lower(): value for name, value in table.parameters}
    kind = "TEXTFILE" if table.format == "opencsv" else format_written(table.format)
    name = next((n for n in (*_CODEC_PROPERTIES, *_OWN_PROPERTIES[kind]) if n in parameters), "")
    if kind == "AVRO":
        check_avro(table.columns)
    return Target(
        table.location,
        table.columns,
        table.keys,
        table.format,
        checked_codec(parameters[name], kind, name) if name else WRITTEN[kind].default,
        level=level_of(parameters.get("compression_level", "")),
        as_text=dict(table.serde).get("ion.encoding", "").upper() == "TEXT",
        serde=table.serde,
    )


def register(session: Session, table: TableInfo, written: Written) -> None:
    """Register the partitions that were written."""
    if not written.partitions:
        return
    glue = session.catalog.get_table(DatabaseName=table.database, Name=table.name)["Table"]
    inputs = []
    for values in written.partitions:
        location = table.location.rstrip("/") + "/" + hive_folder(table.keys, values)
        given = [value or NULL_PARTITION for value in values]
        inputs.append(partition_input(glue, given, location.rstrip("/")))
    for start in range(0, len(inputs), _BATCH):
        session.catalog.batch_create_partition(
            DatabaseName=table.database,
            TableName=table.name,
            PartitionInputList=inputs[start : start + _BATCH],
        )
