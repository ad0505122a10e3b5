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
    flavours: tuple[str, ...] = FLAVOURS


_BEFORE, _AFTER = When.BEFORE, When.AFTER
FAULTS = (
    Kind("fail before effect", _BEFORE, Fail("States.TaskFailed")),
    Kind("fail after effect", _AFTER, Fail("States.TaskFailed")),
    Kind("time-out with effect", _AFTER, TimeOut()),
    Kind("throttle", _BEFORE, Throttle()),
    Kind("unknown outcome without effect", _BEFORE, Unknown()),
    Kind("unknown outcome with effect", _AFTER, Unknown()),
    Kind("crash before effect", _BEFORE, Crash(), tasks_only=False),
    Kind("crash after effect", _AFTER, Crash(), tasks_only=False),
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
NEVER = {
    "redriven": "only an execution that AWS redrives has a redrive count",
    "leave": "a Pass after a catcher of States.ALL; it changes nothing",
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
        return " / ".join((self.flavour, self.state.name, self.fault.name, self.then))

    @property
    def digest(self) -> str:
        """Give a number that says nothing: an order for samples."""
        return hashlib.sha256(self.name.encode()).hexdigest()


def combinations(scenes: Scenes) -> Iterator[Combination]:
    """List every combination; what cannot be struck is left out and told by `unreached`."""
    for state in scenes.states:
        if state.verb in NEVER:
            continue
        for flavour, approach in _flavours(scenes, state):
            for fault in FAULTS:
                if flavour not in fault.flavours or not _fits(state, fault):
                    continue
                ways = (RESUME, ANEW) if isinstance(fault.action, Crash) else (ANEW,)
                for then in ways:
                    yield Combination(flavour, state, fault, then, approach)


def _fits(state: StateFacts, fault: Kind) -> bool:
    """Tell whether a fault can strike: only tasks have an effect, and a Fail state has no end."""
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


def _flavours(
    scenes: Scenes, state: StateFacts
) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Give the flavours in which a state is entered, and by whose failure."""
    found = [flavour for flavour in (FIRST, AGAIN) if state.name in _entered(scenes, state, flavour)]
    if not found and state.name in _entered(scenes, state, CHANGED):
        found = [CHANGED]
    for flavour in found:
        yield flavour, None
    if found:
        return
    for flavour in (FIRST, AGAIN):
        for name, error in state.reached_by or _any_failure(scenes):
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
    return scenes.clean(flavour, scenes.group(state.table, flavour), WINDOW).entered


def sample(every: Iterable[Combination], most: int) -> tuple[Combination, ...]:
    """Choose some: each (kind, verb) and each (kind, fault) at least once, in an order of hashes."""
    ordered = sorted(every, key=lambda one: one.digest)
    chosen: list[Combination] = []
    seen: set[tuple[str, str]] = set()
    for one in ordered:
        pairs = {(one.state.kind, one.state.verb), (one.state.kind, one.fault.name)}
        if not pairs <= seen:
            seen |= pairs
            chosen.append(one)
    rest = [one for one in ordered if one not in chosen]
    return tuple(chosen + rest[: max(0, most - len(chosen))])
