"""Drift: what was changed or deleted beside a stack, as CloudFormation detects it.

In: a client and a stack.  Out: `Drift`.  CloudFormation cannot tell of every type of resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.aws.refusals import refusals
from runner.aws.stacks import resources
from runner.model.stacks import Difference, Drift, Drifted

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackResourceDriftTypeDef

_DRIFTED = frozenset({"MODIFIED", "DELETED"})


def detect_drift(client: CloudFormationClient, stack: str, *, pause: Callable[[], None]) -> Drift:
    """Let CloudFormation compare every resource with the template, and wait for the answer."""
    with refusals(f"look for drift of the stack {stack}"):
        detection = client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
        while True:
            status = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
            if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                break
            pause()
        found = _found(client, stack)
    checked = [one for one in found if one["StackResourceDriftStatus"] != "NOT_CHECKED"]
    drifted = [one for one in checked if one["StackResourceDriftStatus"] in _DRIFTED]
    in_sync = sum(one["StackResourceDriftStatus"] == "IN_SYNC" for one in checked)
    there = sum(one.there for one in resources(client, stack))
    failed = status["DetectionStatus"] == "DETECTION_FAILED"
    return Drift(
        stack=stack,
        drifted=tuple(_drifted(one) for one in drifted),
        in_sync=in_sync,
        unchecked=max(there - in_sync - len(drifted), 0),
        incomplete=status.get("DetectionStatusReason", "for no reason given") if failed else "",
    )


def _found(client: CloudFormationClient, stack: str) -> list[StackResourceDriftTypeDef]:
    found: list[StackResourceDriftTypeDef] = []
    token = ""
    while True:
        page = (
            client.describe_stack_resource_drifts(StackName=stack, NextToken=token)
            if token
            else client.describe_stack_resource_drifts(StackName=stack)
        )
        found += page["StackResourceDrifts"]
        token = page.get("NextToken", "")
        if not token:
            return found


def _drifted(said: StackResourceDriftTypeDef) -> Drifted:
    return Drifted(
        logical_id=said["LogicalResourceId"],
        type=said["ResourceType"],
        physical_id=said.get("PhysicalResourceId", ""),
        status=said["StackResourceDriftStatus"],
        differences=tuple(
            Difference(
                one["PropertyPath"],
                one["ExpectedValue"],
                one["ActualValue"],
                one["DifferenceType"],
            )
            for one in said.get("PropertyDifferences", ())
        ),
    )
