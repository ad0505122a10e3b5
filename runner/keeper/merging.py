"""The statements of an Iceberg table: its DDL, and the MERGE that publishes a chunk.

In: a table's spec, columns, a window.  Out: text for Athena.  Sources: Athena user guide, "Create
Iceberg tables", "Supported data types for Iceberg tables", "ALTER TABLE ADD COLUMNS" and "MERGE
INTO" (Trino's: WHEN [NOT] MATCHED [AND condition], no NOT MATCHED BY SOURCE; a target row that
several source rows match fails the statement).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .spec import Spec

TYPE = "ICEBERG"
"""The table_type of the catalogue and of the DDL."""
_GONE = '"runner__gone"'
_NULL = '"runner__null"'
_WIDTHS = re.compile(r"\b(?:tinyint|smallint)\b(?!:)")
_LENGTHS = re.compile(r"\b(?:var)?char\(\d+\)")


def keys_of(spec: Spec) -> list[str]:
    """Give the row keys of the header."""
    return list((spec.iceberg or {}).get("keys", ()))


def iceberg_type(hive: str) -> str:
    """Give the type that Iceberg keeps a Hive type as: small integers and lengths are not known.

    >>> iceberg_type("array<struct<a:smallint,b:varchar(3)>>")
    'array<struct<a:int,b:string>>'
    """
    return _LENGTHS.sub("string", _WIDTHS.sub("int", hive))


def create_statement(spec: Spec, columns: list[dict[str, str]], location: str) -> str:
    """Write the CREATE TABLE of the target; partition columns are text and come last.

    IF NOT EXISTS: a repeat after an unknown outcome finds the table, and `settle` looks at it.
    """
    described = [*columns, *({"Name": name, "Type": "string"} for name in spec.partitions)]
    keys = ", ".join(f"`{name}`" for name in spec.partitions)
    properties = {
        "table_type": TYPE,
        "format": "parquet",
        "write_compression": spec.parameters.get("parquet.compression", "ZSTD").lower(),
        **(spec.iceberg or {}).get("properties", {}),
    }
    listed = ", ".join(f"'{name}'={_literal(value)}" for name, value in properties.items())
    partitioned = f" PARTITIONED BY ({keys})" if keys else ""
    return (
        f"CREATE TABLE IF NOT EXISTS `{spec.database}`.`{spec.table}` ({_described(described)})"
        f"{partitioned} LOCATION {_literal(location)} TBLPROPERTIES ({listed})"
    )


def add_columns_statement(spec: Spec, columns: list[dict[str, str]]) -> str:
    """Write the ALTER TABLE that adds columns; they are NULL in the rows that are there."""
    return f"ALTER TABLE `{spec.database}`.`{spec.table}` ADD COLUMNS ({_described(columns)})"


def _described(columns: list[dict[str, str]]) -> str:
    return ", ".join(f"`{column['Name']}` {column['Type']}" for column in columns)


def merge_statement(
    spec: Spec, *, stage: str, columns: list[str], window: tuple[str, str], by_keys: bool
) -> str:
    """Write the one statement after which the window holds exactly the staged rows.

    `stage` is the quoted name of the stage table, `columns` are the data columns.  Source rows that
    are marked gone delete what they match; the others are inserted, or update the row of their key.
    """
    target = f'"{spec.database}"."{spec.table}"'
    every = [*columns, *spec.partitions]
    if by_keys:
        identity = list(dict.fromkeys([*keys_of(spec), *spec.partitions]))
        source, match = _by_keys(spec, stage, every, identity=identity, window=window)
        changing = [name for name in every if name not in identity]
    else:
        source, match = _by_window(spec, stage, every, window=window)
        changing = []
    inserted = ", ".join(f's."{name}"' for name in every)
    lines = [
        f"MERGE INTO {target} AS t USING (",
        *source,
        f") AS s ON {match}",
        f"WHEN MATCHED AND s.{_GONE} THEN DELETE",
    ]
    if changing:
        differs = " OR ".join(f't."{name}" IS DISTINCT FROM s."{name}"' for name in changing)
        sets = ", ".join(f'"{name}" = s."{name}"' for name in changing)
        lines.append(f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {sets}")
    lines.append(
        f"WHEN NOT MATCHED AND NOT s.{_GONE} THEN INSERT ({_names(every)}) VALUES ({inserted})"
    )
    return "\n".join(lines)


def _by_window(
    spec: Spec, stage: str, every: list[str], *, window: tuple[str, str]
) -> tuple[list[str], str]:
    """Replace: each old row of the window matches one marked row, the staged rows match none.

    Every match holds an equality of both sides, so that the join needs no nested loop.
    """
    staged = f"SELECT {_names(every)}, false AS {_GONE} FROM {stage}"
    target = f'"{spec.database}"."{spec.table}"'
    if not spec.partitions:
        nulls = ", ".join("NULL" for _ in every)
        staged = staged.replace(f" AS {_GONE}", f" AS {_GONE}, CAST(NULL AS boolean) AS {_NULL}")
        marked = f"SELECT {nulls}, true, v.is_null FROM (VALUES (true), (false)) AS v (is_null)"
        match = f's.{_GONE} AND (t."{every[0]}" IS NULL) = s.{_NULL}'
        return [staged, "UNION ALL", marked], match
    time = [column for column, _ in spec.time]
    told = time or list(spec.partitions)
    values = ", ".join(f'v."{name}"' if name in told else "NULL" for name in every)
    if time:
        tuples = ", ".join(
            f"({', '.join(_literal(value) for value in row)})" for row in spec.time_values(*window)
        )
        origin = f"(VALUES {tuples}) AS v ({_names(time)})"
    else:
        origin = f"(SELECT DISTINCT {_names(told)} FROM {target}) AS v"
    marked = f"SELECT {values}, true FROM {origin}"
    match = " AND ".join([f"s.{_GONE}", *(f't."{name}" = s."{name}"' for name in told)])
    return [staged, "UNION ALL", marked], " AND ".join([match, *_inside(spec, "t", window)])


def _by_keys(
    spec: Spec, stage: str, every: list[str], *, identity: list[str], window: tuple[str, str]
) -> tuple[list[str], str]:
    """Update: rows match by their keys; keys of the window that are not staged are marked."""
    target = f'"{spec.database}"."{spec.table}"'
    values = ", ".join(f'o."{name}"' if name in identity else "NULL" for name in every)
    joined = " AND ".join(f'n."{name}" = o."{name}"' for name in identity)
    inside = _inside(spec, "o", window)
    return [
        f"SELECT {_names(every)}, false AS {_GONE} FROM {stage}",
        "UNION ALL",
        f"SELECT DISTINCT {values}, true FROM {target} AS o LEFT JOIN {stage} AS n ON {joined}",
        f"WHERE {' AND '.join([*inside, f'n.{_quoted(identity[0])} IS NULL'])}",
    ], " AND ".join(
        [*(f't."{name}" = s."{name}"' for name in identity), *_inside(spec, "t", window)]
    )


def _inside(spec: Spec, alias: str, window: tuple[str, str]) -> list[str]:
    """Bound the time columns by the window's values, so that other partitions are not read."""
    rows = list(spec.time_values(*window)) if spec.time else []
    result = []
    for place, (column, _) in enumerate(spec.time):
        values = dict.fromkeys(row[place] for row in rows)
        result.append(f'{alias}."{column}" IN ({", ".join(_literal(value) for value in values)})')
    return result


def _names(columns: list[str]) -> str:
    return ", ".join(_quoted(name) for name in columns)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
