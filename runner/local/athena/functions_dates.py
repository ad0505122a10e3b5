"""Functions of dates and times that DuckDB does not have, in Python.

In: values of one row.  Out: a value; NULL in gives NULL out.  A ValueError whose text begins with
one of Athena's codes becomes Athena's failure.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from runner.local.athena.datetexts import (
    literal_zone,
    offset_minutes,
    read_timestamp,
)
from runner.local.athena.joda import format_joda, parse_joda
from runner.local.athena.mysqlformat import format_mysql, parse_mysql

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.datetexts import Stamp

_MICRO = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - counted from
_UNITS = {
    "ns": 1e-6,
    "us": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "m": 6e4,
    "h": 3.6e6,
    "d": 8.64e7,
}
_ISO_DATE = re.compile(r"([+-]?\d{4,})(?:-(\d\d)(?:-(\d\d))?|-(\d{3})|-?W(\d\d)(?:-(\d))?)?")
_ISO_TIME = re.compile(
    r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,12}))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?"
)
_MICROS = 6


def human_seconds(seconds: float) -> str:
    """Write seconds in words.

    >>> human_seconds(8003), human_seconds(0)
    ('2 hours, 13 minutes, 23 seconds', '0 seconds')
    """
    if seconds != seconds or seconds in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN
        raise ValueError("INVALID_FUNCTION_ARGUMENT: Invalid argument found: " + str(seconds))
    rest = int(abs(seconds) + 0.5)
    if rest == 0:
        return "0 seconds"
    words: list[str] = []
    for name, size in (
        ("week", 604_800),
        ("day", 86_400),
        ("hour", 3600),
        ("minute", 60),
        ("second", 1),
    ):
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count} {name}{'s' if count != 1 else ''}")
    return ", ".join(words)


def duration_ms(text: str) -> int:
    """Read `3.81 d` as milliseconds, rounded.

    >>> duration_ms("3.81 d"), duration_ms("1ns")
    (329184000, 0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*", text)
    if match is None:
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Invalid duration: {text}")
    if match[2] not in _UNITS:
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Unknown time unit: {match[2]}")
    return int(float(match[1]) * _UNITS[match[2]] + 0.5)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICRO


def _instant(stamp: Stamp) -> int:
    zone = stamp.zone or "UTC"
    digits = stamp.fraction[:_MICROS].ljust(_MICROS, "0")
    if stamp.fraction[_MICROS:].strip("0"):
        raise ValueError(
            "NOT_SUPPORTED: Timestamps finer than microseconds are not supported by the local "
            "engine"
        )
    try:
        local = datetime(*stamp.date, *stamp.time, int(digits))  # noqa: DTZ001 - civil
        return _micros(local) - shift(local, zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"NOT_SUPPORTED: The year {stamp.date[0]} is not supported by the local engine here"
        ) from error


def shift(local: datetime, zone: str) -> int:
    """Give the microseconds that a zone is ahead of UTC at a local time."""
    minutes = offset_minutes(zone)
    if minutes is not None:
        return minutes * 60_000_000
    aware = local.replace(tzinfo=ZoneInfo(zone))
    return (aware.utcoffset() or timedelta()) // _MICRO


def text_instant(text: str) -> int:
    """Read a text that is cast to a timestamp with time zone."""
    stamp = read_timestamp(text)
    if stamp is None:
        raise ValueError(
            f"INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp with time zone: {text}"
        )
    return _instant(stamp)


def text_zone(text: str) -> str:
    """Give the zone of a text that is cast to a timestamp with time zone."""
    stamp = read_timestamp(text)
    return (stamp and stamp.zone) or "UTC"


def read_iso(text: str) -> Stamp | None:
    """Read an ISO 8601 date and time with its offset."""
    from runner.local.athena.datetexts import Stamp  # noqa: PLC0415 - a value only

    left, _, right = text.partition("T")
    day = _iso_day(left)
    match = _ISO_TIME.fullmatch(right) if right else None
    if day is None or (right and match is None):
        return None
    if match is None:
        return Stamp((day.year, day.month, day.day), (0, 0, 0))
    hour, minute, second = (int(match[n] or 0) for n in (1, 2, 3))
    zone = literal_zone(match[5]) if match[5] else ""
    if hour > 23 or minute > 59 or second > 59 or zone is None:  # noqa: PLR2004 - a clock
        return None
    return Stamp((day.year, day.month, day.day), (hour, minute, second), match[4] or "", zone)


def _iso_day(text: str) -> date | None:
    match = _ISO_DATE.fullmatch(text)
    if match is None:
        return None
    year = int(match[1])
    try:
        if match[5]:
            return date.fromisocalendar(year, int(match[5]), int(match[6] or 1))
        if match[4]:
            found = date(year, 1, 1) + timedelta(days=int(match[4]) - 1)
            return found if found.year == year else None
        return date(year, int(match[2] or 1), int(match[3] or 1))
    except (ValueError, OverflowError):
        return None


def joda_format(local: datetime, minutes: int, zone: str, pattern: str) -> str:
    """Write a local time with a Joda pattern."""
    _check_year(local)
    return format_joda(local, pattern, minutes=minutes, zone=zone)


def mysql_format(moment: datetime, pattern: str) -> str:
    """Write a timestamp with a pattern of MySQL."""
    _check_year(moment)
    return format_mysql(moment, pattern)


def _check_year(moment: object) -> None:
    """Refuse what Python cannot hold: DuckDB gives it as text."""
    if not isinstance(moment, datetime):
        raise ValueError(  # noqa: TRY004 - becomes Athena's failure
            f"NOT_SUPPORTED: The date {moment} is not supported by the local engine here"
        )


def joda_instant(text: str, pattern: str) -> int:
    """Read a text with a Joda pattern as microseconds."""
    local, zone = parse_joda(text, pattern)
    return _micros(local) - shift(local, zone)


def joda_zone(text: str, pattern: str) -> str:
    """Give the zone that a text names under a Joda pattern."""
    return parse_joda(text, pattern)[1]


def check_zone(zone: str) -> str:
    """Give a zone's name for DuckDB; raises ValueError for one that does not exist."""
    found = literal_zone(zone)
    if found is None:
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: '{zone}' is not a valid time zone")
    return f"GMT{found}" if found[0] in "+-" else found


def zone_spelling(zone: str) -> str:
    """Give a zone in Trino's spelling."""
    return literal_zone(zone) or zone


DATE_UDFS: dict[str, tuple[Callable[..., object], tuple[str, ...], str]] = {
    "__human_seconds": (human_seconds, ("DOUBLE",), "VARCHAR"),
    "__duration_ms": (duration_ms, ("VARCHAR",), "BIGINT"),
    "__text_instant": (text_instant, ("VARCHAR",), "BIGINT"),
    "__text_zone": (text_zone, ("VARCHAR",), "VARCHAR"),
    "__joda_format": (joda_format, ("TIMESTAMP", "BIGINT", "VARCHAR", "VARCHAR"), "VARCHAR"),
    "__joda_instant": (joda_instant, ("VARCHAR", "VARCHAR"), "BIGINT"),
    "__joda_zone": (joda_zone, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    "__mysql_format": (mysql_format, ("TIMESTAMP", "VARCHAR"), "VARCHAR"),
    "__mysql_parse": (parse_mysql, ("VARCHAR", "VARCHAR"), "TIMESTAMP"),
    "__check_zone": (check_zone, ("VARCHAR",), "VARCHAR"),
    "__zone_spelling": (zone_spelling, ("VARCHAR",), "VARCHAR"),
}
"""Name: the function, its parameters' DuckDB types, its result's."""
