"""What a deploy may do about delivery streams, and about what calls functions.

In: prefix, Region and account of an environment, and which of these its project has.  Out:
statements; none for a project without streams and events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model.ports import Json

_STREAM = (
    "CreateDeliveryStream",
    "DeleteDeliveryStream",
    "DescribeDeliveryStream",
    "ListTagsForDeliveryStream",
    "TagDeliveryStream",
    "UntagDeliveryStream",
    "UpdateDestination",
)
_LOG_STREAM = ("CreateLogStream", "DeleteLogStream", "DescribeLogStreams")
_MAPPING = ("DeleteEventSourceMapping", "GetEventSourceMapping", "UpdateEventSourceMapping")
_MAPPING_TAGS = ("ListTags", "TagResource", "UntagResource")
_SUBSCRIPTION = ("DeleteSubscriptionFilter", "DescribeSubscriptionFilters", "PutSubscriptionFilter")


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What of a project brings events."""

    streams: bool = False
    """Whether it has delivery streams."""
    mappings: bool = False
    """Whether functions are called with the records of streams."""
    log_groups: tuple[str, ...] = ()
    """Log groups whose events functions are called with."""


def source_statements(facts: SourceFacts, *, prefix: str, place: str) -> list[Json]:
    """List the statements; `place` is `<region>:<account>`."""
    found: list[Json] = []
    if facts.streams:
        groups = f"arn:aws:logs:{place}:log-group:/aws/kinesisfirehose/{prefix}-*"
        found += [
            allowed(
                "Streams",
                "firehose",
                _STREAM,
                f"arn:aws:firehose:{place}:deliverystream/{prefix}-*",
            ),
            allowed("StreamLogs", "logs", _LOG_STREAM, groups),
        ]
    if facts.mappings:
        ours = {"ArnLike": {"lambda:FunctionArn": f"arn:aws:lambda:{place}:function:{prefix}-*"}}
        every = f"arn:aws:lambda:{place}:event-source-mapping:*"
        found += [
            {
                **allowed("MappingsMade", "lambda", ("CreateEventSourceMapping",), "*"),
                "Condition": ours,
            },
            {**allowed("Mappings", "lambda", _MAPPING, every), "Condition": ours},
            allowed("MappingTags", "lambda", _MAPPING_TAGS, every),
        ]
    if facts.log_groups:
        groups_ = [f"arn:aws:logs:{place}:log-group:{name}:*" for name in facts.log_groups]
        found.append(allowed("Subscriptions", "logs", _SUBSCRIPTION, *groups_))
    return found


def allowed(name: str, service: str, actions: tuple[str, ...], *resources: str) -> dict[str, Json]:
    """Write a statement that allows actions of a service on resources."""
    return {
        "Sid": name,
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": resources[0] if len(resources) == 1 else list(resources),
    }
