"""What functions may do: the keeper with the lake, a user's function what its file grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.iam.machine import grant_statements
from runner.plan.stack.iam.statements import Condition, Statement, allow
from runner.plan.stack.names import (
    STAGE_SUFFIX,
    Arns,
    bucket_and_key,
    bucket_arn,
    dead_letters,
    objects_arn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.plan.stack.facts import FunctionFacts, StackFacts

_NETWORK = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda needs to put a function into a network; it takes no narrower resource."""
_STREAMS = {
    "dynamodb": (
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    ),
    "kinesis": (
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    ),
}
"""What an event source mapping does with the function's role."""
_SECRET = "secretsmanager:GetSecretValue"  # noqa: S105 - the name of an action
_OBJECTS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")


def function_statements(facts: StackFacts, function: FunctionFacts) -> tuple[Statement, ...]:
    """Allow a user's function its log, its network, and what its file grants."""
    statements = (
        *_running(facts, function),
        *_reading(facts, function),
        *grant_statements(function.grants),
    )
    secrets = any(_SECRET in grant.actions for grant in function.grants)
    if not secrets or not facts.keys.secrets:
        return statements
    return (*statements, allow("SecretsKey", ["kms:Decrypt"], [facts.keys.secrets]))


def keeper_statements(facts: StackFacts) -> tuple[Statement, ...]:
    """Allow the keeper the lake, the results, a look at executions, and the stage's garbage."""
    return (
        *_lake(facts),
        *_executions(facts),
        *_garbage(facts),
        *function_statements(facts, facts.keeper),
    )


def _running(facts: StackFacts, function: FunctionFacts) -> Iterator[Statement]:
    log = Arns.of(facts).log_group(f"/aws/lambda/{function.name}")
    yield allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [log])
    if function.network and facts.network is not None:
        yield allow("Network", _NETWORK, ["*"])
    if facts.keys.data:
        yield allow("DataKey", ["kms:Decrypt", "kms:GenerateDataKey"], [facts.keys.data])


def _reading(facts: StackFacts, function: FunctionFacts) -> Iterator[Statement]:
    """Allow what Lambda does in a function's name: read its streams, tell of what it gave up."""
    for kind, actions in _STREAMS.items():
        found = [str(one.settings["stream"]) for one in function.events if one.kind == kind]
        if found:
            yield allow(f"{kind.capitalize()}Records", actions, found)
            queue = Arns.of(facts).queue(dead_letters(facts))
            yield allow(f"{kind.capitalize()}GivenUp", ["sqs:SendMessage"], [queue])


def _lake(facts: StackFacts) -> Iterator[Statement]:
    """Allow everything below the lake, and below adopted tables that lie elsewhere."""
    own = {facts.lake, *_adopted(facts)}
    yield allow("Lake", _OBJECTS, map(objects_arn, own))
    if not facts.results.startswith(facts.lake):
        yield allow("Results", ["s3:GetObject"], [objects_arn(facts.results)])
    bucket = [bucket_arn(facts.lake)]
    prefixes = tuple(sorted(f"{bucket_and_key(uri)[1]}*" for uri in own))
    # S3 tells a missing object (404) from a forbidden one (403) by the right to list, and such
    # a request has no prefix: hence IfExists.
    listing = Condition("StringLikeIfExists", "s3:prefix", prefixes)
    yield allow("ListLake", ["s3:ListBucket"], bucket, listing)
    yield allow("Uploads", ["s3:ListBucketMultipartUploads"], bucket)


def _adopted(facts: StackFacts) -> set[str]:
    """Give the locations of tables that are written outside of the lake's prefix.

    The keeper writes into the lake's bucket only.
    """
    bucket = bucket_arn(facts.lake)
    return {
        location
        for machine in facts.machines
        for table in machine.writes
        for location in table.locations
        if bucket_arn(location) == bucket and not location.startswith(facts.lake)
    }


def _executions(facts: StackFacts) -> Iterator[Statement]:
    """Allow to ask who is running: also executions of machines that are no more."""
    arns = Arns.of(facts)
    ours = [arns.arn("states", f"execution:{facts.prefix}-*")]
    yield allow("Executions", ["states:DescribeExecution"], ours)
    if facts.polling:
        yield allow("Histories", ["states:GetExecutionHistory"], ours)
        runs = [arns.arn("states", f"mapRun:{facts.prefix}-*")]
        yield allow("MapRuns", ["states:ListExecutions"], runs)
        group = [arns.arn("athena", f"workgroup/{facts.workgroup}")]
        actions = ["athena:BatchGetQueryExecution", "athena:StopQueryExecution"]
        yield allow("Statements", actions, group)


def _garbage(facts: StackFacts) -> Iterator[Statement]:
    """Allow `gc`: it asks which locations any table uses, and deletes stage tables."""
    arns = Arns.of(facts)
    everything = [arns.catalogue(), arns.database("*"), arns.table("*", "*")]
    reading = ["glue:GetDatabases", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"]
    yield allow("ReadCatalogue", reading, everything)
    stages = sorted(_stages(facts))
    if stages:
        on = [arns.catalogue(), *map(arns.database, stages)]
        tables = [arns.table(stage, "*") for stage in stages]
        yield allow("StageTables", ["glue:DeleteTable"], [*on, *tables])


def _stages(facts: StackFacts) -> set[str]:
    made = {name for name in facts.databases if name.endswith(STAGE_SUFFIX)}
    return made | {
        table.database + STAGE_SUFFIX for machine in facts.machines for table in machine.writes
    }
