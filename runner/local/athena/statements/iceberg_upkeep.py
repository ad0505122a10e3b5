"""OPTIMIZE and VACUUM of Iceberg tables: fewer files, and no files that nobody reads.

Which files are written anew, and which snapshots and files go, is what Athena's user guide says in
"Optimize Iceberg tables" and "Table properties".
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.iceberg import (
    Change,
    commit,
    commit_document,
    open_table,
    parts_of,
    read_snapshot,
)
from runner.local.athena.icebergs.manifests import DELETED
from runner.local.athena.planner import Given
from runner.local.athena.readers import located_sql, scan_sql
from runner.local.athena.session import Cursor, Outcome, read_statement
from runner.local.athena.statements.iceberg import write_files
from runner.local.athena.tables import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.athena.iceberg import Opened
    from runner.local.athena.icebergs.document import Snapshot
    from runner.local.athena.icebergs.manifests import DataFile
    from runner.local.athena.session import Session, Statement

_MOST_AGE_S = 432_000
_TARGET_BYTES = 536_870_912
_LEAST, _MOST, _FILES = 0.75, 1.8, 5
_FILE = Field("__file", "string")


def optimize(session: Session, statement: Statement) -> Outcome:
    """Run OPTIMIZE t REWRITE DATA USING BIN_PACK [WHERE ...]: the rows stay what they are.

    Files of the wrong size are written anew, a partition's together, if it has enough of them.
    """
    cursor = Cursor(statement)
    cursor.expect("OPTIMIZE")
    database, name = cursor.qualified(session.database)
    cursor.expect("REWRITE", "DATA", "USING", "BIN_PACK")
    condition = cursor.rest()[0] if cursor.accept("WHERE") else ""
    if not condition:
        cursor.expect_end()
    opened = open_table(session, database, name)
    chosen = opened.files()
    if condition:
        places = _matching(session, opened, condition)
        chosen = tuple(each for each in chosen if session.s3.place_of(each.url) in places)
    urls = [each.url for each in _to_rewrite(opened, chosen)]
    if not urls:
        return Outcome("DML", "OPTIMIZE")
    rows = scan_sql(opened.table, parts_of(session, urls))
    written, files = write_files(session, opened.table, opened.document, f"SELECT * FROM {rows}")
    commit(session, opened, Change("replace", files, frozenset(urls)))
    return Outcome("DML", "OPTIMIZE", bytes_scanned=written.bytes_read)


def _matching(session: Session, opened: Opened, condition: str) -> frozenset[str]:
    """Find the files that have rows for which a condition on partition columns holds."""
    keys = {term.column for term in opened.terms()}
    for token in read_statement(condition).tokens:
        name = token.name()
        if name in {each.name for each in opened.table.columns} - keys:
            raise AthenaFailure(
                "NOT_SUPPORTED",
                f"OPTIMIZE: the WHERE clause may name partition columns only, not {name}",
            )
    target = opened.table._replace(columns=(*opened.table.columns, _FILE))
    plan = session.planner.plan(
        session.cursor,
        f'SELECT DISTINCT "{_FILE.name}" FROM "$optimize"."target" WHERE {condition}',
        database=session.database,
        given={
            ("$optimize", "target"): Given(
                target, located_sql(opened.table, parts_of(session, opened.urls()))
            )
        },
    )
    return frozenset(str(row[0]) for row in session.engine.run(session.cursor, plan.sql).rows)


def _to_rewrite(opened: Opened, files: tuple[DataFile, ...]) -> Iterator[DataFile]:
    properties = dict(opened.table.parameters)
    target = int(properties.get("write_target_data_file_size_bytes", _TARGET_BYTES))
    least = int(properties.get("optimize_rewrite_min_data_file_size_bytes", round(target * _LEAST)))
    most = int(properties.get("optimize_rewrite_max_data_file_size_bytes", round(target * _MOST)))
    enough = int(properties.get("optimize_rewrite_data_file_threshold", _FILES))
    partitions: dict[tuple[object, ...], list[DataFile]] = {}
    for each in files:
        if not least <= each.size <= most:
            partitions.setdefault(each.partition, []).append(each)
    for found in partitions.values():
        if len(found) >= max(enough, 1):
            yield from found


def vacuum(session: Session, statement: Statement) -> Outcome:
    """Run VACUUM t: expire old snapshots, and delete the files that no snapshot has any more."""
    cursor = Cursor(statement)
    cursor.expect("VACUUM")
    opened = open_table(session, *cursor.qualified(session.database))
    cursor.expect_end()
    _, _, folder = opened.document.location.removeprefix("s3://").partition("/")
    if not folder.strip("/"):
        raise AthenaFailure(
            "GENERIC_INTERNAL_ERROR",
            f"Path missing in file system location: {opened.document.location}",
        )
    expired = _expired(opened)
    before = _urls(session, opened)
    if expired:
        document = opened.document.without({each.id for each in expired})
        commit_document(session, opened, document)
        opened = open_table(session, opened.table.database, opened.table.name)
    after = _urls(session, opened)
    for url in (before - after) | set(_orphans(session, opened, after)):
        bucket, _, key = url.removeprefix("s3://").partition("/")
        session.s3.delete_object(Bucket=bucket, Key=key)
    return Outcome("DML", "VACUUM")


def _expired(opened: Opened) -> list[Snapshot]:
    """Give the snapshots that are too old; the newest ones stay, and the current one always."""
    least = max(1, int(dict(opened.table.parameters).get("vacuum_min_snapshots_to_keep", "1")))
    current = opened.document.current()
    limit = time.time() * 1000 - _most_age(opened) * 1000
    newest_first = reversed(opened.document.snapshots())
    return [
        each
        for number, each in enumerate(newest_first)
        if number >= least and each.made_ms < limit and current and each.id != current.id
    ]


def _most_age(opened: Opened) -> float:
    properties = dict(opened.table.parameters)
    return float(properties.get("vacuum_max_snapshot_age_seconds", _MOST_AGE_S))


def _urls(session: Session, opened: Opened) -> set[str]:
    """Give every file that a snapshot has, its data and the files that tell of them."""
    found = {opened.url, *opened.document.previous_urls()}
    for snapshot in opened.document.snapshots():
        manifests, entries = read_snapshot(session.s3, opened.document, snapshot)
        found |= {snapshot.manifest_list, *(each.url for each in manifests)}
        found |= {each.file.url for one in entries for each in one if each.status != DELETED}
    return found


def _orphans(session: Session, opened: Opened, used: set[str]) -> Iterator[str]:
    """Give the files below the table's place that belong to nothing and are old enough."""
    bucket, _, prefix = opened.document.location.removeprefix("s3://").partition("/")
    limit = time.time() - _most_age(opened)
    token = ""
    while True:
        page = session.s3.list_objects_v2(
            Bucket=bucket, Prefix=f"{prefix}/", ContinuationToken=token
        )
        for each in page.get("Contents", ()):
            url = f"s3://{bucket}/{each['Key']}"
            if url not in used:
                made = os.stat(session.s3.place_of(url)).st_mtime  # noqa: PTH116 - a place is text
                if made < limit:
                    yield url
        if not page.get("IsTruncated"):
            return
        token = page["NextContinuationToken"]
