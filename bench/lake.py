"""Writes a lake of records beside a project, as years of daily runs and `runner gc` leave it.

In: a project's folder and days.  Out: for each partitioned table one pack of old records (an index
of keys and the bodies) and a few records of their own for the newest days.  No data is written:
planning reads records alone.  Bodies hold what planning reads (files, sizes, rows), and no columns
and tests.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from runner.keeper.records import write_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LAKE = ".runner/s3/lake"
SINGLE = 7
"""Newest days whose records are objects of their own."""
_DIGITS = 12


def make_records(project: Path, first: date, last: date) -> int:
    """Publish every day from first to last in each daily table; gives the number of records."""
    from runner.app.bundle import open_bundle  # noqa: PLC0415 - what is timed must not pay for it

    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    daily = [table for table in open_bundle(project, "local", {}).tables if table.kind == "insert"]
    for table in daily:
        _write_table(project / LAKE, table.name, table.fingerprint, days)
    return len(daily) * len(days)


def _write_table(lake: Path, table: str, fingerprint: str, days: Sequence[date]) -> None:
    records = lake / "_runner" / "records" / table.replace(".", "/")
    entries = [_entry(day, fingerprint) for day in days]
    packed, single = entries[:-SINGLE], entries[-SINGLE:]
    pack = records / "packed"
    pack.mkdir(parents=True)
    key = f"{records.relative_to(lake).as_posix()}/"
    bodies = {key + _name(entry): _body(table, entry) for entry in packed}
    stamp = packed[-1][0]
    (pack / f"{stamp}.json").write_text(_text(write_columns(packed)))
    (pack / f"{stamp}.bodies").write_text(_text(bodies))
    for entry in single:
        path = records / _name(entry)
        path.parent.mkdir()
        path.write_text(_text(_body(table, entry)))


def _entry(day: date, fingerprint: str) -> tuple[str, str, str, str, str]:
    """Write what a record's key says: when, start, end, fingerprint, run."""
    night = datetime(day.year, day.month, day.day, 3, tzinfo=UTC) + timedelta(days=1)
    run = f"daily.daily-{night:%Y%m%dT%H%M%S}-aaaaaa.0.1"
    return f"{night:%Y%m%dT%H%M%S.%fZ}", str(day), str(day), fingerprint[:_DIGITS], run


def _name(entry: tuple[str, str, str, str, str]) -> str:
    at, start, end, fingerprint, run = entry
    return f"{start}_{end}/{at}_{fingerprint}_{run}.json"


def _body(table: str, entry: tuple[str, str, str, str, str]) -> dict[str, object]:
    _, start, end, fingerprint, run = entry
    folder = f"{table.replace('.', '/')}/g=1/"
    file = {
        "key": f"{folder}dt={start}/{run}.parquet",
        "size": 4096,
        "etag": '"0"',
        "partition": {"dt": start},
    }
    return {
        "table": table,
        "start": start,
        "end": end,
        "grain": "day",
        "location": f"s3://lake/{folder}",
        "partitions": ["dt"],
        "time": [["dt", "yyyy-MM-dd"]],
        "fingerprint": fingerprint,
        "run": run,
        "rows": {start: 16},
        "scanned": 65536,
        "files": [file],
        "tests": [],
    }


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
