"""A run killed at any state, before or after its effect, is continued: nothing lost or doubled.

The states are listed from the compiled definition of the project that `runner init` writes: one
ddl, two insert tables, one ctas, two loads, a function.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.compiled import compile_project
from runner.app.scaffold import init_project
from runner.machine import Crash, FaultPlan, InjectedFault, When
from tests.support.forks import Left, left_behind, resume, run_in_child, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WINDOW = ("2024-01-01", "2024-01-03")
PARTS = 4


def task_states(definition: dict[str, Any]) -> Iterator[str]:
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            yield name
        inner = [*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])]
        for one in inner:
            yield from task_states(one)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Left]:
    """A compiled project, the same after one clean run, and what that run left."""
    fresh = tmp_path_factory.mktemp("fresh") / "project"
    init_project(fresh, name="killed")
    compile_project(fresh)
    ran = fresh.with_name("ran")
    shutil.copytree(fresh, ran)
    assert run_in_child(start(ran, WINDOW)) == 0
    return fresh, ran, left_of(ran)


def left_of(root: Path) -> Left:
    return left_behind(root, root / ".runner" / "mart.sqlite")


def states_of(root: Path) -> list[str]:
    path = root / ".runner" / "compiled" / "local" / "daily.asl.json"
    return list(task_states(json.loads(path.read_text())))


def test_a_clean_run_leaves_what_is_expected(clean: tuple[Path, Path, Left]) -> None:
    _, _, left = clean
    assert set(left.tables) == {
        "raw.orders",
        "staging.orders",
        "marts.daily_orders",
        "marts.customers",
    }
    assert set(left.marts) == {"daily_orders", "customers"}
    assert left.leases == left.writing == left.orphans == ()
    assert len(left.tables["staging.orders"]) > 0
    assert sum(row[1] for row in left.marts["daily_orders"]) == len(left.tables["staging.orders"])


def test_running_the_same_window_again_changes_nothing(
    clean: tuple[Path, Path, Left], tmp_path: Path
) -> None:
    _, ran, left = clean
    again = tmp_path / "project"
    shutil.copytree(ran, again)
    assert run_in_child(start(again, WINDOW)) == 0
    assert left_of(again) == left


@pytest.mark.parametrize("when", list(When), ids=str)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("then", ["resume", "run again"])
def test_killed_at_any_state_and_continued(
    clean: tuple[Path, Path, Left], tmp_path: Path, when: When, part: int, then: str
) -> None:
    fresh, _, left = clean
    struck = 0
    for number, state in enumerate(states_of(fresh)):
        if number % PARTS != part:
            continue
        root = tmp_path / str(number)
        shutil.copytree(fresh, root)
        plan = FaultPlan((InjectedFault(state, Crash(), when, visit=1, attempt=0),))
        status = run_in_child(start(root, WINDOW, plan))
        if status == 0:
            continue  # the state is not entered in a run without failures
        assert status == -9, (state, status)
        struck += 1
        after = resume(root) if then == "resume" else start(root, WINDOW)
        assert run_in_child(after) == 0, (state, when, then)
        assert left_of(root) == left, (state, when, then)
        shutil.rmtree(root)
    assert struck > 5
