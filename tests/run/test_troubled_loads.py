"""Whole runs whose loads meet trouble: files that are superseded, marts that do not answer."""

from __future__ import annotations

import gc
import json
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import runner.app.local_places
from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.local.journal import open_journal
from runner.machine import FaultPlan, InjectedFault, Meanwhile, When
from tests.matrix.clock import SwiftClock
from tests.semantics.little import CONFIG, NOW, ended, go, insert, project, rows_of, sql
from tests.support.commands import process
from tests.support.mariadb import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.app.results import Ended
    from runner.app.run import RunResult
    from tests.support.mariadb import MariaDb

D1, D2 = "2024-01-01", "2024-01-02"
ROWS = ((1, D1), (2, D1), (3, D2))
WITHIN = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
MYSQL = CONFIG.replace(
    "{engine: sqlite, path: mart.sqlite}",
    '{engine: mysql, port: "${env:MART_PORT}", database: "${env:MART_DATABASE}", user: loader, '
    'password: "${env:MART_PASSWORD}"}',
)


@pytest.fixture(autouse=True)
def _swift(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Skip pauses; undo what a run does for a process that ends after it."""
    monkeypatch.setattr(runner.app.local_places, "WallClock", SwiftClock)
    yield
    gc.unfreeze()


def daily(
    folder: Path,
    load: str = "",
    *,
    rows: tuple[tuple[int, str], ...] = ROWS,
    config: str = CONFIG,
) -> Path:
    """Write a project with one daily table, marts.x, and its load."""
    query = f"SELECT id, dt FROM {rows_of(*rows)} {WITHIN}"
    return project(folder, {"marts/x": insert(query, f"load: {{{load}}}")}, config=config)


def in_sqlite(root: Path, query: str = 'SELECT id, dt FROM "x" ORDER BY 1') -> list[Any]:
    with closing(sqlite3.connect(root / "mart.sqlite")) as connection:
        return connection.execute(query).fetchall()


def load_of(result: RunResult) -> Ended:
    return ended(result)["marts.x load"]


def entered(root: Path, result: RunResult) -> list[str]:
    """Give the verbs of a run's load in the order of its states."""
    local = open_places(root, open_bundle(root), now=lambda: NOW)
    (path,) = (one.journal for one in local.runs.runs() if one.name == result.run)
    journal = open_journal(path)
    states = [one.state for one in journal.events() if one.kind.value == "state_entered"]
    journal.close()
    beginning = "marts.x load "
    return [one.removeprefix(beginning) for one in states if one.startswith(beginning)]


def strike(verb: str, act: Callable[[], object], when: When = When.BEFORE) -> FaultPlan:
    """Do something while a run's load is at a state, the first time."""
    happened: list[bool] = []

    def once() -> None:
        if not happened:
            happened.append(True)
            act()

    return FaultPlan((InjectedFault(f"marts.x load {verb}", Meanwhile(once), when),))


ONCE = ["choose", "plan", "run", "confirm"]
TWICE = ["choose", "plan", "run", "explain", "again?", "wait", "plan", "run", "confirm"]
FAILED = ["explain", "again?", "fail"]


def test_files_that_are_superseded_while_a_load_waits_are_named_anew(tmp_path: Path) -> None:
    """Another run publishes the same days between the manifest and the container."""
    root = daily(tmp_path)
    (root / "workflows/tables.yaml").write_text("steps:\n  tables: {type: tables}\n")

    def supersede() -> None:
        done = process("run", "tables", "--start", D1, "--end", D2, cwd=root)
        assert done.returncode == 0, done.stdout + done.stderr

    result = go(root, D1, D2, faults=strike("plan", supersede, When.AFTER))
    assert result.status == "SUCCEEDED", ended(result)
    assert (load_of(result).status, load_of(result).rows) == ("loaded", 3)
    assert entered(root, result) == TWICE
    assert in_sqlite(root) == list(ROWS)


def test_a_file_that_is_lost_for_good_fails_the_load_after_three_manifests(tmp_path: Path) -> None:
    root = daily(tmp_path)

    def lose() -> None:
        for path in (root / ".runner/s3/lake/marts/x").rglob("*.parquet"):
            path.unlink()

    result = go(root, D1, D2, faults=strike("plan", lose, When.AFTER))
    assert (result.status, load_of(result).status) == ("FAILED", "failed")
    assert "is in the record of the published table but not in the lake" in load_of(result).message
    assert entered(root, result).count("plan") == entered(root, result).count("run") == 3
    assert not (root / "mart.sqlite").exists()


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ("create: false", "Load.NoTable: marts.x cannot be loaded into x: the mart has no table x"),
        ("before: 'INSERT INTO nowhere VALUES (1)'", "no such table: nowhere"),
        ("after: 'UPDATE x SET nope = 1'", "no such column: nope"),
    ],
)
def test_a_hopeless_load_fails_at_once_in_the_loaders_words(
    load: str, words: str, tmp_path: Path
) -> None:
    root = daily(tmp_path, load)
    result = go(root, D1, D2)
    assert (result.status, load_of(result).status) == ("FAILED", "failed")
    assert words in load_of(result).message
    assert "`runner load`" in load_of(result).advice
    assert entered(root, result) == ["choose", "plan", "run", *FAILED]


def test_a_floor_of_rows_keeps_the_marts_old_rows(tmp_path: Path) -> None:
    root = daily(tmp_path, "min_rows: 3")
    assert go(root, D1, D2).status == "SUCCEEDED"
    daily(tmp_path, "min_rows: 3", rows=ROWS[:2])
    result = go(root, D1, D2)
    assert ended(result)["marts.x"].status == "published"
    assert load_of(result).status == "failed"
    assert "2 rows for the load, at least 3 are expected (`min_rows`)" in load_of(result).message
    assert "lower `min_rows`" in load_of(result).advice
    assert entered(root, result) == ["choose", "plan", *FAILED]
    assert in_sqlite(root) == list(ROWS)


def test_embulk_that_is_not_here_is_replaced_and_that_is_told(tmp_path: Path) -> None:
    root = daily(tmp_path, "engine: embulk")
    result = go(root, D1, D2)
    assert result.status == "SUCCEEDED", ended(result)
    assert entered(root, result) == ["choose", "plan", "extract", "run", "confirm"]
    (warning,) = load_of(result).warnings
    assert warning.startswith("loaded by the built-in loader: Embulk is not installed here")
    assert in_sqlite(root) == list(ROWS)
    texts = [path.read_text() for path in (root / ".runner/s3/results").rglob("*.csv")]
    (rows,) = [text for text in texts if text.startswith('"id","dt"\n')]
    expected = {f'"{number}","{day}"' for number, day in ROWS}
    assert set(rows.splitlines()[1:]) == expected


def test_a_load_that_failed_leaves_why_beside_its_manifest(tmp_path: Path) -> None:
    root = daily(tmp_path, "create: false, engine: embulk")
    go(root, D1, D2)
    (path,) = (root / ".runner/s3/lake/_runner/loads").rglob("*.outcome.json")
    outcome = json.loads(path.read_text())
    assert (outcome["status"], outcome["error"]) == ("failed", "Load.NoTable")


@pytest.mark.parametrize(
    ("load", "stays"),
    [
        ("", ()),
        ("mode: replace", ()),
        ("mode: truncate_insert", ()),
        ("'mode': merge, keys: [id, dt]", ((2, D1),)),
        ("'mode': merge_direct, keys: [id, dt]", ((2, D1),)),
    ],
)
def test_rows_that_changed_or_went_stay_single_however_often_they_are_loaded(
    load: str, stays: tuple[tuple[int, str], ...], tmp_path: Path
) -> None:
    """A merge keeps the keys that vanished; no mode has a row twice."""

    def written(*rows: tuple[int, str, str]) -> Path:
        query = f"SELECT id, word, dt FROM {rows_of(*rows, columns='id, word, dt')} {WITHIN}"
        return project(tmp_path, {"marts/x": insert(query, f"load: {{{load}}}")})

    root = written((1, "old", D1), (2, "old", D1), (3, "old", D2))
    assert go(root, D1, D2).status == "SUCCEEDED"
    written((1, "new", D1), (3, "old", D2), (4, "new", D2))
    for _ in range(2):
        assert go(root, D1, D2).status == "SUCCEEDED"
        found = in_sqlite(root, 'SELECT id, dt, word FROM "x" ORDER BY 1')
        kept = [(number, day, "old") for number, day in stays]
        assert found == sorted([(1, D1, "new"), *kept, (3, D2, "old"), (4, D2, "new")])


def test_a_table_without_windows_is_loaded_whole_by_embulks_way(tmp_path: Path) -> None:
    header = "load: {engine: embulk, columns: [word, id], types: {word: VARCHAR(9)}}"
    query = f"SELECT id, word, 1 AS rest FROM {rows_of((1, 'a'), (2, None), columns='id, word')}"
    root = project(tmp_path, {"marts/x": sql(query, header)})
    for _ in range(2):
        result = go(root, D1)
        assert result.status == "SUCCEEDED", ended(result)
        assert in_sqlite(root, 'SELECT * FROM "x" ORDER BY 2') == [("a", 1), (None, 2)]


# --- a real server ------------------------------------------------------------------------------


@pytest.fixture
def mart(mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> Iterator[MariaDb]:
    """Give a server with a database of the test's own."""
    mariadb.query("CREATE DATABASE runs CHARACTER SET utf8mb4")
    monkeypatch.setenv("MART_PORT", str(mariadb.port))
    monkeypatch.setenv("MART_DATABASE", "runs")
    monkeypatch.setenv("MART_PASSWORD", PASSWORD)
    yield mariadb
    mariadb.query("DROP DATABASE runs")


IN_ORDER = "SELECT id, dt FROM x ORDER BY 1"


@pytest.mark.mariadb
def test_a_mart_that_does_not_answer_at_first_is_asked_again(
    mart: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MART_PORT", str(probe.getsockname()[1]))
    root = daily(tmp_path, config=MYSQL)
    recovered = strike("wait", lambda: monkeypatch.setenv("MART_PORT", str(mart.port)))
    result = go(root, D1, D2, faults=recovered)
    assert result.status == "SUCCEEDED", ended(result)
    assert entered(root, result) == TWICE
    assert mart.query(IN_ORDER, "runs") == list(ROWS)


@pytest.mark.mariadb
def test_a_mart_that_is_locked_at_first_is_loaded_later(mart: MariaDb, tmp_path: Path) -> None:
    root = daily(tmp_path, config=MYSQL)
    assert go(root, D1, D2).status == "SUCCEEDED"
    daily(tmp_path, rows=(*ROWS, (4, D2)), config=MYSQL)
    ((patience,),) = mart.query("SELECT @@GLOBAL.innodb_lock_wait_timeout")
    mart.query("SET GLOBAL innodb_lock_wait_timeout = 0")
    holder = mart.connect("runs")
    try:
        holder.begin()
        holder.cursor().execute("SELECT * FROM x FOR UPDATE")
        result = go(root, D1, D2, faults=strike("wait", holder.rollback))
    finally:
        holder.close()
        mart.query(f"SET GLOBAL innodb_lock_wait_timeout = {patience}")
    assert result.status == "SUCCEEDED", ended(result)
    assert entered(root, result) == TWICE
    assert mart.query(IN_ORDER, "runs") == [*ROWS, (4, D2)]


@pytest.mark.mariadb
def test_a_mart_that_never_answers_fails_the_load_after_three_tries(
    mart: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MART_PORT", str(probe.getsockname()[1]))
    root = daily(tmp_path, config=MYSQL)
    result = go(root, D1, D2)
    assert (result.status, load_of(result).status) == ("FAILED", "failed")
    assert load_of(result).message.startswith("Load.MartUnreachable: the mart does not answer")
    assert "runner redrive" in load_of(result).advice
    assert entered(root, result).count("run") == 3
    assert mart.query("SHOW TABLES", "runs") == []


@pytest.mark.mariadb
def test_a_value_that_does_not_fit_fails_at_once_and_leaves_the_old_rows(
    mart: MariaDb, tmp_path: Path
) -> None:
    root = daily(tmp_path, "types: {id: TINYINT}", config=MYSQL)
    assert go(root, D1, D2).status == "SUCCEEDED"
    daily(tmp_path, "types: {id: TINYINT}", rows=((1, D1), (1000, D2)), config=MYSQL)
    result = go(root, D1, D2)
    assert load_of(result).status == "failed"
    assert "id" in load_of(result).message
    assert "`runner load`" in load_of(result).advice
    assert entered(root, result) == ["choose", "plan", "run", *FAILED]
    assert mart.query(IN_ORDER, "runs") == list(ROWS)
