"""DDL by which Redshift reads tables of the lake: an external schema, external tables (Spectrum).

In: names, columns and locations as Glue has them.  Out: statements for Redshift.  With a schema
over the Glue Data Catalog the tables are there at once; external tables of one's own are for a
catalogue that Redshift cannot reach.  Source: Amazon Redshift, "CREATE EXTERNAL SCHEMA" and "CREATE
EXTERNAL TABLE".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TYPES = {
    "tinyint": "smallint",
    "int": "integer",
    "float": "real",
    "double": "double precision",
    "string": "varchar(65535)",
    "binary": "varbyte(1000000)",
}
"""Of Hive's types those that Redshift calls otherwise."""
_SAME = ("smallint", "bigint", "boolean", "date", "timestamp", "decimal", "varchar", "char")
_NESTED = ("array", "map", "struct")
_STORED = {"parquet": "PARQUET", "orc": "ORC", "avro": "AVRO", "textfile": "TEXTFILE"}


class SpectrumError(ValueError):
    """A table that Spectrum cannot read, in words."""


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A table as Glue describes it."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """Names and Hive types, without partition columns."""
    partitions: tuple[tuple[str, str], ...]
    location: str
    format: str = "parquet"


def schema_ddl(schema: str, database: str, role: str, *, create: bool = False) -> str:
    """Write the schema over a database of the Glue Data Catalog, which `create` makes as well.

    >>> schema_ddl("lake", "marts", "arn:aws:iam::1:role/r").splitlines()[0]
    'CREATE EXTERNAL SCHEMA IF NOT EXISTS "lake"'
    """
    made = "\nCREATE EXTERNAL DATABASE IF NOT EXISTS" if create else ""
    return (
        f"CREATE EXTERNAL SCHEMA IF NOT EXISTS {_name(schema)}\n"
        f"FROM DATA CATALOG DATABASE {_text(database)}\n"
        f"IAM_ROLE {_text(role)}{made}"
    )


def table_ddl(schema: str, table: ExternalTable) -> str:
    """Write an external table; SpectrumError for a type or format that it cannot have."""
    if table.format not in _STORED:
        raise SpectrumError(
            f"{table.name} is stored as {table.format}; Redshift reads {', '.join(_STORED)} here"
        )
    columns = ",\n".join(f"  {_name(name)} {redshift_type(kind)}" for name, kind in table.columns)
    lines = [f"CREATE EXTERNAL TABLE {_name(schema)}.{_name(table.name)} (\n{columns}\n)"]
    if table.partitions:
        inside = ", ".join(f"{_name(n)} {redshift_type(kind)}" for n, kind in table.partitions)
        lines.append(f"PARTITIONED BY ({inside})")
    return "\n".join(
        [*lines, f"STORED AS {_STORED[table.format]}", f"LOCATION {_text(table.location)}"]
    )


def partition_ddl(schema: str, table: ExternalTable, values: tuple[str, ...], location: str) -> str:
    """Write the statement that adds one partition: Redshift projects none by itself."""
    pairs = zip(table.partitions, values, strict=True)
    inside = ", ".join(f"{_name(name)}={_text(value)}" for (name, _), value in pairs)
    return (
        f"ALTER TABLE {_name(schema)}.{_name(table.name)} ADD IF NOT EXISTS "
        f"PARTITION ({inside}) LOCATION {_text(location)}"
    )


def redshift_type(kind: str) -> str:
    """Give Redshift's type for one of Hive.

    >>> redshift_type("string"), redshift_type("decimal(10,2)"), redshift_type("array<int>")
    ('varchar(65535)', 'decimal(10,2)', 'array<int>')
    """
    kind = kind.strip().lower()
    word = re.split(r"[(<]", kind)[0].strip()
    if word in _NESTED:
        return _nested(kind)
    if word in _TYPES:
        return _TYPES[word]
    if word in _SAME:
        return kind
    raise SpectrumError(f"Redshift has no type for {kind}")


def _nested(kind: str) -> str:
    """Write a nested type: scalars inside are Redshift's, the rest stays."""

    def inner(match: re.Match[str]) -> str:
        return match[0] if match[1] in (*_NESTED, *_SAME) else _TYPES.get(match[1], match[0])

    return re.sub(r"(?<=[<,:])([a-z]+)(?=[>,<(])", inner, kind.replace(" ", ""))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
