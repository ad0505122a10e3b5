"""Roles for a pipeline without long-lived keys: one that deploys, one that plans pull requests.

In: who may take them, and what a deploy of the environment does.  Out: a CloudFormation template
with the code host's OpenID Connect provider, the two roles and their policies.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.plan.stack.deploy_rights import deploy_statements, plan_statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.model.ports import Json
    from runner.plan.stack.deploy_rights import DeployFacts

_MOST_NAME = 64
_HASH = 8
_GITHUB = "token.actions.githubusercontent.com"
_MOST_POLICY = 6_000
"""Characters of a managed policy; IAM takes 6,144, and ten policies of a role."""
_AUDIENCE = "sts.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens count."""

    host: str
    """Of the provider, without https://."""
    audience: str
    deploys: str
    """Subject of a token that may deploy."""
    plans: str
    """Subject of a token that may plan; a * stands for anything."""


def github_trust(repository: str, environment: str) -> Trust:
    """Trust one repository: its environment to deploy, its pull requests to plan.

    The repository is named as its tokens name it: with ids, if it is not an old one.

    >>> github_trust("shop@123/data@456", "prod").deploys
    'repo:shop@123/data@456:environment:prod'
    """
    subject = f"repo:{repository}"
    environments = f"{subject}:environment:{environment}"
    return Trust(_GITHUB, _AUDIENCE, environments, f"{subject}:pull_request")


def gitlab_trust(project: str, branch: str, host: str = "gitlab.com") -> Trust:
    """Trust one project: a branch to deploy, its branches to plan.

    >>> gitlab_trust("shop/data", "main").deploys
    'project_path:shop/data:ref_type:branch:ref:main'
    """
    subject = f"project_path:{project}:ref_type:branch:ref"
    return Trust(host, f"https://{host}", f"{subject}:{branch}", f"{subject}:*")


def role_name(kind: str, prefix: str) -> str:
    """Name a role, in 64 characters; never with the prefix first, as what a deploy may change has.

    >>> role_name("deploy", "flights-prod")
    'runner-deploy-flights-prod'
    """
    name = f"runner-{kind}-{prefix}"
    if len(name) <= _MOST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name[: _MOST_NAME - _HASH - 1]}-{digest}"


def role_arn(kind: str, prefix: str, account: str) -> str:
    """Give the ARN of a role."""
    return f"arn:aws:iam::{account}:role/{role_name(kind, prefix)}"


def deploy_roles(facts: DeployFacts, trust: Trust) -> Json:
    """Write the template."""
    deploys = _policies("Deploy", deploy_statements(facts))
    plans = _policies("Plan", plan_statements(facts))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Roles with which a pipeline plans and deploys {facts.prefix}.",
        "Parameters": {
            "ProviderArn": {
                "Type": "String",
                "Default": "",
                "Description": f"ARN of the account's provider for {trust.host}, if it has one; "
                "it can have only one.",
            }
        },
        "Conditions": {"MakesProvider": {"Fn::Equals": [{"Ref": "ProviderArn"}, ""]}},
        "Resources": {
            "Provider": {
                "Type": "AWS::IAM::OIDCProvider",
                "Condition": "MakesProvider",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "Url": f"https://{trust.host}",
                    "ClientIdList": [trust.audience],
                },
            },
            "DeployRole": _role("deploy", facts, trust, deploys),
            "PlanRole": _role("plan", facts, trust, plans),
            **deploys,
            **plans,
        },
        "Outputs": {
            f"{kind}RoleArn": {
                "Description": f"What the pipeline's {kind.lower()} takes.",
                "Value": {"Fn::GetAtt": [f"{kind}Role", "Arn"]},
            }
            for kind in ("Deploy", "Plan")
        },
    }


def _policies(kind: str, statements: list[Json]) -> dict[str, Json]:
    """Make as few managed policies of the statements as can hold them."""
    return {
        f"{kind}Policy{number}": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Description": f"Rights of the pipeline's {kind.lower()}, part {number}.",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": pack},
            },
        }
        for number, pack in enumerate(_packs(statements), 1)
    }


def _packs(statements: list[Json]) -> Iterator[list[Json]]:
    pack: list[Json] = []
    for statement in statements:
        if pack and _size([*pack, statement]) > _MOST_POLICY:
            yield pack
            pack = []
        pack.append(statement)
    yield pack


def _size(statements: list[Json]) -> int:
    return len(json.dumps(statements, separators=(",", ":")))


def _role(kind: str, facts: DeployFacts, trust: Trust, policies: Iterable[str]) -> Json:
    subject = trust.deploys if kind == "deploy" else trust.plans
    matches: dict[str, dict[str, str]] = {"StringEquals": {f"{trust.host}:aud": trust.audience}}
    matches.setdefault("StringLike" if "*" in subject else "StringEquals", {})
    matches["StringLike" if "*" in subject else "StringEquals"][f"{trust.host}:sub"] = subject
    provider = {"Fn::If": ["MakesProvider", {"Ref": "Provider"}, {"Ref": "ProviderArn"}]}
    what = "deploys" if kind == "deploy" else "plans changes of, and changes nothing in,"
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": role_name(kind, facts.prefix),
            "Description": f"{what.capitalize()} the stack {facts.stack}.",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Federated": provider},
                        "Action": "sts:AssumeRoleWithWebIdentity",
                        "Condition": matches,
                    }
                ],
            },
            "ManagedPolicyArns": [{"Ref": name} for name in policies],
        },
    }
