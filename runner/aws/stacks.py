"""CloudFormation: stacks, change sets, deletion and drift, as values.

In: a client and names.  Out: values of `runner.model.stacks`; refusals leave as CloudRefused.
Waiting is the caller's business: whoever waits gives `pause`, which is called between two looks.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.aws.refusal_kinds import DENIED
from runner.aws.refusals import code_of, message_of, refusals
from runner.aws.s3 import place_of
from runner.errors import CloudRefused, Fault, Place
from runner.model.stacks import REVIEW, ChangeSet, Output, ResourceChange, StackResource, StackState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.exceptions import ClientError
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ChangeTypeDef, DescribeChangeSetOutputTypeDef

_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
"""How CloudFormation says that a change set is empty; it fails then."""
_TOKEN_BYTES = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stack is to become."""

    stack: str
    """Name."""
    template_uri: str
    """Where the template is stored; its bucket is in the stack's Region."""
    tags: tuple[tuple[str, str], ...] = ()


def describe(client: CloudFormationClient, stack: str) -> StackState | None:
    """Give a stack, by name or ARN; None when there is none, or it is deleted."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - only what talks to AWS needs it

    with refusals(f"look at the stack {stack}"):
        try:
            found = client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if _is_absent(error):
                return None
            raise
    if not found or found[0]["StackStatus"] == "DELETE_COMPLETE":
        return None
    one = found[0]
    return StackState(
        id=one["StackId"],
        name=one["StackName"],
        status=one["StackStatus"],
        reason=one.get("StackStatusReason", ""),
        outputs=tuple(
            Output(out["OutputKey"], out["OutputValue"], out.get("ExportName", ""))
            for out in one.get("Outputs", ())
        ),
        termination_protection=one.get("EnableTerminationProtection", False),
    )


def resources(client: CloudFormationClient, stack: str) -> tuple[StackResource, ...]:
    """List the resources of a stack, by name or ARN; deleted ones may be among them."""
    with refusals(f"list the resources of the stack {stack}"):
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
        return tuple(
            StackResource(
                one["LogicalResourceId"],
                one["ResourceType"],
                one.get("PhysicalResourceId", ""),
                one["ResourceStatus"],
            )
            for page in pages
            for one in page["StackResourceSummaries"]
        )


def deployed_template(client: CloudFormationClient, stack: str) -> dict[str, Any]:
    """Give the template that a stack was made from, as it was submitted."""
    with refusals(f"read the template of the stack {stack}"):
        body: Any = client.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    found: dict[str, Any] = body if isinstance(body, dict) else json.loads(body)
    return found


def template_url(client: CloudFormationClient, uri: str) -> str:
    """Write where a stored template is the way CloudFormation wants it, the bucket in the path."""
    bucket, key = place_of(uri)
    region = client.meta.region_name
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://s3.{region}.{suffix}/{bucket}/{key}"


def create_change_set(
    client: CloudFormationClient, wanted: Wanted, *, creates: bool, pause: Callable[[], None]
) -> ChangeSet:
    """Let CloudFormation compute what changes; nothing is carried out.

    `creates` is whether the stack does not exist, or is but under review.
    """
    name = f"runner-{secrets.token_hex(_TOKEN_BYTES)}"
    with refusals(f"compute the changes of the stack {wanted.stack}"):
        made = client.create_change_set(
            StackName=wanted.stack,
            ChangeSetName=name,
            ChangeSetType="CREATE" if creates else "UPDATE",
            ClientToken=name,
            TemplateURL=template_url(client, wanted.template_uri),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": key, "Value": value} for key, value in wanted.tags],
        )
        stack_id, change_set_id = made["StackId"], made["Id"]
        first = _computed(client, stack_id, change_set_id, pause)
        if first["Status"] == "CREATE_COMPLETE":
            changes = tuple(_changes(client, first))
            return ChangeSet(change_set_id, stack_id, creates, changes)
    reason = first.get("StatusReason", "")
    found = ChangeSet(change_set_id, stack_id, creates, (), empty=True)
    nothing = not creates and any(words in reason for words in _NO_CHANGES)
    refused = () if nothing else _refused_properties(client, stack_id, change_set_id)
    discard(client, found)
    if nothing:
        return found
    raise _uncomputed(wanted.stack, refused or (f"{first['Status']}: {reason or 'no reason'}",))


def _computed(
    client: CloudFormationClient, stack_id: str, change_set_id: str, pause: Callable[[], None]
) -> DescribeChangeSetOutputTypeDef:
    while True:
        found = client.describe_change_set(StackName=stack_id, ChangeSetName=change_set_id)
        if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
            return found
        pause()


def _changes(
    client: CloudFormationClient, first: DescribeChangeSetOutputTypeDef
) -> Iterator[ResourceChange]:
    page = first
    while True:
        yield from (_change(one) for one in page.get("Changes", ()) if "ResourceChange" in one)
        token = page.get("NextToken")
        if not token:
            return
        page = client.describe_change_set(
            StackName=first["StackId"], ChangeSetName=first["ChangeSetId"], NextToken=token
        )


def _change(said: ChangeTypeDef) -> ResourceChange:
    one = said["ResourceChange"]
    targets = [detail["Target"] for detail in one.get("Details", ()) if "Target" in detail]
    names = [target.get("Name") or target.get("Attribute", "") for target in targets]
    return ResourceChange(
        action=one["Action"],
        logical_id=one["LogicalResourceId"],
        type=one["ResourceType"],
        physical_id=one.get("PhysicalResourceId", ""),
        replacement=one.get("Replacement", ""),
        properties=tuple(dict.fromkeys([*filter(None, names)] or one.get("Scope", ()))),
        policy=one.get("PolicyAction", ""),
    )


def discard(client: CloudFormationClient, change_set: ChangeSet) -> None:
    """Delete a change set, and the empty stack that was there for it only.

    Who may only plan may not delete a stack: then the empty one stays, and the next deploy uses it.
    """
    with refusals("delete the change set"):
        client.delete_change_set(StackName=change_set.stack_id, ChangeSetName=change_set.id)
    if change_set.creates:
        try:
            _remove_empty(client, change_set.stack_id)
        except CloudRefused as error:
            if any(fault.code != DENIED.fault for fault in error.faults):
                raise


def _remove_empty(client: CloudFormationClient, stack_id: str) -> None:
    with refusals("list the change sets of the stack"):
        if _has_change_sets(client, stack_id):
            return
    state = describe(client, stack_id)
    if state is not None and state.status == REVIEW:
        delete(client, state.id)


def _has_change_sets(client: CloudFormationClient, stack_id: str) -> bool:
    pages = client.get_paginator("list_change_sets").paginate(StackName=stack_id)
    return any(one.get("StackId") == stack_id for page in pages for one in page["Summaries"])


def execute(client: CloudFormationClient, change_set: ChangeSet) -> None:
    """Begin to carry out a change set; what fails is rolled back by CloudFormation."""
    with refusals("carry out the change set"):
        client.execute_change_set(
            StackName=change_set.stack_id,
            ChangeSetName=change_set.id,
            ClientRequestToken=f"runner-{secrets.token_hex(_TOKEN_BYTES)}",
        )


def cancel_update(client: CloudFormationClient, stack_id: str) -> None:
    """Let CloudFormation cancel an update that is going on, and roll it back."""
    with refusals("cancel the update of the stack"):
        client.cancel_update_stack(StackName=stack_id)


def delete(client: CloudFormationClient, stack_id: str) -> None:
    """Begin to delete a stack; what its template says is retained stays."""
    with refusals(f"delete the stack {stack_id}"):
        client.delete_stack(StackName=stack_id)


def _is_absent(error: ClientError) -> bool:
    return code_of(error) == "ValidationError" and "does not exist" in message_of(error)


def _refused_properties(
    client: CloudFormationClient, stack_id: str, change_set_id: str
) -> tuple[str, ...]:
    """Give what the validation of a change set refuses; nothing when nobody may know it."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - only what talks to AWS needs it

    try:
        answer = client.describe_events(
            StackName=stack_id, ChangeSetName=change_set_id, Filters={"FailedEvents": True}
        )
    except ClientError:  # a permission of its own; the reason of the change set has to do then
        return ()
    failed = [
        one for one in answer.get("OperationEvents", ()) if one.get("ValidationStatus") == "FAILED"
    ]
    return tuple(
        f"{one.get('LogicalResourceId', 'the template')}{one.get('ValidationPath', '')}: "
        f"{one.get('ValidationStatusReason') or one.get('ValidationName', 'refused')}"
        for one in failed
    )


def _uncomputed(stack: str, found: tuple[str, ...]) -> CloudRefused:
    return CloudRefused(
        Fault(
            Place(f"stack {stack}"),
            "change-set-failed",
            one,
            "changes that CloudFormation can compute",
            "correct what it names; a template that it refuses for no fault of yours is a "
            "defect of `runner`, please report it",
        )
        for one in found
    )
