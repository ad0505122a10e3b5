"""CREATE TABLE AS with table_type ICEBERG: files, a first snapshot, then the catalogue's entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.iceberg import CURRENT, Opened, Snapshot, write_snapshot
from runner.local.athena.session import Cursor, Outcome, read_statement
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.statements.iceberg import (
    check_type,
    table_input,
    take_term,
    write_files,
)
from runner.local.athena.tables import table_info
from runner.local.athena.writer import Written
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.athena.planner import Plan
    from runner.local.athena.session import Session
    from runner.local.athena.statements.ctas import Properties

_CODECS = frozenset({"GZIP", "SNAPPY", "ZSTD", "NONE"})


def create_as(
    session: Session,
    name: tuple[str, str],
    properties: Properties,
    plan: Plan,
    *,
    with_data: bool,
) -> Outcome:
    """Make the table of a planned query's rows."""
    database, table = name
    _check(properties)
    location = properties.texts["location"]
    columns = [
        {"Name": column.lower(), "Type": _type(kind), "Parameters": dict(CURRENT)}
        for column, kind in plan.columns
    ]
    names = [str(each["Name"]) for each in columns]
    partition = tuple(
        take_term(Cursor(read_statement(text)), names)
        for text in properties.lists.get("partitioning", ())
    )
    empty = Snapshot(0, "create", partition, ())
    given = table_input(table, columns, location, properties.texts, "")
    glue = {**given, "DatabaseName": database}
    opened = Opened(table_info(glue), "", glue, empty)
    written = write_files(session, opened, plan.sql) if with_data else Written(0, (), (), 0)
    snapshot = empty._replace(
        operation="append" if written.files else "create", files=written.files
    )
    url = write_snapshot(session, f"{database}.{table}", location, snapshot)
    given = table_input(table, columns, location, properties.texts, url)
    try:
        session.catalog.create_table(DatabaseName=database, TableInput=given)
    except GlueError as error:
        raise AthenaFailure("TABLE_ALREADY_EXISTS", error.message) from error
    return Outcome(
        "DML",
        "CREATE_TABLE_AS_SELECT",
        bytes_scanned=plan.scanned(written.bytes_read) if with_data else 0,
        rows_written=written.rows,
        files=written.files,
    )


def _type(kind: str) -> str:
    return check_type(parse_type(kind).hive())


def _check(properties: Properties) -> None:
    texts = properties.texts
    if texts.get("is_external", "").lower() != "false":
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY", "Iceberg tables need the property is_external = false"
        )
    if "location" not in texts:
        raise AthenaFailure("INVALID_TABLE_PROPERTY", "Iceberg tables need the property location")
    kind = texts.get("format", "PARQUET").upper()
    if kind not in {"PARQUET", "ORC", "AVRO"}:
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"Unable to set catalog 'awsdatacatalog' table property 'format' to ['{kind}']",
        )
    codec = texts.get("write_compression", "ZSTD").upper()
    if codec not in _CODECS:
        raise AthenaFailure("INVALID_TABLE_PROPERTY", f"Unsupported compression: {codec}")
