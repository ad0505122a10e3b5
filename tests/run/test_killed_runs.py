"""A run killed at any state, before or after its effect, is continued: nothing lost or doubled.

The states are listed from the compiled definition of the project that `runner init` writes: one
ddl, two insert tables, one ctas, two loads, a function.  Every task state is struck: most of them
in a first run; those that only a changed project enters in a second run over what a first one
published; those that only a failure enters after that failure was injected.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from runner.machine import Fail, FaultPlan, InjectedFault, When
from tests.support.forks import preload, resume, run_in_child, start, swift_folder
from tests.support.scene import WINDOW, Scene, crash, entered, states_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines

PARTS = 6
RUN_AGAIN = 3
"""Of so many killed runs one is started anew; the others are resumed."""
OTHERS = 5
"""Of so many states that are no task one is struck."""
CHANGES = {
    "sql/raw/orders.sql": ("in UTC:", "UTC:"),
    "sql/staging/orders.sql": ("    quantity,\n", "    quantity,\n    price,\n"),
    "sql/marts/daily_orders.sql": ("sum(quantity) AS pieces", "2 * sum(quantity) AS pieces"),
    "sql/marts/customers.sql": ("    count(*) AS orders,", "    count(*) AS orders, 2 AS two,"),
}
AFTER_CHANGE = (
    "raw.orders drop",
    "staging.orders update",
    "marts.daily_orders update",
    "marts.customers flip",
)
"""Task states that only a run over published tables enters, when files changed."""
FAILS = {
    "marts.customers read flip": ("marts.customers create", When.AFTER),
    "raw.orders diagnose": ("raw.orders prepare", When.BEFORE),
    "staging.orders diagnose": ("staging.orders insert", When.AFTER),
    "marts.customers diagnose": ("marts.customers write", When.AFTER),
    "marts.daily_orders diagnose": ("marts.daily_orders publish", When.BEFORE),
    "marts.customers load explain": ("marts.customers load plan", When.AFTER),
    "marts.daily_orders load explain": ("marts.daily_orders load plan", When.BEFORE),
    "report explain": ("report call", When.AFTER),
}
"""Task states that only a failure enters, and the state that has to fail."""


def tasks_of(root: Path) -> list[str]:
    return [name for name, kind in states_of(root).items() if kind == "Task"]


def change(root: Path) -> None:
    for path, (old, new) in CHANGES.items():
        text = (root / path).read_text()
        assert old in text, path
        (root / path).write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def first() -> Iterator[Scene]:
    """A project that never ran."""
    preload()
    with swift_folder() as folder:
        yield Scene(folder)


@pytest.fixture(scope="module")
def second(first: Scene) -> Iterator[Scene]:
    """The same, published once, then with four files changed."""
    with swift_folder() as folder:
        yield Scene(folder, before=first.ran, change=change)


@pytest.fixture
def place() -> Iterator[Path]:
    with swift_folder() as folder:
        yield folder


def test_a_clean_run_leaves_what_is_expected(first: Scene) -> None:
    left = first.left
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


def test_running_the_same_window_again_changes_nothing(first: Scene, place: Path) -> None:
    again = place / "project"
    shutil.copytree(first.ran, again)
    status = run_in_child(start(again, WINDOW))
    assert first.wrong(again, status) == ()


def test_every_task_state_is_struck_by_one_of_the_tests_below(first: Scene) -> None:
    tasks = set(tasks_of(first.fresh))
    assert len(tasks) > 50
    assert tasks - entered(first.ran) == {*AFTER_CHANGE, *FAILS}


@pytest.mark.parametrize("when", list(When), ids=str)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_task_and_continued(first: Scene, place: Path, when: When, part: int) -> None:
    there = entered(first.ran)
    tasks = [name for name in tasks_of(first.fresh) if name in there]
    for number, state in list(enumerate(tasks))[part::PARTS]:
        root = place / str(number)
        first.strike(root, FaultPlan((crash(state, when),)))
        anew = number // PARTS % RUN_AGAIN == part % RUN_AGAIN
        continued = start(root, WINDOW) if anew else resume(root)
        status = run_in_child(continued)
        assert first.wrong(root, status) == (), (state, when, anew)
        shutil.rmtree(root)


@pytest.mark.parametrize("when", list(When), ids=str)
def test_killed_at_other_transitions_and_resumed(first: Scene, place: Path, when: When) -> None:
    there = entered(first.ran)
    kinds = {
        name: kind
        for name, kind in states_of(first.fresh).items()
        if kind != "Task" and name in there
    }
    chosen = {*list(kinds)[list(When).index(when) :: OTHERS]}
    chosen |= {next(name for name in kinds if kinds[name] == kind) for kind in kinds.values()}
    assert {kinds[name] for name in chosen} == {"Choice", "Pass", "Map", "Parallel", "Succeed"}
    for number, state in enumerate(sorted(chosen)):
        root = place / str(number)
        first.strike(root, FaultPlan((crash(state, when),)))
        assert first.wrong(root, run_in_child(resume(root))) == (), (state, when)
        shutil.rmtree(root)


@pytest.mark.parametrize("when", list(When), ids=str)
def test_killed_where_a_changed_project_meets_what_is_published(
    second: Scene, place: Path, when: When
) -> None:
    for number, state in enumerate(AFTER_CHANGE):
        root = place / str(number)
        second.strike(root, FaultPlan((crash(state, when),)))
        continued = start(root, WINDOW) if number == 0 else resume(root)
        assert second.wrong(root, run_in_child(continued)) == (), (state, when)
        shutil.rmtree(root)


@pytest.mark.parametrize("when", list(When), ids=str)
def test_killed_where_a_failure_is_handled(first: Scene, place: Path, when: When) -> None:
    for number, (state, (failing, at)) in enumerate(FAILS.items()):
        root = place / str(number)
        fail = InjectedFault(failing, Fail("TestsFailed"), at, visit=1)
        first.strike(root, FaultPlan((fail, crash(state, when))))
        status = run_in_child(resume(root))
        if not state.endswith("read flip"):
            assert status == 1, (state, when)
            status = run_in_child(start(root, WINDOW))
        assert first.wrong(root, status) == (), (state, when)
        shutil.rmtree(root)
