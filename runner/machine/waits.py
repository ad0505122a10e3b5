"""Until when a Wait state waits, and how Step Functions reads timestamps."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from runner.machine import shaping
from runner.machine.definition import JsonataIo, WaitFor
from runner.machine.failures import QUERY, RUNTIME, StateError
from runner.machine.fields import LONGEST_S
from runner.machine.templates import Notation

if TYPE_CHECKING:
    from runner.machine.definition import Wait
    from runner.machine.templates import Env, Template
    from runner.model.ports import Json

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z", re.ASCII
)


def wait_until(state: Wait, env: Env, entered: datetime) -> datetime:
    """Give the instant at which a Wait state ends."""
    value = state.value.evaluate(env)
    if state.wait_for is WaitFor.TIMESTAMP:
        return _instant(state, value)
    return entered + timedelta(seconds=_seconds(state, value))


def parse_timestamp(text: object) -> datetime | None:
    """Read an RFC 3339 instant with an upper case T and an offset; None for anything else.

    >>> parse_timestamp("2013-01-05T06:00:00Z")
    datetime.datetime(2013, 1, 5, 6, 0, tzinfo=datetime.timezone.utc)
    >>> parse_timestamp("2013-01-05T06:00:00") is None
    True
    """
    match = _TIMESTAMP.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micros = (fraction or "")[1:7].ljust(6, "0")
    iso = f"{year}-{month}-{day}T{hour}:{minute}:{second}.{micros}"
    try:
        return datetime.fromisoformat(iso + ("+00:00" if zone == "Z" else zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _instant(state: Wait, value: Json) -> datetime:
    instant = parse_timestamp(value)
    if instant is not None:
        return instant
    template = state.value
    if isinstance(state.io, JsonataIo):
        told = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time"
        raise StateError(QUERY, f"{told} format string: {_shown(value)}")
    told = "parameter does not reference a valid ISO-8601 extended offset date-time format string"
    raise StateError(RUNTIME, f"The {template.field} {told}: {template.source} == {_shown(value)}")


def _seconds(state: Wait, value: Json) -> float:
    template = state.value
    if isinstance(state.io, JsonataIo) and template.notation is Notation.JSONATA:
        return _evaluated_seconds(template, value)
    if template.notation is not Notation.PATH:
        return _within(template, value)
    shown = f"{template.source} == {_shown(value)}"
    if isinstance(value, bool) or not isinstance(value, int):
        told = "parameter cannot be parsed as a long value"
        raise StateError(RUNTIME, f"The {template.field} {told}: {shown}")
    if value < 0:
        told = "parameter references a negative value"
        raise StateError(RUNTIME, f"The {template.field} {told}: {shown}")
    return _within(template, value)


def _within(template: Template, value: Json) -> float:
    if _is_seconds(value):
        return int(value)
    told = f"'{template.field}' must be a whole number from 0 to {LONGEST_S}"
    raise StateError(RUNTIME, f"The value of the field {told}, but was {_shown(value)}")


def _evaluated_seconds(template: Template, value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise shaping.unexpected_type(template, value, "number")
    if _is_seconds(value):
        return int(value)
    told = f"'{template.field}' must be a whole number from 0 to {LONGEST_S}"
    raise StateError(QUERY, f"The value of the field {told}, but was {value}")


def _is_seconds(value: float) -> bool:
    return 0 <= value <= LONGEST_S and value == int(value)


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else shaping.compact(value)
