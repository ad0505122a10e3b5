"""Tables of a MySQL mart: what is there, what a load needs, and making it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.loads.types import (
    AthenaType,
    Family,
    mysql_key_type,
    mysql_staging_type,
    mysql_type,
    parse_type,
)
from runner.local.loader.mysql_session import name_of
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.loader.mysql_session import Session
    from runner.model.loads import LoadColumn, LoadManifest

_MAX_NAME_BYTES = 64
_LEDGER = """CREATE TABLE IF NOT EXISTS `_runner_loads` (
  mart_table VARCHAR(64) NOT NULL, table_name VARCHAR(210) NOT NULL,
  window_start VARCHAR(64) NOT NULL, window_end VARCHAR(64) NOT NULL,
  publish_id VARCHAR(255) NOT NULL, `rows` BIGINT NOT NULL, loaded_at DATETIME(6) NOT NULL,
  PRIMARY KEY (mart_table, table_name, window_start, window_end, publish_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation}"""
_INTEGER_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")
_BLOBS = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")


@dataclass(frozen=True, slots=True)
class MysqlColumn:
    """A column of an existing table, as information_schema describes it."""

    name: str
    type: str
    """`varchar`, `decimal`, ...: without size."""
    full_type: str
    """`varchar(64)`, `int(10) unsigned`."""
    characters: int
    digits: int
    scale: int
    fraction: int
    must_be_given: bool


def ensure_ledger(session: Session) -> None:
    """Make the ledger if it is missing (asking first: CREATE takes a lock even if it exists)."""
    found = session.all_rows(
        "SELECT 1 FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '_runner_loads'"
    )
    if not found:
        session.run(_LEDGER.format(collation=session.collation))


def describe_table(session: Session, table: str) -> tuple[MysqlColumn, ...]:
    """Describe a table; empty when there is none."""
    rows = session.all_rows(
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, "
        "NUMERIC_SCALE, DATETIME_PRECISION, IS_NULLABLE, COLUMN_DEFAULT, EXTRA "
        "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s "
        "ORDER BY ORDINAL_POSITION",
        (table,),
    )
    return tuple(
        MysqlColumn(
            name=row[0],
            type=row[1].lower(),
            full_type=row[2].lower(),
            characters=int(row[3] or 0),
            digits=int(row[4] or 0),
            scale=int(row[5] or 0),
            fraction=int(row[6] or 0),
            must_be_given=row[7] == "NO" and row[8] is None and not row[9],
        )
        for row in rows
    )


def create_table(session: Session, manifest: LoadManifest, table: str) -> None:
    """Make a table for the manifest's rows, with its keys as primary key."""
    if len(table.encode()) > _MAX_NAME_BYTES:
        raise ServiceError("Load.Refused", f"{table}: MySQL's names end at {_MAX_NAME_BYTES} bytes")
    window = manifest.window.columns if manifest.window is not None else ()
    indexed = manifest.keys or window
    definitions = [
        f"{name_of(column.name)} {_new_type(manifest, column, indexed)}"
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


def _new_type(manifest: LoadManifest, column: LoadColumn, indexed: Sequence[str]) -> str:
    if column.mart_type is not None:
        return column.mart_type
    kind = parse_type(column.athena_type)
    window = manifest.window.columns if manifest.window is not None else ()
    partitions = [item.name for item in manifest.partition_columns]
    if column.name not in {*indexed, *window, *partitions}:
        return mysql_type(kind)
    types = {item.name: parse_type(item.athena_type) for item in manifest.all_columns}
    texts = sum(types[name].family is Family.TEXT for name in {*indexed, *window})
    return mysql_key_type(kind, texts=max(texts, 1))


def staging_sql(manifest: LoadManifest, name: str) -> str:
    """Write the statement that makes the temporary table: wide, without keys."""
    columns = ", ".join(
        f"{name_of(column.name)} {mysql_staging_type(parse_type(column.athena_type))} NULL"
        for column in manifest.all_columns
    )
    return (
        f"CREATE TEMPORARY TABLE {name_of(name)} ({columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    )


def drift(manifest: LoadManifest, existing: Sequence[MysqlColumn]) -> list[str]:
    """Say what keeps the rows from fitting the table; empty when they fit."""
    found = {column.name.lower(): column for column in existing}
    wanted = {column.name.lower(): column for column in manifest.all_columns}
    faults = []
    for name, column in wanted.items():
        if name not in found:
            faults.append(f"it has no column {column.name} ({column.athena_type})")
        elif not _holds(found[name], column):
            faults.append(
                f"column {column.name} is {found[name].full_type}, "
                f"which is narrower than {column.mart_type or column.athena_type}"
            )
    faults += [
        f"its column {column.name} is NOT NULL without a default and the rows do not have it"
        for name, column in found.items()
        if column.must_be_given and name not in wanted
    ]
    return faults


_DIRECT = {
    Family.BOOLEAN: frozenset(_INTEGER_BITS),
    Family.INTEGER: frozenset({*_INTEGER_BITS, "decimal"}),
    Family.FLOAT: frozenset({"double", "float"}),
    Family.DECIMAL: frozenset({*_INTEGER_BITS, "decimal"}),
    Family.TEXT: frozenset(
        {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "date", "datetime"}
    ),
    Family.DATE: frozenset({"date", "datetime"}),
    Family.TIMESTAMP: frozenset({"datetime", "timestamp"}),
    Family.BINARY: frozenset(_BLOBS),
    Family.NESTED: frozenset({"json", "longtext", "mediumtext", "text"}),
}
"""Column types into which LOAD DATA brings a value of a family unchanged, or warns.

BIT would take the letter's code, ENUM a number by position; they go by the staging table."""


def takes_unchanged(manifest: LoadManifest, existing: Sequence[MysqlColumn]) -> bool:
    """Tell whether LOAD DATA brings every column in as INSERT would, or warns."""
    found = {column.name.lower(): column for column in existing}
    return all(
        found[column.name.lower()].type in _DIRECT[parse_type(column.athena_type).family]
        for column in manifest.all_columns
    )


def _holds(found: MysqlColumn, column: LoadColumn) -> bool:
    if column.mart_type is not None:
        return _same(found.full_type, column.mart_type)
    return _holds_type(found, parse_type(column.athena_type))


def _same(found: str, asked: str) -> bool:
    """Compare type texts; display widths of integers, synonyms and NOT NULL say nothing here."""
    return _plain(found) == _plain(asked)


def _plain(text: str) -> str:
    """Reduce a type text to what matters.

    >>> _plain("BIGINT(20) UNSIGNED NOT NULL"), _plain("Decimal(10, 2)"), _plain("integer")
    ('bigint unsigned', 'decimal(10,2)', 'int')
    """
    words = re.sub(r"\s*([(),])\s*", r"\1", text.lower()).replace(")", ") ").strip()
    words = re.split(r" (?:not null|null|default|character set|charset|collate|comment)\b", words)[
        0
    ]
    words = re.sub(
        r"\b(tinyint|smallint|mediumint|int|integer|bigint)\(\d+\)", r"\1", words
    ).strip()
    synonyms = {
        "integer": "int",
        "boolean": "tinyint",
        "bool": "tinyint",
        "json": "longtext",
        "double precision": "double",
        "real": "double",
        "datetime(0)": "datetime",
    }
    words = synonyms.get(words, words)
    return re.sub(r"^(numeric|dec)\b", "decimal", words)


def _holds_type(found: MysqlColumn, kind: AthenaType) -> bool:  # noqa: PLR0911 - one per case
    """Tell whether a column takes every value of the type without a loss that no error reports."""
    match kind.family:
        case Family.BOOLEAN:
            return found.type in _INTEGER_BITS or found.type == "bit"
        case Family.INTEGER:
            return _holds_integer(found, kind.size)
        case Family.FLOAT:
            return found.type == "double" or (found.type == "float" and kind.size == 32)  # noqa: PLR2004 - bits
        case Family.DECIMAL:
            return _holds_decimal(found, kind)
        case Family.TEXT:
            return found.type in (*_TEXTS, "json", "uuid") and _long_enough(found, kind.size)
        case Family.DATE:
            return found.type in ("date", "datetime")
        case Family.TIMESTAMP:
            return found.type in ("datetime", "timestamp") and found.fraction >= kind.size
        case Family.BINARY:
            return found.type in _BLOBS
        case Family.NESTED:
            return found.type in ("json", "longtext", "mediumtext", "text")


def _holds_integer(found: MysqlColumn, bits: int) -> bool:
    if found.type == "decimal":
        return found.digits - found.scale >= len(str(2 ** (bits - 1)))
    return _INTEGER_BITS.get(found.type, 0) >= bits


def _holds_decimal(found: MysqlColumn, kind: AthenaType) -> bool:
    whole = kind.size - kind.scale
    if found.type == "decimal":
        return found.scale >= kind.scale and found.digits - found.scale >= whole
    return kind.scale == 0 and found.type == "bigint" and whole < len(str(2**63))


def _long_enough(found: MysqlColumn, characters: int) -> bool:
    """Let a string of unknown length go anywhere: strict mode refuses one that is too long."""
    return characters == 0 or found.characters == 0 or found.characters >= characters


def check_unique(session: Session, manifest: LoadManifest) -> None:
    """Refuse to merge into a table whose unique keys are not exactly the header's keys.

    ON DUPLICATE KEY UPDATE acts on any unique key, so a second one could update the wrong row.
    """
    table = manifest.key.mart_table
    rows = session.all_rows(
        "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND NON_UNIQUE = 0",
        (table,),
    )
    indexes: dict[str, set[str]] = {}
    for index, column, part in rows:
        indexes.setdefault(index, set()).add(f"{str(column).lower()}{part or ''}")
    wanted = {key.lower() for key in manifest.keys}
    keys = ", ".join(manifest.keys)
    if wanted not in indexes.values():
        raise ServiceError(
            "Load.NoUniqueKey",
            f"{table} has no primary or unique key on ({keys}), so a merge would append rows; "
            f"create one: ALTER TABLE {name_of(table)} ADD UNIQUE ({keys})",
        )
    others = sorted(index for index, columns in indexes.items() if columns != wanted)
    if others:
        raise ServiceError(
            "Load.SecondUniqueKey",
            f"{table} has another unique key beside ({keys}): {', '.join(others)}; a merge could "
            "update the row that this one finds; drop it, or load with replace_window",
        )


def check_replaceable(session: Session, table: str) -> None:
    """Refuse to swap a table that others hang on: they would stay with the old one and vanish."""
    triggers = session.all_rows(
        "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS "
        "WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = %s",
        (table,),
    )
    references = session.all_rows(
        "SELECT CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE "
        "WHERE REFERENCED_TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME = %s",
        (table,),
    )
    hanging = sorted({str(row[0]) for row in (*triggers, *references)})
    if hanging:
        raise ServiceError(
            "Load.Refused",
            f"{table} cannot be replaced by a table of another shape: {', '.join(hanging)} "
            "depend on it; alter the table by hand, or drop them first",
        )
