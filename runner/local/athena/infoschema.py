"""information_schema: what the catalogue holds, as rows.

Tables and columns are those that Athena's user guide shows in "Query the AWS Glue Data Catalog".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.sqltypes import parse_type
from runner.local.athena.tables import VIEW, table_info

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.athena.tables import Field, TableInfo
    from runner.local.glue import GlueCatalog

_CATALOG = "awsdatacatalog"
_SCHEMA = "information_schema"
_TEXT = "varchar"


def _texts(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, _TEXT) for name in names)


TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "schemata": _texts("catalog_name", "schema_name"),
    "tables": _texts("table_catalog", "table_schema", "table_name", "table_type"),
    "views": _texts("table_catalog", "table_schema", "table_name", "view_definition"),
    "columns": (
        *_texts("table_catalog", "table_schema", "table_name", "column_name"),
        ("ordinal_position", "bigint"),
        *_texts("column_default", "is_nullable", "data_type", "comment", "extra_info"),
    ),
}
"""The columns of each table."""


def rows(catalog: GlueCatalog, name: str) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a table."""
    match name:
        case "schemata":
            yield from ((_CATALOG, database) for database in _databases(catalog))
        case "tables":
            for found in _tables(catalog):
                kind = "VIEW" if found.get("TableType") == VIEW else "BASE TABLE"
                yield _CATALOG, found["DatabaseName"], found["Name"], kind
            yield from ((_CATALOG, _SCHEMA, each, "BASE TABLE") for each in TABLES)
        case "views":
            for found in _tables(catalog):
                view = table_info(found).view
                if view is not None:
                    yield _CATALOG, found["DatabaseName"], found["Name"], view.sql
        case _:
            yield from _columns(catalog)


def _databases(catalog: GlueCatalog) -> Iterator[str]:
    token = ""
    while True:
        page = catalog.get_databases(NextToken=token)
        yield from (each["Name"] for each in page["DatabaseList"])
        token = page.get("NextToken", "")
        if not token:
            yield _SCHEMA
            return


def _tables(catalog: GlueCatalog) -> Iterator[dict[str, Any]]:
    for database in _databases(catalog):
        token = ""
        while database != _SCHEMA:
            page = catalog.get_tables(DatabaseName=database, NextToken=token)
            yield from page["TableList"]
            token = page.get("NextToken", "")
            if not token:
                break


def _columns(catalog: GlueCatalog) -> Iterator[tuple[Any, ...]]:
    for found in _tables(catalog):
        table = table_info(found)
        comments = _comments(found)
        for number, each in enumerate(table.fields(), 1):
            is_key = number > len(table.columns)
            yield _column(table, each, number, (comments.get(each.name), is_key))
    for name, columns in TABLES.items():
        for number, (column, kind) in enumerate(columns, 1):
            yield _CATALOG, _SCHEMA, name, column, number, None, "YES", kind, None, None


def _column(
    table: TableInfo, field: Field, number: int, more: tuple[str | None, bool]
) -> tuple[Any, ...]:
    comment, is_key = more
    return (
        _CATALOG,
        table.database,
        table.name,
        field.name,
        number,
        None,
        "YES",
        parse_type(field.type).trino(),
        comment,
        "partition key" if is_key else None,
    )


def _comments(found: dict[str, Any]) -> dict[str, str | None]:
    columns = (found.get("StorageDescriptor") or {}).get("Columns") or []
    keys = found.get("PartitionKeys") or []
    return {each["Name"].lower(): each.get("Comment") or None for each in (*columns, *keys)}
