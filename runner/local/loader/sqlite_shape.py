"""A SQLite mart as the checks see it.

In: an open file.  Out: `MartTable` and `MartServer`.  Everything is read, nothing is changed.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from runner.loads.shapes import MartColumn, MartServer, MartTable, UniqueKey
from runner.local.loader.source import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

_GENERATED = (2, 3)
"""`hidden` of PRAGMA table_xinfo: computed when read, and stored."""


def describe_sqlite(mart: sqlite3.Connection, table: str) -> MartTable | None:
    """Describe a table with what hangs on it; None when there is none."""
    rows = mart.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
    if not rows:
        return None
    keys, collations = _indexes(mart, table)
    primary = tuple(row[1] for row in sorted(rows, key=lambda row: row[5]) if row[5])
    numbered = primary[0] if len(primary) == 1 else None  # if it is an INTEGER: the row's number
    columns = tuple(
        MartColumn(
            name=name,
            type=declared.lower(),
            full_type=declared,
            nullable=not not_null,
            has_default=default is not None
            or hidden in _GENERATED
            or (name == numbered and declared.upper() == "INTEGER"),
            generated=hidden in _GENERATED,
            fills_null=name == numbered and declared.upper() == "INTEGER",
            collation=collations.get(name, ""),
        )
        for _, name, declared, not_null, default, _, hidden in rows
    )
    if primary:
        keys = (UniqueKey("PRIMARY", primary), *keys)
    return MartTable(
        name=table,
        columns=columns,
        unique_keys=keys,
        triggers=_named(mart, "trigger", "tbl_name = ?", table),
        views=_named(mart, "view", "instr(lower(sql), lower(?)) > 0", table),
    )


def _indexes(
    mart: sqlite3.Connection, table: str
) -> tuple[tuple[UniqueKey, ...], Mapping[str, str]]:
    """Give the unique indexes that are no primary key, and how key columns compare."""
    keys = []
    collations: dict[str, str] = {}
    for _, index, unique, origin, partial in mart.execute(
        f"PRAGMA index_list({quoted(table)})"
    ).fetchall():
        if not unique:
            continue
        parts = [
            (name, collation)
            for _, _, name, _, collation, is_key in mart.execute(
                f"PRAGMA index_xinfo({quoted(index)})"
            )
            if is_key
        ]
        collations.update({name: collation for name, collation in parts if name is not None})
        if origin != "pk":
            names = tuple(name or "" for name, _ in parts)
            keys.append(UniqueKey(index, names, partial=bool(partial) or "" in names))
    return tuple(keys), collations


def _named(mart: sqlite3.Connection, kind: str, where: str, table: str) -> tuple[str, ...]:
    rows = mart.execute(
        f"SELECT name FROM sqlite_master WHERE type = ? AND {where} ORDER BY name", (kind, table)
    )
    return tuple(row[0] for row in rows)


def describe_sqlite_file(mart: sqlite3.Connection) -> MartServer:
    """Describe the file: its tables; there are no users and no leftovers."""
    names = mart.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return MartServer(
        "sqlite", sqlite3.sqlite_version, tables=tuple(row[0] for row in names), database="main"
    )
