"""Tables that hold no data of their own: information_schema, `t$partitions`, `t$snapshots`, ...

In: a name.  Out: its columns, and the query that gives its rows, made anew for each statement.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.sqltypes import SqlType, parse_type
from runner.local.athena.tables import Field, TableInfo, load_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.local.athena.partitions import Locator

VIRTUAL: Literal["virtual"] = "virtual"
SCHEMA = "information_schema"

Columns = tuple[tuple[str, str], ...]
"""Names and types."""


def is_virtual(database: str, name: str) -> bool:
    """Tell whether a name is that of a table which tells of others."""
    return database == SCHEMA or "$" in name


def find_virtual(locator: Locator, database: str, name: str) -> TableInfo | None:
    """Find such a table; None if there is none."""
    columns = _columns(locator, database, name)
    if columns is None:
        return None
    return TableInfo(
        database,
        name,
        tuple(Field(*each) for each in columns),
        (),
        "",
        VIRTUAL,
        (),
        (),
        None,
    )


def _columns(locator: Locator, database: str, name: str) -> Columns | None:
    if database == SCHEMA:
        from runner.local.athena import infoschema  # noqa: PLC0415 - few queries need it

        return infoschema.TABLES.get(name)
    base, _, kind = name.rpartition("$")
    table = load_table(locator.catalog, database, base)
    if table is None or table.view is not None:
        return None
    if not table.is_iceberg:
        is_known = kind == "partitions" and bool(table.keys)
        return tuple((key.name, key.type) for key in table.keys) if is_known else None
    from runner.local.athena import metatables  # noqa: PLC0415 - as above

    return metatables.columns(locator, table, kind)


def virtual_sql(locator: Locator, table: TableInfo) -> str:
    """Write the query that gives the rows of such a table."""
    columns = tuple((each.name, each.type) for each in table.columns)
    return rows_sql(columns, _rows(locator, table))


def _rows(locator: Locator, table: TableInfo) -> Iterable[Sequence[Any]]:
    if table.database == SCHEMA:
        from runner.local.athena import infoschema  # noqa: PLC0415 - as above

        return infoschema.rows(locator.catalog, table.name)
    base, _, kind = table.name.rpartition("$")
    about = load_table(locator.catalog, table.database, base)
    if about is None:
        raise AthenaFailure(
            "TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{table.database}.{base}' does not exist"
        )
    if not about.is_iceberg:
        return locator.values(about)
    from runner.local.athena import metatables  # noqa: PLC0415 - as above

    return metatables.rows(locator, about, kind)


def rows_sql(columns: Columns, rows: Iterable[Sequence[Any]]) -> str:
    """Write rows of Python values as a query."""
    kinds = [parse_type(kind) for _, kind in columns]
    names = ", ".join(f"c{number}" for number in range(len(columns)))
    cast = ", ".join(
        f'CAST(c{number} AS {kind.duck()}) AS "{name}"'
        for number, ((name, _), kind) in enumerate(zip(columns, kinds, strict=True))
    )
    lines = [
        f"({', '.join(literal(v, kind) for v, kind in zip(row, kinds, strict=True))})"
        for row in rows
    ]
    if not lines:
        nothing = ", ".join(f"NULL AS c{number}" for number in range(len(columns)))
        return f"(SELECT {cast} FROM (SELECT {nothing} WHERE false))"
    return f"(SELECT {cast} FROM (VALUES {', '.join(lines)}) AS v({names}))"


def literal(value: Any, kind: SqlType) -> str:  # noqa: ANN401 - a value of the type
    """Write a value for DuckDB."""
    if value is None:
        return "NULL"
    match kind.name:
        case "map":
            keys = ", ".join(literal(each, kind.parts[0]) for each in value)
            values = ", ".join(literal(each, kind.parts[1]) for each in value.values())
            return f"CAST(MAP([{keys}], [{values}]) AS {kind.duck()})"
        case "array":
            return f"[{', '.join(literal(each, kind.parts[0]) for each in value)}]"
        case "row":
            inner = (
                f"{_text(name)}: {literal(each, part)}"
                for name, each, part in zip(kind.fields, value, kind.parts, strict=True)
            )
            return f"{{{', '.join(inner)}}}"
        case _:
            return f"CAST({_text(_plain(value))} AS {kind.duck()})"


def _plain(value: Any) -> str:  # noqa: ANN401 - as above
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ")
    if isinstance(value, bytes):
        return "".join(f"\\x{byte:02X}" for byte in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
