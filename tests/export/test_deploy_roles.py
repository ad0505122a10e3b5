"""The pipeline's roles: all that a deploy needs, nothing that reaches data or anything else."""

from __future__ import annotations

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cfnlint
import pytest
from cfnlint.api import lint_all

from runner.plan.stack.deploy_rights import DeployFacts, deploy_statements, plan_statements
from runner.plan.stack.deploy_roles import (
    Trust,
    deploy_roles,
    github_trust,
    gitlab_trust,
    role_name,
)
from runner.plan.stack.deploy_sources import SourceFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

BOUNDARY = "arn:aws:iam::123456789012:policy/bound"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
FACTS = DeployFacts(
    prefix="flights-prod",
    stack="flights-prod",
    region="eu-west-1",
    account="123456789012",
    artifacts="s3://lake/prod/_runner/artifacts/",
    texts="s3://lake/prod/_runner/sql/",
    workgroup="flights-prod",
    databases=("marts", "marts__stage"),
    parameters=("/flights/lake",),
    permissions_boundary=BOUNDARY,
    keys=(KEY,),
    data_key=KEY,
    network=True,
    sources=SourceFacts(streams=True, mappings=True, log_groups=("/app/web",)),
)
PLAIN = DeployFacts(
    prefix="flights-dev",
    stack="flights-dev",
    region="eu-west-1",
    account="123456789012",
    artifacts="s3://lake/artifacts/",
    texts="s3://lake/_runner/sql/",
    workgroup="",
    databases=(),
)
GITHUB = github_trust("shop/data", "prod")
WANTS_NOTES = "I4010"
"""Asks for notes on the architecture in the template; it tells of no mistake."""
DATA = Path(cfnlint.__file__).parent / "data"
TYPES = (
    "AWS::Athena::WorkGroup",
    "AWS::CloudWatch::Alarm",
    "AWS::ECR::Repository",
    "AWS::ECS::Cluster",
    "AWS::ECS::TaskDefinition",
    "AWS::Events::Rule",
    "AWS::Glue::Database",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
    "AWS::Logs::SubscriptionFilter",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::StepFunctions::StateMachine",
)
"""What our stacks are made of."""
NOT_NEEDED = {
    "athena: results are written by queries, never by a deploy": (
        "s3:AbortMultipartUpload",
        "s3:ListBucketMultipartUploads",
        "s3:ListMultipartUploadParts",
    ),
    "data: no deploy deletes a database": ("glue:DeleteDatabase",),
    "connections of the catalogue are not ours": (
        "glue:CreateConnection",
        "glue:DeleteConnection",
        "glue:GetConnection",
        "glue:PassConnection",
        "glue:UpdateConnection",
    ),
    "managed policies are for roles only, and boundaries stay": (
        "iam:AttachGroupPolicy",
        "iam:AttachUserPolicy",
        "iam:DetachGroupPolicy",
        "iam:DetachUserPolicy",
        "iam:DeleteRolePermissionsBoundary",
    ),
    "account settings are the account's": ("ecs:PutAccountSetting", "ecs:PutAccountSettingDefault"),
    "properties that we do not use": (
        "elasticfilesystem:DescribeMountTargets",
        "firehose:StartDeliveryStreamEncryption",
        "firehose:StopDeliveryStreamEncryption",
        "kms:RetireGrant",
        "kms:RevokeGrant",
        "lambda:AssociateRuntimeAlias",
        "lambda:DeleteFunctionCodeSigningConfig",
        "lambda:GetCodeSigningConfig",
        "lambda:GetLayerVersion",
        "lambda:PassCapacityProvider",
        "lambda:PublishVersion",
        "lambda:PutFunctionCodeSigningConfig",
        "lambda:PutFunctionRecursionConfig",
        "lambda:PutFunctionScalingConfig",
        "lambda:PutRuntimeManagementConfig",
        "logs:CreateLogDelivery",
        "logs:DeleteDataProtectionPolicy",
        "logs:DeleteIndexPolicy",
        "logs:DeleteResourcePolicy",
        "logs:PutBearerTokenAuthentication",
        "logs:PutDataProtectionPolicy",
        "logs:PutIndexPolicy",
        "logs:PutLogGroupDeletionProtection",
        "logs:PutResourcePolicy",
        "s3:REST.PUT.OBJECT",
        "s3files:ListMountTargets",
        "sns:PutDataProtectionPolicy",
    ),
}


def actions_of(statements: Iterable[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in statement["Action"]}


def allows(statements: Iterable[dict[str, Any]], action: str, resource: str) -> bool:
    """Tell whether a statement lets an action reach a resource, conditions aside."""
    return any(
        action in statement["Action"] and fnmatchcase(resource, pattern)
        for statement in statements
        for pattern in as_list(statement["Resource"])
    )


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@cache
def handlers() -> dict[str, set[str]]:
    """Read what CloudFormation says that each kind of resource needs."""
    found = {}
    for path in (DATA / "schemas/resources").glob("*.json"):
        schema = json.loads(path.read_text("utf-8"))
        if schema.get("typeName") in TYPES and "handlers" in schema:
            found[schema["typeName"]] = {
                action
                for name, handler in schema["handlers"].items()
                if name != "list"
                for action in handler["permissions"]
            }
    return found


@cache
def known_actions() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "AdditionalSpecs/Policies.json").read_text("utf-8"))
    return found


def test_cloudformation_says_what_each_of_our_kinds_needs() -> None:
    assert set(handlers()) == set(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_a_deploy_may_do_what_cloudformation_needs(kind: str) -> None:
    excused = {action for actions in NOT_NEEDED.values() for action in actions}
    missing = handlers()[kind] - actions_of(deploy_statements(FACTS)) - excused
    assert missing == set()


def test_what_is_excused_is_asked_for_and_not_given() -> None:
    excused = {action for actions in NOT_NEEDED.values() for action in actions}
    asked = {action for actions in handlers().values() for action in actions}
    assert excused - asked == set()
    assert excused & actions_of(deploy_statements(FACTS)) == set()


@pytest.mark.parametrize("statement", [*deploy_statements(FACTS), *plan_statements(FACTS)])
def test_actions_exist_and_are_bound_to_resources_where_they_can_be(
    statement: dict[str, Any],
) -> None:
    for action in statement["Action"]:
        service, _, name = action.partition(":")
        known = known_actions()[service]["Actions"]
        assert name.lower() in known, action
        if statement["Resource"] == "*" and service != "lakeformation":
            assert known[name.lower()].get("Resources", []) == [], action
        if statement["Resource"] != "*":  # else it would never be allowed
            assert known[name.lower()].get("Resources", []) != [], action


def test_no_action_is_a_pattern() -> None:
    assert not any("*" in action for action in actions_of(deploy_statements(FACTS)))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::lake/prod/marts/daily/x.parquet"),
        ("s3:PutObject", "arn:aws:s3:::lake/prod/_runner/records/x"),
        ("s3:DeleteObject", "arn:aws:s3:::lake/prod/_runner/artifacts/x"),
        ("glue:DeleteTable", "arn:aws:glue:eu-west-1:123456789012:table/marts/daily"),
        ("glue:UpdateDatabase", "arn:aws:glue:eu-west-1:123456789012:database/other"),
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/runner-deploy-flights-prod"),
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/flights-staging-daily"),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/admin"),
        ("iam:CreateUser", "arn:aws:iam::123456789012:user/x"),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:123456789012:function:other"),
        ("cloudformation:DeleteStack", "arn:aws:cloudformation:eu-west-1:123456789012:stack/x/1"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"),
        ("ssm:GetParameters", "arn:aws:ssm:eu-west-1:123456789012:parameter/other"),
        (
            "firehose:DeleteDeliveryStream",
            "arn:aws:firehose:eu-west-1:123456789012:deliverystream/other",
        ),
        ("logs:PutSubscriptionFilter", "arn:aws:logs:eu-west-1:123456789012:log-group:/other:*"),
        (
            "states:StartExecution",
            "arn:aws:states:eu-west-1:123456789012:stateMachine:flights-prod-x",
        ),
    ],
)
def test_a_deploy_may_not(action: str, resource: str) -> None:
    assert not allows(deploy_statements(FACTS), action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", "arn:aws:s3:::lake/prod/_runner/artifacts/packages/1.zip"),
        ("iam:CreateRole", "arn:aws:iam::123456789012:role/flights-prod-daily"),
        (
            "logs:CreateLogGroup",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/flights-prod-x",
        ),
        (
            "ecs:RegisterTaskDefinition",
            "arn:aws:ecs:eu-west-1:123456789012:task-definition/flights-prod-load-main:3",
        ),
        (
            "scheduler:CreateSchedule",
            "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/flights-prod-daily",
        ),
        (
            "scheduler:CreateSchedule",
            "arn:aws:scheduler:eu-west-1:123456789012:schedule/flights-prod/daily",
        ),
        ("sns:Unsubscribe", "arn:aws:sns:eu-west-1:123456789012:flights-prod-alarms:1-2-3"),
        ("glue:CreateDatabase", "arn:aws:glue:eu-west-1:123456789012:database/marts__stage"),
        ("glue:CreateDatabase", "arn:aws:glue:eu-west-1:123456789012:catalog"),
        ("ssm:GetParameters", "arn:aws:ssm:eu-west-1:123456789012:parameter/flights/lake"),
    ],
)
def test_a_deploy_may(action: str, resource: str) -> None:
    assert allows(deploy_statements(FACTS), action, resource)


def test_a_plan_changes_nothing() -> None:
    """It may store a template for CloudFormation, where no deploy reads."""
    actions = actions_of(plan_statements(FACTS))
    assert "cloudformation:ListChangeSets" in actions  # to put its change set away
    reads = ("Get", "List", "Describe", "Detect", "Validate", "Decrypt", "GenerateDataKey")
    others = {one for one in actions if not one.partition(":")[2].startswith(reads)}
    assert others == {
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "s3:PutObject",
    }
    bucket = "arn:aws:s3:::lake/prod/_runner/artifacts/"
    assert allows(plan_statements(FACTS), "s3:PutObject", f"{bucket}plans/t.json")
    assert not allows(plan_statements(FACTS), "s3:PutObject", f"{bucket}packages/1.zip")


def test_a_key_for_functions_variables_is_granted_to_services_only() -> None:
    (granted,) = [s for s in deploy_statements(FACTS) if "kms:CreateGrant" in s["Action"]]
    assert granted["Resource"] == KEY
    assert granted["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert not any(one.startswith("kms:") for one in actions_of(deploy_statements(PLAIN)))
    others = replace(FACTS, data_key="")
    assert "kms:Encrypt" not in actions_of(deploy_statements(others))


def test_roles_that_a_deploy_makes_are_bounded() -> None:
    (bounded,) = [s for s in deploy_statements(FACTS) if "iam:CreateRole" in s["Action"]]
    assert bounded["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
    assert set(bounded["Action"]) == {
        "iam:CreateRole",
        "iam:DeleteRolePolicy",
        "iam:PutRolePolicy",
        "iam:PutRolePermissionsBoundary",
    }
    (plain,) = [s for s in deploy_statements(PLAIN) if "iam:CreateRole" in s["Action"]]
    assert "Condition" not in plain


@pytest.mark.parametrize(
    ("trust", "deploys", "plans"),
    [
        (
            GITHUB,
            {
                "StringEquals": {
                    "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                    "token.actions.githubusercontent.com:sub": "repo:shop/data:environment:prod",
                }
            },
            {
                "StringEquals": {
                    "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                    "token.actions.githubusercontent.com:sub": "repo:shop/data:pull_request",
                }
            },
        ),
        (
            gitlab_trust("shop/data", "main", "git.shop.example"),
            {
                "StringEquals": {
                    "git.shop.example:aud": "https://git.shop.example",
                    "git.shop.example:sub": "project_path:shop/data:ref_type:branch:ref:main",
                }
            },
            {
                "StringEquals": {"git.shop.example:aud": "https://git.shop.example"},
                "StringLike": {
                    "git.shop.example:sub": "project_path:shop/data:ref_type:branch:ref:*"
                },
            },
        ),
    ],
)
def test_only_this_repository_is_trusted(
    trust: Trust, deploys: dict[str, Any], plans: dict[str, Any]
) -> None:
    resources = deploy_roles(FACTS, trust)["Resources"]
    found = [
        resources[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
        for name in ("DeployRole", "PlanRole")
    ]
    assert found == [deploys, plans]


@pytest.mark.parametrize("facts", [FACTS, PLAIN], ids=["whole", "plain"])
@pytest.mark.parametrize("trust", [GITHUB, gitlab_trust("a/b/c", "main")], ids=["github", "gitlab"])
def test_cfn_lint_finds_nothing(facts: DeployFacts, trust: Trust) -> None:
    template = deploy_roles(facts, trust)
    found = lint_all(json.dumps(template))
    assert [str(one) for one in found if one.rule.id != WANTS_NOTES] == []


def test_policies_fit_into_a_role() -> None:
    """IAM takes 6,144 characters of a managed policy, white space aside, and ten for a role."""
    databases = tuple(f"{'d' * 90}_{number}" for number in range(100))
    facts = DeployFacts(
        prefix="a-long-project-name-of-forty-characters-x-production",
        stack="a-long-project-name-of-forty-characters-x-production",
        region="ap-southeast-2",
        account="123456789012",
        artifacts="s3://a-bucket-with-a-name-that-is-as-long-as-it-may-be-0123456789/artifacts/",
        texts="s3://a-bucket-with-a-name-that-is-as-long-as-it-may-be-0123456789/_runner/sql/",
        workgroup="a-long-project-name-of-forty-characters-x-production",
        databases=databases,
        permissions_boundary=BOUNDARY,
        keys=(KEY,),
        network=True,
    )
    resources = deploy_roles(facts, GITHUB)["Resources"]
    policies = {
        name: resource["Properties"]["PolicyDocument"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    }
    sizes = [len(json.dumps(one, separators=(",", ":"))) for one in policies.values()]
    assert max(sizes) <= 6_144
    named = [one["Ref"] for one in resources["DeployRole"]["Properties"]["ManagedPolicyArns"]]
    assert len(named) <= 10
    whole = [one for name in named for one in policies[name]["Statement"]]
    assert whole == deploy_statements(facts)
    assert len({statement["Sid"] for statement in whole}) == len(whole)


def test_names_of_roles_fit_and_stay_apart_from_what_a_deploy_may_change() -> None:
    assert role_name("plan", "flights-prod") == "runner-plan-flights-prod"
    long = role_name("deploy", "p" * 60)
    assert len(long) == 64
    assert long != role_name("deploy", "p" * 61)
    assert long.startswith("runner-deploy-ppp")


def test_only_a_project_with_streams_and_events_may_make_them() -> None:
    services = {action.partition(":")[0] for action in actions_of(deploy_statements(PLAIN))}
    assert "firehose" not in services
    assert not {
        action
        for action in actions_of(deploy_statements(PLAIN))
        if "EventSourceMapping" in action or "SubscriptionFilter" in action
    }


def test_mappings_are_made_for_our_functions_only() -> None:
    functions = "arn:aws:lambda:eu-west-1:123456789012:function:flights-prod-*"
    made = [one for one in deploy_statements(FACTS) if "MappingsMade" in one["Sid"]]
    assert [one["Condition"] for one in made] == [{"ArnLike": {"lambda:FunctionArn": functions}}]
