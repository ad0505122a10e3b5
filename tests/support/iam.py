"""A small evaluator of IAM policies, and the roles of a template as it sees them.

It knows Allow and Deny, wildcards in actions and resources, and the conditions that our policies
use; anything else is an error, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ARN_PARTS = 6
_KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition"}


def matches(pattern: str, text: str) -> bool:
    """Match `*` and `?` as IAM does; nothing else is special."""
    expression = "".join(
        ".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern
    )
    return re.fullmatch(expression, text, re.DOTALL) is not None


def arn_matches(pattern: str, text: str) -> bool:
    """Match ARNs part by part: a wildcard does not reach over a colon of the first five."""
    patterns, texts = (one.split(":", _ARN_PARTS - 1) for one in (pattern, text))
    return len(patterns) == len(texts) and all(map(matches, patterns, texts))


_OPERATORS = {
    "StringEquals": lambda pattern, text: pattern == text,
    "StringLike": matches,
    "ArnLike": arn_matches,
    "ArnEquals": arn_matches,
}


def _listed(value: Any) -> Sequence[str]:  # noqa: ANN401 - JSON
    return [value] if isinstance(value, str) else value


def _holds(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    for operator, tests in conditions.items():
        plain = operator.removesuffix("IfExists")
        test = _OPERATORS[plain]
        for key, values in tests.items():
            if key not in context:
                if plain == operator:
                    return False
            elif not any(test(value, context[key]) for value in _listed(values)):
                return False
    return True


def _speaks_of(
    statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]
) -> bool:
    unknown = set(statement) - _KNOWN
    if unknown:
        message = f"the evaluator does not know {sorted(unknown)}"
        raise ValueError(message)
    return (
        any(matches(one.lower(), action.lower()) for one in _listed(statement["Action"]))
        and any(matches(one, resource) for one in _listed(statement["Resource"]))
        and _holds(statement.get("Condition", {}), context)
    )


def allows(
    documents: Iterable[Mapping[str, Any]], action: str, resource: str, **context: str
) -> bool:
    """Tell whether a request is allowed; `s3_prefix` stands for `s3:prefix`."""
    asked = {key.replace("_", ":", 1): value for key, value in context.items()}
    found = [
        statement["Effect"]
        for document in documents
        for statement in document["Statement"]
        if _speaks_of(statement, action, resource, asked)
    ]
    return "Allow" in found and "Deny" not in found


@dataclass(frozen=True)
class Role:
    """A role of a template."""

    documents: tuple[Mapping[str, Any], ...]
    trust: Mapping[str, Any]
    properties: Mapping[str, Any]

    def may(self, action: str, resource: str = "*", **context: str) -> bool:
        """Tell whether the role is allowed something."""
        return allows(self.documents, action, resource, **context)

    @property
    def actions(self) -> set[str]:
        """Give everything that it is allowed somewhere."""
        return {
            action
            for document in self.documents
            for statement in document["Statement"]
            for action in _listed(statement["Action"])
        }


def roles(template: Mapping[str, Any]) -> dict[str, Role]:
    """Give the roles of a template by name."""
    resources = template["Resources"]
    found = {}
    for one in resources.values():
        if one["Type"] == "AWS::IAM::Role":
            said = one["Properties"]
            managed = [
                resources[arn["Ref"]]["Properties"]["PolicyDocument"]
                for arn in said.get("ManagedPolicyArns", ())
            ]
            inline = [policy["PolicyDocument"] for policy in said.get("Policies", ())]
            trust = said["AssumeRolePolicyDocument"]
            found[said["RoleName"]] = Role((*inline, *managed), trust, said)
    return found
