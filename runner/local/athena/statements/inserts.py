"""INSERT INTO: rows become new files of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.partitions import NULL_PARTITION, hive_folder
from runner.local.athena.projection import is_projected
from runner.local.athena.readers import text_delimiter
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import SqlType, coerces, parse_type
from runner.local.athena.statements import iceberg
from runner.local.athena.statements.formats import UNWRITTEN
from runner.local.athena.statements.registration import partition_input
from runner.local.athena.writer import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import Field, TableInfo
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
    _check_insertable(session, table)
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


def _check_insertable(session: Session, table: TableInfo) -> None:
    """Refuse what Athena refuses (other SerDes, buckets) and what cannot be written here."""
    glue = session.catalog.get_table(DatabaseName=table.database, Name=table.name)["Table"]
    storage = glue.get("StorageDescriptor") or {}
    if storage.get("BucketColumns"):
        raise AthenaFailure(
            "NOT_SUPPORTED", f"Inserting into bucketed tables is not supported: {table}"
        )
    if table.format in {"parquet", "json", "csv"}:
        return
    serde = (storage.get("SerdeInfo") or {}).get("SerializationLibrary", "")
    if serde in UNWRITTEN:
        raise unsupported(f"INSERT INTO a table of format {UNWRITTEN[serde]}")
    raise AthenaFailure(
        "NOT_SUPPORTED", f"Table {table} has a SerDe that INSERT INTO cannot write: {serde}"
    )


def _target(table: TableInfo) -> Target:
    parameters = {name.lower(): value for name, value in table.parameters}
    codec = parameters.get("write.compression") or parameters.get("parquet.compression") or "GZIP"
    level = parameters.get("compression_level", "")
    return Target(
        table.location,
        table.columns,
        table.keys,
        table.format,
        codec.upper(),
        delimiter=text_delimiter(table),
        level=int(level) if level.isdigit() else 0,
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
