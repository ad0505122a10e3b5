"""CREATE TABLE and INSERT INTO of Iceberg tables; their end.

Grammar, types and properties are those of Athena's user guide, "Create Iceberg tables", "Supported
data types for Iceberg tables in Athena".
"""

from __future__ import annotations

import uuid
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
    METADATA,
    Change,
    commit,
    glue_columns,
    now_ms,
    open_table,
    write_document,
)
from runner.local.athena.icebergs.document import new_document
from runner.local.athena.icebergs.measure import measure
from runner.local.athena.icebergs.partitioning import TRANSFORMS, read_term, refusal_of
from runner.local.athena.icebergs.types import Numbers, duck_ids, fields_of, hive_of
from runner.local.athena.session import Outcome
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.tables import Field
from runner.local.athena.writer import Target
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from runner.local.athena.iceberg import Opened
    from runner.local.athena.icebergs.document import Document
    from runner.local.athena.icebergs.manifests import DataFile
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
_FORMAT = "write.format.default"
FORMATS = frozenset({"parquet", "orc", "avro"})
_NUMBERS = PROPERTIES - {"table_type", "format", "write_compression"}
_OWN = frozenset({"table_type", "format", "write_compression", "compression_level"})
"""Properties of Athena that Iceberg knows by other names."""


def create(session: Session, statement: Statement) -> Outcome:
    """Make an empty Iceberg table: its first metadata document, then the catalogue's entry."""
    cursor = open_cursor(statement)
    cursor.expect("CREATE", "TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    cursor.of_queries = any(token.text[1:-1].upper() == "ICEBERG" for token in statement.tokens)
    database, name = take_table(cursor, session.database)
    columns = _columns(cursor)
    if not cursor.of_queries:
        raise _not_external()
    comment = take_text(cursor) if cursor.accept("COMMENT") else ""
    partition = _partitioned_by(cursor, [each["Name"] for each in columns])
    location = take_text(cursor) if cursor.accept("LOCATION") else ""
    if not location or not cursor.accept("TBLPROPERTIES"):
        raise _not_external()
    if not location.startswith("s3://"):
        raise DdlFailure(f"SemanticException {location} is not an S3 path")
    properties = take_properties(cursor)
    cursor.expect_end()
    if properties.get("table_type", "").upper() != "ICEBERG":
        raise _not_external()
    check_properties(properties)
    if session.planner.lookup(database, name) is not None:
        if if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise DdlFailure(f"AlreadyExistsException(message:Table {name} already exists.)")
    document = first_document(columns, partition, location, properties)
    url = write_document(session, document)
    given = table_input(name, document, properties, url)
    if comment:
        given["Description"] = comment
    try:
        session.catalog.create_table(DatabaseName=database, TableInput=given)
    except GlueError as error:
        if error.code == "AlreadyExistsException" and if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise DdlFailure(f"SemanticException {error.message}") from error
    return Outcome("DDL", "CREATE_TABLE")


def _not_external() -> DdlFailure:
    return DdlFailure("SemanticException CREATE TABLE needs EXTERNAL, or table_type ICEBERG")


def first_document(
    columns: Sequence[Mapping[str, Any]],
    partition: Sequence[str],
    location: str,
    properties: Mapping[str, str],
) -> Document:
    """Make the metadata document of a new table; raises AthenaFailure for a wrong partition."""
    numbers = Numbers()
    fields = fields_of(columns, numbers)
    terms = tuple(read_term(text, fields, number) for number, text in enumerate(partition))
    by_number = {each["id"]: each["type"] for each in fields}
    for term in terms:
        if refusal := refusal_of(term.transform, by_number[term.source]):
            raise AthenaFailure("INVALID_TABLE_PROPERTY", refusal)
    if len({each.name for each in terms}) != len(terms):
        raise AthenaFailure("INVALID_TABLE_PROPERTY", "Cannot use partition name more than once")
    return new_document(
        str(uuid.uuid4()),
        location.rstrip("/"),
        fields=fields,
        last_number=numbers.last,
        terms=terms,
        properties=kept_properties(properties),
        now_ms=now_ms(),
    )


def kept_properties(given: Mapping[str, str]) -> dict[str, str]:
    """Give properties as a metadata document keeps them: the codec by Iceberg's name."""
    codec, kind = codec_of(given).lower(), given.get("format", "parquet").lower()
    kept = {name: value for name, value in given.items() if name in PROPERTIES - _OWN}
    return {
        **({_FORMAT: kind} if kind != "parquet" else {}),
        f"write.{kind}.compression-codec": "uncompressed" if codec == "none" else codec,
        **kept,
    }


def codec_of(given: Mapping[str, str]) -> str:
    """Give the codec of data files: Iceberg's own of a format unless one is asked for."""
    plain = given.get("format", "parquet").lower() == "parquet"
    return given.get("write_compression", "ZSTD" if plain else "GZIP").upper()


def table_input(
    name: str, document: Document, properties: Mapping[str, str], metadata: str
) -> dict[str, Any]:
    """Make the catalogue's entry of an Iceberg table."""
    others = {key: value for key, value in properties.items() if key in PROPERTIES - _OWN}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "table_type": "ICEBERG",
            METADATA: metadata,
            "write.compression": codec_of(properties),
            **others,
        },
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": glue_columns(document),
            "Location": document.location,
        },
    }


def _columns(cursor: Cursor) -> list[dict[str, str]]:
    """Take `(name type [COMMENT text], ...)`."""
    columns = take_columns(cursor)
    names = [each["Name"].lower() for each in columns]
    for number, each in enumerate(columns):
        if names[number] in names[:number]:
            raise DdlFailure(
                f"SemanticException [Error 10036]: Duplicate column name: {names[number]}"
            )
        check_type(each["Type"])
    return columns


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
    """Take `dt`, `month(dt)`, `bucket(16, id)` (CTAS: `bucket(id, 16)`), as DDL writes it."""
    token = cursor.peek()
    is_transform = token is not None and token.text.lower() in TRANSFORMS
    name = cursor.name() if is_transform else take_name(cursor)
    text = name
    if is_transform and cursor.accept("("):
        number = _take_number(cursor)
        if number:
            cursor.expect(",")
        text, name = name, take_name(cursor)
        if not number and cursor.accept(","):
            number = _take_number(cursor)
        if bool(number) != (text in {"bucket", "truncate"}) or number == "0":
            raise cursor.fault(f"Expecting: arguments of {text}")
        cursor.expect(")")
        text = f"{text}({f'{number}, ' if number else ''}{name})"
    if name not in columns:
        raise DdlFailure(f"SemanticException Cannot find source column: {name}")
    return text


def _take_number(cursor: Cursor) -> str:
    token = cursor.peek()
    return cursor.take().text if token is not None and token.kind == "number" else ""


def check_known(names: Collection[str]) -> None:
    """Raise AthenaFailure for names of properties that Athena does not take."""
    unknown = sorted(set(names) - PROPERTIES)
    if unknown:
        raise DdlFailure(f"Unsupported table property key: {unknown[0]}")


def check_properties(found: Mapping[str, str]) -> None:
    """Raise AthenaFailure for properties that Athena does not take, or not with these values."""
    check_known(found)
    if found.get("table_type", "ICEBERG").upper() != "ICEBERG":
        raise DdlFailure(f"Unsupported table_type: {found['table_type']}")
    for name in sorted(_NUMBERS & set(found)):
        if not found[name].isdigit():
            raise DdlFailure(f"Invalid value of the table property {name}: {found[name]}")
    if found.get("format", "parquet").lower() not in FORMATS:
        raise DdlFailure(f"Unsupported format: {found['format']}")
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
    written, files = write_files(session, opened.table, opened.document, select)
    change = Change("append", files)
    for _ in range(_TRIES - 1):
        try:
            commit(session, opened, change)
        except AthenaFailure as failure:
            again = open_table(session, database, name)
            if failure.code != "ICEBERG_COMMIT_ERROR" or not _is_alike(again, opened):
                raise
            opened = again
        else:
            return written
    commit(session, opened, change)
    return written


def _is_alike(one: Opened, other: Opened) -> bool:
    """Tell whether rows for one fit the other: columns and partitions are what they were."""
    first, second = one.document, other.document
    return first.schema() == second.schema() and first.terms() == second.terms()


def write_files(
    session: Session, table: TableInfo, document: Document, select: str
) -> tuple[Written, tuple[DataFile, ...]]:
    """Write rows as data files, partition by partition; they belong to no snapshot yet."""
    terms, columns = document.terms(), document.schema()
    names = ", ".join(f"s{number}" for number in range(len(columns)))
    place = {
        each["id"]: f"CAST(s{number} AS {parse_type(hive_of(each['type'])).duck()})"
        for number, each in enumerate(columns)
    }
    again = "".join(f", {term.sql(place[term.source])}" for term in terms)
    kind = document.content.get("properties", {}).get(_FORMAT, "parquet").lower()
    if kind != "parquet" and any("time zone" in hive_of(each["type"]) for each in columns):
        raise unsupported(f"A timestamp with time zone of an Iceberg table in {kind.upper()}")
    target = Target(
        f"{document.location.rstrip('/')}/data/",
        tuple(Field(each["name"], hive_of(each["type"])) for each in columns),
        tuple(Field(term.name, "string") for term in terms),
        kind,
        dict(table.parameters).get("write.compression", "ZSTD"),
        numbers=duck_ids(columns),
        fields=tuple(columns) if kind != "parquet" else (),
    )
    rows = f"SELECT {names}{again} FROM ({select}) AS s({names})"
    try:
        written = session.writer.write(session.cursor, rows, target)
    except AthenaFailure as failure:
        if failure.code != "HIVE_TOO_MANY_OPEN_PARTITIONS":
            raise
        message = failure.reason.partition(": ")[2].replace("/buckets", "")
        raise AthenaFailure("ICEBERG_TOO_MANY_OPEN_PARTITIONS", message) from failure
    if not written.rows:  # a file without rows
        for url in written.files:
            bucket, _, key = url.removeprefix("s3://").partition("/")
            session.s3.delete_object(Bucket=bucket, Key=key)
        written = written._replace(files=())
    return written, measure(session, document, written.files)
