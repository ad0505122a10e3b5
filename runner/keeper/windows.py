"""Civil time: windows, grains, and values written by Java date patterns.  Pure arithmetic.

A civil value is a label of a period, as text: `2013-01-05` (day), `2013-01-05T07` (hour),
`2013-01` (month), `2013` (year).  It has no zone; the project's zone matters only where an instant
(the scheduled time) becomes a period.  SEMANTICS 14 to 17.
"""

from __future__ import annotations

import calendar
import datetime as dt
import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

GRAINS = ("hour", "day", "month", "year")
"""From fine to coarse."""

_PATTERNS = {"hour": "yyyy-MM-dd'T'HH", "day": "yyyy-MM-dd", "month": "yyyy-MM", "year": "yyyy"}
"""The Java date patterns that write the labels themselves."""
_YEAR, _MONTH, _DAY, _HOUR = (0, 4), (5, 7), (8, 10), (11, 13)
_PARTS = {
    "hour": (_YEAR, _MONTH, _DAY, _HOUR),
    "day": (_YEAR, _MONTH, _DAY),
    "month": (_YEAR, _MONTH),
    "year": (_YEAR,),
}
"""Where the numbers of a civil value stand."""
_FIRST = (1, 1, 1)
"""Year (always given), month and day of a coarser value."""
_EXAMPLES = {"hour": "2013-01-05T07", "day": "2013-01-05", "month": "2013-01", "year": "2013"}


def parse_civil(text: str, grain: str) -> dt.datetime:
    """Read a civil value; ValueError unless writing it again gives the same text (SEMANTICS 17).

    >>> parse_civil("2013-01-05", "day").day
    5
    """
    try:  # far cheaper than strptime; what is written again decides
        parts = [int(text[first:last]) for first, last in _PARTS[grain]]
        value = dt.datetime(*parts, *_FIRST[len(parts) :])  # type: ignore[arg-type] # noqa: DTZ001
    except (TypeError, ValueError):
        value = None
    if value is None or write_civil(value, grain) != text:
        raise ValueError(f"{text!r} is not a {grain} such as {_EXAMPLES[grain]}")
    return value


def write_civil(value: dt.datetime, grain: str) -> str:
    """Write the label of the period that contains the value."""
    head = f"{value.year:04d}"
    if grain == "year":
        return head
    head += f"-{value.month:02d}"
    if grain == "month":
        return head
    head += f"-{value.day:02d}"
    return head if grain == "day" else f"{head}T{value.hour:02d}"


def floor(value: dt.datetime, grain: str) -> dt.datetime:
    """Give the first instant of the period that contains the value."""
    value = value.replace(minute=0, second=0, microsecond=0)
    if grain == "hour":
        return value
    value = value.replace(hour=0)
    if grain == "day":
        return value
    value = value.replace(day=1)
    return value if grain == "month" else value.replace(month=1)


def last_second(value: dt.datetime, grain: str) -> dt.datetime:
    """Give the last second of the period that contains the value."""
    return add(floor(value, grain), grain + "s", 1) - dt.timedelta(seconds=1)


def end_of(label: str) -> dt.datetime:
    """Give the first instant after a period, whose grain its label tells.

    >>> end_of("2013-01").isoformat()
    '2013-02-01T00:00:00'
    """
    for grain in GRAINS:
        try:
            return add(parse_civil(label, grain), grain + "s", 1)
        except ValueError:
            continue
    raise ValueError(f"{label!r} names no period")


def add(value: dt.datetime, unit: str, count: int) -> dt.datetime:
    """Move by `count` hours, days, weeks, months or years; a month's missing day is its last.

    >>> add(dt.datetime(2013, 1, 31), "months", 1).day
    28
    """
    if unit in ("hours", "days", "weeks"):
        return value + dt.timedelta(**{unit: count})
    months = {"months": count, "years": 12 * count}[unit]
    ordinal = value.year * 12 + value.month - 1 + months
    year, month = divmod(ordinal, 12)
    day = min(value.day, calendar.monthrange(year, month + 1)[1])
    return value.replace(year=year, month=month + 1, day=day)


def periods(start: str, end: str, grain: str) -> Iterator[str]:
    """Give every civil value from start to end, both included."""
    value, last = parse_civil(start, grain), parse_civil(end, grain)
    if grain == "day":  # by far the most; whole tables of years go through here
        for ordinal in range(value.toordinal(), last.toordinal() + 1):
            yield dt.date.fromordinal(ordinal).isoformat()
        return
    while value <= last:
        yield write_civil(value, grain)
        value = add(value, grain + "s", 1)


def count_periods(start: str, end: str, grain: str) -> int:
    """Count the periods from start to end, both included; 0 when end is before start."""
    first, last = parse_civil(start, grain), parse_civil(end, grain)
    if last < first:
        return 0
    if grain in ("month", "year"):
        months = (last.year - first.year) * 12 + last.month - first.month
        return months + 1 if grain == "month" else last.year - first.year + 1
    return (last - first) // dt.timedelta(**{grain + "s": 1}) + 1


def regrain(start: str, end: str, grain: str, to: str) -> tuple[str, str]:
    """Widen a window outward to another grain (SEMANTICS 15).

    >>> regrain("2013-01-05", "2013-02-03", "day", "month")
    ('2013-01', '2013-02')
    >>> regrain("2013-01-05", "2013-01-05", "day", "hour")
    ('2013-01-05T00', '2013-01-05T23')
    """
    first = floor(parse_civil(start, grain), grain)
    last = last_second(parse_civil(end, grain), grain)
    return write_civil(first, to), write_civil(last, to)


def scheduled_window(
    scheduled_time: str, timezone: str, *, last: int, unit: str, lag: int
) -> tuple[str, str]:
    """Count back from the period that contains the scheduled instant (SEMANTICS 16).

    `scheduled_time` is ISO 8601 with a zone (EventBridge Scheduler sends UTC with Z).
    """
    instant = dt.datetime.fromisoformat(scheduled_time)
    if instant.tzinfo is None:
        raise ValueError(f"{scheduled_time!r} has no time zone")
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only a scheduled start has a zone

    local = instant.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    end = add(floor(local, unit), unit + "s", -lag)
    start = add(end, unit + "s", 1 - last)
    return write_civil(start, unit), write_civil(end, unit)


def evaluate_mark(
    start: str, end: str, grain: str, *, base: str, steps: Sequence[Sequence[object]], pattern: str
) -> str:
    """Compute a run-time value of the SQL for one window or chunk.

    `start` stands for the first second of the first period and `end` for the last second of the
    last one, so that a pattern finer than the grain prints the whole period (the 31st, 23 h).
    """
    if base == "start":
        value = floor(parse_civil(start, grain), grain)
    else:
        value = last_second(parse_civil(end, grain), grain)
    for name, count in steps:
        value = _step(value, str(name), int(str(count)))
    return format_value(value, pattern)


def _step(value: dt.datetime, name: str, count: int) -> dt.datetime:
    unit, _, edge = name.partition("_")
    if edge == "start" and unit == "week":
        return floor(value, "day") - dt.timedelta(days=value.weekday())
    if edge == "start":
        return floor(value, unit)
    if edge == "end":
        return last_second(value, unit)
    return add(value, name, count)


@functools.cache
def split_pattern(pattern: str) -> tuple[tuple[str, bool], ...]:
    """Split a Java date pattern into (text, is_field); ValueError for letters unknown here.

    Known: yyyy uuuu yy MM M MMM MMMM dd d HH H mm ss D DDD EEE and quoted text.

    >>> split_pattern("yyyy'W'MM")
    (('yyyy', True), ('W', False), ('MM', True))
    """
    pieces: list[tuple[str, bool]] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if char == "'":
            text, position = _quoted(pattern, position)
            pieces.append((text, False))
        elif char.isalpha():
            stop = position
            while stop < len(pattern) and pattern[stop] == char:
                stop += 1
            field = pattern[position:stop]
            if field not in _FIELDS:
                raise ValueError(f"{field!r} in {pattern!r} is not a date field known here")
            pieces.append((field, True))
            position = stop
        else:
            pieces.append((char, False))
            position += 1
    return tuple(pieces)


def _quoted(pattern: str, position: int) -> tuple[str, int]:
    if pattern.startswith("''", position):
        return "'", position + 2
    stop = pattern.find("'", position + 1)
    if stop < 0:
        raise ValueError(f"{pattern!r} has an unclosed quote")
    return pattern[position + 1 : stop], stop + 1


_FIELDS: dict[str, Callable[[dt.datetime], str]] = {
    "yyyy": lambda v: f"{v.year:04d}",
    "uuuu": lambda v: f"{v.year:04d}",
    "yy": lambda v: f"{v.year % 100:02d}",
    "MM": lambda v: f"{v.month:02d}",
    "M": lambda v: str(v.month),
    "MMM": lambda v: calendar.month_abbr[v.month],
    "MMMM": lambda v: calendar.month_name[v.month],
    "dd": lambda v: f"{v.day:02d}",
    "d": lambda v: str(v.day),
    "HH": lambda v: f"{v.hour:02d}",
    "H": lambda v: str(v.hour),
    "mm": lambda v: f"{v.minute:02d}",
    "ss": lambda v: f"{v.second:02d}",
    "D": lambda v: str(v.timetuple().tm_yday),
    "DDD": lambda v: f"{v.timetuple().tm_yday:03d}",
    "EEE": lambda v: calendar.day_abbr[v.weekday()],
}


def format_value(value: dt.datetime, pattern: str) -> str:
    """Write a moment by a Java date pattern (DateTimeFormatter, English names).

    >>> format_value(dt.datetime(2013, 1, 5, 7), "yyyy/MM/dd'T'HH")
    '2013/01/05T07'
    """
    return "".join(
        _FIELDS[text](value) if is_field else text for text, is_field in split_pattern(pattern)
    )


def pattern_grain(pattern: str) -> str:
    """Give the finest period that the pattern tells apart: hour, day, month or year.

    >>> pattern_grain("yyyyMM")
    'month'
    """
    fields = {text for text, is_field in split_pattern(pattern) if is_field}
    if fields & {"mm", "ss"}:
        raise ValueError(f"{pattern!r} is finer than an hour")
    for grain, names in (
        ("hour", {"HH", "H"}),
        ("day", {"dd", "d", "D", "DDD"}),
        ("month", {"MM", "M", "MMM", "MMMM"}),
        ("year", {"yyyy", "uuuu", "yy"}),
    ):
        if fields & names:
            return grain
    raise ValueError(f"{pattern!r} has no date field")


def format_civil(civil: str, grain: str, pattern: str) -> str:
    """Write a civil value by a Java date pattern."""
    if pattern == _PATTERNS[grain]:  # the label itself, in most tables
        return civil
    return format_value(parse_civil(civil, grain), pattern)
