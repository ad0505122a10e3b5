"""The statements of Athena that an execution started: ids, how they ended, what they scanned.

In: the events of an execution on AWS.  Out: `Statement`s.  A statement that is waited for in one
state (`.sync`) and one that is started, looked at and waited for in several read the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.machine import Event

OPEN = frozenset({"QUEUED", "RUNNING"})
_FREE = frozenset({"FAILED"})
"""What Athena does not charge for; a cancelled statement is paid for."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement."""

    query: str
    """Athena's id."""
    state: str
    """The state that started it: `marts.daily insert`."""
    status: str
    """QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED."""
    kind: str = ""
    """DML, DDL or UTILITY, once it has ended."""
    scanned: int = 0
    seconds: float = 0.0
    reason: str = ""
    """What Athena says of its end."""
    link: str = ""

    @property
    def open(self) -> bool:
        """Tell whether it may still be at work."""
        return self.status in OPEN

    @property
    def charged(self) -> int:
        """Count the bytes that Athena charges for."""
        from runner.plan.sizes import charge  # noqa: PLC0415 - small, and only for who asks

        paid = self.kind in ("", "DML") and not self.open and self.status not in _FREE
        return charge(self.scanned) if paid else 0


@dataclass(slots=True)
class Statements:
    """Collects them from events."""

    _found: dict[str, Statement] = field(default_factory=dict)

    def observe(self, event: Event) -> None:
        """Take one event."""
        if not str(event.data.get("resource", "")).startswith("athena:"):
            return
        match event.kind.value:
            case "task_scheduled":
                self._take(event, event.data.get("submitted"))
            case "task_succeeded":
                self._take(event, event.data.get("result"))
            case "task_failed":
                self._take(event, _object(event.data.get("cause")))
            case _:
                pass

    def stopped(self, query: str) -> None:
        """Count a statement as cancelled, because it was."""
        self._found[query] = replace(self._found[query], status="CANCELLED")

    def all(self) -> tuple[Statement, ...]:
        """Give them in the order in which they were started."""
        return tuple(self._found.values())

    def open(self) -> tuple[Statement, ...]:
        """Give those that nobody saw the end of."""
        return tuple(one for one in self._found.values() if one.open)

    def _take(self, event: Event, value: object) -> None:
        if not isinstance(value, dict):
            return
        about = value.get("QueryExecution", value)
        query = str(about.get("QueryExecutionId") or "") if isinstance(about, dict) else ""
        if not query:
            return
        known = self._found.get(query, Statement(query, event.state, "QUEUED"))
        self._found[query] = _ended(known, about) if "Status" in about else known


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task of ECS that an execution started."""

    state: str
    """The state that started it: `marts.daily load run`."""
    task: str
    """Its ARN."""
    cluster: str
    family: str
    """Of its task definition."""


@dataclass(slots=True)
class Tasks:
    """Collects the tasks of ECS from events."""

    _found: dict[str, SeenTask] = field(default_factory=dict)

    def observe(self, event: Event) -> None:
        """Take one event."""
        if not str(event.data.get("resource", "")).startswith("ecs:"):
            return
        for value in (
            event.data.get("submitted"),
            event.data.get("result"),
            _object(event.data.get("cause")),
        ):
            for task in _tasks(value):
                arn = str(task.get("TaskArn") or "")
                definition = str(task.get("TaskDefinitionArn") or "").rpartition("/")[2]
                if arn:
                    cluster = str(task.get("ClusterArn") or "")
                    family = definition.partition(":")[0]
                    self._found[arn] = SeenTask(event.state, arn, cluster, family)

    def all(self) -> tuple[SeenTask, ...]:
        """Give them in the order in which they were started."""
        return tuple(self._found.values())


def _tasks(value: object) -> list[dict[str, Any]]:
    """Give the tasks of an answer: RunTask gives several, `.sync` in the end only one."""
    if not isinstance(value, dict):
        return []
    several = value.get("Tasks")
    found = several if isinstance(several, list) else [value]
    return [one for one in found if isinstance(one, dict)]


def _ended(known: Statement, about: dict[str, Any]) -> Statement:
    status, numbers = about.get("Status") or {}, about.get("Statistics") or {}
    return replace(
        known,
        status=str(status.get("State") or "FAILED"),
        kind=_kind(about),
        scanned=int(numbers.get("DataScannedInBytes") or 0),
        seconds=int(numbers.get("TotalExecutionTimeInMillis") or 0) / 1000,
        reason=str(status.get("StateChangeReason") or ""),
    )


def _kind(about: dict[str, Any]) -> str:
    """Tell what Athena charges for: CTAS says DDL of itself, and is charged as DML is."""
    made = about.get("SubstatementType") == "CREATE_TABLE_AS_SELECT"
    return "DML" if made else str(about.get("StatementType") or "")


def _object(cause: object) -> object:
    try:
        return json.loads(str(cause))
    except ValueError:
        return None
