"""Kills between the known points: while rows are sent, in the commit, and at any moment.

Whatever the moment, readers find the old rows or the new ones, and a repeat completes the load.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.loader import SqliteTarget
from tests.loader.conftest import Lake

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loader.conftest import Mart

pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines

CHILD = """
import json, os, pathlib, signal, sys
from runner.local.loader import MysqlTarget, SqliteTarget, load
from runner.model.loads import LoadManifest

about, folder, manifest, rows, commit = json.loads(sys.stdin.readline())
folder = pathlib.Path(folder)
manifest = LoadManifest.from_json(manifest)
target = SqliteTarget(pathlib.Path(about["path"])) if "path" in about else MysqlTarget(**about)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def tell(count):
    if rows is not None and count >= rows:
        die()

if commit:
    from runner.local.loader.mysql_stream import OneFileConnection
    original = OneFileConnection._execute_command
    def send(connection, command, sql):
        original(connection, command, sql)
        if sql == b"COMMIT":
            die()
    OneFileConnection._execute_command = send
print("ready", flush=True)
load(manifest, target, path_of=lambda u: folder / u.removeprefix("s3://lake/"), tell=tell)
"""
ROWS = 30_000
KILLS = 3
TOTAL = 'SELECT count(*), min(v), max(v) FROM "carrier_day"'
OLD, NEW = [(ROWS, 0, 0)], [(ROWS, 1, 1)]
DAY = "2013-01-01"
MODES: dict[str, dict[str, Any]] = {
    "replace_window": {"days": [DAY]},
    "merge": {"days": [DAY], "mode": "merge", "keys": ["dt", "n"]},
    "replace": {"mode": "replace"},
    "replace, another shape": {"mode": "replace"},
}


@pytest.fixture
def versions(tmp_path: Path) -> dict[int, Lake]:
    """Two states of one table: all values 0, and all values 1."""
    made = {}
    for version in (0, 1):
        lake = Lake(tmp_path / f"lake{version}", {"n": "bigint", "v": "int"})
        select = f"SELECT i AS n, {version}::INT AS v FROM range({ROWS}) t(i)"
        lake.write("dt=2013-01-01/a", select, dt=DAY)
        made[version] = lake
    return made


def about(mart: Mart) -> dict[str, Any]:
    if isinstance(mart.target, SqliteTarget):
        return {"path": str(mart.target.path)}
    names = ("database", "host", "port", "user", "password")
    return {
        **{name: getattr(mart.target, name) for name in names},
        "environ": dict(mart.target.environ),
    }


def begin(
    mart: Mart,
    lake: Lake,
    manifest: dict[str, Any],
    *,
    rows: int | None = None,
    commit: bool = False,
) -> subprocess.Popen[str]:
    """Start a child, which is about to load when this returns."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps([about(mart), str(lake.folder), manifest, rows, commit]) + "\n")
    child.stdin.flush()
    assert child.stdout.readline() == "ready\n"
    return child


def end(child: subprocess.Popen[str]) -> int:
    child.communicate()
    return child.returncode


def put_old(mart: Mart, versions: dict[int, Lake], case: str, publish: str) -> None:
    """Bring the mart into the old state."""
    if case == "replace, another shape" and mart.engine == "mysql":
        mart.query("DROP TABLE IF EXISTS carrier_day")
        mart.query("CREATE TABLE carrier_day (n INT, v TEXT, dt VARCHAR(255))")
        mart.query(f"INSERT INTO carrier_day SELECT seq, '0', '{DAY}' FROM seq_1_to_{ROWS}")
        return
    if case == "replace, another shape":
        versions[0].load(mart, mode="replace", publish_id=publish)
        mart.query('ALTER TABLE "carrier_day" RENAME COLUMN n TO m')
        return
    versions[0].load(mart, **MODES[case], publish_id=publish)


def state(mart: Mart) -> list[tuple[Any, ...]]:
    return [(count, int(low), int(high)) for count, low, high in mart.query(TOTAL)]


@pytest.mark.parametrize("case", list(MODES))
@pytest.mark.parametrize("rows", [4096, 20_000])
def test_a_kill_while_rows_are_sent(
    mart: Mart, versions: dict[int, Lake], case: str, rows: int
) -> None:
    put_old(mart, versions, case, "old")
    changes = {**MODES[case], "publish_id": "new"}
    child = begin(mart, versions[1], versions[1].manifest(**changes).to_json(), rows=rows)
    assert end(child) == -signal.SIGKILL
    assert state(mart) == OLD
    assert mart.query("SELECT * FROM \"_runner_loads\" WHERE publish_id = 'new'") == []
    assert not versions[1].load(mart, **changes).skipped
    assert state(mart) == NEW


@pytest.mark.mariadb
@pytest.mark.parametrize("case", list(MODES))
def test_a_kill_in_the_commit(mysql_mart: Mart, versions: dict[int, Lake], case: str) -> None:
    """The server was told, its answer is never read: done or not, the repeat ends well."""
    put_old(mysql_mart, versions, case, "old")
    changes = {**MODES[case], "publish_id": "new"}
    manifest = versions[1].manifest(**changes).to_json()
    assert end(begin(mysql_mart, versions[1], manifest, commit=True)) == -signal.SIGKILL
    assert state(mysql_mart) in (OLD, NEW)
    assert versions[1].load(mysql_mart, **changes).rows == ROWS
    assert state(mysql_mart) == NEW
    ledger = "SELECT `rows` FROM _runner_loads WHERE publish_id = 'new'"
    assert mysql_mart.query(ledger) == [(ROWS,)]


@pytest.mark.parametrize("case", list(MODES))
def test_kills_at_any_moment(mart: Mart, versions: dict[int, Lake], case: str) -> None:
    chance = random.Random(f"{case} {mart.engine}")  # noqa: S311 - moments, no secrets
    put_old(mart, versions, case, "old")
    started = time.monotonic()
    versions[1].load(mart, **MODES[case], publish_id="whole")
    whole = time.monotonic() - started
    for number in range(KILLS):
        if state(mart) == NEW:
            put_old(mart, versions, case, f"old{number}")
        changes = {**MODES[case], "publish_id": f"new{number}"}
        child = begin(mart, versions[1], versions[1].manifest(**changes).to_json())
        time.sleep(chance.uniform(0, whole))
        child.kill()
        assert end(child) in (0, -signal.SIGKILL)
        assert state(mart) in (OLD, NEW), number
        versions[1].load(mart, **changes)
        assert state(mart) == NEW, number
        ledger = f"SELECT count(*) FROM \"_runner_loads\" WHERE publish_id = 'new{number}'"
        assert mart.query(ledger) == [(1,)]
    if mart.engine == "mysql":
        assert mart.query("SHOW TABLES") == [("_runner_loads",), ("carrier_day",)]
