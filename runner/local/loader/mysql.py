"""Loads into MySQL and MariaDB: one transaction that holds the rows and the load's own record.

In: a source and a server.  Out: what was loaded.  Rows go one of three ways:

direct   LOAD DATA LOCAL into the target itself, for loads that only add rows to columns that take
         their values unchanged.  LOAD DATA LOCAL turns every error into a warning, even in strict
         mode (dev.mysql.com/doc/refman/8.4/en/load-data.html, "Error Handling"): so every row must
         arrive without one warning, else all is rolled back and goes the second way, which names
         the row that is wrong.
staged   LOAD DATA LOCAL into a TEMPORARY table that is wide enough for every value and has no
         keys, then a strict INSERT..SELECT (.. ON DUPLICATE KEY UPDATE).  Merges always go so.
insert   INSERT of many rows, where the server has `local_infile` off.

A deadlock or a lost connection repeats the whole load: the ledger's row is in its transaction, so
a repeat after an unknown commit is a no-op.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.loads.checks import LoadCase, is_rebuilt, judge, refusal, target
from runner.loads.shapes import MartServer
from runner.loads.types import Family, parse_type
from runner.local.loader.facts import look, needs_a_look
from runner.local.loader.mysql_session import (
    UNCHANGED,
    Session,
    duplicate_entry,
    name_of,
    open_session,
    passing,
)
from runner.local.loader.mysql_shape import describe_mysql
from runner.local.loader.mysql_tables import (
    create_table,
    ensure_ledger,
    staging_sql,
    takes_unchanged,
)
from runner.local.loader.result import (
    LoadResult,
    check_count,
    miscounted,
    too_large,
    untold,
)
from runner.local.loader.source import mysql_form
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.loads.shapes import MartTable, Product
    from runner.local.loader.result import Tell
    from runner.local.loader.source import Source
    from runner.local.loader.targets import MysqlTarget
    from runner.model.loads import LoadManifest, LoadWindow

_ATTEMPTS = 4
_PAUSE_S = 0.2
_STAGING = "_runner_staging"
_STATEMENT_BYTES = 1 << 22
"""Of one INSERT of many rows, where the server takes as much."""
_CHARACTER_BYTES = 4
"""In UTF-8 at most."""
_CSV = (
    "CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' "
    "LINES TERMINATED BY '\n'"
)
"""With a real line feed: the session's backslash is a letter."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where the rows go and how."""

    into: str
    """The table itself, or a new one that takes its place."""
    swap: bool
    way: str
    again: bool
    """Whether the ledger knows the load although its table is gone."""
    warnings: tuple[str, ...]


class _NotDirect(Exception):
    """The rows cannot go directly: the server warned, or did not take them all."""


def load_mysql(source: Source, mart: MysqlTarget, tell: Tell = untold) -> LoadResult:
    """Load the source's rows; gives what happened, or raises ServiceError and changes nothing."""
    if _merges(source.manifest):
        source.check_keys()
    attempt = 1
    while True:
        try:
            with open_session(mart, source.manifest.key.mart_table) as session:
                return load_once(session, source, tell)
        except ServiceError as exc:
            if attempt == _ATTEMPTS or not passing(exc):
                raise
        time.sleep(_PAUSE_S * 2**attempt)
        attempt += 1


def load_once(session: Session, source: Source, tell: Tell = untold) -> LoadResult:
    """Load in one session, without a second attempt."""
    manifest = source.manifest
    table = manifest.key.mart_table
    ensure_ledger(session)
    existing = describe_mysql(session, table)
    done = _loaded_before(session, manifest)
    if done is not None and existing is not None:
        return LoadResult(done, 0, skipped=True, table=table)
    plan = replace(_prepare(session, source, existing), again=done is not None)
    if plan.way == "direct":
        try:
            return _load(session, source, plan, tell)
        except _NotDirect:
            session.run("ROLLBACK")
            plan = replace(plan, way="staged")
    return _load(session, source, plan, tell)


def _merges(manifest: LoadManifest) -> bool:
    return manifest.mode in ("merge", "merge_direct")


def _prepare(session: Session, source: Source, existing: MartTable | None) -> _Plan:
    """Make the target if it is missing and refuse one that does not fit, before any row moves."""
    manifest = source.manifest
    table = manifest.key.mart_table
    case = LoadCase(manifest, existing, _server(session))
    findings = judge(case)
    if needs_a_look(case, findings):
        findings = judge(replace(case, facts=look(source)))
    refused = refusal(case, findings)
    if refused is not None:
        raise refused
    warnings = tuple(f"{one.message}; {one.advice}" for one in findings)
    if manifest.mode == "replace":
        leftovers = f"{name_of(_beside(table, 'new'))}, {name_of(_beside(table, 'old'))}"
        session.run(f"DROP TABLE IF EXISTS {leftovers}")
    swap = is_rebuilt(case)
    into = _beside(table, "new") if swap else table
    if swap or existing is None:
        create_table(session, manifest, into)
    return _Plan(into, swap, _way(session, case), again=False, warnings=warnings)


def _server(session: Session) -> MartServer:
    """Describe the server as far as the checks before every load need it."""
    product: Product = "mariadb" if "nopad" in session.collation else "mysql"
    return MartServer(product, local_infile=session.local_infile)


def _way(session: Session, case: LoadCase) -> str:
    if not session.local_infile:
        return "insert"
    if case.merges or not takes_unchanged(case.manifest, target(case)):
        return "staged"
    return "direct"


def _load(session: Session, source: Source, plan: _Plan, tell: Tell) -> LoadResult:
    """Do the transaction, and what has to be before and after it."""
    manifest = source.manifest
    table = manifest.key.mart_table
    if plan.way == "staged":
        _stage(session, source, tell)
    session.run("BEGIN")
    if manifest.before is not None:
        _run_before(session, manifest.before)
    if plan.again:
        _forget(session, manifest)
    if not _claim(session, manifest):
        session.run("ROLLBACK")
        rows = _loaded_before(session, manifest) or 0
        return LoadResult(rows, 0, skipped=True, table=table)
    deleted = _make_room(session, manifest, plan)
    rows = _move(session, source, plan, tell)
    if manifest.rows is not None and rows != manifest.rows:
        raise miscounted(manifest, rows)
    counted = _count(session, manifest, plan.into)
    check_count(manifest, rows, counted)
    _note_rows(session, manifest, rows)
    if plan.swap:
        deleted = _swap(session, manifest, plan, rows)
    _end(session, manifest, swapped=plan.swap)
    return LoadResult(
        rows,
        deleted,
        skipped=False,
        table=table,
        counted=counted,
        warnings=plan.warnings,
        way=plan.way,
    )


def _run_before(session: Session, statement: str) -> None:
    """Run the user's first statement; one that ends the transaction would split the load."""
    session.run(statement)
    if not session.in_transaction:
        raise ServiceError(
            "Load.Refused",
            f"{session.table}: the statement under `before` ended the transaction (in MySQL every "
            "DDL statement does); no row was moved; write DML there, or run it apart from the load",
        )


def _end(session: Session, manifest: LoadManifest, *, swapped: bool) -> None:
    """Run the user's last statement and commit.

    When it fails, the rows stay if it committed them itself, or if a new table took the old one's
    place: then the ledger does not know the load yet, and a repeat does both again.
    """
    if manifest.after is not None:
        if not session.in_transaction:
            session.run("BEGIN")
        try:
            session.run(manifest.after)
        except ServiceError as exc:
            if passing(exc):
                raise
            session.run("DO 0")  # an error does not tell whether the transaction goes on
            if session.in_transaction and not swapped:
                raise
            repeat = "load again" if session.in_transaction else "run it by hand"
            raise ServiceError(
                "Load.AfterFailed",
                f"{session.table}: the rows are loaded, but the statement under `after` failed: "
                f"{exc.cause.removesuffix(UNCHANGED)}; correct it and {repeat}",
            ) from None
    session.run("COMMIT")


def _stage(session: Session, source: Source, tell: Tell) -> None:
    """Fill the temporary table; every row is proven to be there, unchanged."""
    session.run(f"DROP TEMPORARY TABLE IF EXISTS {name_of(_STAGING)}")
    session.run(staging_sql(source.manifest, _STAGING))
    columns = ", ".join(name_of(column.name) for column in source.manifest.all_columns)
    sent = session.load_rows(
        source.lines(mysql_form),
        f"INTO TABLE {name_of(_STAGING)} {_CSV} ({columns})",
        tell=tell,
    )
    if sent.warnings or sent.arrived != sent.rows:
        warnings = session.all_rows("SHOW WARNINGS")
        said = "; ".join(str(row[2]) for row in warnings[:3]) or "no warning"
        raise ServiceError(
            "Load.StagingDiffers",
            f"{session.table}: {sent.rows} rows were sent, {sent.arrived} arrived ({said}); "
            "nothing was loaded",
        )


def _move(session: Session, source: Source, plan: _Plan, tell: Tell) -> int:
    """Bring the rows into the table; gives how many."""
    match plan.way:
        case "direct":
            return _move_directly(session, source, plan.into, tell)
        case "insert":
            return _move_by_insert(session, source, plan.into, tell)
        case _:
            ((rows,),) = session.all_rows(f"SELECT count(*) FROM {name_of(_STAGING)}")
            session.run(_move_sql(source.manifest, plan.into))
            return int(rows)


def _move_directly(session: Session, source: Source, into: str, tell: Tell) -> int:
    columns = source.manifest.all_columns
    given, sets = [], []
    for number, column in enumerate(columns):
        if parse_type(column.athena_type).family is Family.BINARY:
            given.append(f"@h{number}")
            sets.append(f"{name_of(column.name)} = UNHEX(@h{number})")
        else:
            given.append(name_of(column.name))
    clause = f"INTO TABLE {name_of(into)} {_CSV} ({', '.join(given)})"
    if sets:
        clause += f" SET {', '.join(sets)}"
    sent = session.load_rows(source.lines(mysql_form), clause, tell=tell)
    if sent.warnings or sent.arrived != sent.rows:
        raise _NotDirect
    return sent.rows


def _move_by_insert(session: Session, source: Source, into: str, tell: Tell) -> int:
    """Go without LOAD DATA: servers may switch it off (`local_infile`)."""
    manifest = source.manifest
    names = ", ".join(name_of(column.name) for column in manifest.all_columns)
    head = f"INSERT INTO {name_of(into)} ({names}) VALUES "
    tail = _on_duplicate(manifest) if _merges(manifest) else ""
    rows = 0
    most = min(_STATEMENT_BYTES, session.max_packet - len(head) - len(tail)) // _CHARACTER_BYTES
    for batch in source.literals(mysql_form):
        for part in _parts(batch, most):
            statement = f"{head}({'),('.join(part)}){tail}"
            if len(part) == 1 and len(statement.encode()) >= session.max_packet - 1:
                raise too_large(manifest, session.max_packet)
            session.run(statement)
        rows += len(batch)
        tell(rows)
    return rows


def _parts(rows: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Cut rows into statements of `most` characters, or of one row."""
    start = size = 0
    for position, row in enumerate(rows):
        if size and size + len(row) > most:
            yield rows[start:position]
            start, size = position, 0
        size += len(row) + 3
    if rows:
        yield rows[start:]


def _make_room(session: Session, manifest: LoadManifest, plan: _Plan) -> int:
    match manifest.mode:
        case "replace_window":
            assert manifest.window is not None  # noqa: S101 - the manifest was checked
            where, values = _within(manifest.window)
            return session.run(f"DELETE FROM {name_of(plan.into)} WHERE {where}", values)
        case "replace" | "truncate_insert" if not plan.swap:
            return session.run(f"DELETE FROM {name_of(plan.into)}")
        case _:
            return 0


def _within(window: LoadWindow) -> tuple[str, list[str]]:
    """Write the condition of the window's rows, and its values."""
    values = [value for values in window.values for value in values]
    if len(window.columns) == 1:
        marks = ", ".join("%s" for _ in window.values)
        return f"{name_of(window.columns[0])} IN ({marks})", values
    columns = ", ".join(name_of(column) for column in window.columns)
    marks = ", ".join("%s" for _ in window.columns)
    tuples = ", ".join(f"({marks})" for _ in window.values)
    return f"({columns}) IN ({tuples})", values


def _count(session: Session, manifest: LoadManifest, into: str) -> int:
    """Count what the load is answerable for."""
    where, values = _within(manifest.window) if manifest.window is not None else ("TRUE", [])
    sql = f"SELECT count(*) FROM {name_of(into)} WHERE {where}"
    ((found,),) = session.all_rows(sql, values)
    return int(found)


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
    return sql + _on_duplicate(manifest) if _merges(manifest) else sql


def _on_duplicate(manifest: LoadManifest) -> str:
    names = [column.name for column in manifest.all_columns]
    changed = [name for name in names if name not in manifest.keys] or list(manifest.keys[:1])
    # VALUES() is understood by both servers; MySQL's row alias is not by MariaDB.
    sets = ", ".join(f"{name_of(name)} = VALUES({name_of(name)})" for name in changed)
    return f" ON DUPLICATE KEY UPDATE {sets}"


def _swap(session: Session, manifest: LoadManifest, plan: _Plan, rows: int) -> int:
    """Let the new table take the old one's place: one atomic RENAME for readers.

    RENAME commits, so the ledger's row goes in after it; a crash in between repeats the
    replacement, which changes nothing.
    """
    table = manifest.key.mart_table
    ((deleted,),) = session.all_rows(f"SELECT count(*) FROM {name_of(table)}")
    _forget(session, manifest)
    session.run("COMMIT")
    _exchange(session, table, plan.into)
    session.run(f"DROP TABLE {name_of(_beside(table, 'old'))}")
    session.run("BEGIN")
    _claim(session, manifest)
    _note_rows(session, manifest, rows)
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


def _claim(session: Session, manifest: LoadManifest) -> bool:
    """Put the load into the ledger, before its rows; False if another one was first."""
    try:
        session.run(
            "INSERT INTO `_runner_loads` VALUES (%s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
            (*_key(manifest), manifest.rows or 0),
        )
    except ServiceError as exc:
        if not duplicate_entry(exc):
            raise
        return False
    return True


def _forget(session: Session, manifest: LoadManifest) -> None:
    """Take the load out of the ledger."""
    session.run(f"DELETE FROM `_runner_loads` WHERE {_KEY_IS}", _key(manifest))


def _note_rows(session: Session, manifest: LoadManifest, rows: int) -> None:
    sql = f"UPDATE `_runner_loads` SET `rows` = %s, loaded_at = UTC_TIMESTAMP(6) WHERE {_KEY_IS}"
    session.run(sql, (rows, *_key(manifest)))


def _key(manifest: LoadManifest) -> tuple[str, str, str, str, str]:
    key = manifest.key
    return (key.mart_table, key.table, key.window_start, key.window_end, key.publish_id)
