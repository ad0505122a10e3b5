"""Where the matrix's runs begin and what a clean one leaves, by flavour and group of tables.

Flavours: `first` writes tables that were never written; `again` writes a window that is published,
after its input changed; `changed` does so after the SQL changed too.  A struck table runs with the
tables it reads and those that read it: the group.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.app.bundle import open_bundle
from runner.app.local_places import Local
from runner.app.run import RunRequest, run
from runner.local.journal import open_journal
from runner.machine import EventKind
from tests.matrix.clock import SwiftClock
from tests.matrix.shown import Shown, shown
from tests.support.forks import in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.app.bundle import Bundle
    from runner.machine import FaultPlan

PROJECT = Path(__file__).with_name("project")
WINDOW = ("2024-01-02", "2024-01-04")
LATER = ("2024-01-03", "2024-01-05")
BOTH = ("2024-01-02", "2024-01-05")
FIRST, AGAIN, CHANGED = "first", "again", "changed"
FLAVOURS = (FIRST, AGAIN, CHANGED)
_OVERLAYS = ("changes",)
_PATIENCE_S = 120
"""A child that hangs is killed, which is a finding."""
CACHE = Path(".runner") / "cache"


@dataclass(frozen=True, slots=True)
class StateFacts:
    """A state of the compiled definition: of which table, and what is done there."""

    name: str
    type: str
    table: str
    """Empty for states that are about no single table."""
    kind: str
    """ctas, insert, view, ddl, load; `run` for states about no single table."""
    verb: str
    reached_by: tuple[tuple[str, str], ...] = ()
    """States and errors by whose catcher it is reached, nearest first; the error may be ALL."""


@dataclass(slots=True)
class Scenes:
    """Everything that combinations are played in, made when it is asked for."""

    folder: Path
    bundle: Bundle = field(init=False)
    states: tuple[StateFacts, ...] = field(init=False)
    _bases: dict[str, Path] = field(default_factory=dict)
    _cleans: dict[tuple[str, tuple[str, ...], tuple[str, str], bool], Clean] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        """Compile the project; its states are those of the definition."""
        plain = self._lay("plain")
        self.bundle = open_bundle(plain, "local")
        self.states = tuple(_state_facts(self.bundle))

    def group(self, table: str) -> tuple[str, ...]:
        """Give the tables that run when one is struck: it, what it needs, and who reads it."""
        reads = {
            one.name: set(one.reads) & {t.name for t in self.bundle.tables} - {one.name}
            for one in self.bundle.tables
        }
        if not table:  # every run goes through such states; one with a load is enough
            table = next(one.name for one in self.bundle.tables if one.load_mart)
        found = {table} | {name for name, read in reads.items() if table in read}
        todo = list(found)
        while todo:
            new = reads[todo.pop()] - found
            found |= new
            todo += new
        return tuple(sorted(found))

    def base(self, flavour: str) -> Path:
        """Give the project that a run of this flavour begins in; it is copied, never run."""
        if flavour not in self._bases:
            self._bases[flavour] = self._make(flavour)
        return self._bases[flavour]

    def clean(
        self,
        flavour: str,
        group: tuple[str, ...],
        window: tuple[str, str],
        *,
        new_input: bool = False,
    ) -> Clean:
        """Give what a run leaves that nothing happened to, and what was there before it."""
        key = (flavour, group, window, new_input)
        if key not in self._cleans:
            base = self.base(flavour)
            root = self.folder / f"clean{len(self._cleans)}"
            shutil.copytree(base, root)
            if new_input:
                change_input(root)
            play(root, window, group)
            names = entered(root)
            # Statements are translated once, not in each of the children.
            shutil.copytree(root / CACHE, base / CACHE, dirs_exist_ok=True)
            self._cleans[key] = Clean(shown(base), shown(root), names)
            shutil.rmtree(root)
        return self._cleans[key]

    def _lay(self, name: str) -> Path:
        root = self.folder / name
        shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns(*_OVERLAYS))
        return root

    def _make(self, flavour: str) -> Path:
        root = self._lay(f"base-{flavour}")
        if flavour != FIRST:
            play(root, WINDOW, tuple(sorted(one.name for one in self.bundle.tables)))
            change_input(root)
        if flavour == CHANGED:
            shutil.copytree(PROJECT / "changes" / "sql", root / "sql", dirs_exist_ok=True)
        open_bundle(root, "local")
        return root


@dataclass(frozen=True, slots=True)
class Clean:
    """What was there before a run that nothing happened to, and after it."""

    before: Shown
    after: Shown
    entered: frozenset[str]


def change_input(root: Path) -> None:
    """Change, add and take away rows of the raw files."""
    shutil.copytree(PROJECT / "changes" / "data", root / "data", dirs_exist_ok=True)


def request(
    root: Path, window: tuple[str, str], only: tuple[str, ...], faults: FaultPlan | None = None
) -> RunRequest:
    """Ask for a run of a group of tables over a window."""
    first, last = window
    return RunRequest(root=root, workflow="daily", start=first, end=last, only=only, faults=faults)


def child(
    asked: RunRequest,
    broken: Callable[[Path], None] | None = None,
    *,
    loud: bool = False,
    alone: bool = False,
) -> Callable[[], int]:
    """Make the work of a child: a run whose waits take no time; `broken` breaks it first.

    If `alone`, every other run counts as ended for it.
    """

    def work() -> int:
        signal.alarm(_PATIENCE_S)
        SwiftClock.install()
        if alone:
            setattr(Local, "is_running", lambda *_: False)  # noqa: B010 - mypy takes it for a slip
        if broken is not None:
            broken(asked.root)
        result = run(asked)
        if loud and result.status != "SUCCEEDED":
            sys.stderr.write(f"{[one.message for one in result.ended if one.message]}\n")
        return 0 if result.status == "SUCCEEDED" else 1

    return work


def play(root: Path, window: tuple[str, str], only: tuple[str, ...]) -> None:
    """Run to success in a child."""
    status = in_child(child(request(root, window, only), loud=True))
    assert status == 0, (root, only, status)


def entered(root: Path) -> frozenset[str]:
    """Name the states that the newest run of a project went through."""
    found: set[str] = set()
    runs = sorted(root.glob(".runner/runs/*/run.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in runs[-1].parent.rglob("journal.sqlite"):
        journal = open_journal(path)
        found |= {e.state for e in journal.events() if e.kind is EventKind.STATE_ENTERED}
        journal.close()
    return frozenset(found)


def _state_facts(bundle: Bundle) -> Iterator[StateFacts]:
    kinds = {one.name: one.kind for one in bundle.tables}
    workflow = bundle.workflow("daily")
    machines = (workflow.definition, *(one.definition for one in workflow.children))
    for machine in machines:
        flows = list(_flows(json.loads(machine)))
        for flow in flows:
            for name, state in flow["States"].items():
                table, kind, verb = _subject(name, kinds)
                ways = tuple(_ways(flow["States"], name))
                yield StateFacts(name, state["Type"], table, kind, verb, ways)


def _flows(flow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield flow
    for state in flow["States"].values():
        for inner in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from _flows(inner)


def _subject(name: str, kinds: dict[str, str]) -> tuple[str, str, str]:
    table, _, verb = name.partition(" ")
    if table not in kinds:
        return "", "run", name
    if verb == "load" or verb.startswith("load "):
        return table, "load", verb
    return table, kinds[table], verb


def _ways(states: dict[str, Any], target: str) -> Iterator[tuple[str, str]]:
    """Search backwards for catchers after which a state may come, nearest first."""
    seen, todo = {target}, [target]
    while todo:
        here = todo.pop(0)
        for name, state in states.items():
            for catcher in state.get("Catch", ()):
                if catcher["Next"] == here:
                    yield name, catcher["ErrorEquals"][0].removeprefix("States.ALL")
            plain = {state.get("Next"), state.get("Default")}
            plain |= {choice["Next"] for choice in state.get("Choices", ())}
            if here in plain and name not in seen and not name.endswith(("choose", "start")):
                seen.add(name)
                todo.append(name)
