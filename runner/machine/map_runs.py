"""A Map Run's facts: its names, what became of each child execution, and the counts of them.

Names and instants follow from the execution's seed and journal, so a replay tells the same.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from runner.machine import shaping
from runner.machine.chance import seeded_random, uuid_of
from runner.machine.fibers import iso_millis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from runner.machine.definition import Distributed
    from runner.machine.failures import StateError
    from runner.machine.fibers import Visit
    from runner.model.ports import Json

_MACHINE = ":stateMachine:"


class ChildStatus(StrEnum):
    """What became of a child execution."""

    PENDING = "PENDING"
    """It never began."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    """It was running when the Map Run failed."""


_COUNTED = {
    "pending": ChildStatus.PENDING,
    "succeeded": ChildStatus.SUCCEEDED,
    "failed": ChildStatus.FAILED,
    "timedOut": ChildStatus.TIMED_OUT,
    "aborted": ChildStatus.ABORTED,
}


class Child(NamedTuple):
    """The end of one child execution."""

    started: datetime
    stopped: datetime
    status: ChildStatus
    output: Json = None
    error: str | None = None
    cause: str | None = None


class MapRun:
    """One run of a distributed Map."""

    def __init__(self, distributed: Distributed, visit: Visit, *, keeps_ends: bool) -> None:
        """Name the run; `keeps_ends` keeps the ends of children that succeed, too."""
        context = visit.frame.shared.execution
        machine = context["StateMachine"]
        self.label = distributed.label or uuid_of(visit.random())
        self.id = uuid_of(visit.random())
        self.machine_id = f"{machine['Id']}/{self.label}"
        self.arn = f"{machine['Id'].replace(_MACHINE, ':mapRun:')}/{self.label}:{self.id}"
        self._machine_name = f"{machine['Name']}/{self.label}"
        self._execution = context["Execution"]
        self._express = distributed.express
        kind = ":express:" if distributed.express else ":execution:"
        self._prefix = f"{machine['Id'].replace(_MACHINE, kind)}/{self.label}"
        self._seed = (visit.frame.shared.seed, f"{visit.key}.{visit.attempt}")
        self._keeps_ends = keeps_ends
        self.inputs: Sequence[Json] = ()
        self.sizes: Sequence[int] = ()
        """How many items each child has; empty: one."""
        self.children: dict[int, Child] = {}
        """The ends that are kept, by the child's index."""
        self._executions: Counter[ChildStatus] = Counter()
        self._items: Counter[ChildStatus] = Counter()
        self.written = False
        self.outputs: dict[int, Json] = {}
        """What the children that succeeded gave, for a redrive."""
        self.redrives = 0
        self._again: set[int] = set()

    # -- what happens -----------------------------------------------------------------------

    def take(self, inputs: Sequence[Json], sizes: Sequence[int]) -> None:
        """Take the children's inputs, and how many items each has (empty: one)."""
        self.inputs, self.sizes = inputs, sizes
        self._executions[ChildStatus.PENDING] = len(inputs)
        self._items[ChildStatus.PENDING] = sum(sizes) if sizes else len(inputs)

    @property
    def taken(self) -> bool:
        """Tell whether the children's inputs are known."""
        return sum(self._executions.values()) > 0

    def succeeded(self, index: int) -> bool:
        """Tell whether a child succeeded."""
        return index in self.outputs

    def redrive(self) -> None:
        """Let the children that began and did not succeed begin again."""
        self.redrives += 1
        for index, child in tuple(self.children.items()):
            if child.status is not ChildStatus.SUCCEEDED:
                self._count(index, child.status, ChildStatus.PENDING)
                self._again.add(index)
                del self.children[index]

    def _count(self, index: int, before: ChildStatus, after: ChildStatus) -> None:
        size = self.sizes[index] if self.sizes else 1
        for counts, number in ((self._executions, 1), (self._items, size)):
            counts[before] -= number
            counts[after] += number

    def end(self, index: int, child: Child) -> None:
        """Count a child that has ended."""
        self._count(index, ChildStatus.PENDING, child.status)
        if child.status is not ChildStatus.SUCCEEDED or self._keeps_ends:
            self.children[index] = child

    # -- what is told -----------------------------------------------------------------------

    def told(self, status: str) -> dict[str, Json]:
        """Tell the run's status and counts, named as DescribeMapRun does."""
        return {
            "mapRunArn": self.arn,
            "status": status,
            "itemCounts": self._counts(self._items),
            "executionCounts": self._counts(self._executions),
        }

    def _counts(self, counts: Counter[ChildStatus]) -> dict[str, int]:
        told = {name: counts[status] for name, status in _COUNTED.items()}
        total = sum(told.values())
        ended = total - counts[ChildStatus.PENDING]
        return {
            **told,
            "running": 0,
            "total": total,
            "resultsWritten": ended if self.written else 0,
        }

    def context(self, index: int, started: datetime) -> Mapping[str, Json]:
        """Make what the context object of a child says about its execution."""
        name = self._name(index)
        return {
            "Execution": {
                "Id": self._arn(name),
                "Input": self.inputs[index],
                "Name": name,
                "RoleArn": self._execution["RoleArn"],
                "StartTime": iso_millis(started),
                "RedriveCount": self._redrives_of(index),
            },
            "StateMachine": {"Id": self.machine_id, "Name": self._machine_name},
        }

    def record(self, index: int) -> dict[str, Json]:
        """Describe a child's execution as Step Functions does in files of results."""
        child = self.children.get(index)
        name = self._name(index)
        told: dict[str, Json] = {
            "ExecutionArn": self._arn(name),
            "Input": shaping.compact(self.inputs[index]),
            "InputDetails": {"Included": True},
            "Name": name,
            "StateMachineArn": self.machine_id,
            "Status": ChildStatus.PENDING.value,
        }
        if child is None:
            return told
        told |= {
            "RedriveCount": self._redrives_of(index),
            "StartDate": iso_millis(child.started),
            "Status": child.status.value,
            "StopDate": iso_millis(child.stopped),
        }
        if child.status is ChildStatus.SUCCEEDED:
            told["Output"] = shaping.compact(child.output)
            told["OutputDetails"] = {"Included": True}
        elif child.status is not ChildStatus.ABORTED:
            told |= {"Error": child.error, "Cause": child.cause}
        return dict(sorted(told.items()))

    def _redrives_of(self, index: int) -> int:
        return self.redrives if index in self._again else 0

    def _name(self, index: int) -> str:
        return uuid_of(seeded_random(*self._seed, index))

    def _arn(self, name: str) -> str:
        """Name an execution; an EXPRESS one has a second UUID, made from the first here."""
        arn = f"{self._prefix}:{name}"
        return f"{arn}:{uuid_of(seeded_random(name))}" if self._express else arn


def failed_child(started: datetime, stopped: datetime, error: StateError) -> Child:
    """Make the end of a child that failed."""
    return Child(started, stopped, ChildStatus.FAILED, error=error.error, cause=error.cause)
