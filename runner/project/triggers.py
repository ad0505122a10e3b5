"""Triggers of a workflow: what EventBridge would refuse, what names no period, what would loop.

In: a workflow, where its keys stand, and what the environment writes.  Out: faults.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.errors import Fault
from runner.keeper import triggers, windows
from runner.model.names import is_name
from runner.model.workflow import EventTrigger, ObjectTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.model.places import Places
    from runner.model.workflow import Workflow
    from runner.project.configuration import Setting

_MOST_PATTERN = 2048
"""Characters of a rule's event pattern (EventBridge quotas)."""
_BUS = re.compile(
    r"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus/)?[/.\-_A-Za-z0-9]+"
)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MOST_BUS = 256
_MOST_KEY = 1024
_LONGEST = {"year": "2012", "month": "2012-01", "day": "2012-01-01", "hour": "2012-01-01T00"}
"""The longest period of each grain, which is a leap year's."""


@dataclass(frozen=True, slots=True)
class Written:
    """What runs write in S3, and how much one may."""

    prefixes: tuple[str, ...]
    """`bucket/prefix` of the lake's tables, of our own folder, of the results."""
    max_window: int


def written_by(setting: Setting, databases: Iterable[str]) -> Written:
    """Say where runs of the environment write; `databases` are those of the project."""
    environment, config = setting.environment, setting.config
    if environment is None or config is None:
        return Written((), sys.maxsize)
    lake, results = (_folder(uri) for uri in (environment.lake, environment.results))
    physical = [f"{name}{setting.suffix}" for name in databases]
    prefixes = [f"{lake}{name}/" for name in (*physical, "_runner")]
    return Written((*prefixes, results), config.defaults.max_window)


def _folder(uri: str) -> str:
    return uri.removeprefix("s3://").rstrip("/") + "/"


def trigger_faults(workflow: Workflow, places: Places, written: Written) -> Iterator[Fault]:
    """Find what is wrong with a workflow's triggers."""
    for name, trigger in workflow.triggers.items():
        if not is_name(name):
            yield Fault(
                places.key("triggers", name),
                "bad-name",
                f"the trigger name `{name}`",
                "small letters, digits and _, a letter first",
                "rename the trigger",
            )
        if isinstance(trigger, EventTrigger):
            yield from _event(name, trigger, places)
        else:
            yield from _object(name, trigger, places)
            yield from _period(name, trigger, places, grain=workflow.grain, written=written)
            yield from _loop(name, trigger, places, written)


def _object(name: str, trigger: ObjectTrigger, places: Places) -> Iterator[Fault]:
    if not _BUCKET.fullmatch(trigger.bucket):
        yield Fault(
            places.value("triggers", name, "bucket"),
            "trigger-bucket",
            f"`bucket: {trigger.bucket}`",
            "the name of a bucket: small letters, digits, dots and hyphens",
            "name the bucket without s3:// and without a prefix",
        )
    for key, text in (("prefix", trigger.prefix), ("suffix", trigger.suffix)):
        if len(text.encode()) > _MOST_KEY or text.startswith("s3://"):
            yield Fault(
                places.value("triggers", name, key),
                "trigger-key",
                f"`{key}: {text[:60]}`",
                f"the {key} of keys, at most {_MOST_KEY} bytes",
                "leave bucket and s3:// out",
            )


def _period(
    name: str, trigger: ObjectTrigger, places: Places, *, grain: str, written: Written
) -> Iterator[Fault]:
    if (trigger.period is None) == (trigger.window is None):
        both = trigger.period is not None
        yield Fault(
            places.key("triggers", name),
            "trigger-window",
            "both `period` and `window`" if both else "neither `period` nor `window`",
            "one of them: where the key holds the period, or a window counted from the arrival",
            "remove one of the two" if both else "add `period: dt={year}-{month}-{day}/`, say",
        )
    if trigger.period is None:
        return
    place = places.value("triggers", name, "period")
    try:
        period = triggers.grain_of(trigger.period)
    except ValueError as error:
        yield Fault(
            place,
            "trigger-period",
            str(error),
            "plain text with {year}, and {month}, {day}, {hour} where the key tells them",
            "for example `period: dt={year}-{month}-{day}/`",
        )
        return
    if windows.GRAINS.index(period) < windows.GRAINS.index(grain):
        yield Fault(
            place,
            "trigger-grain",
            f"a period of one {period}, in a workflow of grain {grain}",
            f"a period of one {grain} or longer: each {period} would write its whole {grain} again",
            f"leave {{{period}}} out, or say `grain: {period}`",
        )
    elif _longest(period, grain) > written.max_window:
        yield Fault(
            place,
            "trigger-grain",
            f"a period of one {period}, which is {_longest(period, grain)} {grain}s",
            f"at most {written.max_window} {grain}s, `defaults.max_window`, in one run",
            f"let the key tell more of the period, or say `grain: {period}`",
        )


def _longest(period: str, grain: str) -> int:
    label = _LONGEST[period]
    return windows.count_periods(*windows.regrain(label, label, period, grain), grain)


def _loop(name: str, trigger: ObjectTrigger, places: Places, written: Written) -> Iterator[Fault]:
    """Refuse what our own writes would set off: every run would start the next."""
    head = triggers.head_of(trigger.period) if trigger.period else ""
    watched = f"{trigger.bucket}/{trigger.prefix}{head}"
    ours = next((p for p in written.prefixes if p.startswith(watched) or watched.startswith(p)), "")
    if ours:
        yield Fault(
            places.value("triggers", name, "prefix" if trigger.prefix else "bucket"),
            "trigger-loop",
            f"objects of s3://{watched}, where runs write themselves (s3://{ours})",
            "a prefix that no run writes to: else every run would start the next",
            "name the prefix or bucket that the data arrive in",
        )


def _event(name: str, trigger: EventTrigger, places: Places) -> Iterator[Fault]:
    place = places.key("triggers", name, "pattern")
    size = len(json.dumps(trigger.pattern, separators=(",", ":"), ensure_ascii=False))
    if size > _MOST_PATTERN:
        yield Fault(
            place,
            "trigger-pattern",
            f"a pattern of {size:,} characters",
            f"at most {_MOST_PATTERN:,} (EventBridge)",
            "match fewer values, or by prefix",
        )
    for path, wrong in _refused(trigger.pattern, ()):
        yield Fault(
            places.key("triggers", name, "pattern", *path),
            "trigger-pattern",
            f"`{'.'.join(path)}`: {wrong}",
            "lists of values or matchers, at the ends of nested mappings",
            "for example `source: [my.app]`",
        )
    if len(trigger.bus) > _MOST_BUS or not _BUS.fullmatch(trigger.bus):
        yield Fault(
            places.value("triggers", name, "bus"),
            "trigger-bus",
            f"`bus: {trigger.bus}`",
            "an event bus, by its name or ARN",
            "look it up with `aws events list-event-buses`",
        )


def _refused(pattern: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find where a pattern has not the shape that EventBridge asks for."""
    match pattern:
        case dict() if not pattern:
            yield path, "an empty mapping"
        case dict():
            for key, inner in pattern.items():
                yield from _inner(key, inner, (*path, key))
        case [] | ():
            yield path, "an empty list"
        case list() | tuple():
            return
        case _:
            yield path, f"{_said(pattern)}, not in a list"


def _inner(key: str, inner: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:  # noqa: ANN401 - JSON
    """Look into one key; `$or` holds patterns."""
    if key != "$or":
        yield from _refused(inner, path)
        return
    if not isinstance(inner, list) or len(inner) < len(("one", "other")):
        yield path, "not a list of two patterns or more"
        return
    for one in inner:
        yield from _refused(one if isinstance(one, dict) else {}, path)


def _said(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
