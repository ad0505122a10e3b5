"""What deploying would change, computed by CloudFormation and carried out by nobody.

In: an environment on AWS and what it is to become.  Out: `Pending`: the stack as it is, the change
set, what is to be uploaded.  `preview_changes` leaves no trace of it in the account but the stored
template; `deploy` carries it out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runner.errors import CloudRefused, Fault, Place, UsageError
from runner.model.artifacts import Artifact
from runner.model.stacks import STUCK, ChangeSet, ResourceChange, StackState
from runner.plan.stack.deploy_rights import PLANS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

    from runner.app.cloud import Cloud
    from runner.app.desired import Desired

TEMPLATES = "templates/"
_LARGEST_TEMPLATE = 1_000_000
"""Bytes that CloudFormation takes of a template in S3."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a deploy would do."""

    stack: str
    state: StackState | None
    """None when there is no stack, or but one that was never made."""
    changes: tuple[ResourceChange, ...]
    uploads: tuple[str, ...]
    """Artifacts that are not stored yet."""
    change_set: ChangeSet | None
    """None while what a failed first deploy left is in its place."""

    @property
    def removes_first(self) -> bool:
        """Tell whether the stack that a failed first deploy left has to go first."""
        return self.state is not None and self.state.to_be_removed

    @property
    def nothing(self) -> bool:
        """Tell whether everything is as it should be."""
        return self.change_set is not None and self.change_set.empty and not self.uploads


def stack_name(cloud: Cloud) -> str:
    """Name the environment's stack."""
    return cloud.bundle.prefix


def stack_link(cloud: Cloud, stack_id: str) -> str:
    """Write where the console shows the events of a stack."""
    region = cloud.session.region
    host = f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}"
    return f"{host}#/stacks/events?stackId={quote(stack_id, safe='')}"


def deployed_stack(cloud: Cloud) -> StackState | None:
    """Give the environment's stack; None when nothing was ever made."""
    from runner.aws.stacks import describe  # noqa: PLC0415 - boto3 is for aws environments only
    from runner.model.stacks import REVIEW  # noqa: PLC0415 - beside it

    state = describe(cloud.session.client("cloudformation"), stack_name(cloud))
    return None if state is None or state.status == REVIEW else state


def require_stack(cloud: Cloud) -> StackState:
    """Give the environment's stack; raises UsageError when there is none."""
    state = deployed_stack(cloud)
    if state is not None:
        return state
    name = cloud.bundle.environment_name
    found = f"{name}, of which there is no stack {stack_name(cloud)} in {cloud.session.region}"
    expected = "an environment that is deployed"
    advice = f"deploy it with `runner deploy --env {name}`, or name another"
    raise UsageError([Fault(Place("--env"), "not-deployed", found, expected, advice)])


def refuse_busy(cloud: Cloud, state: StackState) -> None:
    """Raise CloudRefused for a stack that somebody is changing."""
    if state.busy:
        raise CloudRefused(
            [
                Fault(
                    Place(f"stack {state.name}"),
                    "stack-busy",
                    f"it is {state.status}: another deploy or destroy is going on",
                    "a stack that nobody is changing",
                    f"wait until it is over; see {stack_link(cloud, state.id)}",
                )
            ]
        )


def deployed_commit(cloud: Cloud, state: StackState | None) -> str | None:
    """Give the commit that is deployed; empty when none was noted.

    None when the account of what is deployed is not there any more.
    """
    from runner.aws.artifacts import read_if_there  # noqa: PLC0415 - as above
    from runner.aws.stacks import deployed_template  # noqa: PLC0415

    if state is None or state.to_be_removed:
        return ""
    client: CloudFormationClient = cloud.session.client("cloudformation")
    uri = manifest_uri_of(deployed_template(client, state.id))
    if not uri:
        return ""
    account = read_if_there(cloud.session.client("s3"), uri)
    if account is None:
        return None
    commit = json.loads(account).get("commit", "")
    return commit if isinstance(commit, str) else ""


def manifest_uri_of(template: Mapping[str, Any]) -> str:
    """Find where the account of what is deployed is stored; empty when the template says none.

    >>> manifest_uri_of({"Metadata": {"Runner": {"manifest": "s3://lake/m.json"}}})
    's3://lake/m.json'
    """
    said = template.get("Metadata", {}).get("Runner", {}).get("manifest", "")
    return said if isinstance(said, str) else ""


def template_artifact(desired: Desired, place: str = TEMPLATES) -> Artifact:
    """Write the template as the artifact that CloudFormation reads; CloudRefused if too large."""
    body = json.dumps(desired.template, separators=(",", ":")).encode()
    if len(body) > _LARGEST_TEMPLATE:
        raise CloudRefused(
            [
                Fault(
                    Place(f"stack {desired.facts.prefix}"),
                    "template-size",
                    f"a template of {len(body):,} bytes",
                    f"at most {_LARGEST_TEMPLATE:,}, which is what CloudFormation takes",
                    "divide the project: fewer workflows and functions in one environment",
                )
            ]
        )
    digest = hashlib.sha256(body).hexdigest()
    return Artifact(f"{desired.facts.artifacts}{place}{digest}.json", body)


def compute(
    cloud: Cloud, desired: Desired, *, pause: Callable[[], None], place: str = TEMPLATES
) -> Pending:
    """Compute what deploying changes; the change set that it leaves is to be executed or discarded.

    The template is stored at `place`, below the artifacts.

    Raises CloudRefused when the stack is in no state to be changed.
    """
    from runner.aws.artifacts import absent, store  # noqa: PLC0415 - as above

    state = deployed_stack(cloud)
    _refuse(cloud, state)
    s3: S3Client = cloud.session.client("s3")
    template = template_artifact(desired, place)
    uploads = tuple(one.uri for one in absent(s3, desired.artifacts))
    if state is not None and state.to_be_removed:
        return Pending(state.name, state, _all_of(desired.template), uploads, None)
    store(s3, [template], kms_key=desired.facts.keys.data)
    change_set = make_change_set(cloud, desired, creates=state is None, pause=pause, place=place)
    return Pending(stack_name(cloud), state, change_set.changes, uploads, change_set)


def make_change_set(
    cloud: Cloud,
    desired: Desired,
    *,
    creates: bool,
    pause: Callable[[], None],
    place: str = TEMPLATES,
) -> ChangeSet:
    """Let CloudFormation compute the changes of a template that is stored."""
    from runner.aws.stacks import Wanted, create_change_set  # noqa: PLC0415 - as above

    client: CloudFormationClient = cloud.session.client("cloudformation")
    uri = template_artifact(desired, place).uri
    wanted = Wanted(stack_name(cloud), uri, desired.facts.tags)
    return create_change_set(client, wanted, creates=creates, pause=pause)


def preview_changes(cloud: Cloud, desired: Desired, *, pause: Callable[[], None]) -> Pending:
    """Say what deploying would change, and put the change set away again.

    Who may only plan writes to a place of its own, which no deploy reads.
    """
    pending = compute(cloud, desired, pause=pause, place=PLANS)
    put_away(cloud, pending)
    return pending


def put_away(cloud: Cloud, pending: Pending) -> None:
    """Delete the change set, and the empty stack that was there for it only."""
    from runner.aws.stacks import discard  # noqa: PLC0415 - as above

    if pending.change_set is not None and not pending.change_set.empty:
        discard(cloud.session.client("cloudformation"), pending.change_set)


def _all_of(template: Mapping[str, Any]) -> tuple[ResourceChange, ...]:
    found = template.get("Resources", {})
    return tuple(ResourceChange("Add", name, found[name]["Type"]) for name in found)


def _refuse(cloud: Cloud, state: StackState | None) -> None:
    """Raise for a stack that is being changed, or that is stuck."""
    if state is None:
        return
    refuse_busy(cloud, state)
    if state.status in STUCK:
        raise CloudRefused([_stuck(cloud, state)])


def _stuck(cloud: Cloud, state: StackState) -> Fault:
    link = stack_link(cloud, state.id)
    again = f"aws cloudformation continue-update-rollback --stack-name {state.name}"
    return Fault(
        Place(f"stack {state.name}"),
        "stack-stuck",
        f"it is {state.status}: a deploy failed, and so did its rollback"
        + (f" ({state.reason})" if state.reason else ""),
        "a stack that can be changed",
        f"mend what its events name ({link}), then `{again} --region {cloud.session.region}`, "
        "then deploy again",
    )
