"""A loader killed at any point leaves all of the load or nothing, and a repeat completes it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.local.loader import SqliteTarget

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loader.conftest import Lake, Mart

pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines

DAYS = ["2013-01-01", "2013-01-02"]

CHILD = """
import importlib, json, os, pathlib, signal, sys
from runner.local.loader import MysqlTarget, SqliteTarget, load
from runner.model.loads import LoadManifest

module, name, when, about = sys.argv[1:]
about = json.loads(about)
owner = importlib.import_module(module)
for part in name.split(".")[:-1]:
    owner = getattr(owner, part)
name = name.split(".")[-1]
original = getattr(owner, name)

def die(*given, **named):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    original(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, die)
if "path" in about:
    target = SqliteTarget(pathlib.Path(about["path"]))
else:
    target = MysqlTarget(**about)
folder = pathlib.Path(sys.stdin.readline().strip())
manifest = LoadManifest.from_json(json.loads(sys.stdin.readline()))
load(manifest, target, path_of=lambda uri: folder / uri.removeprefix("s3://lake/"))
"""

SQLITE = ("_make_room", "_insert", "_write_ledger", "LoadResult")
MYSQL = ("_stage", "claim", "_make_room", "_move", "note_rows", "_end", "LoadResult")
MYSQL_REPLACE = ("_prepare", "claim", "_move", "note_rows", "_swap", "_exchange", "LoadResult")
LAST = {"sqlite": "_write_ledger", "mysql": "note_rows"}


def points(mart: Mart, mysql: tuple[str, ...]) -> list[tuple[str, str]]:
    names = SQLITE if mart.engine == "sqlite" else mysql
    return [(f"runner.local.loader.{mart.engine}", name) for name in names]


TOTALS = 'SELECT dt, count(*), sum(flights) FROM "carrier_day" GROUP BY 1 ORDER BY 1'
OLD = [(DAYS[0], 2, 259), (DAYS[1], 2, 265)]
NEW = [(DAYS[0], 2, 259), (DAYS[1], 1, 7)]


def kill(mart: Mart, lake: Lake, *, point: tuple[str, str], when: str, manifest: str) -> bool:
    """Load in a child that dies at the point; tells whether it got there."""
    if isinstance(mart.target, SqliteTarget):
        about = {"path": str(mart.target.path)}
    else:
        names = ("database", "host", "port", "user", "password")
        about = {name: getattr(mart.target, name) for name in names}
        about["environ"] = dict(mart.target.environ)  # type: ignore[assignment]  # one level deep
    child = subprocess.run(
        [sys.executable, "-c", CHILD, *point, when, json.dumps(about)],
        input=f"{lake.folder}\n{manifest}\n",
        text=True,
        check=False,
        capture_output=True,
    )
    assert child.returncode in (0, -signal.SIGKILL), child.stderr
    return child.returncode != 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", ["replace_window", "merge"])
def test_a_killed_load_is_all_or_nothing(mart: Mart, lake: Lake, mode: str, when: str) -> None:
    keys = ["dt", "carrier"] if mode == "merge" else []
    changes = {"mode": mode, "keys": keys, "days": DAYS}
    lake.load(mart, **changes, publish_id="p0")
    assert mart.query(TOTALS) == OLD
    del lake.files["dt=2013-01-02/b"]
    lake.write("dt=2013-01-02/a", "SELECT 'AA' AS carrier, 7::BIGINT AS flights", dt=DAYS[1])
    new = NEW if mode != "merge" else [OLD[0], (DAYS[1], 2, 177)]
    died = []
    for number, point in enumerate(points(mart, MYSQL)):
        name = f"p{number + 1}"
        manifest = json.dumps(lake.manifest(**changes, publish_id=name).to_json())
        if kill(mart, lake, point=point, when=when, manifest=manifest):
            died.append(point[1])
            assert mart.query(TOTALS) in (OLD, new), point
        lake.load(mart, **changes, publish_id=name)
        assert mart.query(TOTALS) == new, point
        ledger = f"SELECT count(*) FROM \"_runner_loads\" WHERE publish_id = '{name}'"
        assert mart.query(ledger) == [(1,)]
    assert {LAST[mart.engine], "LoadResult"} <= set(died)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_replacement_of_another_shape_survives_a_kill(
    mart: Mart, lake: Lake, when: str, tmp_path: Path
) -> None:
    (tmp_path / "marts").mkdir(exist_ok=True)
    for number, point in enumerate(points(mart, MYSQL_REPLACE)):
        mart.query('DROP TABLE IF EXISTS "carrier_day"')
        mart.query('CREATE TABLE "carrier_day" (gone INT)')
        name = f"p{number}"
        manifest = json.dumps(lake.manifest(publish_id=name).to_json())
        kill(mart, lake, point=point, when=when, manifest=manifest)
        lake.load(mart, publish_id=name)
        assert mart.query(TOTALS) == OLD, point
        if mart.engine == "mysql":
            assert mart.query("SHOW TABLES") == [("_runner_loads",), ("carrier_day",)]
