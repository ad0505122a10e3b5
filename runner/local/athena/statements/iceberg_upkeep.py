"""OPTIMIZE and VACUUM of Iceberg tables: fewer files, and no files that nobody reads."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.iceberg import METADATA, commit, open_table, parts_of, read_snapshot
from runner.local.athena.readers import scan_sql
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.statements.iceberg import write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.athena.iceberg import Opened, Snapshot
    from runner.local.athena.session import Session, Statement

_MOST_AGE_S = 432_000
_ENDING = ".metadata.json"


def optimize(session: Session, statement: Statement) -> Outcome:
    """Run OPTIMIZE t REWRITE DATA USING BIN_PACK [WHERE ...]: the rows stay what they are.

    All files are written anew, also those that a WHERE leaves out at AWS.
    """
    cursor = Cursor(statement)
    cursor.expect("OPTIMIZE")
    begin = cursor.rest()[1]
    database, name = cursor.qualified(session.database)
    named = cursor.text_between(begin, cursor.rest()[1])
    cursor.expect("REWRITE", "DATA", "USING", "BIN_PACK")
    if cursor.accept("WHERE"):
        query = f"SELECT 1 FROM {named} WHERE {cursor.rest()[0]}"
        session.planner.plan(session.cursor, query, database=session.database)
    else:
        cursor.expect_end()
    opened = open_table(session, database, name)
    if opened.snapshot.files:
        rows = scan_sql(opened.table, parts_of(session, opened.snapshot.files))
        written = write_files(session, opened, f"SELECT * FROM {rows}")
        commit(session, opened, operation="replace", files=written.files)
    return Outcome("DML", "OPTIMIZE")


def vacuum(session: Session, statement: Statement) -> Outcome:
    """Run VACUUM t: expire old snapshots, and delete the files that only they had."""
    cursor = Cursor(statement)
    cursor.expect("VACUUM")
    opened = open_table(session, *cursor.qualified(session.database))
    cursor.expect_end()
    kept, expired = _sort(session, opened)
    used = {file for _, snapshot in kept for file in snapshot.files}
    gone = {file for _, snapshot in expired for file in snapshot.files} - used
    for url in (*gone, *(url for url, _ in expired)):
        bucket, _, key = url.removeprefix("s3://").partition("/")
        session.s3.delete_object(Bucket=bucket, Key=key)
    return Outcome("DML", "VACUUM")


def _sort(
    session: Session, opened: Opened
) -> tuple[list[tuple[str, Snapshot]], list[tuple[str, Snapshot]]]:
    """Split the snapshots, newest first, into those that stay and those that expire."""
    properties = dict(opened.table.parameters)
    most_age = float(properties.get("vacuum_max_snapshot_age_seconds", _MOST_AGE_S))
    least = max(1, int(properties.get("vacuum_min_snapshots_to_keep", "1")))
    now = time.time()
    kept: list[tuple[str, Snapshot]] = []
    expired: list[tuple[str, Snapshot]] = []
    for number, (url, snapshot, made) in enumerate(_history(session, opened)):
        is_kept = number < least or now - made <= most_age
        (kept if is_kept else expired).append((url, snapshot))
    return kept, expired


def _history(session: Session, opened: Opened) -> Iterator[tuple[str, Snapshot, float]]:
    """Give the table's metadata documents: the current one, then the older ones."""
    current = dict(opened.table.parameters)[METADATA]
    folder, _, _ = current.rpartition("/")
    bucket, _, prefix = f"{folder}/".removeprefix("s3://").partition("/")
    found = session.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
    urls = (f"s3://{bucket}/{each['Key']}" for each in found if each["Key"].endswith(_ENDING))
    snapshots = []
    for url in urls:
        try:
            snapshot = read_snapshot(session.s3, url)
        except AthenaFailure:
            continue
        if snapshot.number <= opened.snapshot.number and url != current:
            made = os.stat(session.s3.place_of(url)).st_mtime  # noqa: PTH116 - text is a place
            snapshots.append((url, snapshot, made))
    yield current, opened.snapshot, time.time()
    yield from sorted(snapshots, key=lambda each: -each[1].number)
