"""How time passes in an execution: as it does, scaled, or not at all."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.clocks import ScaledClock, WallClock
from runner.errors import Fault, Place, UsageError
from runner.machine import VirtualClock
from runner.machine.waits import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.machine import Clock, Event

_SCALE = re.compile(r"x(\d{1,9}(?:\.\d{1,6})?)\Z")


def make_clock(words: str, start: datetime) -> Clock:
    """Make the clock that `real`, `skip` or `x<factor>` names; `start` is when it begins.

    Real time begins when it does.
    """
    if words == "real":
        return WallClock()
    if words == "skip":
        return VirtualClock(start)
    match = _SCALE.match(words)
    if match is None or float(match[1]) == 0:
        expected = "real, skip, or how many times faster: x60"
        advice = "write --time x60 for a minute in a second"
        raise UsageError([Fault(Place("--time"), "bad-time", repr(words), expected, advice)])
    return ScaledClock(float(match[1]), start)


def start_of(context: Mapping[str, Any], told: Sequence[Event]) -> datetime:
    """Give the instant at which time that is not real begins; never before what was journalled."""
    given = (context.get("Execution") or {}).get("StartTime")
    start = parse_timestamp(given) if given is not None else datetime.now(UTC)
    if start is None:
        expected = "an instant, for example 2013-01-05T06:00:00Z"
        fault = Fault(
            Place("--context"), "bad-time", f"StartTime {given!r}", expected, "correct it"
        )
        raise UsageError([fault])
    return max([start, *(event.time for event in told[-1:])])
