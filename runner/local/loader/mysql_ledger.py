"""The loads that a MySQL mart knows, and the rows that a load is answerable for.

In: a session and a manifest.  Out: what `_runner_loads` says of the load, and counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.loader.mysql_session import duplicate_entry, name_of
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from runner.local.loader.mysql_session import Session
    from runner.model.loads import LoadManifest, LoadWindow

_LEDGER = """CREATE TABLE IF NOT EXISTS `_runner_loads` (
  mart_table VARCHAR(64) NOT NULL, table_name VARCHAR(210) NOT NULL,
  window_start VARCHAR(64) NOT NULL, window_end VARCHAR(64) NOT NULL,
  publish_id VARCHAR(255) NOT NULL, `rows` BIGINT NOT NULL, loaded_at DATETIME(6) NOT NULL,
  PRIMARY KEY (mart_table, table_name, window_start, window_end, publish_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation}"""
_KEY_IS = (
    "mart_table = %s AND table_name = %s AND window_start = %s AND window_end = %s "
    "AND publish_id = %s"
)


def ensure_ledger(session: Session) -> None:
    """Make the ledger if it is missing (asking first: CREATE takes a lock even if it exists)."""
    found = session.all_rows(
        "SELECT 1 FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '_runner_loads'"
    )
    if not found:
        session.run(_LEDGER.format(collation=session.collation))


def loaded_before(session: Session, manifest: LoadManifest) -> int | None:
    """Give the rows of this very load if it was done; None if it was not."""
    found = session.all_rows(f"SELECT `rows` FROM `_runner_loads` WHERE {_KEY_IS}", _key(manifest))
    return int(found[0][0]) if found else None


def claim(session: Session, manifest: LoadManifest, rows: int) -> bool:
    """Put the load into the ledger; False if another one was first (its end is waited for)."""
    try:
        session.run(
            "INSERT INTO `_runner_loads` VALUES (%s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
            (*_key(manifest), rows),
        )
    except ServiceError as exc:
        if not duplicate_entry(exc):
            raise
        return False
    return True


def forget(session: Session, manifest: LoadManifest) -> None:
    """Take the load out of the ledger."""
    session.run(f"DELETE FROM `_runner_loads` WHERE {_KEY_IS}", _key(manifest))


def note_rows(session: Session, manifest: LoadManifest, rows: int) -> None:
    """Correct the rows of a load that was claimed."""
    sql = f"UPDATE `_runner_loads` SET `rows` = %s, loaded_at = UTC_TIMESTAMP(6) WHERE {_KEY_IS}"
    session.run(sql, (rows, *_key(manifest)))


def count_owned(session: Session, manifest: LoadManifest, table: str) -> int:
    """Count the rows of the load's window in a table; all of them without a window."""
    where, values = within(manifest.window) if manifest.window is not None else ("TRUE", [])
    sql = f"SELECT count(*) FROM {name_of(table)} WHERE {where}"
    ((found,),) = session.all_rows(sql, values)
    return int(found)


def within(window: LoadWindow) -> tuple[str, list[str]]:
    """Write the condition of the window's rows, and its values."""
    values = [value for values in window.values for value in values]
    if len(window.columns) == 1:
        marks = ", ".join("%s" for _ in window.values)
        return f"{name_of(window.columns[0])} IN ({marks})", values
    columns = ", ".join(name_of(column) for column in window.columns)
    marks = ", ".join("%s" for _ in window.columns)
    tuples = ", ".join(f"({marks})" for _ in window.values)
    return f"({columns}) IN ({tuples})", values


def _key(manifest: LoadManifest) -> tuple[str, str, str, str, str]:
    key = manifest.key
    return (key.mart_table, key.table, key.window_start, key.window_end, key.publish_id)
