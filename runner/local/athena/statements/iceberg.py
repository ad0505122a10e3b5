"""CREATE TABLE and INSERT INTO of Iceberg tables; their end.

Grammar, types and properties are those of Athena's user guide, "Create Iceberg tables", "Supported
data types for Iceberg tables in Athena".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import AthenaFailure, DdlFailure, unsupported
from runner.local.athena.iceberg import (
    CURRENT,
    METADATA,
    Snapshot,
    commit,
    open_table,
    write_snapshot,
)
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.writer import Target
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.athena.iceberg import Opened
    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import TableInfo
    from runner.local.athena.writer import Written

_TRIES = 10
"""Times that an append is committed anew over what others committed meanwhile."""
_TYPES = frozenset(
    {"boolean", "integer", "bigint", "double", "real", "decimal", "varchar", "date", "timestamp"}
    | {"varbinary", "array", "map", "row", "timestamp with time zone"}
)
PROPERTIES = frozenset(
    {"table_type", "format", "write_compression", "compression_level"}
    | {"optimize_rewrite_data_file_threshold", "optimize_rewrite_delete_file_threshold"}
    | {"optimize_rewrite_min_data_file_size_bytes", "optimize_rewrite_max_data_file_size_bytes"}
    | {"vacuum_min_snapshots_to_keep", "vacuum_max_snapshot_age_seconds"}
    | {"vacuum_max_metadata_files_to_keep", "write_target_data_file_size_bytes"}
)
_CODECS = frozenset({"GZIP", "SNAPPY", "ZSTD", "NONE"})


def create(session: Session, statement: Statement) -> Outcome:
    """Make an empty Iceberg table: its first metadata document, then the catalogue's entry."""
    cursor = Cursor(statement)
    cursor.expect("CREATE", "TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database, name = cursor.qualified(session.database)
    columns = _columns(cursor, statement)
    partition = _partitioned_by(cursor, [each["Name"] for each in columns])
    cursor.expect("LOCATION")
    location = cursor.string()
    cursor.expect("TBLPROPERTIES")
    properties = _properties(cursor)
    cursor.expect_end()
    if properties.get("table_type", "").upper() != "ICEBERG":
        raise DdlFailure("SemanticException CREATE TABLE needs EXTERNAL, or table_type ICEBERG")
    if session.planner.lookup(database, name) is not None:
        if if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise DdlFailure(f"AlreadyExistsException(message:Table {name} already exists.)")
    snapshot = Snapshot(0, "create", partition, ())
    url = write_snapshot(session, f"{database}.{name}", location, snapshot)
    codec = properties.get("write_compression", "ZSTD").upper()
    given: dict[str, Any] = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "table_type": "ICEBERG",
            METADATA: url,
            "write.compression": codec,
        },
        "PartitionKeys": [],
        "StorageDescriptor": {"Columns": columns, "Location": location.rstrip("/")},
    }
    try:
        session.catalog.create_table(DatabaseName=database, TableInput=given)
    except GlueError as error:
        if error.code == "AlreadyExistsException" and if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise DdlFailure(f"SemanticException {error.message}") from error
    return Outcome("DDL", "CREATE_TABLE")


def _columns(cursor: Cursor, statement: Statement) -> list[dict[str, Any]]:
    """Take `(name type [COMMENT text], ...)`."""
    cursor.expect("(")
    found: list[dict[str, Any]] = []
    while True:
        name, begin, end, depth = cursor.name(), -1, -1, 0
        while True:
            token = cursor.peek()
            if token is None:
                raise cursor.fault("Expecting: ')'")
            if depth == 0 and (token.text in {",", ")"} or token.word() == "COMMENT"):
                break
            cursor.take()
            depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(token.text, 0)
            begin, end = (token.start if begin < 0 else begin), token.end
        made: dict[str, Any] = {"Name": name, "Type": check_type(statement.sql[begin:end])}
        if cursor.accept("COMMENT"):
            made["Comment"] = cursor.string()
        found.append({**made, "Parameters": dict(CURRENT)})
        if cursor.accept(")"):
            return found
        cursor.expect(",")


def check_type(text: str) -> str:
    """Check a column's type; the widths and lengths of Hive are not Iceberg's."""
    try:
        found = parse_type(text)
    except ValueError as error:
        raise DdlFailure(f"ParseException {error}") from error
    if found.name not in _TYPES or (found.name == "varchar" and found.numbers):
        raise DdlFailure(f"Iceberg does not support the type {text.strip()}")
    return found.hive()


def _partitioned_by(cursor: Cursor, columns: list[str]) -> tuple[str, ...]:
    if not cursor.accept("PARTITIONED", "BY"):
        return ()
    cursor.expect("(")
    names: list[str] = []
    while True:
        names.append(cursor.name())
        if cursor.accept("("):
            raise unsupported(f"The partition transform {names[-1]}(...)")
        if names[-1] not in columns:
            raise DdlFailure(f"SemanticException Cannot find source column: {names[-1]}")
        if cursor.accept(")"):
            return tuple(names)
        cursor.expect(",")


def _properties(cursor: Cursor) -> dict[str, str]:
    cursor.expect("(")
    found: dict[str, str] = {}
    while not cursor.accept(")"):
        name = cursor.string()
        cursor.expect("=")
        found[name] = cursor.string()
        cursor.accept(",")
    unknown = sorted(set(found) - PROPERTIES)
    if unknown:
        raise DdlFailure(f"Unsupported table property key: {unknown[0]}")
    if found.get("format", "parquet").lower() != "parquet":
        raise unsupported(f"Format {found['format']} of an Iceberg table")
    if found.get("write_compression", "ZSTD").upper() not in _CODECS:
        raise DdlFailure(f"Unsupported compression: {found['write_compression']}")
    return found


def drop_data(session: Session, table: TableInfo) -> None:
    """Delete everything below a dropped table's location, as Athena does for Iceberg tables."""
    bucket, _, prefix = table.location.removeprefix("s3://").partition("/")
    while True:
        page = session.s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix.rstrip('/')}/")
        keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
        if not keys:
            return
        session.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})


def append(session: Session, database: str, name: str, select: str) -> Written:
    """Add the rows of a select in the table's column order; others may commit meanwhile."""
    opened = open_table(session, database, name)
    written = write_files(session, opened, select)
    for _ in range(_TRIES - 1):
        try:
            _commit_append(session, opened, written)
        except AthenaFailure:
            opened = open_table(session, database, name)
        else:
            return written
    _commit_append(session, opened, written)
    return written


def _commit_append(session: Session, opened: Opened, written: Written) -> None:
    files = (*opened.snapshot.files, *written.files)
    commit(session, opened, operation="append", files=files)


def write_files(session: Session, opened: Opened, select: str) -> Written:
    """Write rows as data files, partition by partition; they belong to no snapshot yet."""
    table, keys = opened.table, opened.partition_fields()
    names = ", ".join(f"s{number}" for number in range(len(table.columns)))
    place = {each.name: number for number, each in enumerate(table.columns)}
    again = "".join(f", s{place[key.name]}" for key in keys)
    codec = dict(table.parameters).get("write.compression", "ZSTD")
    target = Target(f"{table.location.rstrip('/')}/data/", table.columns, keys, "parquet", codec)
    rows = f"SELECT {names}{again} FROM ({select}) AS s({names})"
    try:
        written = session.writer.write(session.cursor, rows, target)
    except AthenaFailure as failure:
        if failure.code != "HIVE_TOO_MANY_OPEN_PARTITIONS":
            raise
        message = failure.reason.partition(": ")[2].replace("/buckets", "")
        raise AthenaFailure("ICEBERG_TOO_MANY_OPEN_PARTITIONS", message) from failure
    return written if written.rows else written._replace(files=())
