"""Runs of machines that were cut to fit AWS's quotas leave what one execution leaves.

Loads in executions of their own, chunks in executions of their own, statements that are polled:
the bounds are lowered, so that the project that `runner init` writes has all of it.
"""

from __future__ import annotations

import gc
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.compiled import compile_project
from runner.app.run import RunRequest, run
from runner.app.scaffold import init_project
from runner.asl import compile as compiling
from runner.asl.steps import loads
from runner.machine import Crash, Fail, FaultPlan, InjectedFault, When
from tests.run.test_nested_runs import WINDOW, left_of, nest, statuses
from tests.run.test_polled_runs import poll
from tests.support.forks import preload, results, resume, run_in_child, start, swift_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.forks import Left


pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines


class Scene:
    """The same project in one execution, and cut in every way."""

    def __init__(self, folder: Path) -> None:
        self.plain, self.fresh = folder / "plain", folder / "fresh"
        init_project(self.plain, name="fitted")
        with (self.plain / "config.yaml").open("a") as config:
            config.write("\ndefaults: {retry: {interval: 1s}}\n")
        poll(shutil.copytree(self.plain, self.fresh))
        with pytest.MonkeyPatch.context() as patch:
            nest(patch)
            patch.setattr(loads, "_MOST_BYTES", 0)
            patch.setattr(compiling, "MOST_EVENTS", 0)
            patch.setattr(compiling, "APART_EVENTS", 0)
            compile_project(self.fresh)
        assert run_in_child(start(self.plain, WINDOW)) == 0
        self.left: Left = left_of(self.plain)

    def copy(self, root: Path) -> Path:
        return shutil.copytree(self.fresh, root)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    preload()
    with swift_folder() as folder:
        yield Scene(folder)


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.fixture
def place() -> Iterator[Path]:
    with swift_folder() as folder:
        yield folder


def test_everything_is_cut(scene: Scene) -> None:
    daily = open_bundle(scene.fresh).workflow("daily")
    kinds = {child.name: child.kind for child in daily.children}
    assert kinds["loads-1-1"] == "load"
    tables = [child for child in daily.children if "staging.orders" in child.tables]
    text = tables[0].definition
    assert '"Mode": "DISTRIBUTED"' in text
    assert "staging.orders insert look" in text
    assert open_bundle(scene.plain).workflow("daily").children == ()


def test_it_leaves_what_one_execution_leaves(scene: Scene, place: Path) -> None:
    root = scene.copy(place / "ran")
    found = run(start(root, WINDOW))
    assert statuses(found) == {
        "raw.orders table": "published",
        "staging.orders table": "published",
        "marts.customers table": "published",
        "marts.daily_orders table": "published",
        "marts.customers load": "loaded",
        "marts.daily_orders load": "loaded",
        "report step": "succeeded",
    }
    assert left_of(root) == scene.left


def test_killed_inside_a_load_and_resumed(scene: Scene, place: Path) -> None:
    root = scene.copy(place / "killed")
    struck = InjectedFault("marts.daily_orders load run", Crash(), When.AFTER, visit=1)
    assert run_in_child(start(root, WINDOW, FaultPlan((struck,)))) == -9
    assert run_in_child(resume(root)) == 0
    assert left_of(root) == scene.left


def test_loads_whose_execution_fails_as_such_have_failed(scene: Scene, place: Path) -> None:
    fail = Fail("StepFunctions.StateMachineDoesNotExistException", "gone")
    plan = FaultPlan((InjectedFault("loads part 1 execute", fail),))
    found = statuses(results(start(scene.copy(place / "gone"), WINDOW, plan)))
    assert found["marts.daily_orders table"] == found["marts.customers table"] == "published"
    assert "failed" in {found["marts.customers load"], found["marts.daily_orders load"]}
    assert found["report step"] == "skipped"


def test_a_failed_table_skips_its_load_in_the_other_execution(scene: Scene, place: Path) -> None:
    fail = InjectedFault("marts.customers write", Fail("States.TaskFailed", "x"))
    result = results(start(scene.copy(place / "skipped"), WINDOW, FaultPlan((fail,))))
    found = statuses(result)
    assert found["marts.customers table"] == "failed"
    assert found["marts.customers load"] == "skipped"
    assert found["marts.daily_orders load"] == "loaded"
    assert "marts.customers skipped (upstream failed)" in result.cause


def test_a_statement_that_fails_in_a_chunk_of_its_own_is_told(place: Path, scene: Scene) -> None:
    """Compiled anew with the bounds lowered, because its SQL is another."""
    root = scene.copy(place / "failing")
    sql = root / "sql" / "staging" / "orders.sql"
    head, _, rest = sql.read_text().rpartition("---*/\n")
    sql.write_text(f"{head}---*/\n" + rest.replace("SELECT", "SELECT\n    1 / 0 AS wrong,", 1))
    with pytest.MonkeyPatch.context() as patch:
        nest(patch)
        patch.setattr(compiling, "MOST_EVENTS", 0)
        patch.setattr(compiling, "APART_EVENTS", 0)
        result = run(RunRequest(root=root, start=WINDOW[0], end=WINDOW[1]))
    assert result.status == "FAILED"
    told = {one.name: one.message for one in result.ended if one.status == "failed"}
    assert "DIVISION_BY_ZERO" in told["staging.orders"]
    assert "Statement." not in json.dumps(told)
