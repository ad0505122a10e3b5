"""CREATE EXTERNAL TABLE: columns, SerDe, partition keys and properties go into the catalogue.

The grammar is Hive's, as Athena's user guide gives it in "CREATE TABLE"; the clauses have one
order.  Data are neither read nor written.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from runner.local.athena.avroschema import avro_columns
from runner.local.athena.errors import DdlFailure, unknown_statement
from runner.local.athena.hive import (
    open_cursor,
    take_columns,
    take_names,
    take_properties,
    take_table,
    take_text,
)
from runner.local.athena.session import Outcome
from runner.local.athena.statements.formats import FORMATS, storage_of
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.athena.session import Cursor, Session, Statement

_LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
_OPENX = "org.openx.data.jsonserde.JsonSerDe"
_OPENX_OUT = "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat"
"""What Athena gives this SerDe where the statement names no format; the others have Hive's."""
_DELIMITERS = (
    (("FIELDS", "TERMINATED", "BY"), "field.delim"),
    (("ESCAPED", "BY"), "escape.delim"),
    (("COLLECTION", "ITEMS", "TERMINATED", "BY"), "collection.delim"),
    (("MAP", "KEYS", "TERMINATED", "BY"), "mapkey.delim"),
    (("LINES", "TERMINATED", "BY"), "line.delim"),
    (("NULL", "DEFINED", "AS"), "serialization.null.format"),
)


def create_external(session: Session, statement: Statement) -> Outcome:
    """Make an external table; nothing is written but the catalogue."""
    cursor = open_cursor(statement)
    cursor.expect("CREATE", "EXTERNAL", "TABLE")
    return create_hive(session, cursor)


def create_hive(session: Session, cursor: Cursor) -> Outcome:
    """Make a Hive table of what follows CREATE EXTERNAL TABLE."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database, name = take_table(cursor, session.database)
    if cursor.accept("LIKE"):
        raise unknown_statement()
    given = read_table(cursor, name, default=_default_location(session, database, name))
    if given["Parameters"].get("table_type", "").upper() == "ICEBERG":
        raise DdlFailure("External keyword is not supported for table type ICEBERG")
    if session.planner.lookup(database, name) is not None:
        if if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise _exists(name)
    given["Parameters"]["transient_lastDdlTime"] = str(int(time.time()))
    try:
        session.catalog.create_table(DatabaseName=database, TableInput=given)
    except GlueError as error:
        if error.code != "AlreadyExistsException":
            raise DdlFailure(
                f"SemanticException [Error 10072]: Database does not exist: {database}"
            ) from error
        if not if_not_exists:
            raise _exists(name) from error
    return Outcome("DDL", "CREATE_TABLE")


def _exists(name: str) -> DdlFailure:
    return DdlFailure(
        "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
        f"AlreadyExistsException(message:Table {name} already exists.)"
    )


def _default_location(session: Session, database: str, name: str) -> str:
    """Give the place of a table without LOCATION: below its database's, if that has one."""
    try:
        found = session.catalog.get_database(Name=database)["Database"].get("LocationUri", "")
    except GlueError:
        return ""
    return f"{found.rstrip('/')}/{name}" if found else ""


def read_table(cursor: Cursor, name: str, *, default: str = "") -> dict[str, Any]:
    """Read columns and clauses into Glue's TableInput; raises AthenaFailure."""
    token = cursor.peek()
    columns = take_columns(cursor) if token is not None and token.text == "(" else []
    found = _Clauses()
    found.read(cursor)
    cursor.expect_end()
    if not columns and (literal := found.avro_schema()):
        columns = avro_columns(literal)
    is_delta = found.properties.get("table_type", "").upper() == "DELTA"
    if not columns and not is_delta:
        raise DdlFailure("SemanticException [Error 10003]: A table needs at least one column")
    _check_names([each["Name"] for each in (*columns, *found.keys)])
    found.location = found.location or default
    if not found.location:
        raise DdlFailure(
            "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            "MetaException(message:LOCATION of an external table is missing)"
        )
    if not found.location.startswith("s3://"):
        raise DdlFailure(
            "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            f"MetaException(message:The location {found.location} is not an S3 path)"
        )
    given: dict[str, Any] = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {**found.properties, "EXTERNAL": "TRUE"},
        "PartitionKeys": found.keys,
        "StorageDescriptor": {
            "Columns": columns,
            "Location": found.location,
            **found.storage(),
        },
    }
    if found.comment:
        given["Description"] = found.comment
        given["Parameters"]["comment"] = found.comment
    return given


def _check_names(names: list[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise DdlFailure(f"SemanticException [Error 10036]: Duplicate column name: {name}")


class _Clauses:
    """The clauses after the columns, as they are read."""

    def __init__(self) -> None:
        self.location = self.comment = self.serde = self.input = self.output = ""
        self.format = "TEXTFILE"
        self.stored = False
        self.serde_properties: dict[str, str] = {}
        self.properties: dict[str, str] = {}
        self.keys: list[dict[str, str]] = []
        self.buckets: tuple[list[str], int] = ([], -1)
        self.sorting: list[dict[str, Any]] = []

    def read(self, cursor: Cursor) -> None:
        """Take the clauses in Hive's order; raises AthenaFailure for what does not belong."""
        if cursor.accept("COMMENT"):
            self.comment = take_text(cursor)
        if cursor.accept("PARTITIONED", "BY"):
            self.keys = take_columns(cursor)
        if cursor.accept("CLUSTERED", "BY"):
            self._clustered(cursor)
        if cursor.accept("ROW", "FORMAT"):
            self._row_format(cursor)
        if cursor.accept("STORED", "AS"):
            self.stored = True
            self._stored_as(cursor)
        if cursor.accept("WITH", "SERDEPROPERTIES"):
            self.serde_properties |= take_properties(cursor)
        if cursor.accept("LOCATION"):
            self.location = take_text(cursor)
        if cursor.accept("TBLPROPERTIES"):
            self.properties = take_properties(cursor)

    def avro_schema(self) -> str:
        """Give the schema that stands in a property; empty if there is none."""
        name = "avro.schema.literal"
        return self.serde_properties.get(name) or self.properties.get(name, "")

    def storage(self) -> dict[str, Any]:
        """Give the keys of the StorageDescriptor that tell formats, SerDe and buckets."""
        made = storage_of(self.format)
        if self.serde:
            made["SerdeInfo"] = {
                "SerializationLibrary": self.serde,
                "Parameters": {"serialization.format": "1"},
            }
        made["SerdeInfo"]["Parameters"] |= self.serde_properties
        made["InputFormat"] = self.input or made["InputFormat"]
        made["OutputFormat"] = self.output or made["OutputFormat"]
        if self.serde == _OPENX and not self.stored:
            made["OutputFormat"] = _OPENX_OUT
        names, count = self.buckets
        if names:
            made |= {"BucketColumns": names, "NumberOfBuckets": count}
        if self.sorting:
            made["SortColumns"] = self.sorting
        return made

    def _clustered(self, cursor: Cursor) -> None:
        names = take_names(cursor)
        if cursor.accept("SORTED", "BY"):
            cursor.expect("(")
            self.sorting = [_sorted(cursor)]
            while cursor.accept(","):
                self.sorting.append(_sorted(cursor))
            cursor.expect(")")
        cursor.expect("INTO")
        token = cursor.take()
        if token.kind != "number":
            raise cursor.fault("Expecting: <number>")
        cursor.expect("BUCKETS")
        self.buckets = (names, int(token.text))

    def _row_format(self, cursor: Cursor) -> None:
        if cursor.accept("SERDE"):
            self.serde = take_text(cursor)
            if cursor.accept("WITH", "SERDEPROPERTIES"):
                self.serde_properties |= take_properties(cursor)
            return
        cursor.expect("DELIMITED")
        self.serde = _LAZY
        while True:
            for words, name in _DELIMITERS:
                if cursor.accept(*words):
                    self.serde_properties[name] = take_text(cursor)
                    break
            else:
                break
        if self.serde_properties.get("line.delim", "\n") not in {"\n", "10"}:
            raise DdlFailure(
                "SemanticException LINES TERMINATED BY only supports newline '\\n' right now."
            )
        if "field.delim" in self.serde_properties:
            self.serde_properties["serialization.format"] = self.serde_properties["field.delim"]

    def _stored_as(self, cursor: Cursor) -> None:
        if cursor.accept("INPUTFORMAT"):
            self.input = take_text(cursor)
            if cursor.accept("OUTPUTFORMAT"):
                self.output = take_text(cursor)
            return
        kind = cursor.take().text.upper()
        if kind not in FORMATS:
            raise DdlFailure(
                f"SemanticException [Error 10055]: Unrecognized file format in STORED AS clause: "
                f"'{kind}'"
            )
        self.format = kind


def _sorted(cursor: Cursor) -> dict[str, Any]:
    name = cursor.name()
    descending = cursor.accept("DESC")
    if not descending:
        cursor.accept("ASC")
    return {"Column": name, "SortOrder": int(not descending)}
