"""What the roles of a template may do, as lines that can be compared.

In: a template.  Out: for every role its permissions, one line for each action and resource; a
policy that is attached to a role counts as the role's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json

_POLICIES = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")


def permissions_of(template: Mapping[str, Json]) -> dict[str, frozenset[str]]:
    """Give what each role may do, by the role's name, and who may take it."""
    resources: Mapping[str, Json] = template.get("Resources", {})
    roles = {key: one for key, one in resources.items() if one.get("Type") == "AWS::IAM::Role"}
    names = {key: _name(key, role) for key, role in roles.items()}
    found: dict[str, set[str]] = {name: set() for name in names.values()}
    for key, role in roles.items():
        properties = role.get("Properties", {})
        for policy in properties.get("Policies", ()):
            found[names[key]].update(_lines(policy.get("PolicyDocument", {})))
        for arn in properties.get("ManagedPolicyArns", ()):
            if not _is_reference(arn):
                found[names[key]].add(f"everything of {_text(arn)}")
        found[names[key]].update(_trust(properties.get("AssumeRolePolicyDocument", {})))
    for key, policy in resources.items():
        if policy.get("Type") in _POLICIES:
            lines = set(_lines(policy.get("Properties", {}).get("PolicyDocument", {})))
            for role_name in _attached(key, policy, roles, names):
                found.setdefault(role_name, set()).update(lines)
    return {name: frozenset(lines) for name, lines in found.items()}


def _name(key: str, role: Mapping[str, Json]) -> str:
    name = role.get("Properties", {}).get("RoleName")
    return name if isinstance(name, str) else key


def _attached(
    key: str, policy: Mapping[str, Json], roles: Mapping[str, Json], names: Mapping[str, str]
) -> Iterator[str]:
    """Name the roles that a policy is attached to, from either side."""
    for role in policy.get("Properties", {}).get("Roles", ()):
        referred = role.get("Ref") if isinstance(role, dict) else None
        yield names.get(referred, referred) if referred else str(role)
    for logical, role in roles.items():
        if {"Ref": key} in role.get("Properties", {}).get("ManagedPolicyArns", ()):
            yield names[logical]


def _is_reference(arn: Json) -> bool:
    return isinstance(arn, dict) and "Ref" in arn


def _trust(document: Mapping[str, Json]) -> Iterator[str]:
    for statement in _list(document.get("Statement")):
        who = json.dumps(statement.get("Principal"), sort_keys=True)
        yield f"taken by {who}{_condition(statement)}"


def _lines(document: Mapping[str, Json]) -> Iterator[str]:
    for statement in _list(document.get("Statement")):
        denied = "deny " if statement.get("Effect") == "Deny" else ""
        for action in _list(statement.get("Action")):
            for resource in _list(statement.get("Resource")):
                yield f"{denied}{action} on {_text(resource)}{_condition(statement)}"


def _condition(statement: Mapping[str, Json]) -> str:
    condition = statement.get("Condition")
    return f" if {json.dumps(condition, sort_keys=True)}" if condition else ""


def _list(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
