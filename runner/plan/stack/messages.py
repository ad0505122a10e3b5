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
    from collections.abc import Mapping

    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts

_KEPT_S = 14 * 24 * 3600
"""How long an undelivered message waits for somebody: the longest that SQS allows."""


def message_resources(facts: StackFacts) -> Resources:
    """Make the queue and the topics."""
    return {**_queue(facts), **_topics(facts), **_alarm_topic(facts)}


def _queue(facts: StackFacts) -> Resources:
    key = facts.keys.messages
    # The rules' ARNs name the account; that EventBridge says it beside them is nowhere promised.
    allowed = _allowed(
        "events",
        action="sqs:SendMessage",
        resource_of=arn_of(DEAD_LETTERS),
        where={"ArnLike": {"aws:SourceArn": rule_patterns(facts)}},
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
            made |= _topic_policy(part, {"events": None})
    return made


def _alarm_topic(facts: StackFacts) -> Resources:
    """Make the topic of alarms; where a workflow names it, it hears of failures too."""
    if facts.alarm_topic:
        return {}
    alarms = [Arns.of(facts).arn("cloudwatch", f"alarm:{facts.prefix}-*")]
    publishers: dict[str, Json] = {
        "cloudwatch": {
            "StringEquals": {"aws:SourceAccount": facts.account},
            "ArnLike": {"aws:SourceArn": alarms},
        }
    }
    if ALARMS in facts.topics:
        publishers["events"] = None
    return {
        **_topic(facts, ALARM_TOPIC, f"{facts.prefix}-{ALARMS}"),
        **_topic_policy(ALARM_TOPIC, publishers),
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


def _topic_policy(part: str, publishers: Mapping[str, Json]) -> Resources:
    """Let services publish, each on its condition; the account's roles need no word here.

    EventBridge has none: it tells SNS of no source, and a condition on one would never hold ("You
    can't use Condition blocks in Amazon SNS topic policies for EventBridge").  Rules of other
    accounts publish with a role of theirs, which this does not allow.
    """
    allowed = [
        _allowed(service, action="sns:Publish", resource_of=ref(part), where=where)
        for service, where in publishers.items()
    ]
    properties = {"Topics": [ref(part)], "PolicyDocument": document(allowed)}
    return {f"{part}Policy": resource("SNS::TopicPolicy", properties)}


def _allowed(service: str, *, action: str, resource_of: Json, where: Json) -> Json:
    found = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": action,
        "Resource": resource_of,
    }
    return {**found, "Condition": where} if where else found
