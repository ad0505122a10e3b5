"""`streams:` in config.yaml: delivery streams (Amazon Data Firehose) that bring events to S3."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from runner.model.durations import seconds
from runner.model.fields import Duration
from runner.model.header import Strict
from runner.model.refusal import RefusedValueError

_MOST_WAIT_S = 900
_EXPRESSION = re.compile(r"!\{([^}]*)\}")
_NAMESPACES = re.compile(
    r"timestamp:.+|firehose:(random-string|error-output-type)|partitionKeyFromLambda:[A-Za-z0-9_]+"
)
_TIME = "timestamp:"
TIME_PARTS = ("yyyy", "yy", "MM", "MMM", "dd", "DDD", "EEE", "HH", "mm", "ss")
"""Letters of a timestamp, as Java's DateTimeFormatter reads them, that mean the same here."""
_PART = re.compile(r"'[^']*'|([A-Za-z])\1*")
_OUTPUT_TYPE = "firehose:error-output-type"


def expressions(prefix: str) -> tuple[str, ...]:
    """List the expressions of a prefix, without their marks.

    >>> expressions("events/dt=!{timestamp:yyyy-MM-dd}/")
    ('timestamp:yyyy-MM-dd',)
    """
    return tuple(_EXPRESSION.findall(prefix))


def _prefix(text: str) -> str:
    for each in expressions(text):
        if _NAMESPACES.fullmatch(each) is None:
            raise RefusedValueError(
                "!{timestamp:yyyy/MM/dd}, !{firehose:random-string} or "
                f"!{{partitionKeyFromLambda:name}}; here: !{{{each}}}",
                "write one of these, or plain text",
            )
        _check_time(each)
    if _OUTPUT_TYPE in expressions(text):
        raise RefusedValueError(
            "a prefix of delivered records, which have no kind of error",
            "use !{firehose:error-output-type} in `errors` only",
        )
    return text


def _check_time(expression: str) -> None:
    if not expression.startswith(_TIME):
        return
    pattern = expression.removeprefix(_TIME)
    for part in _PART.finditer(pattern):
        if part[1] and part[0] not in TIME_PARTS:
            raise RefusedValueError(
                f"letters of {', '.join(TIME_PARTS)} in a timestamp; here: {part[0]}",
                "write them so: yyyy is the year, MM the month, dd the day, HH the hour, mm the "
                "minute",
            )


def _errors(text: str) -> str:
    found = expressions(text)
    for each in found:
        _check_time(each)
    if any(each.startswith("partitionKey") for each in found):
        raise RefusedValueError(
            "an errors prefix without partition keys: a failed record has none",
            "use !{timestamp:...}, !{firehose:random-string} and !{firehose:error-output-type}",
        )
    if found and _OUTPUT_TYPE not in found:
        raise RefusedValueError(
            "!{firehose:error-output-type} in an errors prefix with expressions",
            "add it, such as errors/!{firehose:error-output-type}/",
        )
    return text


def _wait(text: str) -> str:
    if seconds(text) > _MOST_WAIT_S:
        raise RefusedValueError("at most 15m, Firehose's longest buffer", "write 15m or less")
    return text


class Stream(Strict):
    """A delivery stream: what is put into it lies in S3 soon, changed by a function on its way."""

    description: str = Field("", description="What it carries.")
    transform: str | None = Field(
        None, description="Function that changes the records: a folder under lambdas/, or builtin:."
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        description="Where the objects lie below `streams_to` of the environment, in Firehose's "
        "words: events/dt=!{timestamp:yyyy-MM-dd}/ is by time of arrival (UTC), "
        "!{partitionKeyFromLambda:name} by what the function says."
    )
    errors: Annotated[str, AfterValidator(_errors)] = Field(
        "errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/",
        description="Where records lie that could not be changed or delivered.",
    )
    compression: Literal["none", "gzip"] = Field("gzip", description="Of the objects.")
    size: int = Field(
        5,
        ge=1,
        le=128,
        description="MiB after which an object is written; 64 at least with partition keys.",
    )
    interval: Annotated[Duration, AfterValidator(_wait)] = Field(
        "5m", description="Longest wait before an object is written."
    )
    source: str | None = Field(
        None,
        pattern=r"^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/.+$",
        description="ARN of the Kinesis stream that it reads; if absent, producers put into it.",
    )

    @property
    def partitioned(self) -> bool:
        """Tell whether the function decides where records lie."""
        return any(each.startswith("partitionKey") for each in expressions(self.prefix))
