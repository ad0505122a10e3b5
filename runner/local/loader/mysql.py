"""Loads into MySQL and MariaDB: staged wide, judged by the server, moved in one transaction.

In: a source and a server.  Out: what was loaded.  LOAD DATA LOCAL turns every error into a warning,
even in strict mode, so it never writes the target: it fills a TEMPORARY table that is wide enough
for every value, its warnings and count are checked, and a strict INSERT..SELECT does the real
judging (dev.mysql.com/doc/refman/8.4/en/load-data.html, "Error Handling").

A deadlock or a lost connection repeats the whole load: the ledger's row is in its transaction, so
a repeat after an unknown commit is a no-op.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.loads.types import Family, parse_type
from runner.local.loader.mysql_session import (
    Session,
    duplicate_entry,
    name_of,
    open_session,
    passing,
)
from runner.local.loader.mysql_tables import (
    check_replaceable,
    check_unique,
    create_table,
    describe_table,
    drift,
    ensure_ledger,
    staging_sql,
)
from runner.local.loader.result import LoadResult, drifted, miscounted
from runner.local.loader.source import mysql_form
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.loader.mysql_tables import MysqlColumn
    from runner.local.loader.source import Source
    from runner.local.loader.targets import MysqlTarget
    from runner.model.loads import LoadManifest, LoadWindow

_ATTEMPTS = 4
_PAUSE_S = 0.2
_STAGING = "_runner_staging"


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where the rows go: the table itself, or a new one that takes its place."""

    into: str
    swap: bool


def load_mysql(source: Source, target: MysqlTarget) -> LoadResult:
    """Load the source's rows; gives what happened, or raises ServiceError and changes nothing."""
    if source.manifest.mode in ("merge", "merge_direct"):
        source.check_keys()
    attempt = 1
    while True:
        try:
            with open_session(target, source.manifest.key.mart_table) as session:
                return load_once(session, source)
        except ServiceError as exc:
            if attempt == _ATTEMPTS or not passing(exc):
                raise
        time.sleep(_PAUSE_S * 2**attempt)
        attempt += 1


def load_once(session: Session, source: Source) -> LoadResult:
    """Load in one session, without a second attempt."""
    manifest = source.manifest
    table = manifest.key.mart_table
    ensure_ledger(session)
    existing = describe_table(session, table)
    done = _loaded_before(session, manifest)
    if done is not None and existing:
        return LoadResult(done, 0, skipped=True, table=table)
    plan = _prepare(session, manifest, existing)
    rows = _stage(session, source)
    if manifest.rows is not None and rows != manifest.rows:
        raise miscounted(manifest, rows)
    session.run("BEGIN")
    try:
        if done is None:
            _write_ledger(session, manifest, rows)
    except ServiceError as exc:
        if not duplicate_entry(exc):
            raise
        session.run("ROLLBACK")
        return LoadResult(rows, 0, skipped=True, table=table)
    deleted = _make_room(session, manifest, plan)
    session.run(_move_sql(manifest, plan.into))
    if plan.swap:
        deleted = _swap(session, manifest, plan, rows)
    else:
        session.run("COMMIT")
    return LoadResult(rows, deleted, skipped=False, table=table)


def _prepare(session: Session, manifest: LoadManifest, existing: Sequence[MysqlColumn]) -> _Plan:
    """Make the target if it is missing and refuse one that does not fit, before any row moves."""
    table = manifest.key.mart_table
    faults = drift(manifest, existing) if existing else []
    if manifest.mode == "replace":
        leftovers = f"{name_of(_beside(table, 'new'))}, {name_of(_beside(table, 'old'))}"
        session.run(f"DROP TABLE IF EXISTS {leftovers}")
    if faults and manifest.mode == "replace":
        check_replaceable(session, table)
        into = _beside(table, "new")
        create_table(session, manifest, into)
        return _Plan(into, swap=True)
    if faults:
        raise drifted(manifest, faults)
    if not existing:
        create_table(session, manifest, table)
    elif manifest.mode in ("merge", "merge_direct"):
        check_unique(session, manifest)
    return _Plan(table, swap=False)


def _stage(session: Session, source: Source) -> int:
    """Fill the temporary table; gives the number of rows, all of them proven to be there."""
    session.run(f"DROP TEMPORARY TABLE IF EXISTS {name_of(_STAGING)}")
    session.run(staging_sql(source.manifest, _STAGING))
    if session.local_infile:
        return _stage_by_file(session, source)
    return _stage_by_insert(session, source)


def _stage_by_file(session: Session, source: Source) -> int:
    columns = ", ".join(name_of(column.name) for column in source.manifest.all_columns)
    with tempfile.TemporaryDirectory(prefix="runner-load-") as folder:
        path = Path(folder) / "rows.csv"
        sent = source.write_csv(path, mysql_form)
        taken = session.load_file(
            path,
            f"INTO TABLE {name_of(_STAGING)} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' "
            "OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' "
            f"({columns})",
        )
    warnings = session.all_rows("SHOW WARNINGS")
    if warnings or taken != sent:
        said = "; ".join(str(row[2]) for row in warnings[:3]) or "no warning"
        raise ServiceError(
            "Load.StagingDiffers",
            f"{source.manifest.key.mart_table}: {sent} rows were sent, {taken} arrived ({said}); "
            "nothing was loaded",
        )
    return sent


def _stage_by_insert(session: Session, source: Source) -> int:
    """Go without LOAD DATA: servers may switch it off (`local_infile`)."""
    columns = source.manifest.all_columns
    names = ", ".join(name_of(column.name) for column in columns)
    marks = ", ".join("%s" for _ in columns)
    sql = f"INSERT INTO {name_of(_STAGING)} ({names}) VALUES ({marks})"
    rows = 0
    for batch in source.rows(mysql_form):
        session.run_many(sql, batch)
        rows += len(batch)
    return rows


def _make_room(session: Session, manifest: LoadManifest, plan: _Plan) -> int:
    match manifest.mode:
        case "replace_window":
            assert manifest.window is not None  # noqa: S101 - the manifest was checked
            return _delete_window(session, plan.into, manifest.window)
        case "replace" | "truncate_insert" if not plan.swap:
            return session.run(f"DELETE FROM {name_of(plan.into)}")
        case _:
            return 0


def _delete_window(session: Session, table: str, window: LoadWindow) -> int:
    columns = ", ".join(name_of(column) for column in window.columns)
    marks = ", ".join("%s" for _ in window.columns)
    tuples = ", ".join(f"({marks})" for _ in window.values)
    values = [value for values in window.values for value in values]
    return session.run(f"DELETE FROM {name_of(table)} WHERE ({columns}) IN ({tuples})", values)


def _move_sql(manifest: LoadManifest, into: str) -> str:
    names = [column.name for column in manifest.all_columns]
    selected = ", ".join(
        f"UNHEX({name_of(column.name)})"
        if parse_type(column.athena_type).family is Family.BINARY
        else name_of(column.name)
        for column in manifest.all_columns
    )
    sql = (
        f"INSERT INTO {name_of(into)} ({', '.join(map(name_of, names))}) "
        f"SELECT {selected} FROM {name_of(_STAGING)}"
    )
    if manifest.mode not in ("merge", "merge_direct"):
        return sql
    changed = [name for name in names if name not in manifest.keys] or list(manifest.keys[:1])
    # VALUES() is understood by both servers; MySQL's row alias is not by MariaDB.
    sets = ", ".join(f"{name_of(name)} = VALUES({name_of(name)})" for name in changed)
    return f"{sql} ON DUPLICATE KEY UPDATE {sets}"


def _swap(session: Session, manifest: LoadManifest, plan: _Plan, rows: int) -> int:
    """Let the new table take the old one's place: one atomic RENAME for readers.

    RENAME commits, so the ledger's row goes in after it; a crash in between repeats the
    replacement, which changes nothing.
    """
    table = manifest.key.mart_table
    ((deleted,),) = session.all_rows(f"SELECT count(*) FROM {name_of(table)}")
    session.run("DELETE FROM `_runner_loads` WHERE " + _KEY_IS, _key(manifest))
    session.run("COMMIT")
    _exchange(session, table, plan.into)
    session.run(f"DROP TABLE {name_of(_beside(table, 'old'))}")
    session.run("BEGIN")
    _write_ledger(session, manifest, rows)
    session.run("COMMIT")
    return int(deleted)


def _exchange(session: Session, table: str, new: str) -> None:
    old = name_of(_beside(table, "old"))
    session.run(f"RENAME TABLE {name_of(table)} TO {old}, {name_of(new)} TO {name_of(table)}")


def _beside(table: str, what: str) -> str:
    """Name a table that lives during a replacement; a kill leaves it to the next replacement."""
    return f"_runner_{what}_{hashlib.sha256(table.encode()).hexdigest()[:16]}"


_KEY_IS = (
    "mart_table = %s AND table_name = %s AND window_start = %s AND window_end = %s "
    "AND publish_id = %s"
)


def _loaded_before(session: Session, manifest: LoadManifest) -> int | None:
    found = session.all_rows(f"SELECT `rows` FROM `_runner_loads` WHERE {_KEY_IS}", _key(manifest))
    return int(found[0][0]) if found else None


def _write_ledger(session: Session, manifest: LoadManifest, rows: int) -> None:
    session.run(
        "INSERT INTO `_runner_loads` VALUES (%s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
        (*_key(manifest), rows),
    )


def _key(manifest: LoadManifest) -> tuple[str, str, str, str, str]:
    key = manifest.key
    return (key.mart_table, key.table, key.window_start, key.window_end, key.publish_id)
