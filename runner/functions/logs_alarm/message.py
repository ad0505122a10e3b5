"""An alarm in words: what, how many, since when, some lines, and where to look.

In: the rule, the window, and matching events.  Out: subject and text.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .payload import LogEvent
    from .rule import Reached, Rule

_LINES = 5
_LETTERS = 300
"""Of a line that is shown."""
_MINUTE_S, _HOUR_S = 60, 3600


def write(
    rule: Rule,
    reached: Reached,
    events: Sequence[LogEvent],
    *,
    group: str,
    stream: str,
    region: str,
) -> tuple[str, str]:
    """Write an alarm; `events` match, and came in `group` and `stream`."""
    found = reached.found
    events_ = "event" if found.matches == 1 else "events"
    subject = f"{rule.name}: {found.matches} log {events_} within {span(rule.window_s)}"
    about = (
        f"{found.matches} {events_} like /{rule.pattern.pattern}/ since {_time(reached.since_ms)}"
    )
    if rule.rate:
        about += f", {found.matches * 100 / found.total:.3g} % of {found.total}"
    shown = [f"  {_time(one.time_ms)}  {_line(one.message)}" for one in events[:_LINES]]
    rest = found.matches - len(shown)
    if rest > 0:
        shown.append(f"  and {rest} more")
    where = link(region, group, stream, since_ms=reached.since_ms, until_ms=reached.until_ms)
    lines = [
        f"{about}, in {group} ({stream}).",
        "",
        *shown,
        "",
        f"Look: {where}",
    ]
    if rule.cooldown_s:
        lines.append(f"No other message about this for {span(rule.cooldown_s)}.")
    return subject, "\n".join(lines)


def link(region: str, group: str, stream: str, *, since_ms: int, until_ms: int) -> str:
    """Lead to the log stream in the console, which writes names quoted twice, with $ for %."""
    host = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
    range_ = _quoted(f"?start={since_ms}&end={until_ms}")
    names = (_quoted(quote(name, safe="")) for name in (group, stream))
    return f"{host}#logsV2:log-groups/log-group/{'/log-events/'.join(names)}{range_}"


def _quoted(text: str) -> str:
    return quote(text, safe="").replace("%", "$")


def span(seconds: int) -> str:
    """Write a time span for people.

    >>> [span(one) for one in (1, 90, 300, 3600)]
    ['1 second', '90 seconds', '5 minutes', '1 hour']
    """
    for unit, size in (("hour", _HOUR_S), ("minute", _MINUTE_S), ("second", 1)):
        if seconds >= size and seconds % size == 0:
            number = seconds // size
            return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return "0 seconds"


def _time(time_ms: int) -> str:
    try:
        return f"{dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return str(time_ms)


def _line(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= _LETTERS else f"{line[:_LETTERS]}..."
