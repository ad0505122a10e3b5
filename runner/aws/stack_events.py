"""The events of a stack, live, and what they say of a failure.

In: a client, a stack's ARN and the newest event before an operation began.  Out: the events of that
operation one by one until it is over (a stack has one operation at a time); of a failed one the
causes, the first first, each with the next action.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.aws.refusal_kinds import kind_of_code
from runner.aws.refusals import refusals
from runner.aws.stacks import describe
from runner.model.stacks import STACK_TYPE, StackEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

_QUIET = 30
"""Looks without an event after which the stack itself is asked."""
_CONSEQUENCES = ("cancelled", "Cancelled", "Rollback requested by user")
"""How reasons of what did not fail by itself are worded."""
_CODE = re.compile(r"(?:HandlerErrorCode|Error Code):\s*(\w+)")
_WRAPPING = re.compile(
    r'^Resource handler returned message:\s*"(.*)"\s*\(RequestToken:.*\)$', re.DOTALL
)
_DENIED = re.compile(r"is not authorized to perform")
_EXISTS = re.compile(r"already exists")


@dataclass(frozen=True, slots=True)
class Cause:
    """A resource that failed by itself."""

    logical_id: str
    type: str
    status: str
    reason: str
    """AWS's words, without what it wraps around them."""
    advice: str


def newest_event(client: CloudFormationClient, stack_id: str) -> str:
    """Give the id of the newest event; empty when there is none."""
    with refusals("read the events of the stack"):
        found = client.describe_stack_events(StackName=stack_id)["StackEvents"]
    return found[0]["EventId"] if found else ""


def follow(
    client: CloudFormationClient, stack_id: str, *, after: str, pause: Callable[[], None]
) -> Iterator[StackEvent]:
    """Give the events after `after`, oldest first, as they happen, until the operation is over."""
    quiet = 0
    while True:
        found = _newer(client, stack_id, after)
        yield from found
        if found:
            after, quiet = found[-1].id, 0
        else:
            quiet += 1
        if any(event.ends for event in found) or (quiet >= _QUIET and _is_still(client, stack_id)):
            return
        quiet %= _QUIET
        pause()


def causes_of(events: Iterable[StackEvent]) -> tuple[Cause, ...]:
    """Give what failed by itself, the first first; what was cancelled for it is left out."""
    found: dict[str, Cause] = {}
    for event in events:
        consequence = any(words in event.reason for words in _CONSEQUENCES)
        if event.failed and not event.of_stack and not consequence:
            found.setdefault(event.logical_id, _cause(event))
    return tuple(found.values())


def _newer(client: CloudFormationClient, stack_id: str, after: str) -> list[StackEvent]:
    found: list[StackEvent] = []
    with refusals("follow the events of the stack"):
        pages = client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        for page in pages:
            for said in page["StackEvents"]:
                if said["EventId"] == after:
                    return found[::-1]
                found.append(_event(said))
    return found[::-1]


def _is_still(client: CloudFormationClient, stack_id: str) -> bool:
    state = describe(client, stack_id)
    return state is None or not state.busy


def _event(said: StackEventTypeDef) -> StackEvent:
    kind, physical = said.get("ResourceType", ""), said.get("PhysicalResourceId", "")
    return StackEvent(
        id=said["EventId"],
        at=said["Timestamp"],
        logical_id=said.get("LogicalResourceId", ""),
        type=kind,
        status=said.get("ResourceStatus", ""),
        reason=said.get("ResourceStatusReason", "") or said.get("HookStatusReason", ""),
        physical_id=physical,
        of_stack=kind == STACK_TYPE and physical == said["StackId"],
    )


def _cause(event: StackEvent) -> Cause:
    wrapped = _WRAPPING.match(event.reason)
    reason = wrapped[1] if wrapped else event.reason
    advice = kind_of_code(_code(event.reason)).advice
    return Cause(event.logical_id, event.type, event.status, reason, advice)


def _code(reason: str) -> str:
    """Give the code that a reason names or, of an old handler, what its words come down to.

    >>> _code("Access denied (Service: Lambda; Error Code: AccessDeniedException)")
    'AccessDeniedException'
    """
    if _DENIED.search(reason):
        return "AccessDenied"
    named = _CODE.findall(reason)
    if named:
        return str(named[-1])
    return "AlreadyExists" if _EXISTS.search(reason) else ""
