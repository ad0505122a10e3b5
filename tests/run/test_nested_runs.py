"""A workflow whose tables are in executions of their own does what it does in one (SEMANTICS 36).

The bound above which that happens is lowered, so that the project that `runner init` writes has
four machines beside the workflow's own.
"""

from __future__ import annotations

import gc
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.compiled import compile_project
from runner.app.run import RunRequest, run
from runner.app.scaffold import init_project
from runner.app.stopping import Stopper
from runner.asl import compile as compiling
from runner.local.journal import open_journal
from runner.machine import Crash, EventKind, Fail, FaultPlan, InjectedFault, When
from tests.support.forks import (
    Left,
    left_behind,
    preload,
    results,
    resume,
    run_in_child,
    start,
    swift_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.app.progress import Progress
    from runner.app.run import RunResult

pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines

WINDOW = ("2024-01-01", "2024-01-03")
STRUCK = (
    "receive",
    "tables wave 1 part 1 begin",
    "tables wave 1 part 1 execute",
    "raw.orders create",
    "staging.orders prepare",
    "staging.orders insert",
    "staging.orders publish",
    "staging.orders finish",
    "tables wave 3 part 1 execute",
    "marts.daily_orders test",
    "marts.daily_orders publish",
    "marts.customers write",
    "marts.customers finish",
    "tables wave 3 part 2 end",
)


def left_of(root: Path) -> Left:
    return left_behind(root, root / ".runner" / "mart.sqlite")


def nest(patch: pytest.MonkeyPatch) -> None:
    """Lower the bounds: three waves, the last in two machines."""
    patch.setattr(compiling, "NEST_ABOVE_BYTES", 0)
    patch.setattr(compiling, "CHILD_BYTES", 20_000)


class Scene:
    """The same project, run in one execution and in several."""

    def __init__(self, folder: Path) -> None:
        self.plain, self.fresh, self.ran = (folder / name for name in ("plain", "fresh", "ran"))
        init_project(self.plain, name="nested")
        shutil.copytree(self.plain, self.fresh)
        with pytest.MonkeyPatch.context() as patch:
            nest(patch)
            compile_project(self.fresh)
        shutil.copytree(self.fresh, self.ran)
        assert run_in_child(start(self.plain, WINDOW)) == 0
        assert run_in_child(start(self.ran, WINDOW)) == 0
        self.left = left_of(self.plain)

    def copy(self, root: Path) -> Path:
        shutil.copytree(self.fresh, root)
        return root


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    preload()
    with swift_folder() as folder:
        yield Scene(folder)


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """Undo what a run does for a process that ends after it."""
    yield
    gc.unfreeze()


@pytest.fixture
def place() -> Iterator[Path]:
    with swift_folder() as folder:
        yield folder


def crash(state: str, when: When = When.BEFORE) -> FaultPlan:
    return FaultPlan((InjectedFault(state, Crash(), when, visit=1),))


def statuses(result: RunResult) -> dict[str, str]:
    return {f"{one.name} {one.kind}": one.status for one in result.ended}


def test_the_workflow_has_machines_beside_it(scene: Scene) -> None:
    bundle = open_bundle(scene.fresh)
    children = bundle.workflow("daily").children
    assert [(child.name, child.tables) for child in children] == [
        ("tables-1-1", ("raw.orders",)),
        ("tables-2-1", ("staging.orders",)),
        ("tables-3-1", ("marts.customers",)),
        ("tables-3-2", ("marts.daily_orders",)),
    ]
    assert children[0].machine == "nested-local-daily-tables-1-1"
    compiled = scene.fresh / ".runner" / "compiled" / "local"
    for child in children:
        assert (compiled / f"daily.{child.name}.asl.json").read_text() == child.definition
    assert open_bundle(scene.plain).workflow("daily").children == ()


def test_it_leaves_the_tables_marts_and_records_of_one_execution(scene: Scene) -> None:
    assert left_of(scene.ran) == scene.left
    assert scene.left.leases == scene.left.writing == scene.left.orphans == ()


def test_the_same_window_again_changes_nothing(scene: Scene, place: Path) -> None:
    again = place / "again"
    shutil.copytree(scene.ran, again)
    assert run_in_child(start(again, WINDOW)) == 0
    assert left_of(again) == scene.left


def test_progress_and_results_are_those_of_one_execution(scene: Scene, place: Path) -> None:
    told: list[Progress] = []
    nested = run(start(scene.copy(place / "one"), WINDOW), tell=told.append)
    assert statuses(nested) == {
        "raw.orders table": "published",
        "staging.orders table": "published",
        "marts.customers table": "published",
        "marts.daily_orders table": "published",
        "marts.customers load": "loaded",
        "marts.daily_orders load": "loaded",
        "report step": "succeeded",
    }
    assert {one.name: one.rows for one in nested.ended}["staging.orders"] > 0
    done = [one.subject for one in told if one.phase == "done"]
    assert sorted(done) == sorted({one.subject for one in told})
    assert told[-1].done == told[-1].total == 7


def test_only_some_tables(scene: Scene, place: Path) -> None:
    request = replace(start(scene.copy(place / "some"), WINDOW), only=("raw.orders",))
    assert statuses(results(request)) == {
        "raw.orders table": "published",
        "report step": "succeeded",
    }


def test_a_table_that_fails_inside_skips_its_readers(scene: Scene, place: Path) -> None:
    plan = FaultPlan((InjectedFault("staging.orders insert", Fail("States.TaskFailed", "x")),))
    result = results(start(scene.copy(place / "failed"), WINDOW, plan))
    assert result.status == "FAILED"
    assert result.error == "Runner.StepsFailed"
    assert statuses(result) == {
        "raw.orders table": "published",
        "staging.orders table": "failed",
        "marts.customers table": "skipped",
        "marts.daily_orders table": "skipped",
        "marts.customers load": "skipped",
        "marts.daily_orders load": "skipped",
        "report step": "skipped",
    }
    plain = place / "plain"
    shutil.copytree(scene.plain, plain)
    assert result.cause == results(start(plain, WINDOW, plan)).cause
    assert "staging.orders failed: " in result.cause
    assert "marts.customers skipped (upstream failed)" in result.cause


def test_an_execution_that_fails_as_such_fails_its_tables(scene: Scene, place: Path) -> None:
    fail = Fail("StepFunctions.StateMachineDoesNotExistException", "gone")
    plan = FaultPlan((InjectedFault("tables wave 2 part 1 execute", fail),))
    result = results(start(scene.copy(place / "gone"), WINDOW, plan))
    assert result.status == "FAILED"
    found = statuses(result)
    assert found["raw.orders table"] == "published"
    assert found["staging.orders table"] == "failed"
    assert found["marts.customers table"] == found["marts.daily_orders table"] == "skipped"
    assert "staging.orders failed: " in result.cause


def test_a_start_that_was_throttled_is_repeated(scene: Scene, place: Path) -> None:
    fail = Fail("StepFunctions.SdkClientException", "unknown outcome")
    fault = InjectedFault("tables wave 2 part 1 execute", fail, When.AFTER, attempt=0)
    root = scene.copy(place / "throttled")
    assert results(start(root, WINDOW, FaultPlan((fault,)))).status == "SUCCEEDED"
    assert left_of(root) == scene.left
    (journal,) = root.glob(".runner/runs/*/children/*-tables-2-1/*/journal.sqlite")
    opened = open_journal(journal)
    kinds = [(event.kind, event.state) for event in opened.events()]
    opened.close()
    assert kinds.count((EventKind.TASK_SUCCEEDED, "staging.orders insert")) == 1


@pytest.mark.parametrize("when", list(When), ids=str)
@pytest.mark.parametrize("state", STRUCK)
def test_killed_inside_and_resumed(scene: Scene, place: Path, state: str, when: When) -> None:
    root = scene.copy(place / "killed")
    assert run_in_child(start(root, WINDOW, crash(state, when))) == -9
    assert run_in_child(resume(root)) == 0
    assert left_of(root) == scene.left


def test_a_resumed_run_tells_of_what_ended_before(scene: Scene, place: Path) -> None:
    root = scene.copy(place / "killed")
    assert run_in_child(start(root, WINDOW, crash("tables wave 3 part 1 execute"))) == -9
    found = statuses(results(resume(root)))
    assert len(found) == 7
    assert set(found.values()) == {"published", "loaded", "succeeded"}


def test_another_run_takes_over_what_a_killed_child_held(scene: Scene, place: Path) -> None:
    root = scene.copy(place / "killed")
    assert run_in_child(start(root, WINDOW, crash("staging.orders publish", When.AFTER))) == -9
    assert run_in_child(start(root, WINDOW)) == 0
    assert left_of(root) == scene.left


def test_a_run_that_is_stopped_inside_a_child_is_resumed(scene: Scene, place: Path) -> None:
    root = scene.copy(place / "stopped")
    stopper = Stopper()

    def tell(progress: Progress) -> None:
        if progress.subject == "marts.daily_orders":
            stopper.stop()

    request = RunRequest(root=root, workflow="daily", start=WINDOW[0], end=WINDOW[1])
    assert run(request, tell=tell, stopper=stopper).status == "ABORTED"
    assert results(resume(root)).status == "SUCCEEDED"
    assert left_of(root) == scene.left


def test_the_input_of_a_child_names_what_is_down_and_little_else(scene: Scene) -> None:
    (about,) = scene.ran.glob(".runner/runs/*/children/*-tables-3-1/*/run.json")
    given = json.loads(about.read_text())["input"]
    assert sorted(given) == [
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID",
        "down",
        "selected",
        "window",
    ]
    assert given["down"] == []
