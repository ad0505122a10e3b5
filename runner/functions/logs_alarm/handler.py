"""Tells people when too much of something is in the logs: once for an incident, within seconds.

In: the event of a subscription filter, or a Kinesis batch that one writes to.  Out: what was
counted, and whether it was told.  Settings are environment variables, listed in function.yaml.
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING or __package__:
    from .delivery import deliver, read_targets
    from .memory import ProcessMemory, TableMemory
    from .message import write
    from .payload import Batch, read_batches
    from .rule import Rule, count, judge, surroundings
else:  # in Lambda the folder itself is on the path
    from delivery import deliver, read_targets
    from memory import ProcessMemory, TableMemory
    from message import write
    from payload import Batch, read_batches
    from rule import Rule, count, judge, surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .memory import Memory
    from .payload import LogEvent, Unreadable
    from .rule import Reached

PATTERN = r"\b(ERROR|FATAL|CRITICAL)\b|Traceback|Exception"
_SPAN = re.compile(r"([1-9]\d{0,5})([smhd])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Alarm(NamedTuple):
    """What an invocation needs."""

    rule: Rule
    memory: Memory


class Seen(NamedTuple):
    """The matching events of a payload."""

    batch: Batch
    matching: list[LogEvent]


def handler(event: Mapping[str, object], context: object) -> dict[str, object]:  # noqa: ARG001
    """Count the log events of an invocation and tell people if it is time."""
    used = alarm()
    read_targets()  # settings that are wrong are told at once
    seen: list[Seen] = []
    parts: set[int] = set()
    events = 0
    for batch in read_batches(event):
        if not isinstance(batch, Batch):
            _tell_unreadable(batch)
            continue
        events += len(batch.events)
        counts, matching = count(batch.events, used.rule)
        if not matching and not used.rule.rate:
            continue  # it changes nothing
        used.memory.add([one.id for one in batch.events], counts)
        seen.append(Seen(batch, matching))
        parts |= set(counts)
    matches = sum(len(one.matching) for one in seen)
    return {"events": events, "matches": matches, "told": bool(parts) and _tell(used, parts, seen)}


def _tell_unreadable(found: Unreadable) -> None:
    print(f"unreadable: {found.record} {found.reason}: {found.data[:1000]}")


def _tell(used: Alarm, parts: set[int], seen: list[Seen]) -> bool:
    """Tell people if a window is full and they do not know of it."""
    reached = judge(used.memory.read(surroundings(parts)), used.rule)
    if reached is None or not used.memory.claim(reached.until_ms):
        return False
    subject, text = _written(used.rule, reached, seen)
    print(f"{subject}\n{text}")
    try:
        deliver(read_targets(), subject, text)
    except BaseException:
        used.memory.release()  # the invocation is repeated, and tells it then
        raise
    used.memory.settle(reached.until_ms + used.rule.cooldown_s * 1000)
    return True


def _written(rule: Rule, reached: Reached, seen: list[Seen]) -> tuple[str, str]:
    """Write the message, with lines of the payload that has most of them in the window."""

    def within(one: Seen) -> list[LogEvent]:
        return [e for e in one.matching if reached.since_ms <= e.time_ms < reached.until_ms]

    chosen = max(seen, key=lambda one: len(within(one)))
    return write(
        rule,
        reached,
        within(chosen),
        group=chosen.batch.group,
        stream=chosen.batch.stream,
        region=os.environ.get("AWS_REGION", "us-east-1"),
    )


@cache
def alarm() -> Alarm:
    """Read the settings, once; ValueError names the variable that is wrong."""
    name = os.environ.get("NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "logs_alarm"
    rule = Rule(
        name=name,
        pattern=_regex("PATTERN", PATTERN),
        ignore=_regex("IGNORE", "") if os.environ.get("IGNORE") else None,
        threshold=int(_number("THRESHOLD", "1", least=1)),
        window_s=_span("WINDOW", "5m"),
        cooldown_s=_span("COOLDOWN", "1h"),
        rate=_number("RATE", "0", most=100),
        least=int(_number("MIN_EVENTS", "20", least=1)),
    )
    return Alarm(rule, _memory(rule))


def _memory(rule: Rule) -> Memory:
    table = os.environ.get("TABLE", "")
    if not table:
        return ProcessMemory()
    import boto3  # noqa: PLC0415 - only where there is a table

    client = boto3.client("dynamodb")
    return TableMemory(client, table, rule.name, part_ms=rule.part_ms)


def _regex(name: str, otherwise: str) -> re.Pattern[str]:
    text = os.environ.get(name) or otherwise
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{name} is {text!r}; expected a regular expression: {error}") from None


def _number(name: str, otherwise: str, *, least: float = 0, most: float = 1e9) -> float:
    text = os.environ.get(name) or otherwise
    try:
        found = float(text)
    except ValueError:
        found = -1
    if not least <= found <= most:
        raise ValueError(f"{name} is {text!r}; expected a number from {least:g} to {most:g}")
    return found


def _span(name: str, otherwise: str) -> int:
    text = os.environ.get(name) or otherwise
    if (match := _SPAN.match(text)) is None:
        raise ValueError(f"{name} is {text!r}; expected a time span like 30s, 5m, 1h, 1d")
    return int(match[1]) * _SECONDS[match[2]]
