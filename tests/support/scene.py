"""A project to run, kill and continue in copies; the comparison with what a clean run leaves."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import duckdb

from runner.app.compiled import compile_project
from runner.app.scaffold import init_project
from runner.local.journal import open_journal
from runner.machine import Crash, EventKind, InjectedFault, When
from tests.support.forks import Left, left_behind, run_in_child, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.machine import FaultPlan

WINDOW = ("2024-01-01", "2024-01-03")
CACHE = ".runner/cache"
_IMPATIENT = "\ndefaults: {retry: {interval: 1s}}\n"
"""A lane whose query died beside the one that is struck waits before its second attempt."""


class Scene:
    """A compiled project (`fresh`), the same after one clean run (`ran`), what that left."""

    def __init__(
        self,
        root: Path,
        *,
        before: Path | None = None,
        change: Callable[[Path], None] | None = None,
    ) -> None:
        """Take the project that `runner init` writes, or change what `before` published."""
        self.fresh, self.ran = root / "fresh", root / "ran"
        if before is None:
            init_project(self.fresh, name="killed")
            with (self.fresh / "config.yaml").open("a") as config:
                config.write(_IMPATIENT)
        else:
            shutil.copytree(before, self.fresh)
        if change is not None:
            change(self.fresh)
        compile_project(self.fresh)
        shutil.copytree(self.fresh, self.ran)
        assert run_in_child(start(self.ran, WINDOW)) == 0
        self.left = left_of(self.ran)
        # Statements are translated once, not in each of the children.
        shutil.copytree(self.ran / CACHE, self.fresh / CACHE, dirs_exist_ok=True)

    def strike(self, root: Path, plan: FaultPlan) -> None:
        """Copy the project to a folder and run it there until it is killed."""
        shutil.copytree(self.fresh, root)
        assert run_in_child(start(root, WINDOW, plan)) == -9, plan

    def wrong(self, root: Path, status: int) -> tuple[str, ...]:
        """Name what tells a project, whose last run ended with `status`, from the clean one."""
        if status != 0:
            return (f"status {status}",)
        try:
            left = left_of(root)
        except duckdb.IOException:
            return ("a published file is missing",)
        compared = [one.name for one in fields(Left) if one.compare]
        return tuple(n for n in compared if getattr(left, n) != getattr(self.left, n))


def left_of(root: Path) -> Left:
    """Read what is left in a project's folders."""
    return left_behind(root, root / ".runner" / "mart.sqlite")


def crash(state: str, when: When) -> InjectedFault:
    """Kill the process where it enters a state for the first time."""
    return InjectedFault(state, Crash(), when, visit=1)


def states_of(root: Path) -> dict[str, str]:
    """Give the states of the compiled definition and their types."""
    path = root / ".runner" / "compiled" / "local" / "daily.asl.json"
    return dict(_states(json.loads(path.read_text())))


def _states(flow: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, state in flow["States"].items():
        yield name, state["Type"]
        for inner in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from _states(inner)


def entered(root: Path) -> set[str]:
    """Name the states that the only run of a project went through."""
    (path,) = root.glob(".runner/runs/*/journal.sqlite")
    journal = open_journal(path)
    found = {event.state for event in journal.events() if event.kind is EventKind.STATE_ENTERED}
    journal.close()
    return found
