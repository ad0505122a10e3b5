"""Lambda functions: the keeper and the user's, each with a role and a log group of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.iam.functions import function_statements, keeper_statements
from runner.plan.stack.iam.trust import function_trust
from runner.plan.stack.names import bucket_and_key, function_role, logical_id
from runner.plan.stack.parts import Resources, arn_of, log_group, resource, role, role_id, tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.ports import Json
    from runner.plan.stack.facts import FunctionFacts, StackFacts
    from runner.plan.stack.iam.statements import Statement


def function_id(name: str) -> str:
    """Give a function's logical id."""
    return logical_id("Function", name)


def function_resources(facts: StackFacts) -> Resources:
    """Make the functions of an environment."""
    made = _function(facts, facts.keeper, keeper_statements(facts))
    for function in facts.functions:
        made |= _function(facts, function, function_statements(facts, function))
    return made


def _function(
    facts: StackFacts, function: FunctionFacts, statements: Sequence[Statement]
) -> Resources:
    group, name = f"/aws/lambda/{function.name}", function_role(function.name)
    bucket, key = bucket_and_key(function.code_uri)
    environment = {"Variables": dict(function.environment)} if function.environment else None
    properties: dict[str, Json] = {
        "FunctionName": function.name,
        "Description": function.description or None,
        "Handler": function.handler,
        "Runtime": function.runtime,
        "Architectures": [function.architecture],
        "Code": {"S3Bucket": bucket, "S3Key": key},
        "MemorySize": function.memory_mib,
        "Timeout": function.timeout_s,
        "EphemeralStorage": {"Size": function.disk_mib},
        "Environment": environment,
        "KmsKeyArn": facts.keys.data or None,
        "Role": arn_of(role_id(name)),
        "LoggingConfig": {"LogGroup": {"Ref": logical_id("Log", group)}},
        "VpcConfig": _network(facts, function),
        "Tags": tags(facts),
    }
    return {
        **log_group(facts, group),
        **role(
            facts,
            name,
            why=f"What the function {function.name} does.",
            trust=function_trust(),
            statements=statements,
        ),
        function_id(function.name): resource("Lambda::Function", properties),
    }


def _network(facts: StackFacts, function: FunctionFacts) -> Json:
    if facts.network is None or not function.network:
        return None
    return {
        "SubnetIds": list(facts.network.subnets),
        "SecurityGroupIds": list(facts.network.security_groups),
    }
