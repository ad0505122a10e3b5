"""`gc` over little projects: real runs, killed and resumed; what is needed stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.gc import Garbage, clean, find_garbage, read_keep
from runner.app.run import RunRequest, run
from runner.errors import UsageError
from runner.machine import FaultPlan, When
from tests.semantics.little import go, insert, project, read, records, rows_of, sql
from tests.support.forks import run_in_child
from tests.support.little_lake import files, opened
from tests.support.scene import crash

if TYPE_CHECKING:
    from pathlib import Path

ROWS = rows_of((1, "2024-01-01"), (2, "2024-01-02"), (3, "2024-01-03"))
WINDOW = "dt BETWEEN '{{ start }}' AND '{{ end }}'"
FILES = {
    "marts/daily": insert(f"SELECT id, dt FROM {ROWS} WHERE {WINDOW}", "load: {}"),
    "marts/whole": sql("SELECT count(*) AS n FROM marts.daily"),
    "marts/seen": sql("SELECT n FROM marts.whole", "kind: view"),
}


def look(root: Path, *, days: float = 8, orphans: bool = False) -> Garbage:
    """Look at the environment some days from now."""
    later = datetime.now(UTC) + timedelta(days=days)
    return find_garbage(root, orphans=orphans, now=lambda: later)


def counts(garbage: Garbage) -> dict[str, int]:
    return {one.kind: one.objects for one in garbage.classes}


def state(root: Path) -> tuple[object, ...]:
    return (
        read(root, "SELECT id, dt FROM marts.daily WHERE dt >= '2024-01-01' ORDER BY 1"),
        read(root, "SELECT n FROM marts.seen"),
        [records(root, f"marts.{name}") for name in ("daily", "whole", "seen")],
    )


def test_months_of_runs_shrink_to_what_counts(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    for day in ("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-03"):
        ended = run(RunRequest(root, "daily", start=day, end=day))  # by the real clock
        assert ended.status == "SUCCEEDED"
    before = state(root)
    assert counts(look(root, days=6)) == {"pack": 8}
    found = look(root)
    assert counts(found) == {"old data": 3, "load manifest": 8, "record": 4, "pack": 3}
    clean(found)
    assert look(root).items == ()
    assert state(root) == before
    assert go(root, "2024-01-02").status == "SUCCEEDED"
    assert state(root) == before


def test_a_run_after_gc_reads_and_loads_what_is_packed(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    go(root, "2024-01-01", "2024-01-03")
    go(root, "2024-01-02")
    clean(look(root, days=1))
    assert records(root, "marts.daily") == dict.fromkeys(
        ("2024-01-01", "2024-01-02", "2024-01-03"), 1
    )
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert read(root, "SELECT n FROM marts.whole") == [(3,)]


def test_foreign_files_are_reported_and_stay_unless_asked_for(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    go(root, "2024-01-01", "2024-01-03")
    stray = root / ".runner/s3/lake/marts/daily/g=1/dt=2024-01-02/stray.parquet"
    (written,) = stray.parent.glob("*.parquet")
    stray.write_bytes(written.read_bytes())
    assert read(root, "SELECT count(*) FROM marts.daily WHERE dt > ''") == [(4,)]
    found = look(root, days=1)
    (orphan,) = (one for one in found.classes if one.kind == "orphan")
    assert (orphan.objects, orphan.deleted) == (1, False)
    assert orphan.example.endswith("/dt=2024-01-02/stray.parquet")
    clean(found)
    assert stray.exists()
    clean(look(root, days=1, orphans=True))
    assert not stray.exists()
    assert read(root, "SELECT count(*) FROM marts.daily WHERE dt > ''") == [(3,)]


@pytest.mark.parametrize("text", ["soon", "0d", "59m", ""])
def test_a_keep_time_is_an_hour_or_more(text: str) -> None:
    with pytest.raises(UsageError, match="a duration of 1h or more"):
        read_keep(text)
    assert read_keep("1h") == timedelta(hours=1)


def test_what_was_shown_is_all_that_goes(tmp_path: Path) -> None:
    """The question was answered late: more has become garbage since."""
    root = project(tmp_path, FILES)
    go(root, "2024-01-01")
    go(root, "2024-01-02")
    shown = look(root)
    go(root, "2024-01-03")
    before = state(root)
    gone = clean(shown)
    assert set(counts(gone)) <= set(counts(shown))
    assert counts(gone)["old data"] == 1
    assert counts(look(root))["old data"] == 1
    assert state(root) == before


@pytest.mark.parametrize("state_name", ["marts.daily publish", "marts.whole flip"])
@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
def test_a_killed_run_is_resumed_after_a_sweep_within_the_keep_time(
    tmp_path: Path, state_name: str, when: When
) -> None:
    """Killed in the middle, swept a few days later, resumed: nothing that it needs has gone."""
    root = project(tmp_path, FILES)
    go(root, "2024-01-01", "2024-01-03")
    before = state(root)
    names = states_of_tables(root)
    assert state_name in names
    killed = RunRequest(
        root,
        "daily",
        start="2024-01-02",
        end="2024-01-03",
        faults=FaultPlan((crash(state_name, when),)),
    )
    assert run_in_child(killed) == -9
    clean(look(root, days=6))
    assert run(RunRequest(root, resume="last")).status == "SUCCEEDED"
    assert state(root) == before


def states_of_tables(root: Path) -> str:
    return open_bundle(root).workflow("daily").definition


def test_a_run_at_work_loses_nothing_however_old_it_is(tmp_path: Path) -> None:
    """Its lock is held by another process while it is swept, a year from now."""
    root = project(tmp_path, FILES)
    go(root, "2024-01-01", "2024-01-03")
    before = state(root)
    killed = RunRequest(
        root,
        "daily",
        start="2024-01-02",
        end="2024-01-03",
        faults=FaultPlan((crash("marts.daily test", When.BEFORE),)),
    )
    assert run_in_child(killed) == -9
    stages = {key for key in files(root) if key.startswith("_runner/stage/marts/daily/")}
    assert stages
    registry = opened(root).runs
    with registry.reopen(registry.runs()[0].name):
        clean(look(root, days=365))
        assert stages <= files(root)
        assert state(root) == before
    clean(look(root, days=365))
    assert not stages & files(root)
    assert state(root) == before
