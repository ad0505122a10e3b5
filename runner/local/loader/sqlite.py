"""Loads into SQLite: everything in one transaction, the ledger's row included.

In: a source and a file.  Out: what was loaded.  A killed load leaves the mart as it was.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.loads.checks import LoadCase, is_rebuilt, judge, refusal
from runner.loads.shapes import MartServer
from runner.loads.types import parse_type, sqlite_type
from runner.local.loader.facts import look, needs_a_look
from runner.local.loader.result import (
    LoadResult,
    check_count,
    miscounted,
    unreconciled,
    untold,
)
from runner.local.loader.source import quoted, sqlite_form
from runner.local.loader.sqlite_shape import describe_sqlite
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.loader.result import Tell
    from runner.local.loader.source import Source
    from runner.local.loader.targets import SqliteTarget
    from runner.model.loads import LoadColumn, LoadManifest, LoadWindow

_BUSY_S = 60.0
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_ENDING = (sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT)
_LEDGER = """CREATE TABLE IF NOT EXISTS "_runner_loads" (
  mart_table TEXT NOT NULL, table_name TEXT NOT NULL,
  window_start TEXT NOT NULL, window_end TEXT NOT NULL, publish_id TEXT NOT NULL,
  rows INTEGER NOT NULL, loaded_at TEXT NOT NULL,
  PRIMARY KEY (mart_table, table_name, window_start, window_end, publish_id)
) WITHOUT ROWID"""


def load_sqlite(source: Source, target: SqliteTarget, tell: Tell = untold) -> LoadResult:
    """Load the source's rows; gives what happened, or raises ServiceError and changes nothing."""
    manifest = source.manifest
    if manifest.mode in ("merge", "merge_direct"):
        source.check_keys()
    with _translated(manifest, target), _transaction(target) as mart:
        mart.execute(_LEDGER)
        existing = describe_sqlite(mart, manifest.key.mart_table)
        done = _loaded_before(mart, manifest)
        if done is not None and existing is not None:
            return LoadResult(done, 0, skipped=True, table=manifest.key.mart_table)
        if manifest.before is not None:
            _run_users(mart, manifest, "before", manifest.before)
            existing = describe_sqlite(mart, manifest.key.mart_table)
        case = LoadCase(manifest, existing, MartServer("sqlite"))
        warnings = _judged(source, case)
        deleted = _make_room(mart, case)
        rows = _insert(mart, source, tell)
        if manifest.rows is not None and rows != manifest.rows:
            raise miscounted(manifest, rows)
        counted = _count(mart, manifest)
        check_count(manifest, rows, counted)
        _write_ledger(mart, manifest, rows)
        if manifest.after is not None:
            _run_users(mart, manifest, "after", manifest.after)
    table = manifest.key.mart_table
    return LoadResult(
        rows,
        deleted,
        skipped=False,
        table=table,
        counted=counted,
        warnings=warnings,
        way="insert",
    )


def _judged(source: Source, case: LoadCase) -> tuple[str, ...]:
    """Refuse a target that does not fit, before any row moves; gives what is to be told."""
    findings = judge(case)
    if needs_a_look(case, findings):
        findings = judge(replace(case, facts=look(source)))
    refused = refusal(case, findings)
    if refused is not None:
        raise refused
    return tuple(f"{one.message}; {one.advice}" for one in findings)


def _run_users(mart: sqlite3.Connection, manifest: LoadManifest, key: str, statement: str) -> None:
    """Run the user's statement; one that ends the transaction would split the load."""
    ended = []

    def allow(action: int, *names: str | None) -> int:
        if action in _ENDING:
            ended.append(names)
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    mart.set_authorizer(allow)
    try:
        mart.execute(statement)
    except (sqlite3.Error, sqlite3.Warning) as exc:
        found = "it ends the transaction" if ended else str(exc)
        raise ServiceError(
            "Load.Refused" if ended else "Load.Rejected",
            f"{manifest.key.mart_table}: the statement under `{key}` failed: {found}; nothing was "
            "loaded; write one statement there, without BEGIN, COMMIT and ROLLBACK",
        ) from exc
    finally:
        mart.set_authorizer(None)


def _count(mart: sqlite3.Connection, manifest: LoadManifest) -> int:
    """Count what the load is answerable for."""
    table, window = quoted(manifest.key.mart_table), manifest.window
    sql = f"SELECT count(*) FROM {table}"
    if window is None:
        return int(mart.execute(sql).fetchone()[0])
    where = " AND ".join(f"{quoted(column)} = ?" for column in window.columns)
    return sum(
        int(mart.execute(f"{sql} WHERE {where}", values).fetchone()[0]) for values in window.values
    )


@contextmanager
def _transaction(target: SqliteTarget) -> Iterator[sqlite3.Connection]:
    """Open the file and hold its write lock until the end; any exception rolls back.

    A new file gets a write-ahead log (readers do not wait for loads); a file that the user made
    keeps its journal mode.  Commits wait for the disk: a load is not repeated after a power cut.
    """
    target.path.parent.mkdir(parents=True, exist_ok=True)
    mart = sqlite3.connect(target.path, timeout=_BUSY_S, isolation_level=None)
    try:
        mart.execute("PRAGMA cache_size=-65536")
        if mart.execute("PRAGMA page_count").fetchone() == (0,):
            mart.execute("PRAGMA journal_mode=WAL")
        mart.execute("PRAGMA synchronous=FULL")
        mart.execute("BEGIN IMMEDIATE")
        try:
            yield mart
        except BaseException:
            if mart.in_transaction:
                mart.execute("ROLLBACK")
            raise
        mart.execute("COMMIT")
    finally:
        mart.close()


def _make_room(mart: sqlite3.Connection, case: LoadCase) -> int:
    """Make the target if it is missing, and delete what the mode replaces; gives how many rows."""
    manifest, table = case.manifest, quoted(case.name)
    if case.table is None:
        _create(mart, manifest)
        return 0
    if is_rebuilt(case):
        (count,) = mart.execute(f"SELECT count(*) FROM {table}").fetchone()
        _rebuild(mart, manifest)
        return int(count)
    match manifest.mode:
        case "merge" | "merge_direct" | "insert" | "insert_direct":
            return 0
        case "replace" | "truncate_insert":
            return mart.execute(f"DELETE FROM {table}").rowcount
        case "replace_window":
            assert manifest.window is not None  # noqa: S101 - the manifest was checked
            return _delete_window(mart, case.name, manifest.window)


def _delete_window(mart: sqlite3.Connection, table: str, window: LoadWindow) -> int:
    where = " AND ".join(f"{quoted(column)} = ?" for column in window.columns)
    cursor = mart.executemany(f"DELETE FROM {quoted(table)} WHERE {where}", window.values)
    return cursor.rowcount


def _rebuild(mart: sqlite3.Connection, manifest: LoadManifest) -> None:
    """Replace a table of another shape; indexes come back as far as their columns do."""
    table = manifest.key.mart_table
    names = {column.name.lower() for column in manifest.all_columns}
    kept = [
        sql
        for index, sql in mart.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? "
            "AND sql IS NOT NULL",
            (table,),
        ).fetchall()
        if all(
            row[2] is not None and row[2].lower() in names
            for row in mart.execute(f"PRAGMA index_info({quoted(index)})")
        )
    ]
    mart.execute(f"DROP TABLE {quoted(table)}")
    _create(mart, manifest)
    for sql in kept:
        mart.execute(sql)


def _create(mart: sqlite3.Connection, manifest: LoadManifest) -> None:
    table = quoted(manifest.key.mart_table)
    definitions = [
        f"{quoted(column.name)} {_wanted(column)}"
        + (" NOT NULL" if column.name in manifest.keys else "")
        for column in manifest.all_columns
    ]
    if manifest.keys:
        definitions.append(f"PRIMARY KEY ({', '.join(map(quoted, manifest.keys))})")
    mart.execute(f"CREATE TABLE {table} ({', '.join(definitions)})")
    window = manifest.window
    if window is not None and manifest.keys[: len(window.columns)] != window.columns:
        index = quoted(f"{manifest.key.mart_table}_{'_'.join(window.columns)}")
        columns = ", ".join(map(quoted, window.columns))
        mart.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {table} ({columns})")


def _insert(mart: sqlite3.Connection, source: Source, tell: Tell) -> int:
    manifest = source.manifest
    names = [column.name for column in manifest.all_columns]
    marks = ", ".join("?" for _ in names)
    sql = (
        f"INSERT INTO {quoted(manifest.key.mart_table)} ({', '.join(map(quoted, names))}) "
        f"VALUES ({marks})"
    )
    if manifest.mode in ("merge", "merge_direct"):
        sql += _on_conflict(manifest, names)
    rows = kept = 0
    for batch in source.rows(sqlite_form):
        kept += mart.executemany(sql, batch).rowcount
        rows += len(batch)
        tell(rows)
    if manifest.mode in ("insert", "insert_direct") and kept != rows:
        raise unreconciled(manifest, rows, kept)  # a trigger may ignore rows
    return rows


def _on_conflict(manifest: LoadManifest, names: list[str]) -> str:
    keys = ", ".join(map(quoted, manifest.keys))
    changed = [quoted(name) for name in names if name not in manifest.keys]
    if not changed:
        return f" ON CONFLICT ({keys}) DO NOTHING"
    sets = ", ".join(f"{name} = excluded.{name}" for name in changed)
    return f" ON CONFLICT ({keys}) DO UPDATE SET {sets}"


def _wanted(column: LoadColumn) -> str:
    return column.mart_type or sqlite_type(parse_type(column.athena_type))


def _loaded_before(mart: sqlite3.Connection, manifest: LoadManifest) -> int | None:
    row = mart.execute(
        'SELECT rows FROM "_runner_loads" WHERE mart_table = ? AND table_name = ? '
        "AND window_start = ? AND window_end = ? AND publish_id = ?",
        _key(manifest),
    ).fetchone()
    return None if row is None else int(row[0])


def _write_ledger(mart: sqlite3.Connection, manifest: LoadManifest, rows: int) -> None:
    mart.execute(
        'INSERT OR REPLACE INTO "_runner_loads" '
        "VALUES (?, ?, ?, ?, ?, ?, strftime('%Y-%m-%d %H:%M:%f', 'now'))",
        (*_key(manifest), rows),
    )


def _key(manifest: LoadManifest) -> tuple[str, str, str, str, str]:
    key = manifest.key
    return (key.mart_table, key.table, key.window_start, key.window_end, key.publish_id)


@contextmanager
def _translated(manifest: LoadManifest, target: SqliteTarget) -> Iterator[None]:
    """Turn SQLite's errors into the load's."""
    try:
        yield
    except sqlite3.IntegrityError as exc:
        raise ServiceError(
            "Load.Rejected", f"{manifest.key.mart_table} refuses a row: {exc}; nothing was loaded"
        ) from exc
    except sqlite3.Error as exc:
        busy = getattr(exc, "sqlite_errorcode", 0) & 0xFF in _BUSY
        error = "Load.MartBusy" if busy else "Load.MartFailed"
        raise ServiceError(error, f"SQLite mart {target.path}: {exc}") from exc
