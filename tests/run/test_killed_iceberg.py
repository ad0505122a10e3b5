"""A run of Iceberg tables killed at any state, before or after its effect, is continued.

As `test_killed_runs`, over a table by window, a table by window and keys, and a whole one; the
second run writes other rows over what the first one published.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.compiled import compile_project
from runner.app.run import RunRequest
from runner.machine import Fail, FaultPlan, InjectedFault, When
from tests.semantics.little import (
    CONFIG,
    DAY,
    every_statement,
    project,
    read,
    records,
    rows_of,
    sql,
)
from tests.support.forks import preload, resume, run_in_child, start, swift_folder
from tests.support.scene import crash, states_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines

WINDOW = ("2024-01-01", "2024-01-02")
COLUMNS = "id, note, dt"
TABLES = ("marts.days", "marts.keyed", "marts.whole")
OLD = [(1, "a", "2024-01-01"), (2, "b", "2024-01-01"), (3, "c", "2024-01-02")]
NEW = [(2, "B", "2024-01-01"), (3, "c", "2024-01-02"), (4, "d", "2024-01-02")]
PATIENT = "defaults: {retry: {interval: 1s}}\n"
PARTS = 4


def files(rows: list[tuple[Any, ...]]) -> dict[str, str]:
    given = f"FROM {rows_of(*rows, columns=COLUMNS)}"
    windowed = f"SELECT {COLUMNS} {given} WHERE dt BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}'"
    partition = f"format: iceberg\npartition:\n  {DAY}\nload: {{table: %s}}"
    return {
        "marts/days": sql(windowed, partition % "days"),
        "marts/keyed": sql(windowed, f"{partition % 'keyed'}\nkeys: [id]"),
        "marts/whole": sql(f"SELECT {COLUMNS} {given}", "format: iceberg\nkeys: [id]"),
    }


@pytest.fixture(scope="module")
def fresh() -> Iterator[Path]:
    """A project that never ran."""
    preload()
    with swift_folder() as folder:
        root = project(folder, files(OLD), config=CONFIG + PATIENT)
        compile_project(root)
        yield root


@pytest.fixture(scope="module")
def changed(fresh: Path) -> Iterator[Path]:
    """The same, published once, then with other rows."""
    with swift_folder() as folder:
        root = folder / "project"
        shutil.copytree(fresh, root)
        assert run_in_child(start(root, WINDOW)) == 0
        for name, text in files(NEW).items():
            (root / f"sql/{name}.sql").write_text(text)
        compile_project(root)
        yield root


def tasks_of(root: Path, *, about: str = "") -> list[str]:
    found = [name for name, kind in states_of(root).items() if kind == "Task" and about in name]
    seldom = (" diagnose", " explain", " forget", " plan", " run")
    return [name for name in found if not name.endswith(seldom)]


def check(root: Path, rows: list[tuple[Any, ...]]) -> None:
    for table in TABLES:
        assert sorted(read(root, f"SELECT {COLUMNS} FROM {table}")) == rows, table
    days = {day: len([row for row in rows if row[2] == day]) for day in WINDOW}
    assert records(root, "marts.days") == records(root, "marts.keyed") == days
    assert records(root, "marts.whole") == {"all": len(rows)}
    assert list(root.glob(".runner/s3/lake/_runner/leases/**/*.json")) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_a_first_run_killed_at_any_task(fresh: Path, part: int) -> None:
    """After a task's effect, or before it: the two take turns."""
    for number, state in list(enumerate(tasks_of(fresh, about="marts.keyed ")))[part::PARTS]:
        when = list(When)[(number + number // PARTS) % 2]
        strike(fresh, state, when, OLD, anew=number % 3 == 0)


@pytest.mark.parametrize("when", list(When), ids=str)
@pytest.mark.parametrize("verb", ["judge", "merge", "publish"])
def test_a_second_run_killed_around_its_merge(changed: Path, verb: str, when: When) -> None:
    for number, state in enumerate(tasks_of(changed, about=f" {verb}")):
        strike(changed, state, when, NEW, anew=number % 2 == 0)


def strike(
    source: Path, state: str, when: When, rows: list[tuple[Any, ...]], *, anew: bool
) -> None:
    with swift_folder() as folder:
        root = folder / "project"
        shutil.copytree(source, root)
        killed = run_in_child(start(root, WINDOW, FaultPlan((crash(state, when),))))
        assert killed == -9, state
        assert run_in_child(start(root, WINDOW) if anew else resume(root)) == 0, (state, when)
        check(root, rows)


def test_a_conflict_is_tried_again_from_a_new_stage_and_a_repeated_merge_is_harmless(
    changed: Path,
) -> None:
    """Every commit took place, but the answers say that it did not."""
    with swift_folder() as folder:
        root = folder / "project"
        shutil.copytree(changed, root)
        cause = '{"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": "%s"}}}'
        lost = Fail("States.TaskFailed", cause % "ICEBERG_COMMIT_ERROR: Failed to commit")
        merges = tasks_of(root, about=" merge")
        faults = FaultPlan(tuple(InjectedFault(one, lost, When.AFTER) for one in merges))
        before = set(every_statement(root, "MERGE"))
        assert run_in_child(start(root, WINDOW, faults)) == 1
        sent = set(every_statement(root, "MERGE")) - before
        assert len(sent) == 3 * len(TABLES)  # each of three attempts has its own stage
        for table in TABLES:
            assert sorted(read(root, f"SELECT {COLUMNS} FROM {table}")) == NEW
        assert run_in_child(start(root, WINDOW)) == 0
        check(root, NEW)


def test_a_merge_that_a_dead_run_left_cannot_start_any_more(changed: Path) -> None:
    """Run A dies before its MERGE, run B writes the window, A is continued: B's rows stay."""
    with swift_folder() as folder:
        root = folder / "project"
        shutil.copytree(changed, root)
        state = "marts.days merge"
        before = {path.name for path in (root / ".runner/runs").iterdir()}
        killed = run_in_child(start(root, WINDOW, FaultPlan((crash(state, When.BEFORE),))))
        assert killed == -9
        runs = root / ".runner/runs"
        (first,) = {path.name for path in runs.iterdir()} - before
        for table, text in files(OLD).items():
            (root / f"sql/{table}.sql").write_text(text)
        compile_project(root)
        assert run_in_child(start(root, WINDOW)) == 0
        check(root, OLD)
        assert run_in_child(RunRequest(root=root, resume=first)) == 1
        assert sorted(read(root, f"SELECT {COLUMNS} FROM marts.days")) == OLD
        assert records(root, "marts.days") == {"2024-01-01": 2, "2024-01-02": 1}
