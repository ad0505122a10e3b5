"""A MySQL mart as the checks see it: the target's columns and keys, the server, the user's rights.

In: a session.  Out: `MartTable` and `MartServer`.  Everything is read, nothing is changed.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from runner.loads.checks import is_leftover
from runner.loads.privileges import privileges_of
from runner.loads.shapes import Leftover, MartColumn, MartServer, MartTable, UniqueKey
from runner.loads.target import TEXT_BYTES

if TYPE_CHECKING:
    from runner.local.loader.mysql_session import Session

_HERE = "TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s"
_GENERATED = re.compile(r"(virtual|stored|persistent) generated", re.IGNORECASE)
_BINARY = ("binary", "varbinary")
_LITERALS = ("enum", "set")
"""Types whose text holds values: these keep their case."""


def describe_mysql(session: Session, table: str) -> MartTable | None:
    """Describe a table with all that hangs on it; None when there is none."""
    columns = _columns(session, table)
    if not columns:
        return None
    ((engine,),) = session.all_rows(
        f"SELECT ENGINE FROM information_schema.TABLES WHERE {_HERE}", (table,)
    )
    return MartTable(
        name=table,
        columns=columns,
        unique_keys=_unique_keys(session, table),
        engine=engine or "",
        triggers=_names(
            session,
            "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS "
            "WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = %s",
            table,
        ),
        referenced_by=_names(
            session,
            "SELECT DISTINCT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS "
            "WHERE UNIQUE_CONSTRAINT_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME = %s",
            table,
        ),
        foreign_keys=_names(
            session,
            "SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS "
            "WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = %s",
            table,
        ),
        views=_views(session, table),
    )


def _columns(session: Session, table: str) -> tuple[MartColumn, ...]:
    rows = session.all_rows(
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, "
        "NUMERIC_SCALE, DATETIME_PRECISION, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, "
        "CHARACTER_SET_NAME, COLLATION_NAME "
        f"FROM information_schema.COLUMNS WHERE {_HERE} ORDER BY ORDINAL_POSITION",
        (table,),
    )
    return tuple(_column(row) for row in rows)


def _column(row: tuple[Any, ...]) -> MartColumn:
    kind, full, length = row[1].lower(), row[2], int(row[3] or 0)
    generated = bool(_GENERATED.search(row[9] or ""))
    numbered = "auto_increment" in (row[9] or "").lower()
    return MartColumn(
        name=row[0],
        type=kind,
        full_type=full if kind in _LITERALS else full.lower(),
        characters=length if kind in ("char", "varchar") else 0,
        bytes=length if kind in _BINARY else TEXT_BYTES.get(kind, 0),
        digits=int(row[4] or 0),
        scale=int(row[5] or 0),
        fraction=int(row[6] or 0),
        nullable=row[7] != "NO",
        has_default=row[8] is not None or numbered or generated,
        generated=generated,
        fills_null=numbered or (kind == "timestamp" and row[7] == "NO"),
        charset=row[10] or "",
        collation=row[11] or "",
    )


def _unique_keys(session: Session, table: str) -> tuple[UniqueKey, ...]:
    rows = session.all_rows(
        "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS "
        f"WHERE {_HERE} AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX",
        (table,),
    )
    keys: dict[str, list[tuple[str, bool]]] = {}
    for index, column, part in rows:
        # A part of a column has a length, an expression has no column.
        keys.setdefault(index, []).append((column or "", part is not None or column is None))
    return tuple(
        UniqueKey(
            name, tuple(column for column, _ in parts), partial=any(part for _, part in parts)
        )
        for name, parts in sorted(keys.items())
    )


def _views(session: Session, table: str) -> tuple[str, ...]:
    """Find the views whose text names the table; MariaDB keeps no list of what a view reads."""
    mark = "`" + table.replace("`", "``") + "`"
    rows = session.all_rows(
        "SELECT TABLE_NAME FROM information_schema.VIEWS "
        "WHERE TABLE_SCHEMA = DATABASE() AND LOCATE(%s, VIEW_DEFINITION) > 0 ORDER BY TABLE_NAME",
        (mark,),
    )
    return tuple(str(row[0]) for row in rows)


def _names(session: Session, sql: str, table: str) -> tuple[str, ...]:
    return tuple(sorted(str(row[0]) for row in session.all_rows(sql, (table,))))


def describe_server(session: Session) -> MartServer:
    """Describe the server, the tables of its schema, and what the user may do there."""
    ((version, database, now, local_infile),) = session.all_rows(
        "SELECT VERSION(), DATABASE(), UTC_TIMESTAMP(), @@GLOBAL.local_infile"
    )
    names = session.all_rows(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
    )
    tables = tuple(sorted(str(row[0]) for row in names))
    grants = [str(row[0]) for row in session.all_rows("SHOW GRANTS")]
    return MartServer(
        product="mariadb" if "mariadb" in version.lower() else "mysql",
        version=version,
        local_infile=bool(local_infile),
        database=database,
        tables=tables,
        leftovers=_leftovers(session, [name for name in tables if is_leftover(name)]),
        privileges=privileges_of(grants, database),
        now=now.replace(tzinfo=dt.UTC),
    )


def _leftovers(session: Session, names: list[str]) -> tuple[Leftover, ...]:
    """Ask when tables were made, of a few only: it opens each of them."""
    if not names:
        return ()
    marks = ", ".join("%s" for _ in names)
    rows = session.all_rows(
        "SELECT TABLE_NAME, CREATE_TIME FROM information_schema.TABLES "
        f"WHERE TABLE_SCHEMA = DATABASE() AND CREATE_TIME IS NOT NULL AND TABLE_NAME IN ({marks})",
        names,
    )
    return tuple(
        sorted((Leftover(name, at.replace(tzinfo=dt.UTC)) for name, at in rows), key=_name)
    )


def _name(leftover: Leftover) -> str:
    return leftover.name
