"""A run killed at any state, before or after its effect, is continued: nothing lost or doubled.

The states are listed from the compiled definition of the project that `runner init` writes: one
ddl, two insert tables, one ctas, two loads, a function.  Every task state is struck: most of them
in a first run; those that only a changed project enters in a second run over what a first one
published; those that only a failure enters after that failure was injected.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.compiled import compile_project
from runner.app.scaffold import init_project
from runner.local.journal import open_journal
from runner.machine import Crash, EventKind, Fail, FaultPlan, InjectedFault, When
from tests.support.forks import (
    Left,
    left_behind,
    preload,
    resume,
    run_in_child,
    start,
    swift_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WINDOW = ("2024-01-01", "2024-01-03")
PARTS = 6
RUN_AGAIN = 3
"""Of so many killed runs one is started anew; the others are resumed."""
OTHERS = 5
"""Of so many states that are no task one is struck."""
IMPATIENT = "\ndefaults: {retry: {interval: 1s}}\n"
"""A lane whose query died beside the one that is struck waits before its second attempt."""
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


def states(definition: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give every state's name and type."""
    for name, state in definition["States"].items():
        yield name, state["Type"]
        inner = [*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])]
        for one in inner:
            yield from states(one)


def states_of(root: Path) -> dict[str, str]:
    path = root / ".runner" / "compiled" / "local" / "daily.asl.json"
    return dict(states(json.loads(path.read_text())))


def tasks_of(root: Path) -> list[str]:
    return [name for name, kind in states_of(root).items() if kind == "Task"]


def entered(root: Path) -> set[str]:
    """Name the states that the only run of a project went through."""
    (path,) = root.glob(".runner/runs/*/journal.sqlite")
    journal = open_journal(path)
    found = {event.state for event in journal.events() if event.kind is EventKind.STATE_ENTERED}
    journal.close()
    return found


class Scene:
    """A project to be copied, and what a clean run of it leaves."""

    def __init__(self, root: Path, *, before: Path | None = None) -> None:
        """Compile and run a project cleanly; over what `before` published, with changed files."""
        self.fresh, self.ran = root / "fresh", root / "ran"
        if before is None:
            init_project(self.fresh, name="killed")
            with (self.fresh / "config.yaml").open("a") as config:
                config.write(IMPATIENT)
        else:
            shutil.copytree(before, self.fresh)
            change(self.fresh)
        compile_project(self.fresh)
        shutil.copytree(self.fresh, self.ran)
        assert run_in_child(start(self.ran, WINDOW)) == 0
        self.left = left_of(self.ran)
        # Statements are translated once, not in each of the children.
        cache = ".runner/cache"
        shutil.copytree(self.ran / cache, self.fresh / cache, dirs_exist_ok=True)

    def strike(self, root: Path, plan: FaultPlan) -> None:
        """Copy the project to a folder and run it there until it is killed."""
        shutil.copytree(self.fresh, root)
        assert run_in_child(start(root, WINDOW, plan)) == -9, plan

    def compare(self, root: Path, *what: object) -> None:
        """See that a continued project is what the clean run left."""
        assert left_of(root) == self.left, what
        shutil.rmtree(root)


def change(root: Path) -> None:
    for path, (old, new) in CHANGES.items():
        text = (root / path).read_text()
        assert old in text, path
        (root / path).write_text(text.replace(old, new))


def left_of(root: Path) -> Left:
    return left_behind(root, root / ".runner" / "mart.sqlite")


def crash(state: str, when: When) -> InjectedFault:
    return InjectedFault(state, Crash(), when, visit=1)


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
        yield Scene(folder, before=first.ran)


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
    assert run_in_child(start(again, WINDOW)) == 0
    first.compare(again)


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
        assert run_in_child(continued) == 0, (state, when, anew)
        first.compare(root, state, when, anew)


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
        assert run_in_child(resume(root)) == 0, (state, when)
        first.compare(root, state, when)


@pytest.mark.parametrize("when", list(When), ids=str)
def test_killed_where_a_changed_project_meets_what_is_published(
    second: Scene, place: Path, when: When
) -> None:
    for number, state in enumerate(AFTER_CHANGE):
        root = place / str(number)
        second.strike(root, FaultPlan((crash(state, when),)))
        continued = start(root, WINDOW) if number == 0 else resume(root)
        assert run_in_child(continued) == 0, (state, when)
        second.compare(root, state, when)


@pytest.mark.parametrize("when", list(When), ids=str)
def test_killed_where_a_failure_is_handled(first: Scene, place: Path, when: When) -> None:
    for number, (state, (failing, at)) in enumerate(FAILS.items()):
        root = place / str(number)
        fail = InjectedFault(failing, Fail("TestsFailed"), at, visit=1)
        first.strike(root, FaultPlan((fail, crash(state, when))))
        harmless = state.endswith("read flip")
        assert run_in_child(resume(root)) == (0 if harmless else 1), (state, when)
        if not harmless:
            assert run_in_child(start(root, WINDOW)) == 0, (state, when)
        first.compare(root, state, when)
