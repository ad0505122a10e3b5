"""What calls a function beside workflows: streams of records, objects, log groups, executions.

A batch that fails is halved and tried again; what is given up is told to the dead-letter queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.events import ended_pattern
from runner.plan.stack.functions import function_id
from runner.plan.stack.names import Arns, fitting, logical_id
from runner.plan.stack.parts import (
    DEAD_LETTERS,
    RETRIES,
    Resources,
    arn_of,
    dead_letter_target,
    ref,
    resource,
    tags,
)

if TYPE_CHECKING:
    from runner.model.ports import Json
    from runner.plan.stack.facts import FunctionEventFacts, FunctionFacts, StackFacts


def function_event_resources(facts: StackFacts) -> Resources:
    """Make what calls the functions of an environment."""
    made: Resources = {}
    for function in facts.functions:
        for event in function.events:
            made |= _MAKERS[event.kind](facts, function, event)
    return made


def _records(facts: StackFacts, function: FunctionFacts, event: FunctionEventFacts) -> Resources:
    said = event.settings
    properties: dict[str, Json] = {
        "FunctionName": ref(function_id(function.name)),
        "EventSourceArn": said["stream"],
        "StartingPosition": str(said["start"]).upper(),
        "BatchSize": said["batch"],
        "MaximumBatchingWindowInSeconds": said["window_s"],
        "MaximumRetryAttempts": said["attempts"],
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": arn_of(DEAD_LETTERS)}},
        "Tags": tags(facts),
    }
    return {_id("Records", function, event): resource("Lambda::EventSourceMapping", properties)}


def _objects(facts: StackFacts, function: FunctionFacts, event: FunctionEventFacts) -> Resources:
    said = event.settings
    key: dict[str, Json] = {}
    if said["prefix"] and said["suffix"]:
        key = {"wildcard": f"{_plain(said['prefix'])}*{_plain(said['suffix'])}"}
    elif said["prefix"]:
        key = {"prefix": said["prefix"]}
    elif said["suffix"]:
        key = {"suffix": said["suffix"]}
    detail: dict[str, Json] = {"bucket": {"name": [said["bucket"]]}}
    if key:
        detail["object"] = {"key": [key]}
    pattern: dict[str, Json] = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": detail,
    }
    return _rule(facts, function, event, kind="Objects", pattern=pattern)


def _executions(facts: StackFacts, function: FunctionFacts, event: FunctionEventFacts) -> Resources:
    said = event.settings
    pattern = ended_pattern(facts, said["status"], workflows=said["workflows"])
    return _rule(facts, function, event, kind="Executions", pattern=pattern)


def _rule(
    facts: StackFacts,
    function: FunctionFacts,
    event: FunctionEventFacts,
    *,
    kind: str,
    pattern: dict[str, Json],
) -> Resources:
    """Make a rule of EventBridge that calls the function, and the permission to do so."""
    rule = _id(kind, function, event)
    properties: dict[str, Json] = {
        "Name": fitting(f"{function.name}-on-{event.name}"),
        "Description": f"Calls {function.name} by the event {event.name}.",
        "EventPattern": pattern,
        "State": "ENABLED",
        "Targets": [
            {
                "Id": "function",
                "Arn": arn_of(function_id(function.name)),
                "RetryPolicy": dict(RETRIES),
                "DeadLetterConfig": dead_letter_target(),
            }
        ],
        "Tags": tags(facts),
    }
    return {
        rule: resource("Events::Rule", properties),
        _id(f"{kind}May", function, event): _permission(
            function, "events.amazonaws.com", arn_of(rule)
        ),
    }


def _plain(text: str) -> str:
    """Write text so that a wildcard pattern takes it as it is."""
    return text.replace("\\", "\\\\").replace("*", "\\*")


def _logs(facts: StackFacts, function: FunctionFacts, event: FunctionEventFacts) -> Resources:
    said, permission = event.settings, _id("LogsMay", function, event)
    group = str(said["group"])
    properties: dict[str, Json] = {
        "LogGroupName": group,
        "FilterPattern": said["filter"],
        "DestinationArn": arn_of(function_id(function.name)),
    }
    source = Arns.of(facts).log_group(group)
    return {
        permission: _permission(function, "logs.amazonaws.com", source, account=facts.account),
        _id("Logs", function, event): resource(
            "Logs::SubscriptionFilter", properties, DependsOn=[permission]
        ),
    }


def _permission(
    function: FunctionFacts, principal: str, source: Json, *, account: str | None = None
) -> Json:
    return resource(
        "Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": ref(function_id(function.name)),
            "Principal": principal,
            "SourceArn": source,
            "SourceAccount": account,
        },
    )


def _id(kind: str, function: FunctionFacts, event: FunctionEventFacts) -> str:
    return logical_id(kind, f"{function.name}-{event.name}")


_MAKERS = {
    "kinesis": _records,
    "dynamodb": _records,
    "object": _objects,
    "logs": _logs,
    "executions": _executions,
}
