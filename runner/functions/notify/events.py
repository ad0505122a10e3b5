"""What is to be told: an execution that ended, or what a workflow's step says.

In: the event of an invocation: EventBridge's `Step Functions Execution Status Change`, the same in
a message of SNS, or the payload of a `lambda` step.  Out: `Ended` and `Called` values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHANGE = "Step Functions Execution Status Change"


class Ended(NamedTuple):
    """An execution that ended."""

    arn: str
    name: str
    machine: str
    status: str
    window: str
    error: str
    cause: str


class Called(NamedTuple):
    """A step's call."""

    workflow: str
    window: str
    subject: str
    """What the step's payload says; empty: by the results."""
    text: str
    results: tuple[Mapping[str, object], ...]


def read_events(event: Mapping[str, object]) -> Iterator[Ended | Called]:
    """Read an invocation's event; ValueError if it is of another kind."""
    match event:
        case {"Records": list(records)}:
            for record in records:
                yield from read_events(_of_topic(record))
        case {"detail-type": "Step Functions Execution Status Change", "detail": dict(detail)}:
            yield _ended(detail)
        case {"workflow": str(workflow)}:
            yield _called(workflow, event)
        case _:
            found = ", ".join(map(str, event)) or "nothing"
            raise ValueError(
                f"an event with workflow (a step's call), or `{CHANGE}` of EventBridge, directly "
                f"or through SNS; found {found}"
            )


def _of_topic(record: object) -> Mapping[str, object]:
    match record:
        case {"Sns": {"Message": str(message)}}:
            try:
                said = json.loads(message)
            except ValueError:
                said = None
            if isinstance(said, dict):
                return said
    raise ValueError(f"a message of SNS that is an event; found {str(record)[:200]}")


def _ended(detail: Mapping[str, object]) -> Ended:
    arn = str(detail.get("executionArn", ""))
    machine = str(detail.get("stateMachineArn", "")).rpartition(":")[2]
    return Ended(
        arn=arn,
        name=str(detail.get("name") or arn.rpartition(":")[2]),
        machine=machine,
        status=str(detail.get("status", "")),
        window=_window(detail.get("input")),
        error=str(detail.get("error") or ""),
        cause=str(detail.get("cause") or ""),
    )


def _called(workflow: str, event: Mapping[str, object]) -> Called:
    results = event.get("results")
    listed = results if isinstance(results, list) else []
    start, end = event.get("start"), event.get("end")
    return Called(
        workflow=workflow,
        window=_span(start, end),
        subject=str(event.get("subject") or ""),
        text=str(event.get("text") or ""),
        results=tuple(one for one in listed if isinstance(one, dict)),
    )


def _window(text: object) -> str:
    """Write the window that an execution's input names; EventBridge leaves out a large input."""
    try:
        said = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        said = None
    match said:
        case {"start": start, "end": end}:
            return _span(start, end)
        case {"scheduled_time": str(time)}:
            return f"the window of its schedule at {time}"
    return ""


def _span(start: object, end: object) -> str:
    if not start:
        return ""
    return str(start) if start == end or not end else f"{start} to {end}"
