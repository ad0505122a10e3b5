"""What of a template is more than AWS takes: counts and sizes, before anything is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.plan.stack.iam.packing import MANAGED_PER_ROLE, MOST_INLINE, MOST_MANAGED, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json

MOST_RESOURCES = 500
MOST_OUTPUTS = 200
MOST_TEMPLATE_BYTES = 1_048_576
"""Of a template that CloudFormation reads from S3."""


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that is passed."""

    what: str
    """resources, outputs, template bytes, inline policy, managed policy, managed policies."""
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
        properties = one.get("Properties", {})
        if one["Type"] == "AWS::IAM::Role":
            inline = sum(
                size(policy["PolicyDocument"]) for policy in properties.get("Policies", ())
            )
            yield Excess("inline policy", part, inline, MOST_INLINE)
            count = len(properties.get("ManagedPolicyArns", ()))
            yield Excess("managed policies", part, count, MANAGED_PER_ROLE)
        elif one["Type"] == "AWS::IAM::ManagedPolicy":
            yield Excess("managed policy", part, size(properties["PolicyDocument"]), MOST_MANAGED)
