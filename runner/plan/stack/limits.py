"""What of a template is more than AWS takes: counts and sizes, before anything is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.plan.stack.iam.packing import MANAGED_PER_ROLE, MOST_INLINE, MOST_MANAGED, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.model.ports import Json

MOST_RESOURCES = 500
MOST_OUTPUTS = 200
MOST_TEMPLATE_BYTES = 1_048_576
"""Of a template that CloudFormation reads from S3."""
MOST_TRUST = 2048
"""Characters of a policy of who may take a role."""
MOST_PATTERN = 2048
"""Characters of an event pattern."""
MOST_ENVIRONMENT = 4096
"""Bytes of a function's variables."""


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that is passed."""

    what: str
    """resources, outputs, template bytes, inline policy, managed policy, managed policies, trust
    policy, event pattern, environment."""
    part: str
    """Logical id of the resource; empty for the whole template."""
    found: int
    most: int


def limits(template: Mapping[str, Json]) -> tuple[Excess, ...]:
    """Give every limit of CloudFormation and IAM that a template passes."""
    return tuple(one for one in _measured(template) if one.found > one.most)


def text_of(template: Mapping[str, Json]) -> str:
    """Write a template as it is stored: compact, and the same for the same facts."""
    return json.dumps(template, ensure_ascii=False, separators=(",", ":"))


def _measured(template: Mapping[str, Json]) -> Iterator[Excess]:
    resources = template["Resources"]
    yield Excess("resources", "", len(resources), MOST_RESOURCES)
    yield Excess("outputs", "", len(template.get("Outputs", {})), MOST_OUTPUTS)
    yield Excess("template bytes", "", len(text_of(template).encode()), MOST_TEMPLATE_BYTES)
    for part, one in resources.items():
        measure = _MEASURES.get(one["Type"])
        if measure is not None:
            yield from measure(part, one["Properties"])


def _role(part: str, role: Json) -> Iterator[Excess]:
    inline = sum(size(policy["PolicyDocument"]) for policy in role.get("Policies", ()))
    yield Excess("inline policy", part, inline, MOST_INLINE)
    count = len(role.get("ManagedPolicyArns", ()))
    yield Excess("managed policies", part, count, MANAGED_PER_ROLE)
    yield Excess("trust policy", part, size(role["AssumeRolePolicyDocument"]), MOST_TRUST)


def _policy(part: str, policy: Json) -> Iterator[Excess]:
    yield Excess("managed policy", part, size(policy["PolicyDocument"]), MOST_MANAGED)


def _rule(part: str, rule: Json) -> Iterator[Excess]:
    yield Excess("event pattern", part, size(rule["EventPattern"]), MOST_PATTERN)


def _function(part: str, function: Json) -> Iterator[Excess]:
    variables = function.get("Environment", {}).get("Variables", {})
    found = len(json.dumps(variables, ensure_ascii=False).encode())
    yield Excess("environment", part, found, MOST_ENVIRONMENT)


_MEASURES: Mapping[str, Callable[[str, Json], Iterator[Excess]]] = {
    "AWS::Events::Rule": _rule,
    "AWS::IAM::ManagedPolicy": _policy,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::Function": _function,
}
