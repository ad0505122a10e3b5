"""CREATE TABLE AS with table_type ICEBERG: files, a first snapshot, then the catalogue's entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, DdlFailure
from runner.local.athena.iceberg import Change, first_snapshot, write_document
from runner.local.athena.session import Cursor, Outcome, read_statement
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.statements.iceberg import (
    FORMATS,
    check_type,
    first_document,
    table_input,
    take_term,
    write_files,
)
from runner.local.athena.tables import table_info
from runner.local.athena.writer import Written
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.athena.icebergs.manifests import DataFile
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
        {"Name": column.lower(), "Type": _type(column, kind)} for column, kind in plan.columns
    ]
    names = [each["Name"] for each in columns]
    partition = tuple(
        take_term(Cursor(read_statement(text)), names)
        for text in properties.lists.get("partitioning", ())
    )
    document = first_document(columns, partition, location, properties.texts)
    glue = {**table_input(table, document, properties.texts, ""), "DatabaseName": database}
    written = Written(0, (), (), 0)
    files: tuple[DataFile, ...] = ()
    if with_data:
        written, files = write_files(session, table_info(glue), document, plan.sql)
    document = first_snapshot(session, document, Change("append", files))
    url = write_document(session, document)
    given = table_input(table, document, properties.texts, url)
    try:
        session.catalog.create_table(DatabaseName=database, TableInput=given)
    except GlueError as error:
        raise AthenaFailure("TABLE_ALREADY_EXISTS", error.message) from error
    return Outcome(
        "DDL",
        "CREATE_TABLE_AS_SELECT",
        bytes_scanned=plan.scanned(written.bytes_read) if with_data else 0,
        rows_written=written.rows,
        files=written.files,
    )


def _type(name: str, kind: str) -> str:
    """Give the type of a column; raises AthenaFailure for one that Iceberg does not have."""
    found = parse_type(kind)
    if found.name == "unknown":
        raise AthenaFailure(
            "COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {name}", line=1, column=1
        )
    try:
        return check_type(found.hive())
    except DdlFailure as failure:
        raise AthenaFailure(
            "NOT_SUPPORTED", f"Type not supported for Iceberg: {found.trino()}"
        ) from failure


def _check(properties: Properties) -> None:
    texts = properties.texts
    if texts.get("is_external", "").lower() != "false":
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY", "Iceberg tables need the property is_external = false"
        )
    if "location" not in texts:
        raise AthenaFailure("INVALID_TABLE_PROPERTY", "Iceberg tables need the property location")
    kind = texts.get("format", "PARQUET").upper()
    if kind.lower() not in FORMATS:
        raise AthenaFailure(
            "INVALID_TABLE_PROPERTY",
            f"Unable to set catalog 'awsdatacatalog' table property 'format' to ['{kind}']",
        )
    codec = texts.get("write_compression", "ZSTD").upper()
    if codec not in _CODECS:
        raise AthenaFailure("INVALID_TABLE_PROPERTY", f"Unsupported compression: {codec}")
