"""The event pattern of a trigger, as an EventBridge rule matches it.

In: a trigger as a compiled workflow has it.  Out: the pattern as JSON.
Source: EventBridge user guide, "Comparison operators for use in event patterns" and "Amazon S3
events" (`Object Created`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def pattern_of(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Give the EventBridge pattern of one of `WorkflowFacts.triggers`.

    Objects are matched by all that is sure of their keys: the prefix, with the text that the period
    begins with, and the suffix.  A list of two matchers would mean either, so both together are
    one `wildcard`.

    >>> pattern_of({"type": "object", "bucket": "b", "prefix": "in/", "suffix": "", "period": None})
    ... # doctest: +NORMALIZE_WHITESPACE
    {'source': ['aws.s3'], 'detail-type': ['Object Created'],
     'detail': {'bucket': {'name': ['b']}, 'object': {'key': [{'prefix': 'in/'}]}}}
    """
    if trigger["type"] == "event":
        return dict(trigger["pattern"])
    detail: dict[str, Any] = {"bucket": {"name": [trigger["bucket"]]}}
    head = (trigger["period"] or "").partition("{")[0]
    key = _key(trigger["prefix"] + head, trigger["suffix"])
    if key:
        detail["object"] = {"key": [key]}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def _key(prefix: str, suffix: str) -> dict[str, str]:
    if prefix and suffix:
        return {"wildcard": f"{_literal(prefix)}*{_literal(suffix)}"}
    if prefix:
        return {"prefix": prefix}
    return {"suffix": suffix} if suffix else {}


def _literal(text: str) -> str:
    r"""Write text so that nothing in it is a wildcard.

    >>> _literal("a*b")
    'a\\*b'
    """
    return text.replace("\\", "\\\\").replace("*", "\\*")
