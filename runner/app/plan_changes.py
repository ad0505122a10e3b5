"""`plan`: what a deploy would change, for people and as CloudFormation sees it; nothing is changed.

In: an environment on AWS and what it is to become.  Out: a `Plan`: the readable difference between
what is deployed and what is wanted, and the change set that CloudFormation computes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from runner.app import stack_changes
from runner.plan.stack.difference import NOTHING, Difference, Side, compare
from runner.plan.stack.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

    from runner.app.cloud import Cloud
    from runner.app.desired import Desired
    from runner.app.stack_changes import Pending
    from runner.model.ports import Json


class Verdict(IntEnum):
    """What a plan comes to; also the exit status of the command."""

    NO_CHANGE = 0
    CHANGES = 4
    DESTROYS = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deploy would do."""

    difference: Difference
    pending: Pending | None
    """What CloudFormation makes of it; None when it was not asked."""

    @property
    def verdict(self) -> Verdict:
        """Tell whether anything would change, and whether anything would be lost."""
        if self.difference.lost:
            return Verdict.DESTROYS
        if self.difference.changes or (self.pending is not None and self.pending.changes):
            return Verdict.CHANGES
        return Verdict.NO_CHANGE


def plan(
    cloud: Cloud, wanted: Desired, *, pause: Callable[[], None], change_set: bool = True
) -> Plan:
    """Compare an environment with what it is to become.

    Without `change_set` CloudFormation is asked for what is deployed only, and nothing is stored.
    Raises CloudRefused when AWS refuses.
    """
    difference = differences(cloud, wanted)
    pending = stack_changes.preview_changes(cloud, wanted, pause=pause) if change_set else None
    return Plan(difference, pending)


def differences(cloud: Cloud, wanted: Desired) -> Difference:
    """Say by table, state, SQL, permission and schedule what is not as it is wanted."""
    state = stack_changes.deployed_stack(cloud)
    if state is None or state.to_be_removed:
        return compare(NOTHING, _wanted_side(wanted, frozenset(wanted_names(wanted))))
    from runner.aws.stacks import deployed_template  # noqa: PLC0415 - boto3 is for aws only

    client: CloudFormationClient = cloud.session.client("cloudformation")
    template = deployed_template(client, state.id)
    return _compared(cloud, template, wanted)


def _compared(cloud: Cloud, template: dict[str, Json], wanted: Desired) -> Difference:
    s3: S3Client = cloud.session.client("s3")
    manifest = _manifest(s3, stack_changes.manifest_uri_of(template))
    changed = _changed_machines(manifest, wanted.manifest)
    old = Side(template, manifest, _deployed_texts(s3, template, manifest, changed))
    return compare(old, _wanted_side(wanted, changed))


def wanted_names(wanted: Desired) -> tuple[str, ...]:
    """Name the state machines that are wanted."""
    return tuple(machine.name for machine in wanted.facts.machines)


def _wanted_side(wanted: Desired, names: frozenset[str]) -> Side:
    texts = {one.name: one.definition for one in wanted.facts.machines if one.name in names}
    return Side(wanted.template, wanted.manifest, texts)


def _manifest(client: S3Client, uri: str) -> Manifest | None:
    """Read the account of what is deployed; None when there is none that can be read."""
    from runner.aws.artifacts import read_if_there  # noqa: PLC0415 - as above

    account = read_if_there(client, uri) if uri else None
    return read_manifest(account.decode()) if account is not None else None


def _changed_machines(old: Manifest | None, new: Manifest) -> frozenset[str]:
    """Name the machines on both sides whose definitions differ: only these texts are fetched."""
    before = {one.name: one.definition_sha256 for one in old.machines} if old else {}
    return frozenset(
        one.name
        for one in new.machines
        if one.name in before and before[one.name] != one.definition_sha256
    )


def _deployed_texts(
    client: S3Client,
    template: dict[str, Json],
    manifest: Manifest | None,
    names: frozenset[str],
) -> dict[str, str]:
    from runner.aws.artifacts import read_if_there  # noqa: PLC0415 - as above

    inline = {
        properties.get("StateMachineName"): properties.get("DefinitionString")
        for resource in template.get("Resources", {}).values()
        for properties in [resource.get("Properties", {})]
        if resource.get("Type") == "AWS::StepFunctions::StateMachine"
    }
    found: dict[str, str] = {}
    for machine in manifest.machines if manifest else ():
        if machine.name not in names:
            continue
        text = inline.get(machine.name)
        if machine.definition_uri:
            stored = read_if_there(client, machine.definition_uri)
            text = stored.decode() if stored is not None else None
        if isinstance(text, str):
            found[machine.name] = text
    return found
