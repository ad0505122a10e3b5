"""The table that the rows of a load go into: as it is, or as a load would make it.

In: a manifest, or a type as SQL writes it.  Out: `MartTable` and `MartColumn`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.loads.shapes import MartColumn, MartTable, UniqueKey
from runner.loads.types import Family, mysql_key_type, mysql_type, parse_type, sqlite_type

if TYPE_CHECKING:
    from runner.loads.shapes import Product
    from runner.model.loads import LoadColumn, LoadManifest

TEXT_BYTES = {
    "tinytext": 255,
    "text": 65_535,
    "mediumtext": 16_777_215,
    "longtext": 4_294_967_295,
    "tinyblob": 255,
    "blob": 65_535,
    "mediumblob": 16_777_215,
    "longblob": 4_294_967_295,
}
"""Most bytes of a value; dev.mysql.com/doc/refman/8.4/en/storage-requirements.html."""
_TYPE = re.compile(r"([a-z0-9]+)(?:\((.*?)\))?")
_INTEGER = r"\b(tinyint|smallint|mediumint|int|integer|bigint)\(\d+\)"
_SAID_AFTER = r" (?:not null|null|default|character set|charset|collate|comment)\b"
_SYNONYMS = {
    "integer": "int",
    "boolean": "tinyint",
    "bool": "tinyint",
    "json": "longtext",
    "double precision": "double",
    "real": "double",
    "datetime(0)": "datetime",
}


def plain_type(text: str) -> str:
    """Reduce a MySQL type text to what matters: no display widths, synonyms, NOT NULL.

    >>> plain_type("BIGINT(20) UNSIGNED NOT NULL"), plain_type("Decimal(10, 2)")
    ('bigint unsigned', 'decimal(10,2)')
    """
    words = re.sub(r"\s*([(),])\s*", r"\1", text.lower()).replace(")", ") ").strip()
    words = re.split(_SAID_AFTER, words)[0]
    words = re.sub(_INTEGER, r"\1", words).strip()
    words = _SYNONYMS.get(words, words)
    return re.sub(r"^(numeric|dec)\b", "decimal", words)


def read_type(name: str, text: str) -> MartColumn:
    """Read a MySQL type as a column of a new table has it.

    >>> column = read_type("name", "VARCHAR(64) NOT NULL")
    >>> column.type, column.characters, column.nullable
    ('varchar', 64, False)
    """
    plain = plain_type(text)
    match = _TYPE.match(plain)
    kind, sizes = (match[1], match[2] or "") if match else (plain, "")
    first, second = _sizes(sizes)
    decimal = kind == "decimal"
    return MartColumn(
        name=name,
        type=kind,
        full_type=plain,
        characters=(first or 1) if kind in ("char", "varchar") else 0,
        bytes=(first or 1) if kind in ("binary", "varbinary") else TEXT_BYTES.get(kind, 0),
        digits=(first or 10) if decimal else 0,
        scale=second if decimal else 0,
        fraction=first if kind in ("datetime", "timestamp", "time") else 0,
        nullable="not null" not in text.lower(),
        fills_null="auto_increment" in text.lower(),
        charset="utf8mb4",
    )


def _sizes(text: str) -> tuple[int, int]:
    numbers = [int(word) if word.isdigit() else 0 for word in text.split(",")]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def wanted_type(manifest: LoadManifest, column: LoadColumn, product: Product) -> str:
    """Give the type that the header asks for, or else the type of a column in a new table."""
    if column.mart_type is not None:
        return column.mart_type
    kind = parse_type(column.athena_type)
    if product == "sqlite":
        return sqlite_type(kind)
    window = manifest.window.columns if manifest.window is not None else ()
    indexed = {*(manifest.keys or window), *window}
    partitions = [item.name for item in manifest.partition_columns]
    if column.name not in {*indexed, *partitions}:
        return mysql_type(kind)
    types = {item.name: parse_type(item.athena_type) for item in manifest.all_columns}
    texts = sum(types[name].family is Family.TEXT for name in indexed)
    return mysql_key_type(kind, texts=max(texts, 1))


def planned_table(manifest: LoadManifest, product: Product) -> MartTable:
    """Describe the table that a load makes when there is none."""
    columns = tuple(_planned_column(manifest, column, product) for column in manifest.all_columns)
    keys = (UniqueKey("PRIMARY", manifest.keys),) if manifest.keys else ()
    engine = "" if product == "sqlite" else "InnoDB"
    return MartTable(manifest.key.mart_table, columns, keys, engine=engine)


def _planned_column(manifest: LoadManifest, column: LoadColumn, product: Product) -> MartColumn:
    text = wanted_type(manifest, column, product)
    nullable = column.name not in manifest.keys
    if product == "sqlite":
        return MartColumn(
            column.name,
            type=text.lower(),
            full_type=text,
            nullable=nullable,
            fills_null=manifest.keys == (column.name,) and text.upper() == "INTEGER",
        )
    read = read_type(column.name, text)
    nullable = nullable and read.nullable
    fills = read.fills_null or (read.type == "timestamp" and not nullable)
    return replace(read, nullable=nullable, fills_null=fills)
