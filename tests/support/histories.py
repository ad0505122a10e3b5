"""Histories of executions, written by hand in the shape of GetExecutionHistory's answers.

Types, names and nesting of the details are those of botocore's model, which checks them when a
Stubber answers with them.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.model.ports import Json

BEGAN = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
KEEPER = "arn:aws:states:::lambda:invoke"


@dataclass
class Written:
    """Writes events one after the other, a second apart."""

    began: dt.datetime = BEGAN
    events: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, previous: int | None = None, **details: Json) -> int:
        """Add an event after the last one, or after another where branches part."""
        number = len(self.events) + 1
        before = number - 1 if previous is None else previous
        event = {
            "timestamp": self.began + dt.timedelta(seconds=number),
            "type": kind,
            "id": number,
            "previousEventId": before,
        }
        if details:
            key = kind
            for end in ("StateEntered", "StateExited"):
                key = end if kind.endswith(end) else key
            event[f"{key[0].lower()}{key[1:]}EventDetails"] = details
        self.events.append(event)
        return number

    def start(self, given: Json) -> int:
        return self.add("ExecutionStarted", 0, input=json.dumps(given), roleArn="arn:aws:iam::1:r")

    def enter(self, name: str, kind: str = "Task", previous: int | None = None) -> int:
        return self.add(f"{kind}StateEntered", previous, name=name, input="{}")

    def leave(self, name: str, kind: str = "Task") -> int:
        return self.add(f"{kind}StateExited", name=name, output="{}")

    def called(self, name: str, service: str, action: str, previous: int | None = None) -> None:
        """Enter a task's state and make its call."""
        self.enter(name, previous=previous)
        self.add(
            "TaskScheduled",
            resourceType=service,
            resource=action,
            region="us-east-1",
            parameters="{}",
        )
        self.add("TaskStarted", resourceType=service, resource=action)

    def answered(self, name: str, service: str, action: str, output: Json) -> None:
        text = output if isinstance(output, str) else json.dumps(output)
        self.add("TaskSucceeded", resourceType=service, resource=action, output=text)
        self.leave(name)

    def keeper(self, name: str, payload: Json, previous: int | None = None) -> None:
        """Call a function that answers."""
        self.called(name, "lambda", "invoke", previous)
        answer = {"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200}
        self.answered(name, "lambda", "invoke", answer)

    def submit(self, name: str, query: str, previous: int | None = None) -> None:
        """Start a statement and wait for it."""
        action = "startQueryExecution.sync"
        self.called(name, "athena", action, previous)
        output = json.dumps({"QueryExecutionId": query, "SdkHttpMetadata": {"HttpStatusCode": 200}})
        self.add("TaskSubmitted", resourceType="athena", resource=action, output=output)

    def statement(self, name: str, query: str, scanned: int = 0) -> None:
        """Run a statement to its end."""
        self.submit(name, query)
        execution = query_execution(query, "SUCCEEDED", scanned=scanned)
        self.answered(name, "athena", "startQueryExecution.sync", {"QueryExecution": execution})

    def fail(self, service: str, action: str, error: str, cause: Json) -> None:
        """Let the call that was made last fail, and be caught."""
        text = cause if isinstance(cause, str) else json.dumps(cause)
        kind: dict[str, Any] = {"resourceType": service, "resource": action}
        self.add("TaskFailed", **kind, error=error, cause=text)

    def end(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - texts
        self.add(f"Execution{kind}", **details)


def query_execution(query: str, state: str, *, scanned: int = 0, reason: str = "") -> Json:
    status: dict[str, Any] = {"State": state, "SubmissionDateTime": 1764000000000}
    if reason:
        status["StateChangeReason"] = reason
    return {
        "Query": "INSERT INTO x SELECT 1",
        "QueryExecutionId": query,
        "StatementType": "DML",
        "Statistics": {"DataScannedInBytes": scanned, "TotalExecutionTimeInMillis": 61_500},
        "Status": status,
        "WorkGroup": "flights",
    }


def pages(events: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """Cut a history into pages; all but the last name the next."""
    cut = [events[first : first + size] for first in range(0, len(events), size)] or [[]]
    return [
        {"events": page, **({"nextToken": f"page-{number + 2}"} if number + 1 < len(cut) else {})}
        for number, page in enumerate(cut)
    ]
