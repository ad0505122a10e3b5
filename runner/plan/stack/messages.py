"""Topics for people, and the queue of what could not be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.events import rule_patterns
from runner.plan.stack.iam.statements import document
from runner.plan.stack.names import Arns, dead_letters, logical_id
from runner.plan.stack.parts import (
    ALARM_TOPIC,
    ALARMS,
    DEAD_LETTERS,
    Resources,
    arn_of,
    ref,
    resource,
    tags,
    topic_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts

_KEPT_S = 14 * 24 * 3600
"""How long an undelivered message waits for somebody: the longest that SQS allows."""


def message_resources(facts: StackFacts) -> Resources:
    """Make the queue and the topics."""
    return {**_queue(facts), **_topics(facts), **_alarm_topic(facts)}


def _queue(facts: StackFacts) -> Resources:
    key = facts.keys.messages
    allowed = _allowed(
        facts,
        "events",
        action="sqs:SendMessage",
        resource_of=arn_of(DEAD_LETTERS),
        sources=rule_patterns(facts),
    )
    return {
        DEAD_LETTERS: resource(
            "SQS::Queue",
            {
                "QueueName": dead_letters(facts),
                "MessageRetentionPeriod": _KEPT_S,
                "SqsManagedSseEnabled": None if key else True,
                "KmsMasterKeyId": key or None,
                "Tags": tags(facts),
            },
        ),
        "DeadLettersPolicy": resource(
            "SQS::QueuePolicy",
            {"Queues": [ref(DEAD_LETTERS)], "PolicyDocument": document([allowed])},
        ),
    }


def _topics(facts: StackFacts) -> Resources:
    """Make the topics that hear of failures."""
    made: Resources = {}
    for name in facts.topics:
        part = topic_id(facts, name)
        if part != ALARM_TOPIC:
            made |= _topic(facts, part, f"{facts.prefix}-{name}")
            made |= _topic_policy(facts, part, {"events": rule_patterns(facts)})
    return made


def _alarm_topic(facts: StackFacts) -> Resources:
    """Make the topic of alarms; where a workflow names it, it hears of failures too."""
    if facts.alarm_topic:
        return {}
    sources = {"cloudwatch": [Arns.of(facts).arn("cloudwatch", f"alarm:{facts.prefix}-*")]}
    if ALARMS in facts.topics:
        sources["events"] = rule_patterns(facts)
    return {
        **_topic(facts, ALARM_TOPIC, f"{facts.prefix}-{ALARMS}"),
        **_topic_policy(facts, ALARM_TOPIC, sources),
        **{
            logical_id("Email", address): resource(
                "SNS::Subscription",
                {"TopicArn": ref(ALARM_TOPIC), "Protocol": "email", "Endpoint": address},
            )
            for address in facts.emails
        },
    }


def _topic(facts: StackFacts, part: str, name: str) -> Resources:
    key = facts.keys.messages or None
    properties = {"TopicName": name, "KmsMasterKeyId": key, "Tags": tags(facts)}
    return {part: resource("SNS::Topic", properties)}


def _topic_policy(facts: StackFacts, part: str, sources: Mapping[str, Sequence[str]]) -> Resources:
    """Let services publish for our own parts only; the account's roles need no word here."""
    allowed = [
        _allowed(facts, service, action="sns:Publish", resource_of=ref(part), sources=arns)
        for service, arns in sources.items()
    ]
    properties = {"Topics": [ref(part)], "PolicyDocument": document(allowed)}
    return {f"{part}Policy": resource("SNS::TopicPolicy", properties)}


def _allowed(
    facts: StackFacts, service: str, *, action: str, resource_of: Json, sources: Sequence[str]
) -> Json:
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": action,
        "Resource": resource_of,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": facts.account},
            "ArnLike": {"aws:SourceArn": list(sources)},
        },
    }
