"""SHOW CREATE TABLE and SHOW CREATE VIEW: a statement that makes the same thing again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import AthenaFailure, DdlFailure
from runner.local.athena.hive import open_cursor, take_table
from runner.local.athena.iceberg import METADATA, PREVIOUS, open_table
from runner.local.athena.session import Outcome
from runner.local.athena.sqltypes import SqlType
from runner.local.athena.statements.describes import comment_of
from runner.local.athena.statements.iceberg import PROPERTIES
from runner.local.athena.statements.partitions import need
from runner.local.athena.statements.shows import rows_of
from runner.local.athena.viewtext import laid_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import TableInfo

_HIDDEN = frozenset({"EXTERNAL", "comment"})


def create_table(session: Session, statement: Statement) -> Outcome:
    """SHOW CREATE TABLE: one row a line."""
    cursor = open_cursor(statement)
    cursor.expect("SHOW", "CREATE", "TABLE")
    begin = cursor.rest()[1]
    table = need(session, *take_table(cursor, session.database))
    named = cursor.text_between(begin, cursor.rest()[1]).replace("`", "").replace('"', "").lower()
    cursor.expect_end()
    if table.view is not None:
        raise DdlFailure(f"SemanticException {table} is a view: use SHOW CREATE VIEW")
    glue = session.catalog.get_table(DatabaseName=table.database, Name=table.name)["Table"]
    lines = _iceberg(session, table, glue, named) if table.is_iceberg else _hive(glue, named)
    return rows_of("SHOW_CREATE_TABLE", "createtab_stmt", lines)


def create_view(session: Session, statement: Statement) -> Outcome:
    """SHOW CREATE VIEW: the statement in one value."""
    cursor = open_cursor(statement)
    cursor.expect("SHOW", "CREATE", "VIEW")
    database, name = take_table(cursor, session.database)
    cursor.expect_end()
    found = session.planner.lookup(database, name)
    if found is None:
        raise AthenaFailure(
            "TABLE_NOT_FOUND",
            f"View 'awsdatacatalog.{database}.{name}' does not exist",
            line=1,
            column=1,
        )
    if found.view is None:
        raise AthenaFailure(
            "NOT_SUPPORTED",
            f"Relation 'awsdatacatalog.{database}.{name}' is a table, not a view",
            line=1,
            column=1,
        )
    text = f"CREATE VIEW {database}.{name} AS\n{laid_out(found.view.sql)}"
    kinds = (("Create View", SqlType("varchar")),)
    return Outcome("UTILITY", "SHOW_CREATE_VIEW", kinds, ((text,),))


def _hive(glue: dict[str, Any], name: str) -> list[str]:
    storage = glue.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    parameters = glue.get("Parameters") or {}
    columns = [_commented(glue, each) for each in storage["Columns"]]
    lines = [f"CREATE EXTERNAL TABLE `{name}`(", *_columns(columns)]
    comment = glue.get("Description") or parameters.get("comment")
    lines += [f"COMMENT {_text(comment)}"] if comment else []
    if glue.get("PartitionKeys"):
        lines += ["PARTITIONED BY ( ", *_columns(glue["PartitionKeys"])]
    if storage.get("BucketColumns"):
        lines += ["CLUSTERED BY ( ", *_list(storage["BucketColumns"], ") ")]
        lines += [f"INTO {storage['NumberOfBuckets']} BUCKETS"]
    lines += ["ROW FORMAT SERDE ", f"  {_text(serde.get('SerializationLibrary', ''))} "]
    given = {k: v for k, v in (serde.get("Parameters") or {}).items() if not _is_default(k, v)}
    if given:
        lines += ["WITH SERDEPROPERTIES ( ", *_list(_pairs(given), ") ")]
    lines += ["STORED AS INPUTFORMAT ", f"  {_text(storage.get('InputFormat', ''))} "]
    lines += ["OUTPUTFORMAT ", f"  {_text(storage.get('OutputFormat', ''))}"]
    lines += ["LOCATION", f"  {_text(storage.get('Location', ''))}"]
    shown = {key: value for key, value in parameters.items() if key not in _HIDDEN}
    if shown:
        lines += ["TBLPROPERTIES (", *_list(_pairs(shown), ")")]
    return lines


def _commented(glue: dict[str, Any], column: dict[str, Any]) -> dict[str, Any]:
    comment = comment_of(glue, column)
    return {**column, "Comment": comment} if comment else column


def _iceberg(session: Session, table: TableInfo, glue: dict[str, Any], name: str) -> list[str]:
    opened = open_table(session, table.database, table.name)
    columns = [_commented(glue, each) for each in glue["StorageDescriptor"]["Columns"]]
    lines = [f"CREATE TABLE {name} (", *(line.replace("`", "") for line in _columns(columns))]
    if partition := [term.text() for term in opened.terms()]:
        terms = (re.sub(r"(\w+)(\)?)\Z", r"`\1`\2", term) for term in partition)
        lines.append(f"PARTITIONED BY ({', '.join(terms)})")
    lines += [f"LOCATION {_text(table.location)}"]
    return [*lines, "TBLPROPERTIES (", *_list(_pairs(shown_properties(table)), ")")]


def shown_properties(table: TableInfo) -> dict[str, str]:
    """Give the properties of an Iceberg table that Athena knows, by Athena's names."""
    found = {"table_type": "iceberg"}
    for name, value in table.parameters:
        if name == "write.compression":
            found["write_compression"] = value.lower()
        elif name in PROPERTIES and name not in {"table_type", METADATA, PREVIOUS}:
            found[name] = value
    return found


def _columns(columns: Iterable[Mapping[str, Any]]) -> list[str]:
    pieces = [
        f"`{each['Name']}` {each.get('Type', 'string')}"
        + (f" COMMENT {_text(each['Comment'])}" if "Comment" in each else "")
        for each in columns
    ]
    return _list(pieces, ")")


def _list(pieces: Iterable[str], end: str) -> list[str]:
    """Write one piece a line; a comma and a blank after all but the last."""
    lines = [f"  {piece}, " for piece in pieces]
    return [*lines[:-1], lines[-1].removesuffix(", ") + end]


def _pairs(properties: Mapping[str, str]) -> list[str]:
    return [f"{_text(name)}={_text(value)}" for name, value in sorted(properties.items())]


def _is_default(name: str, value: str) -> bool:
    return name == "serialization.format" and value == "1"


def _text(value: str) -> str:
    """Write a string of Hive's DDL."""
    for letter, escape in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\t", "\\t")):
        value = value.replace(letter, escape)
    plain = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in value)
    return f"'{plain}'"
