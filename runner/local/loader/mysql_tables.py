"""Tables of a MySQL mart that a load makes, and which columns take its values as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.loads.target import wanted_type
from runner.loads.types import Family, mysql_staging_type, parse_type
from runner.local.loader.mysql_session import name_of
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from runner.loads.shapes import MartTable
    from runner.loads.types import AthenaType
    from runner.local.loader.mysql_session import Session
    from runner.model.loads import LoadManifest

_MAX_NAME_BYTES = 64
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext")
_BLOBS = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
_DIRECT = {
    Family.BOOLEAN: frozenset(_INTEGERS),
    Family.INTEGER: frozenset({*_INTEGERS, "decimal"}),
    Family.FLOAT: frozenset({"double", "float"}),
    Family.DECIMAL: frozenset({*_INTEGERS, "decimal"}),
    Family.TEXT: frozenset({*_TEXTS, "date", "datetime"}),
    Family.DATE: frozenset({"date", "datetime"}),
    Family.TIMESTAMP: frozenset({"datetime", "timestamp"}),
    Family.BINARY: frozenset(_BLOBS),
    Family.NESTED: frozenset({"json", "longtext", "mediumtext", "text"}),
}
"""Column types into which LOAD DATA brings a value of a family as INSERT does, or warns.

BIT would take the letter's code, ENUM a number by its position; they go by the staging table."""


def create_table(session: Session, manifest: LoadManifest, table: str) -> None:
    """Make a table for the manifest's rows, with its keys as primary key."""
    if len(table.encode()) > _MAX_NAME_BYTES:
        raise ServiceError("Load.Refused", f"{table}: MySQL's names end at {_MAX_NAME_BYTES} bytes")
    window = manifest.window.columns if manifest.window is not None else ()
    definitions = [
        f"{name_of(column.name)} {wanted_type(manifest, column, 'mysql')}"
        + (" NOT NULL" if column.name in manifest.keys else "")
        for column in manifest.all_columns
    ]
    if manifest.keys:
        definitions.append(f"PRIMARY KEY ({', '.join(map(name_of, manifest.keys))})")
    if window and manifest.keys[: len(window)] != window:
        definitions.append(f"KEY ({', '.join(map(name_of, window))})")
    session.run(
        f"CREATE TABLE {name_of(table)} ({', '.join(definitions)}) ENGINE=InnoDB "
        f"DEFAULT CHARSET=utf8mb4 COLLATE={session.collation}"
    )


def staging_sql(manifest: LoadManifest, name: str) -> str:
    """Write the statement that makes the temporary table: wide, without keys."""
    columns = ", ".join(
        f"{name_of(column.name)} {mysql_staging_type(parse_type(column.athena_type))} NULL"
        for column in manifest.all_columns
    )
    return (
        f"CREATE TEMPORARY TABLE {name_of(name)} ({columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    )


def takes_unchanged(manifest: LoadManifest, table: MartTable) -> bool:
    """Tell whether LOAD DATA brings every column in as INSERT would, or warns."""
    return all(
        found is not None and _arrives(parse_type(column.athena_type), found.type)
        for column in manifest.all_columns
        for found in (table.column(column.name),)
    )


def _arrives(kind: AthenaType, target: str) -> bool:
    if kind.family is Family.DECIMAL and kind.scale and target in _INTEGERS:
        return False  # LOAD DATA rounds -0.4 to an unsigned 0, where INSERT says out of range
    return target in _DIRECT[kind.family]
