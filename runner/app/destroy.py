"""`destroy`: delete an environment's stack, and nothing that is data.

In: an environment on AWS.  Out: a `Destroying`, all that would go and all that stays, which deletes
nothing; `destroy` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.guards import refuse_unconfirmed
from runner.app.stack_changes import refuse_busy, require_stack
from runner.app.stack_following import Followed, Watcher, follow_operation
from runner.errors import CloudRefused, Fault, Place

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_stepfunctions import SFNClient

    from runner.app.cloud import Cloud
    from runner.model.stacks import StackResource, StackState

_MACHINE = "AWS::StepFunctions::StateMachine"


@dataclass(frozen=True, slots=True)
class Destroying:
    """What destroying an environment deletes, and what it leaves."""

    stack: StackState
    goes: tuple[StackResource, ...]
    stays: tuple[StackResource, ...]
    """Resources that the template says are retained: databases."""
    places: tuple[tuple[str, str], ...]
    """What stays in S3: what it is, and where."""
    running: tuple[str, ...]
    """Executions that are at work, by name; their machines end them."""


def plan_destroy(cloud: Cloud, *, confirm: str | None = None, can_ask: bool = False) -> Destroying:
    """Say what would go; raises UsageError when a guard refuses, or nothing is deployed."""
    from runner.aws.stacks import deployed_template, resources  # noqa: PLC0415 - boto3

    refuse_unconfirmed(cloud, confirm=confirm, can_ask=can_ask)
    state = require_stack(cloud)
    refuse_busy(cloud, state)
    _refuse_protection(cloud, state)
    client: CloudFormationClient = cloud.session.client("cloudformation")
    said = deployed_template(client, state.id).get("Resources", {})
    there = [one for one in resources(client, state.id) if one.there]
    retained = {
        name for name, one in said.items() if one.get("DeletionPolicy", "").startswith("Retain")
    }
    return Destroying(
        stack=state,
        goes=tuple(one for one in there if one.logical_id not in retained),
        stays=tuple(one for one in there if one.logical_id in retained),
        places=_places(cloud),
        running=_running(cloud, there),
    )


def destroy(cloud: Cloud, destroying: Destroying, *, watcher: Watcher) -> Followed:
    """Delete the stack and follow it; gives how that ended."""
    from runner.aws.stack_events import newest_event  # noqa: PLC0415 - boto3
    from runner.aws.stacks import delete  # noqa: PLC0415

    client: CloudFormationClient = cloud.session.client("cloudformation")
    stack = destroying.stack.id
    after = newest_event(client, stack)
    delete(client, stack)
    return follow_operation(cloud, stack, watcher, after=after, cancels=False)


def _places(cloud: Cloud) -> tuple[tuple[str, str], ...]:
    environment = cloud.environment
    lake = str(environment["lake"]).rstrip("/")
    return (
        ("tables and records", f"{lake}/"),
        ("query results", environment["results"]),
        ("artifacts", environment["artifacts"] or f"{lake}/_runner/artifacts/"),
    )


def _running(cloud: Cloud, there: list[StackResource]) -> tuple[str, ...]:
    from runner.aws.refusals import refusals  # noqa: PLC0415 - boto3

    client: SFNClient = cloud.session.client("stepfunctions")
    found: list[str] = []
    for machine in (one for one in there if one.type == _MACHINE):
        with refusals(f"list the running executions of {machine.physical_id}"):
            pages = client.get_paginator("list_executions").paginate(
                stateMachineArn=machine.physical_id, statusFilter="RUNNING"
            )
            found += [one["name"] for page in pages for one in page["executions"]]
    return tuple(found)


def _refuse_protection(cloud: Cloud, state: StackState) -> None:
    if not state.termination_protection:
        return
    advice = (
        "aws cloudformation update-termination-protection --no-enable-termination-protection "
        f"--stack-name {state.name} --region {cloud.session.region}"
    )
    place, expected = Place(f"stack {state.name}"), "a stack that may be deleted"
    raise CloudRefused(
        [Fault(place, "stack-protected", "termination protection", expected, advice)]
    )
