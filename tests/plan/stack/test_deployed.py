"""moto's CloudFormation makes, changes and deletes the stack: references lead somewhere."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from runner.plan.stack.limits import text_of
from runner.plan.stack.template import template_of
from tests.support import stacks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.plan.stack.facts import StackFacts

# What moto does not know it warns of and leaves out: schedules, alarms, databases, workgroups,
# policies of queues and topics, subscriptions.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")
REGION = stacks.REGION
NAME = "flights-prod"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("handler.py", "def handle(event, context): return {}")
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        bucket, _, key = stacks.CODE.removeprefix("s3://").partition("/")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=packed.getvalue())
        boto3.client("events", region_name=REGION).create_event_bus(Name="shop")
        yield


def outputs(facts: StackFacts, *, update: bool = False) -> dict[str, str]:
    client = boto3.client("cloudformation", region_name=REGION)
    text = text_of(template_of(facts))
    act = client.update_stack if update else client.create_stack
    act(StackName=NAME, TemplateBody=text, Capabilities=["CAPABILITY_NAMED_IAM"])
    (found,) = client.describe_stacks(StackName=NAME)["Stacks"]
    assert found["StackStatus"] == ("UPDATE_COMPLETE" if update else "CREATE_COMPLETE")
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


def machines() -> dict[str, str]:
    """Give definitions by machine."""
    client = boto3.client("stepfunctions", region_name=REGION)
    arns = [one["stateMachineArn"] for one in client.list_state_machines()["stateMachines"]]
    found = [client.describe_state_machine(stateMachineArn=arn) for arn in arns]
    return {one["name"]: one["definition"] for one in found}


def test_a_stack_is_made_changed_and_deleted() -> None:
    facts = stacks.everything()
    found = outputs(facts)
    base = f"arn:aws:states:{REGION}:{stacks.ACCOUNT}:stateMachine:flights-prod-"
    assert {arn.removeprefix(base) for arn in found.values() if arn.startswith(base)} == {
        "daily",
        "carrier_load",
        "backfill",
    }
    keeper = f"arn:aws:lambda:{REGION}:{stacks.ACCOUNT}:function:flights-prod-keeper"
    assert found["Keeper"] == keeper
    uri = f"{stacks.ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/flights-prod"
    assert found["ImageRepository"] == uri
    child = facts.machines[-1]
    assert machines()[child.name] == child.definition
    roles = boto3.client("iam").list_roles()["Roles"]
    assert {role["RoleName"] for role in roles} >= {
        "flights-prod-daily-machine",
        "flights-prod-scheduler",
        "flights-prod-load-main-task",
    }
    changed = replace(child, definition=child.definition.replace("done", "end"))
    outputs(replace(facts, machines=(*facts.machines[:-1], changed)), update=True)
    assert machines()[child.name] == changed.definition
    boto3.client("cloudformation", region_name=REGION).delete_stack(StackName=NAME)
    assert machines() == {}
