"""Faults on purpose: which call or state is to fail, time out or crash, and when.

A `FaultPlan` is given to `run`; the driver asks it around every call and at every transition.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class When(StrEnum):
    """Before the task's effect (or a state's work), or after it and before anyone knows."""

    BEFORE = "before"
    AFTER = "after"


class Fail(NamedTuple):
    """The call fails with this error."""

    error: str
    cause: str = "injected fault"


@dataclass(frozen=True, slots=True)
class TimeOut:
    """The call ends in States.Timeout."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The process dies: the crash port given to `run` is called."""


class InjectedFault(NamedTuple):
    """One fault; it strikes every call that all its conditions fit."""

    state: str
    """A pattern (`*`, `?`) for the state's name or the whole key (`Each#1[[]3]/Load#1`)."""
    action: Fail | TimeOut | Crash
    when: When = When.BEFORE
    visit: int | None = None
    """Which entering of the state within its branch, from 1; None means any."""
    attempt: int | None = None
    """Which retry of a task, from 0; None means any.  States other than tasks have none."""


class FaultPlan(NamedTuple):
    """All faults of an execution; the first that fits strikes."""

    faults: tuple[InjectedFault, ...] = ()

    def of_call(
        self, key: str, state: str, *, attempt: int, when: When
    ) -> Fail | TimeOut | Crash | None:
        """Find what happens to a call; `key` is the state's key, without the attempt."""
        for fault in self.faults:
            fits = fault.when is when and fault.attempt in {None, attempt}
            if fits and _place_fits(fault, key, state):
                return fault.action
        return None

    def crashes_at(self, key: str, state: str, *, when: When) -> bool:
        """Tell whether the process dies at this transition of a state that is not a task."""
        return any(
            isinstance(fault.action, Crash)
            and fault.when is when
            and _place_fits(fault, key, state)
            for fault in self.faults
        )


def _place_fits(fault: InjectedFault, key: str, state: str) -> bool:
    from fnmatch import fnmatchcase  # noqa: PLC0415  (only with faults)

    if not (fnmatchcase(state, fault.state) or fnmatchcase(key, fault.state)):
        return False
    return fault.visit is None or key.rpartition("#")[2] == str(fault.visit)
