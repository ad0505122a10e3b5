"""Periods as integers, so that many of them can be counted, compared and merged cheaply.

A period of a grain has an ordinal: hours, days (`date.toordinal`), months or years since the year
0.  The labels are those of `runner.keeper.windows`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from runner.keeper import windows

WHOLE = "all"
"""The one period of a table without time partitions; its ordinal is 0."""
_LAST = dt.datetime(9999, 12, 31, 23)  # noqa: DTZ001 - civil: no zone
_HOURS = 24
_MONTHS = 12


def ordinal(label: str, grain: str) -> int:
    """Give a period its number; ValueError when there is no such period.

    >>> ordinal("2013-02", "month") - ordinal("2012-12", "month")
    2
    """
    if not grain:
        return 0
    return _number(windows.parse_civil(label, grain), grain)


def label(number: int, grain: str) -> str:
    """Write the label of a period.

    >>> label(ordinal("2013-01-05T23", "hour") + 1, "hour")
    '2013-01-06T00'
    """
    match grain:
        case "hour":
            day, hour = divmod(number, _HOURS)
            return f"{dt.date.fromordinal(day).isoformat()}T{hour:02d}"
        case "day":
            return dt.date.fromordinal(number).isoformat()
        case "month":
            year, month = divmod(number, _MONTHS)
            return f"{year:04d}-{month + 1:02d}"
        case "year":
            return f"{number:04d}"
        case _:
            return WHOLE


def widen(first: int, last: int, grain: str, to: str) -> tuple[int, int]:
    """Widen a range of periods outward to another grain (SEMANTICS 15).

    >>> day = ordinal("2013-02-03", "day")
    >>> [label(n, "month") for n in widen(day - 5, day, "day", "month")]
    ['2013-01', '2013-02']
    """
    if not to or not grain:
        return 0, 0
    if grain == to:
        return first, last
    return _containing(_first_hour(first, grain), to), _containing(_last_hour(last, grain), to)


def _number(value: dt.datetime, grain: str) -> int:
    match grain:
        case "hour":
            return value.toordinal() * _HOURS + value.hour
        case "day":
            return value.toordinal()
        case "month":
            return value.year * _MONTHS + value.month - 1
        case _:
            return value.year


def _first_hour(number: int, grain: str) -> int:
    match grain:
        case "hour":
            return number
        case "day":
            return number * _HOURS
        case "month":
            year, month = divmod(number, _MONTHS)
            return dt.date(year, month + 1, 1).toordinal() * _HOURS
        case _:
            return dt.date(number, 1, 1).toordinal() * _HOURS


def _last_hour(number: int, grain: str) -> int:
    """Give the last hour of a period, of the calendar's last period too."""
    if number == _number(_LAST, grain):
        return _number(_LAST, "hour")
    return _first_hour(number + 1, grain) - 1


def _containing(hour: int, grain: str) -> int:
    if grain == "hour":
        return hour
    day = hour // _HOURS
    if grain == "day":
        return day
    date = dt.date.fromordinal(day)
    return date.year * _MONTHS + date.month - 1 if grain == "month" else date.year


@dataclass(frozen=True, slots=True)
class Calendar:
    """Labels of ranges of periods; those of one grain are written once for all tables."""

    _known: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    def labels(self, first: int, last: int, grain: str) -> list[str]:
        """Give the labels from `first` to `last`, both included."""
        if last < first:
            return []
        start, known = self._known.get(grain, (first, []))
        end = start + len(known) - 1
        if not known or first < start or last > end:
            low, high = (min(first, start), max(last, end)) if known else (first, last)
            start, known = low, [label(number, grain) for number in range(low, high + 1)]
            self._known[grain] = start, known
        return known[first - start : last - start + 1]
