"""State machines: the definition, a role of its own, and a log group for each workflow.

Children log to their workflow's group: their streams have the machine's name in them.

Every machine has a role of its own with exact permissions.  A template takes 1 MB and 500 resources
in all; where that is not enough, permissions name databases instead of their tables: first those of
workflows in several machines, then all.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from runner.plan.stack.iam.machine import machine_statements
from runner.plan.stack.iam.trust import machine_trust
from runner.plan.stack.names import bucket_and_key, logical_id, machine_role
from runner.plan.stack.parts import Resources, arn_of, log_group, resource, role, role_id, tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.model.ports import Json
    from runner.plan.stack.facts import MachineFacts, StackFacts
    from runner.plan.stack.iam.statements import Statement
    from runner.plan.stack.iam.uses import Uses

_LOGS = "/aws/vendedlogs/states/"
"""Below this name, groups do not use up the Region's one resource policy of 5,120 characters."""


def machine_id(name: str) -> str:
    """Give a machine's logical id."""
    return logical_id("Machine", name)


class Width(Enum):
    """Whose permissions name databases instead of their tables."""

    EXACT = "exact"
    LARGE = "by database for workflows in several machines"
    ALL = "by database"


def machine_needs(facts: StackFacts, uses: Mapping[str, Uses]) -> dict[str, tuple[Statement, ...]]:
    """Give what each machine may do, by its name; `uses` are those of its definition."""
    return {one.name: machine_statements(facts, one, uses[one.name]) for one in facts.machines}


def machine_resources(
    facts: StackFacts, needs: Mapping[str, Sequence[Statement]], width: Width
) -> Resources:
    """Make every machine of an environment."""
    large = {one.workflow for one in facts.machines if one.child}
    own = {one.workflow: one for one in facts.machines if not one.child}
    made: Resources = {}
    for machine in facts.machines:
        group = _LOGS + own.get(machine.workflow, machine).name
        if facts.log_level != "OFF":
            made |= log_group(facts, group)
        broad = width is Width.ALL or (width is Width.LARGE and machine.workflow in large)
        made |= _machine(facts, machine, group)
        made |= role(
            facts,
            machine_role(machine.name),
            why=f"What the state machine {machine.name} calls.",
            trust=machine_trust(facts, machine.name),
            statements=needs[machine.name],
            broad=broad,
        )

    return made


def _machine(facts: StackFacts, machine: MachineFacts, group: str) -> Resources:
    children = [
        machine_id(one.name)
        for one in facts.machines
        if one.child and one.workflow == machine.workflow and not machine.child
    ]
    properties: dict[str, Json] = {
        "StateMachineName": machine.name,
        "StateMachineType": "STANDARD",
        **_definition(machine),
        "RoleArn": arn_of(role_id(machine_role(machine.name))),
        "LoggingConfiguration": _logging(facts, group),
        "Tags": tags(facts),
    }
    # What a parent starts is there before it.
    rest: dict[str, Json] = {"DependsOn": sorted(children)} if children else {}
    return {machine_id(machine.name): resource("StepFunctions::StateMachine", properties, **rest)}


def _definition(machine: MachineFacts) -> dict[str, Json]:
    if not machine.definition_uri:
        # JSON's other way to write a brace: ${...} reads as a substitution of CloudFormation's.
        return {"DefinitionString": machine.definition.replace("${", "$\\u007b")}
    bucket, key = bucket_and_key(machine.definition_uri)
    return {"DefinitionS3Location": {"Bucket": bucket, "Key": key}}


def _logging(facts: StackFacts, group: str) -> Json:
    if facts.log_level == "OFF":
        return None
    destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": arn_of(logical_id("Log", group))}}
    return {
        "Level": facts.log_level,
        "IncludeExecutionData": False,
        "Destinations": [destination],
    }
