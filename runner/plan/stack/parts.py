"""What many parts of a template are made of: tags, roles, resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.iam.packing import packed
from runner.plan.stack.names import fitting, logical_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts
    from runner.plan.stack.iam.statements import Statement

Resources = dict[str, "Json"]
"""Resources by logical id."""


def resource(kind: str, properties: dict[str, Json], **rest: Json) -> Json:
    """Make a resource of `AWS::<kind>`; properties that are None are left out."""
    kept = {key: value for key, value in properties.items() if value is not None}
    return {"Type": f"AWS::{kind}", "Properties": kept, **rest}


def tags(facts: StackFacts) -> list[Json]:
    """Give the environment's tags, and those that tell whose a resource is."""
    found = {
        "runner:project": facts.project,
        "runner:environment": facts.environment,
        **dict(facts.tags),
    }
    return [{"Key": key, "Value": value} for key, value in sorted(found.items())]


def arn_of(part: str) -> Json:
    """Refer to the ARN of a resource of the stack, which is then made first."""
    return {"Fn::GetAtt": [part, "Arn"]}


def ref(part: str) -> Json:
    """Refer to a resource of the stack, which is then made first."""
    return {"Ref": part}


def role_id(name: str) -> str:
    """Give the logical id of the role of that name."""
    return logical_id("Role", name)


def role(
    facts: StackFacts,
    name: str,
    *,
    why: str,
    trust: dict[str, Json],
    statements: Sequence[Statement],
    broad: bool = False,
) -> Resources:
    """Make a role with its policies; those that do not fit into it are policies of their own."""
    policies = packed(statements, broad=broad)
    made = {
        logical_id(f"Policy{number}", name): resource(
            "IAM::ManagedPolicy",
            {"Description": f"{why} ({number})", "PolicyDocument": policy},
        )
        for number, policy in enumerate(policies.managed, start=1)
    }
    inline = policies.inline
    properties: dict[str, Json] = {
        "RoleName": fitting(name),
        "Description": why,
        "AssumeRolePolicyDocument": trust,
        "Policies": None if inline is None else [{"PolicyName": "own", "PolicyDocument": inline}],
        "ManagedPolicyArns": [ref(one) for one in made] or None,
        "PermissionsBoundary": facts.permissions_boundary or None,
        "Tags": tags(facts),
    }
    return {**made, role_id(name): resource("IAM::Role", properties)}


def log_group(facts: StackFacts, name: str) -> Resources:
    """Make a log group with the environment's retention and key."""
    return {
        logical_id("Log", name): resource(
            "Logs::LogGroup",
            {
                "LogGroupName": name,
                "RetentionInDays": facts.log_retention_days,
                "KmsKeyId": facts.keys.logs or None,
                "Tags": tags(facts),
            },
        )
    }


def dead_letter_target() -> Json:
    """Give the DeadLetterConfig of a target."""
    return {"Arn": arn_of(DEAD_LETTERS)}


def topic_id(facts: StackFacts, name: str) -> str:
    """Give the logical id of a topic that the stack makes; alarms go to the one called `alarms`."""
    own = not facts.alarm_topic and name == ALARMS
    return ALARM_TOPIC if own else logical_id("Topic", name)


ALARMS = "alarms"
ALARM_TOPIC = "AlarmTopic"
DEAD_LETTERS = "DeadLetters"
RETRIES: dict[str, int] = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 24}
"""Of deliveries: an hour later a person should know, not a machine try."""
