"""Stop the statements that an execution left behind: nobody waits for them any more.

Step Functions stops what it waits for by itself (`.sync`).  A statement that is only looked at now
and then (`athena_wait: poll`) goes on when its execution is stopped or times out, and is paid for.
In: an execution's ARN and clients like boto3's.  Out: the ids of the statements that were stopped.
The history of the execution tells what it started; executions that it started are looked at too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH = 50
"""Ids in one BatchGetQueryExecution."""
_PAGE = 1000
_GOING_ON = ("QUEUED", "RUNNING")


@dataclass
class _Found:
    """What a history says of statements and of other executions."""

    begun: dict[str, None] = field(default_factory=dict)
    """Ids in the order of their starts."""
    ended: set[str] = field(default_factory=set)
    children: dict[str, None] = field(default_factory=dict)


def stop_statements(states: Any, athena: Any, execution: str) -> dict[str, Any]:  # noqa: ANN401 - boto3
    """Stop what an execution, and those that it started, left running; may be repeated.

    An execution that is still at work is left alone: it was redriven, or is about to be stopped
    and asked about again.
    """
    begun: dict[str, None] = {}
    ended: set[str] = set()
    waiting, seen = [execution], {execution}
    for arn in waiting:
        if _is_running(states, arn):
            continue
        found = _read(_events(states, arn))
        begun |= found.begun
        ended |= found.ended
        new = [child for child in _children(states, found) if child not in seen]
        waiting += new
        seen.update(new)
    left = [identity for identity in begun if identity not in ended]
    going_on = tuple(_going_on(athena, left))
    return {"stopped": [one for one in going_on if _stop(athena, one)]}


def _is_running(states: Any, arn: str) -> bool:  # noqa: ANN401
    return bool(states.describe_execution(executionArn=arn)["status"] == "RUNNING")


def _events(states: Any, arn: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    request: dict[str, Any] = {"executionArn": arn, "maxResults": _PAGE}
    while True:
        answer = states.get_execution_history(**request)
        yield from answer["events"]
        if not answer.get("nextToken"):
            return
        request["nextToken"] = answer["nextToken"]


def _read(events: Iterator[dict[str, Any]]) -> _Found:
    """Find what was started, and what was seen to end."""
    found = _Found()
    for event in events:
        details = event.get("taskSucceededEventDetails") or event.get("taskSubmittedEventDetails")
        if details:
            _note(found, details)
        run = event.get("mapRunStartedEventDetails")
        if run:
            found.children[run["mapRunArn"]] = None
    return found


def _note(found: _Found, details: dict[str, Any]) -> None:
    output = _json(details.get("output"))
    kind, action = details["resourceType"], details["resource"]
    if kind == "athena" and action == "startQueryExecution" and "QueryExecutionId" in output:
        found.begun[output["QueryExecutionId"]] = None
    elif kind == "athena" and action == "getQueryExecution":
        execution = output.get("QueryExecution") or {}
        if (execution.get("Status") or {}).get("State") not in (None, *_GOING_ON):
            found.ended.add(execution.get("QueryExecutionId", ""))
    elif kind == "states" and action.startswith("startExecution"):
        arn = output.get("ExecutionArn")
        if arn:
            found.children[arn] = None


def _json(text: object) -> dict[str, Any]:
    """Read an output; one that was cut, or is none, tells nothing."""
    try:
        value = json.loads(str(text))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _children(states: Any, found: _Found) -> Iterator[str]:  # noqa: ANN401
    """Give the executions that an execution started: of other machines, of its Maps' chunks."""
    for child in found.children:
        if ":mapRun:" not in child:
            yield child
            continue
        request: dict[str, Any] = {"mapRunArn": child, "maxResults": _PAGE}
        while True:
            answer = states.list_executions(**request)
            yield from (one["executionArn"] for one in answer["executions"])
            if not answer.get("nextToken"):
                break
            request["nextToken"] = answer["nextToken"]


def _going_on(athena: Any, identities: list[str]) -> Iterator[str]:  # noqa: ANN401
    for first in range(0, len(identities), _BATCH):
        batch = identities[first : first + _BATCH]
        answer = athena.batch_get_query_execution(QueryExecutionIds=batch)
        for execution in answer.get("QueryExecutions", ()):
            if execution["Status"]["State"] in _GOING_ON:
                yield execution["QueryExecutionId"]


def _stop(athena: Any, identity: str) -> bool:  # noqa: ANN401
    """Stop a statement; one that has ended meanwhile needs it no more."""
    try:
        athena.stop_query_execution(QueryExecutionId=identity)
    except athena.exceptions.InvalidRequestException:
        return False
    return True
