"""Runs of a project in child processes that may be killed, and what they leave behind.

A child is a fork of the test process: everything is imported already, so that hundreds of killed
runs take seconds.  The child executes `runner.app.run`; nothing of it is replaced.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import sqlite3
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

import runner.app
import runner.keeper
import runner.local
import runner.machine
from runner.app.run import RunRequest, run
from runner.keeper import records
from runner.keeper.storage import Storage
from runner.local.s3 import FolderS3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.app.run import RunResult
    from runner.machine import FaultPlan


_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a name of its own is made in it


@contextlib.contextmanager
def swift_folder() -> Iterator[Path]:
    """Give a folder in memory where there is one: a killed process leaves in it what it wrote."""
    where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="runner-", dir=where) as name:
        yield Path(name)


_LATE = ("jsonata", "jsonata.jsonata", "sqlglot.dialects.duckdb", "subprocess", "unicodedata")
"""What a run imports from elsewhere when it needs it."""


def preload() -> None:
    """Import what runs import late, so that no child has to."""
    for package in (runner.app, runner.keeper, runner.local, runner.machine):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for name in _LATE:
        importlib.import_module(name)


def in_child(work: Callable[[], int]) -> int:
    """Do the work in a forked process; gives its exit status, or minus the killing signal."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            status = work()
        except BaseException:  # noqa: BLE001 - a child must never return into the test
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def run_in_child(request: RunRequest) -> int:
    """Run a workflow in a child; 0 when it succeeded, 1 when it failed, -9 when it was killed."""
    return in_child(lambda: 0 if run(request).status == "SUCCEEDED" else 1)


def start(root: Path, window: tuple[str, str], faults: FaultPlan | None = None) -> RunRequest:
    """Ask for a run of the workflow `daily` over a window."""
    first, last = window
    return RunRequest(root=root, workflow="daily", start=first, end=last, faults=faults)


def resume(root: Path) -> RunRequest:
    """Ask to continue the newest run that was killed."""
    return RunRequest(root=root, resume="last")


def results(requested: RunRequest) -> RunResult:
    """Run in this process."""
    return run(requested)


@dataclass(frozen=True, slots=True)
class Left:
    """What a project's runs left: rows of tables and marts, and what the records say."""

    tables: dict[str, list[tuple[Any, ...]]]
    marts: dict[str, list[tuple[Any, ...]]]
    records: dict[str, dict[str, tuple[str, int, int]]]
    """Table -> period -> (fingerprint, rows, files) of the newest record, published ones only."""
    writing: tuple[str, ...]
    """Records that were begun and never ended, and are the newest of a period."""
    leases: tuple[str, ...]
    orphans: tuple[str, ...]
    """Published files that no record lists."""
    files: dict[str, tuple[str, ...]] = field(compare=False)
    """Paths of each table's published files."""


def left_behind(root: Path, mart: Path) -> Left:
    """Read everything from the folders alone, not through the product's Athena."""
    storage = Storage(FolderS3(root / ".runner" / "s3", {}), "s3://lake/", workers=1)
    tables: dict[str, list[tuple[Any, ...]]] = {}
    told: dict[str, dict[str, tuple[str, int, int]]] = {}
    writing: list[str] = []
    orphans: list[str] = []
    paths: dict[str, tuple[str, ...]] = {}
    for name in _tables(storage):
        entries = records.entries(storage, name)
        grain = None if all(entry.start == records.WHOLE for entry in entries) else "day"
        latest = records.newest(entries, grain)
        writing += [entry.key for entry in latest.values() if not entry.published]
        bodies = {e.key: records.read(storage, e) for e in latest.values() if e.published}
        told[name] = {
            period: (
                entry.fingerprint,
                bodies[entry.key]["rows"].get(period, 0),
                len([f for f in bodies[entry.key]["files"] if _period(f, period)]),
            )
            for period, entry in latest.items()
            if entry.published
        }
        files = {
            storage.uri(file["key"])
            for period, entry in latest.items()
            if entry.published
            for file in bodies[entry.key]["files"]
            if _period(file, period)
        }
        paths[name] = tuple(
            str(root / ".runner" / "s3" / uri.removeprefix("s3://")) for uri in sorted(files)
        )
        tables[name] = _rows(paths[name])
        locations = {body["location"] for body in bodies.values() if "location" in body}
        for location in locations:
            there = {storage.uri(s.key) for s in storage.list(storage.key(location))}
            orphans += sorted(there - files)
    leases = tuple(stored.key for stored in storage.list("_runner/leases/"))
    return Left(tables, mart_rows(mart), told, tuple(writing), leases, tuple(orphans), paths)


def _tables(storage: Storage) -> list[str]:
    found = {".".join(stored.key.split("/")[2:4]) for stored in storage.list("_runner/records/")}
    return sorted(found)


def _period(file: dict[str, Any], period: str) -> bool:
    return period == records.WHOLE or file["partition"].get("dt") == period


def _rows(paths: tuple[str, ...]) -> list[tuple[Any, ...]]:
    if not paths:
        return []
    with duckdb.connect() as connection:
        listed = ", ".join(f"'{path}'" for path in paths)
        query = f"SELECT * FROM read_parquet([{listed}], hive_partitioning=true) ORDER BY ALL"
        return connection.execute(query).fetchall()


def mart_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Read every table of a mart, but those of the loader's own."""
    if not path.is_file():
        return {}
    with sqlite3.connect(path) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' "
                "ESCAPE '\\' ORDER BY name"
            )
        ]
        rows = {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for name in names
        }
    connection.close()
    return rows
