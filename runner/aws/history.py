"""What an execution has done so far: pages of GetExecutionHistory as events, without reading twice.

In: the client and an execution's ARN.  Out: the `Event`s that the interpreter on this machine
writes down too, so that the same displays follow both.  A reader remembers the page that was not
full yet and the last event in it; nested executions of machines that are named are read as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from runner.aws.refusals import refusals
from runner.machine import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import GetExecutionHistoryOutputTypeDef

    from runner.model.ports import Json

_PAGE = 500
"""Events a page; the page that is not full yet is read again when following."""

_KINDS = {
    "ExecutionStarted": EventKind.EXECUTION_STARTED,
    "ExecutionRedriven": EventKind.EXECUTION_RESUMED,
    "TaskScheduled": EventKind.TASK_SCHEDULED,
    "TaskSubmitted": EventKind.TASK_SCHEDULED,
    "LambdaFunctionScheduled": EventKind.TASK_SCHEDULED,
    "ActivityScheduled": EventKind.TASK_SCHEDULED,
    "TaskSucceeded": EventKind.TASK_SUCCEEDED,
    "LambdaFunctionSucceeded": EventKind.TASK_SUCCEEDED,
    "ActivitySucceeded": EventKind.TASK_SUCCEEDED,
    "TaskFailed": EventKind.TASK_FAILED,
    "TaskSubmitFailed": EventKind.TASK_FAILED,
    "TaskStartFailed": EventKind.TASK_FAILED,
    "LambdaFunctionFailed": EventKind.TASK_FAILED,
    "LambdaFunctionScheduleFailed": EventKind.TASK_FAILED,
    "LambdaFunctionStartFailed": EventKind.TASK_FAILED,
    "ActivityFailed": EventKind.TASK_FAILED,
    "ActivityScheduleFailed": EventKind.TASK_FAILED,
    "MapRunFailed": EventKind.TASK_FAILED,
    "EvaluationFailed": EventKind.TASK_FAILED,
    "TaskTimedOut": EventKind.TASK_TIMED_OUT,
    "LambdaFunctionTimedOut": EventKind.TASK_TIMED_OUT,
    "ActivityTimedOut": EventKind.TASK_TIMED_OUT,
}
"""What people follow; nobody listens to the others."""
_ENDS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionAborted": "ABORTED",
    "ExecutionTimedOut": "TIMED_OUT",
}
_FAILURES = frozenset({EventKind.TASK_FAILED, EventKind.TASK_TIMED_OUT})


@dataclass(slots=True)
class History:
    """The events of one execution, read on from where the last read ended."""

    client: SFNClient
    arn: str
    ended: bool = False
    """Whether the last event read is the execution's end."""
    _token: str | None = None
    _last: int = 0
    _where: dict[int, str] = field(default_factory=dict)
    """States by event id: an event of a task names only the event before it."""

    def read(self) -> Iterator[Event]:
        """Give the events since the last read, the oldest first."""
        while True:
            page = self._page()
            for found in page.get("events", ()):
                if found["id"] <= self._last:
                    continue
                self._last = found["id"]
                event = self._event(dict(found))
                if event is not None:
                    yield event
            token = page.get("nextToken")
            if not token:
                return
            self._token = token
            if not page["events"]:
                return

    def _page(self) -> GetExecutionHistoryOutputTypeDef:
        """Read one page; a token that has expired (after a day) means to begin again, once."""
        errors = self.client.exceptions
        with refusals(f"read the history of the execution {self.arn}"):
            try:
                return self._ask()
            except errors.InvalidToken:
                self._token = None
                return self._ask()
            except errors.ExecutionDoesNotExist:
                if self._last:
                    raise
                # Just started: a read may come before the start is seen everywhere.
                return {"events": [], "nextToken": "", "ResponseMetadata": _NOTHING}

    def _ask(self) -> GetExecutionHistoryOutputTypeDef:
        more: dict[str, Any] = {"nextToken": self._token} if self._token else {}
        return self.client.get_execution_history(
            executionArn=self.arn, maxResults=_PAGE, includeExecutionData=True, **more
        )

    def _event(self, found: dict[str, Any]) -> Event | None:
        kind, number = str(found["type"]), int(found["id"])
        details = details_of(found)
        state = self._where.get(int(found.get("previousEventId", 0)), "")
        if kind.endswith(("StateEntered", "StateExited")):
            state = str(details.get("name", ""))
        elif kind == "EvaluationFailed":
            state = str(details.get("state") or state)
        self._where[number] = state
        what = _kind_of(kind)
        if what is None:
            return None
        if what is EventKind.EXECUTION_ENDED:
            self.ended, state = True, ""
        elif what in (EventKind.EXECUTION_STARTED, EventKind.EXECUTION_RESUMED):
            self.ended, state = False, ""
        when, name = found["timestamp"].astimezone(UTC), self.arn.rpartition(":")[2]
        key = f"{name}/{state}#{number}" if state else ""
        return Event(what, key, state, when, _data_of(what, kind, details))


_NOTHING: Any = {}


def details_of(found: dict[str, Any]) -> dict[str, Any]:
    """Give the details of an event, which stand under a key of its type's name.

    >>> details_of({"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "a run"}})
    {'name': 'a run'}
    """
    kind = str(found["type"])
    for end in ("StateEntered", "StateExited"):
        if kind.endswith(end):
            kind = end
    key = f"{kind[0].lower()}{kind[1:]}EventDetails"
    details = found.get(key)
    return details if isinstance(details, dict) else {}


def _kind_of(kind: str) -> EventKind | None:
    if kind.endswith("StateEntered"):
        return EventKind.STATE_ENTERED
    if kind.endswith("StateExited"):
        return EventKind.STATE_EXITED
    return EventKind.EXECUTION_ENDED if kind in _ENDS else _KINDS.get(kind)


def _data_of(what: EventKind, kind: str, details: dict[str, Any]) -> dict[str, Json]:
    failure = {"error": details.get("error", ""), "cause": details.get("cause", "")}
    match what:
        case EventKind.TASK_SCHEDULED:
            return _call(details) | _given("submitted", details)
        case EventKind.TASK_SUCCEEDED:
            return _call(details) | {"result": _json(details.get("output"))}
        case EventKind.EXECUTION_STARTED:
            return {"input": _json(details.get("input"))}
        case EventKind.EXECUTION_ENDED:
            return {"status": _ENDS[kind], **failure}
        case _ if what in _FAILURES:
            return _call(details) | failure
        case _:
            return {}


def _call(details: dict[str, Any]) -> dict[str, Json]:
    """Name what is called: `athena:startQueryExecution.sync`."""
    parts = (details.get("resourceType"), details.get("resource"))
    return {"resource": ":".join(str(part) for part in parts if part)}


def _given(name: str, details: dict[str, Any]) -> dict[str, Json]:
    return {name: _json(details["output"])} if "output" in details else {}


def _json(text: object) -> Json:
    """Read a payload; None for one that was cut."""
    try:
        return json.loads(str(text)) if text else None
    except ValueError:
        return None


@dataclass(slots=True)
class Histories:
    """The events of an execution, and of those that it starts for parts of its own tables."""

    root: History
    machines: frozenset[str] = frozenset()
    """Names of the machines whose executions belong to it."""
    _children: dict[str, History] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Tell whether the execution's end was read."""
        return self.root.ended

    @property
    def children(self) -> tuple[str, ...]:
        """List the ARNs of the executions that it started."""
        return tuple(self._children)

    @property
    def open(self) -> int:
        """Count the histories that may still grow."""
        return 1 + sum(not child.ended for child in self._children.values())

    def read(self) -> list[Event]:
        """Give the events since the last read, of all executions, the oldest first."""
        found = list(self.root.read())
        self._discover(found)
        for child in [one for one in self._children.values() if not one.ended]:
            found += child.read()
        return sorted(found, key=lambda event: event.time)

    def _discover(self, events: list[Event]) -> None:
        for event in events:
            for key in ("submitted", "result"):
                value = event.data.get(key)
                arn = str(value.get("ExecutionArn", "")) if isinstance(value, dict) else ""
                if self._belongs(_machine(arn)) and arn not in self._children:
                    self._children[arn] = History(self.root.client, arn)

    def _belongs(self, machine: str) -> bool:
        """Tell whether a machine is a part of this one, be it deployed from other files."""
        return machine in self.machines or machine.startswith(f"{_machine(self.root.arn)}-")


def _machine(arn: str) -> str:
    """Name the machine of an execution's ARN; empty for anything else."""
    parts = arn.split(":")
    return parts[_MACHINE] if len(parts) > _MACHINE else ""


_MACHINE = 6
