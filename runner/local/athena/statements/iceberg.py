"""CREATE TABLE and INSERT INTO of Iceberg tables; their end.

Grammar, types and properties are those of Athena's user guide, "Create Iceberg tables", "Supported
data types for Iceberg tables in Athena".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import AthenaFailure, DdlFailure, unsupported
from runner.local.athena.hive import (
    open_cursor,
    take_columns,
    take_name,
    take_properties,
    take_table,
    take_text,
)
from runner.local.athena.iceberg import (
    CURRENT,
    METADATA,
    TRANSFORMS,
    Snapshot,
    commit,
    open_table,
    write_snapshot,
)
from runner.local.athena.session import Outcome
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.tables import DATA_FORMAT
from runner.local.athena.writer import Target
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.athena.iceberg import Opened
    from runner.local.athena.session import Cursor, Session, Statement
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
    cursor = open_cursor(statement)
    cursor.expect("CREATE", "TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database, name = take_table(cursor, session.database)
    columns = _columns(cursor)
    if not any(token.text[1:-1].upper() == "ICEBERG" for token in statement.tokens):
        raise _not_external()
    if cursor.accept("COMMENT"):
        take_text(cursor)
    partition = _partitioned_by(cursor, [each["Name"] for each in columns])
    location = take_text(cursor) if cursor.accept("LOCATION") else ""
    if not location or not cursor.accept("TBLPROPERTIES"):
        raise _not_external()
    properties = take_properties(cursor)
    cursor.expect_end()
    if properties.get("table_type", "").upper() != "ICEBERG":
        raise _not_external()
    _check_properties(properties)
    if session.planner.lookup(database, name) is not None:
        if if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise DdlFailure(f"AlreadyExistsException(message:Table {name} already exists.)")
    snapshot = Snapshot(0, "create", partition, ())
    url = write_snapshot(session, f"{database}.{name}", location, snapshot)
    given = table_input(name, columns, location, properties, url)
    try:
        session.catalog.create_table(DatabaseName=database, TableInput=given)
    except GlueError as error:
        if error.code == "AlreadyExistsException" and if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise DdlFailure(f"SemanticException {error.message}") from error
    return Outcome("DDL", "CREATE_TABLE")


def _not_external() -> DdlFailure:
    return DdlFailure("SemanticException CREATE TABLE needs EXTERNAL, or table_type ICEBERG")


def table_input(
    name: str,
    columns: list[dict[str, Any]],
    location: str,
    properties: Mapping[str, str],
    metadata: str,
) -> dict[str, Any]:
    """Make the catalogue's entry of an Iceberg table."""
    known = {"table_type", "format", "write_compression", "compression_level"}
    others = {key: value for key, value in properties.items() if key in PROPERTIES - known}
    kind = properties.get("format", "parquet").lower()
    others |= {DATA_FORMAT: kind} if kind != "parquet" else {}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "table_type": "ICEBERG",
            METADATA: metadata,
            "write.compression": properties.get("write_compression", "ZSTD").upper(),
            **others,
        },
        "PartitionKeys": [],
        "StorageDescriptor": {"Columns": columns, "Location": location.rstrip("/")},
    }


def _columns(cursor: Cursor) -> list[dict[str, Any]]:
    """Take `(name type [COMMENT text], ...)`."""
    columns = take_columns(cursor)
    for each in columns:
        check_type(each["Type"])
    return [{**each, "Parameters": dict(CURRENT)} for each in columns]


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
    terms = [take_term(cursor, columns)]
    while cursor.accept(","):
        terms.append(take_term(cursor, columns))
    cursor.expect(")")
    return tuple(terms)


def take_term(cursor: Cursor, columns: Sequence[str]) -> str:
    """Take `dt`, `month(dt)` or `bucket(16, id)`, as a snapshot keeps it."""
    name = take_name(cursor)
    text = name
    if name in TRANSFORMS and cursor.accept("("):
        token = cursor.peek()
        number = ""
        if token is not None and token.kind == "number":
            number = f"{cursor.take().text}, "
            cursor.expect(",")
        if bool(number) != (name in {"bucket", "truncate"}):
            raise cursor.fault(f"Expecting: arguments of {name}")
        text, name = name, take_name(cursor)
        cursor.expect(")")
        text = f"{text}({number}{name})"
    if name not in columns:
        raise DdlFailure(f"SemanticException Cannot find source column: {name}")
    return text


def _check_properties(found: Mapping[str, str]) -> None:
    unknown = sorted(set(found) - PROPERTIES)
    if unknown:
        raise DdlFailure(f"Unsupported table property key: {unknown[0]}")
    if found.get("format", "parquet").lower() not in {"parquet", "orc", "avro"}:
        raise unsupported(f"Format {found['format']} of an Iceberg table")
    if found.get("write_compression", "ZSTD").upper() not in _CODECS:
        raise DdlFailure(f"Unsupported compression: {found['write_compression']}")


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
    table, terms = opened.table, opened.terms()
    names = ", ".join(f"s{number}" for number in range(len(table.columns)))
    place = {each.name: f"s{number}" for number, each in enumerate(table.columns)}
    again = "".join(f", {term.sql.replace('{}', place[term.column])}" for term in terms)
    keys = tuple(term.field for term in terms)
    codec = dict(table.parameters).get("write.compression", "ZSTD")
    target = Target(f"{table.location.rstrip('/')}/data/", table.columns, keys, table.format, codec)
    rows = f"SELECT {names}{again} FROM ({select}) AS s({names})"
    try:
        written = session.writer.write(session.cursor, rows, target)
    except AthenaFailure as failure:
        if failure.code != "HIVE_TOO_MANY_OPEN_PARTITIONS":
            raise
        message = failure.reason.partition(": ")[2].replace("/buckets", "")
        raise AthenaFailure("ICEBERG_TOO_MANY_OPEN_PARTITIONS", message) from failure
    return written if written.rows else written._replace(files=())
