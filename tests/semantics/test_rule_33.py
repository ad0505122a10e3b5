"""SEMANTICS 33: `run` rewrites its window, `--resume` goes on, no window means the schedule's."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.app.run import RunRequest, run
from runner.errors import UsageError
from runner.local.journal import open_journal
from runner.machine import Crash, EventKind, FaultPlan, InjectedFault, When
from tests.semantics.little import NOW, go, insert, project, read, rows_of, sql, statuses
from tests.support.forks import run_in_child

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
ROWS = rows_of((1, "2024-01-01"), (2, "2024-01-02"))
FILES = {
    "staging/a": insert(f"SELECT id, dt FROM {ROWS} {WINDOW}"),
    "marts/b": insert(f"SELECT id, dt FROM staging.a {WINDOW}"),
    "marts/c": sql("SELECT count(*) AS n FROM marts.b WHERE dt > ''", "load: {}"),
}
SCHEDULED = """
schedule: {cron: "0 3 * * ? *", window: {last: 2, lag: 1}}
steps: {tables: {type: tables}}
"""


def journal_files(root: Path) -> list[Path]:
    return sorted(root.glob(".runner/runs/*/journal.sqlite"))


def tasks(path: Path) -> Counter[str]:
    journal = open_journal(path)
    found = Counter(e.state for e in journal.events() if e.kind is EventKind.TASK_SUCCEEDED)
    journal.close()
    return found


def published_by(root: Path) -> set[str]:
    """Name the runs whose records of staging.a there are."""
    folder = root / ".runner/s3/lake/_runner/records/staging/a"
    return {path.stem.split("_")[2].split(".")[1] for path in folder.rglob("*.json")}


def test_semantics_33_a_run_rewrites_its_window_though_nothing_changed(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    first = go(root, "2024-01-01", "2024-01-02")
    second = go(root, "2024-01-01", "2024-01-02")
    for result in (first, second):
        assert statuses(result) == {
            "staging.a": "published",
            "marts.b": "published",
            "marts.c": "published",
            "marts.c load": "loaded",
        }
    assert published_by(root) == {first.run, second.run}
    assert read(root, "SELECT id FROM marts.b WHERE dt > '' ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("state", "done", "repeated"),
    [
        ("staging.a insert", ["begin", "staging.a prepare"], []),
        ("marts.b insert", ["begin", "staging.a insert", "staging.a finish"], []),
        ("marts.c flip?", ["staging.a insert", "marts.b insert", "marts.c write"], []),
        ("marts.c load run", ["staging.a finish", "marts.b finish", "marts.c finish"], []),
    ],
)
def test_semantics_33_resume_continues_one_run_and_skips_what_is_done(
    state: str, done: list[str], repeated: list[str], tmp_path: Path
) -> None:
    root = project(tmp_path, FILES)
    plan = FaultPlan((InjectedFault(state, Crash(), When.BEFORE, visit=1),))
    assert run_in_child(RunRequest(root, start="2024-01-01", end="2024-01-02", faults=plan)) == -9
    (path,) = journal_files(root)
    before = tasks(path)
    assert set(done) <= set(before)
    result = run(RunRequest(root, resume="last"))
    assert result.status == "SUCCEEDED"
    assert (result.start, result.end) == ("2024-01-01", "2024-01-02")
    assert journal_files(root) == [path]
    after = tasks(path)
    assert [name for name in before if after[name] != before[name]] == repeated
    assert published_by(root) == {result.run}


@pytest.mark.parametrize("named", ["last", "the run", "daily-20240101T000000-abcdef"])
def test_semantics_33_a_run_that_ended_is_not_resumed(named: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": sql("SELECT 1 AS n")})
    result = go(root, "2024-01-01")
    with pytest.raises(UsageError) as refused:
        run(RunRequest(root, resume=result.run if named == "the run" else named))
    assert [fault.code for fault in refused.value.faults] == ["not-resumable"]


@pytest.mark.parametrize(
    ("now", "window"),
    [
        (NOW, ("2024-03-03", "2024-03-04")),
        (datetime(2024, 3, 5, 0, 0, tzinfo=UTC), ("2024-03-03", "2024-03-04")),
        (datetime(2024, 3, 4, 23, 59, tzinfo=UTC), ("2024-03-02", "2024-03-03")),
    ],
)
def test_semantics_33_without_a_window_the_schedules_is_used_and_told(
    now: datetime, window: tuple[str, str], tmp_path: Path
) -> None:
    files = {
        "marts/x": sql("SELECT '{{ start }}' AS s, '{{ end }}' AS e"),
        "workflows/daily.yaml": SCHEDULED,
    }
    root = project(tmp_path, files)
    told: list[tuple[str, ...]] = []
    result = run(
        RunRequest(root), now=lambda: now, started=lambda *words: told.append(tuple(words))
    )
    assert (result.start, result.end) == window
    assert told == [(result.run, "daily", f"{window[0]}..{window[1]}")]
    assert read(root, "SELECT s, e FROM marts.x") == [window]


def test_semantics_33_without_a_schedule_a_window_is_asked_for(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": sql("SELECT 1 AS n")})
    with pytest.raises(UsageError) as refused:
        go(root)
    (fault,) = refused.value.faults
    assert fault.expected == "--start and --end, since daily has no schedule"
    assert open_places(root, open_bundle(root), now=lambda: NOW).runs.runs() == ()
