"""Texts of dates, times, zones and intervals as Trino reads and writes them.

In: text.  Out: what it means, or None if Trino would not read it.  No DuckDB, no sqlglot.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, datetime
from datetime import UTC as _UTC
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UTC = "UTC"
_STAMP = re.compile(
    r"\s*([+-]?\d{4,6})-(\d{1,2})-(\d{1,2})"
    r"(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?)?\s*(\S+)?\s*"
)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?\s*([+-]\d\d(?::?\d\d)?)?")
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)
_ZEROS = frozenset({"z", "utc", "ut", "uct", "gmt", "gmt0", "zulu", "greenwich", "universal"})
_FURTHEST = 14 * 60
MICROS = 6


class Stamp(NamedTuple):
    """A timestamp's parts; the fraction as its digits."""

    date: tuple[int, int, int]
    time: tuple[int, int, int]
    fraction: str = ""
    zone: str = ""
    has_time: bool = True

    def duck(self) -> str:
        """Write it for DuckDB, to the microsecond, without a zone."""
        year, month, day = self.date
        era = "" if year > 0 else " (BC)"
        shown = year if year > 0 else 1 - year
        hour, minute, second = self.time
        fraction = f".{self.fraction[:MICROS]}" if self.fraction else ""
        date = f"{shown:04}-{month:02}-{day:02}{era}"
        return f"{date} {hour:02}:{minute:02}:{second:02}{fraction}" if self.has_time else date


@lru_cache(maxsize=512)
def read_timestamp(text: str) -> Stamp | None:
    """Read `2001-1-22 03:04:05.321 +07:09`: time and zone may be missing."""
    match = _STAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[n] or 0) for n in range(1, 7))
    zone = literal_zone(match[8]) if match[8] else ""
    valid = (
        1 <= month <= 12  # noqa: PLR2004 - months
        and 1 <= day <= monthrange(2000 + year % 400, month)[1]
        and _is_time(hour, minute, second)
        and zone is not None
    )
    if not valid:
        return None
    return Stamp(
        (year, month, day),
        (hour, minute, second),
        match[7] or "",
        zone or "",
        has_time=match[4] is not None,
    )


def is_skipped(stamp: Stamp) -> bool:
    """Tell a time that a region's clocks pass over: a cast moves it on, a literal is refused."""
    if "/" not in stamp.zone or not MINYEAR < stamp.date[0] < MAXYEAR:
        return False
    there = datetime(*stamp.date, *stamp.time, tzinfo=ZoneInfo(stamp.zone))
    back = there.astimezone(_UTC).astimezone(there.tzinfo)
    return back.replace(tzinfo=None) != there.replace(tzinfo=None)


@lru_cache(maxsize=512)
def read_time(text: str) -> Stamp | None:
    """Read `12:34:56.1+08:35`: seconds and offset may be missing."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = (int(match[n] or 0) for n in range(1, 4))
    if not _is_time(hour, minute, second):
        return None
    zone = literal_zone(match[5]) if match[5] else ""
    if zone is None:
        return None
    return Stamp((1970, 1, 1), (hour, minute, second), match[4] or "", zone)


def _is_time(hour: int, minute: int, second: int) -> bool:
    return hour < 24 and minute < 60 and second < 60  # noqa: PLR2004 - a clock


_NO_REGIONS = frozenset({"EST", "HST", "MST"})
"""Names that Java does not take for zones."""


@lru_cache(maxsize=512)
def literal_zone(text: str) -> str | None:
    """Give a zone in Trino's spelling: `UTC`, `+07:09` or a region's name; None if there is none.

    >>> literal_zone("Z"), literal_zone("+7"), literal_zone("Asia/Tokyo"), literal_zone("No/Such")
    ('UTC', '+07:00', 'Asia/Tokyo', None)
    """
    if text.lower().removeprefix("etc/") in _ZEROS:
        return UTC
    match = _OFFSET.fullmatch(text)
    if match:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes > _FURTHEST or int(match[3] or 0) > 59:  # noqa: PLR2004 - minutes
            return None
        return offset_text(-minutes if match[1] == "-" else minutes)
    if not re.fullmatch(r"[A-Za-z][\w/+-]*", text) or text in _NO_REGIONS:
        return None
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return text


def offset_text(minutes: int) -> str:
    """Write an offset as Trino writes a zone.

    >>> offset_text(429), offset_text(-35), offset_text(0)
    ('+07:09', '-00:35', 'UTC')
    """
    if minutes == 0:
        return UTC
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def offset_minutes(zone: str) -> int | None:
    """Give an offset's minutes; None for a region."""
    if zone == UTC:
        return 0
    match = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    return -minutes if match[1] == "-" else minutes


def duck_zone(zone: str) -> str:
    """Name a zone for DuckDB."""
    return f"GMT{zone}" if zone[0] in "+-" else zone


_FIELDS = ("DAY", "HOUR", "MINUTE", "SECOND")
_MILLIS = {"DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1000}


def read_interval(text: str, *, first: str, last: str) -> tuple[str, int] | None:
    """Read an interval's text: ("months", n) or ("days", milliseconds); None if it is none.

    >>> read_interval("2-3", first="YEAR", last="MONTH")
    ('months', 27)
    >>> read_interval("-1 02:03:04.5", first="DAY", last="SECOND")
    ('days', -93784500)
    """
    sign = -1 if text.startswith("-") else 1
    body = text.lstrip("+-") if len(text) - len(text.lstrip("+-")) <= 1 else "x"
    if first in {"YEAR", "MONTH", "QUARTER", "WEEK"}:
        return _read_months(body, sign, first=first, last=last)
    names = _FIELDS[_FIELDS.index(first) : _FIELDS.index(last) + 1]
    patterns = [r"(\d+(?:\.\d{1,9})?)" if name == "SECOND" else r"(\d+)" for name in names]
    joints = [" " if name == "DAY" else ":" for name in names]
    pattern = "".join(p + j for p, j in zip(patterns, joints, strict=True))[:-1]
    match = re.fullmatch(pattern, body)
    if match is None:
        return None
    total = sum(
        int(float(value) * 1000 + 1e-6) if name == "SECOND" else int(value) * _MILLIS[name]
        for name, value in zip(names, match.groups(), strict=True)
    )
    return ("days", sign * total)


def _read_months(body: str, sign: int, *, first: str, last: str) -> tuple[str, int] | None:
    if first == "YEAR" and last == "MONTH":
        match = re.fullmatch(r"(\d+)-(\d+)", body)
        return ("months", sign * (int(match[1]) * 12 + int(match[2]))) if match else None
    if not body.isdigit():
        return None
    if first == "WEEK":
        return ("days", sign * int(body) * 7 * _MILLIS["DAY"])
    return ("months", sign * int(body) * {"YEAR": 12, "QUARTER": 3, "MONTH": 1}[first])
