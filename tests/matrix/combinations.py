"""The combinations of the matrix, listed from the compiled definition.

A combination is a flavour, a state, a fault and how the run goes on if it did not end well.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.machine import Crash, Fail, Throttle, TimeOut, Unknown, When
from tests.matrix.scenes import AGAIN, CHANGED, FIRST, FLAVOURS, WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.machine.faults import Action
    from tests.matrix.scenes import Scenes, StateFacts

RESUME, ANEW = "resume", "anew"
SAME, SHIFTED, LATE = "same window", "overlapping window", "after it was given up"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: what happens and when; for an overlap, the second run's window."""

    name: str
    when: When
    action: Action | None = None
    second: str = ""
    tasks_only: bool = True
    loads_too: bool = True
    write: int = 0
    """Which write to S3 after the state's beginning is the process's last deed."""
    flavours: tuple[str, ...] = FLAVOURS
    survived: tuple[str, ...] = ()
    """Kinds whose runs must get over it by themselves."""


_BEFORE, _AFTER = When.BEFORE, When.AFTER
_TABLES = ("insert", "ctas", "view", "ddl")
_ALL = (*_TABLES, "load", "run")
FAULTS = (
    Kind("fail before effect", _BEFORE, Fail("States.TaskFailed"), survived=_TABLES),
    Kind("fail after effect", _AFTER, Fail("States.TaskFailed"), survived=_TABLES),
    Kind("time-out with effect", _AFTER, TimeOut()),
    Kind("throttle", _BEFORE, Throttle(), survived=_ALL),
    Kind("unknown outcome without effect", _BEFORE, Unknown(), survived=_ALL),
    Kind("unknown outcome with effect", _AFTER, Unknown(), survived=_ALL),
    Kind("crash before effect", _BEFORE, Crash(), tasks_only=False),
    Kind("crash after effect", _AFTER, Crash(), tasks_only=False),
    Kind("crash at the third write", _BEFORE, write=3),
    Kind("crash at the fifth write", _BEFORE, write=5),
    Kind("overlap before effect", _BEFORE, second=SAME, tasks_only=False),
    Kind("overlap after effect", _AFTER, second=SAME),
    Kind("shifted overlap before effect", _BEFORE, second=SHIFTED),
    Kind("shifted overlap after effect", _AFTER, second=SHIFTED),
    Kind("late call", _BEFORE, second=LATE, loads_too=False, flavours=(FIRST,)),
)
"""An overlap: a second run of the same window, or of one that begins later, from start to end.

A late call: the execution counts as ended while one call of it is still on its way; the input
changes, a second run takes over and ends; then the call arrives.  (A merge keeps what the first run
had loaded of the old input, so loads are not struck so.)
"""
_WRITING = {
    "insert": ("prepare", "reconcile", "publish"),
    "ctas": ("prepare", "accept"),
}
"""States after whose beginning the keeper writes several objects."""
NEVER = {
    "redriven": "only an execution that AWS redrives has a redrive count",
    "leave": "a Pass after a catcher of States.ALL; it changes nothing",
    "forget": "only a dead run's unfinished MERGE leads there (tests/run/test_killed_iceberg)",
    "forgotten": "as above",
}
"""Verbs of states that no run of the matrix can enter, and why."""


@dataclass(frozen=True, slots=True)
class Combination:
    """One cell of the matrix."""

    flavour: str
    state: StateFacts
    fault: Kind
    then: str
    """`resume` or `anew`: how a run that was killed goes on."""
    approach: tuple[str, str] | None = None
    """A state and the error that it has to fail with, so that the struck state is entered."""

    @property
    def name(self) -> str:
        """Give the words that name it: flavour, state, fault, way to go on."""
        return f"{self.flavour} / {self.state.name} / {self.fault.name} / {self.then}"

    @property
    def digest(self) -> str:
        """Give a number that says nothing: an order for samples."""
        return hashlib.sha256(self.name.encode()).hexdigest()


def combinations(
    scenes: Scenes, *, table: str | None = None, kind: str | None = None
) -> Iterator[Combination]:
    """List every combination, or those of a table or a kind of state; only their scenes are made.

    States that cannot be struck are told by `unreached`.
    """
    for state in scenes.states:
        if table in {None, state.table} and kind in {None, state.kind}:
            yield from _of_state(scenes, state)


def find(scenes: Scenes, names: Iterable[str]) -> tuple[Combination, ...]:
    """Find combinations by name, making only their own scenes; KeyError for one that is none."""
    found: dict[str, Combination] = {}
    for name in names:
        if name not in found:
            subject = name.split(" / ")[1]
            for state in scenes.states:
                if state.name == subject:
                    found |= {one.name: one for one in _of_state(scenes, state)}
    return tuple(found[name] for name in names)


def _of_state(scenes: Scenes, state: StateFacts) -> Iterator[Combination]:
    if state.verb in NEVER:
        return
    for flavour, approach in _flavours(scenes, state):
        for fault in FAULTS:
            if flavour not in fault.flavours or not _fits(state, fault):
                continue
            kills = fault.write or isinstance(fault.action, Crash)
            for then in (RESUME, ANEW) if kills else (ANEW,):
                yield Combination(flavour, state, fault, then, approach)


def _fits(state: StateFacts, fault: Kind) -> bool:
    """Tell whether a fault can strike: only tasks have an effect, and a Fail state has no end."""
    if fault.write:
        return state.verb in _WRITING.get(state.kind, ())
    if state.kind == "load" and not fault.loads_too:
        return False
    if state.type == "Fail":
        return not fault.tasks_only and fault.when is When.BEFORE
    return state.type == "Task" or not fault.tasks_only


def unreached(scenes: Scenes) -> tuple[str, ...]:
    """Name the states that no flavour enters and no failure leads to."""
    return tuple(
        state.name
        for state in scenes.states
        if state.verb not in NEVER and not any(True for _ in _flavours(scenes, state))
    )


def _flavours(scenes: Scenes, state: StateFacts) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Give the flavours in which a state is entered, and by whose failure."""
    found = [
        flavour for flavour in (FIRST, AGAIN) if state.name in _entered(scenes, state, flavour)
    ]
    if not found and state.name in _entered(scenes, state, CHANGED):
        found = [CHANGED]
    for flavour in found:
        yield flavour, None
    if found:
        return
    for flavour in (FIRST, AGAIN):
        for name, error in state.reached_by if state.table else _any_failure(scenes):
            if name in _entered(scenes, state, flavour):
                yield flavour, (name, error)
                break


def _any_failure(scenes: Scenes) -> Iterator[tuple[str, str]]:
    """Give a failure that ends a run: what a state needs that no catcher of its own leads to."""
    for state in scenes.states:
        if state.verb == "prepare":
            yield state.name, "TestsFailed"
            return


def _entered(scenes: Scenes, state: StateFacts, flavour: str) -> frozenset[str]:
    return scenes.clean(flavour, scenes.group(state.table), WINDOW).entered


def sample(every: Iterable[Combination], most: int) -> tuple[Combination, ...]:
    """Choose some in an order of hashes: each (kind, verb) and (kind, fault) at least once."""
    ordered = sorted(every, key=lambda one: one.digest)
    chosen: list[Combination] = []
    seen: set[tuple[str, str]] = set()
    for one in ordered:
        what = one.state.verb if one.state.table else one.state.type
        pairs = {(one.state.kind, what), (one.state.kind, one.fault.name)}
        if not pairs <= seen:
            seen |= pairs
            chosen.append(one)
    rest = [one for one in ordered if one not in chosen]
    return tuple(chosen + rest[: max(0, most - len(chosen))])
