"""format_datetime and parse_datetime: Joda-Time's patterns.

In: a local time with its zone, or a text, and a pattern.  Out: the text, or the local time and
zone.  Letters that are not built here are refused by name.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from runner.local.athena.datetexts import UTC, literal_zone, offset_minutes
from runner.local.athena.mysqlformat import DAYS, MONTHS

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z']+)")
_LETTERS = frozenset("GCYyxwWeEMdDaKhHkmsSzZ") - {"W"}
_TEXT = 4
_SHORT = 3
_TWO = 2
_HALF = 12
_MOVING = range(45, 70)
"""Joda reads two digits as a year from 30 years ago to 69 years ahead; these may move."""

_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "C": lambda t: t.year // 100,
    "Y": lambda t: t.year,
    "y": lambda t: t.year,
    "x": lambda t: t.isocalendar().year,
    "w": lambda t: t.isocalendar().week,
    "e": lambda t: t.isoweekday(),
    "M": lambda t: t.month,
    "d": lambda t: t.day,
    "D": lambda t: t.timetuple().tm_yday,
    "K": lambda t: t.hour % _HALF,
    "h": lambda t: t.hour % _HALF or _HALF,
    "H": lambda t: t.hour,
    "k": lambda t: t.hour or 24,
    "m": lambda t: t.minute,
    "s": lambda t: t.second,
}


@lru_cache(maxsize=128)
def pieces(pattern: str) -> tuple[tuple[str, str], ...]:
    """Split a pattern into ("field", letters) and ("text", characters); raises ValueError."""
    found: list[tuple[str, str]] = []
    done = 0
    for match in _PIECE.finditer(pattern):
        if match.start() != done:
            break
        done = match.end()
        if match[2]:
            if match[3] not in _LETTERS:
                raise ValueError(
                    f"INVALID_FUNCTION_ARGUMENT: Illegal pattern component: {match[2]}"
                )
            found.append(("field", match[2]))
        elif match[4]:
            found.append(("text", match[4]))
        else:
            found.append(("text", match[1].replace("''", "'") or "'"))
    if done != len(pattern):
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Illegal pattern: {pattern}")
    return tuple(found)


def format_joda(local: datetime, pattern: str, *, minutes: int = 0, zone: str = UTC) -> str:
    """Write a local time; its fraction is rounded to milliseconds first.

    >>> format_joda(datetime(2020, 5, 10, 12, 34), "EEE, d MMM yyyy h:mm a Z", minutes=345)
    'Sun, 10 May 2020 12:34 PM +0545'
    """
    moment = local + timedelta(microseconds=500)
    return "".join(
        _write(moment, text, minutes, zone) if kind == "field" else text
        for kind, text in pieces(pattern)
    )


def _write(  # noqa: PLR0911 - one return a kind of letter
    moment: datetime, letters: str, minutes: int, zone: str
) -> str:
    letter, width = letters[0], len(letters)
    if letter in "yYx" and width == _TWO:
        return f"{_NUMBERS[letter](moment) % 100:02}"
    if letter == "M" and width >= _SHORT:
        name = MONTHS[moment.month - 1]
        return name if width >= _TEXT else name[:_SHORT]
    if letter in _NUMBERS:
        return f"{_NUMBERS[letter](moment):0{width}}"
    match letter:
        case "E":
            name = DAYS[moment.weekday()]
            return name if width >= _TEXT else name[:_SHORT]
        case "a":
            return "AM" if moment.hour < _HALF else "PM"
        case "G":
            return "AD"
        case "S":
            return f"{moment.microsecond // 1000:03}".ljust(width, "0")[:width]
        case "Z":
            return _offset(minutes, width, zone)
    return _zone_name(moment, width, zone)


def _offset(minutes: int, width: int, zone: str) -> str:
    if width >= _SHORT:
        return zone
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    return f"{sign}{size // 60:02}{':' if width == _TWO else ''}{size % 60:02}"


def _zone_name(moment: datetime, width: int, zone: str) -> str:
    if offset_minutes(zone) is not None:
        if width >= _TEXT and zone == UTC:
            return "Coordinated Universal Time"
        return zone
    name = moment.replace(tzinfo=ZoneInfo(zone)).tzname() or zone
    if width >= _TEXT or not name.isalpha():
        raise ValueError(
            f"NOT_SUPPORTED: The name of the time zone {zone} is not supported by the local engine"
        )
    return name


@lru_cache(maxsize=128)
def _reader(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    found = pieces(pattern)
    out: list[str] = []
    fields: list[str] = []
    for number, (kind, text) in enumerate(found):
        if kind == "text":
            out.append(re.escape(text))
            continue
        follows = number + 1 < len(found) and found[number + 1][0] == "field"
        fields.append(text)
        out.append(f"({_regex(text, tight=follows)})")
    return re.compile("".join(out), re.IGNORECASE), tuple(fields)


def _regex(letters: str, *, tight: bool) -> str:
    letter, width = letters[0], len(letters)
    names = {"E": DAYS, "M": MONTHS if width >= _SHORT else None}.get(letter)
    if names:
        return "|".join(names) + "|" + "|".join(name[:_SHORT] for name in names)
    if letter == "S":
        return rf"\d{{{width}}}" if tight else r"\d{1,9}"
    if letter in "yYx":
        return rf"\d{{{width}}}" if tight else r"[+-]?\d{1,9}"
    if letter in _NUMBERS:
        size = max(width, 3 if letter == "D" else _TWO)
        return rf"\d{{{width}}}" if tight else rf"\d{{1,{size}}}"
    return {"a": "AM|PM", "G": "AD|BC", "Z": r"Z|[+-]\d\d:?\d\d|[A-Za-z][\w/+-]*"}.get(
        letter, r"[A-Za-z][\w/+-]*"
    )


def parse_joda(text: str, pattern: str) -> tuple[datetime, str]:
    """Read a text: the local time, and its zone (UTC if the pattern has none).

    >>> parse_joda("1960/01/22 03:04 +0500", "yyyy/MM/dd HH:mm Z")
    (datetime.datetime(1960, 1, 22, 3, 4), '+05:00')
    """
    regex, letters = _reader(pattern)
    match = regex.fullmatch(text)
    if match is None:
        raise ValueError(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}"')
    fields = {each[0]: (each, value) for each, value in zip(letters, match.groups(), strict=True)}
    refused = {each for each in "GCxweE" if each in fields} - {"E"}
    if refused:
        raise ValueError(
            f"NOT_SUPPORTED: parse_datetime with {', '.join(sorted(refused))} is not supported "
            "by the local engine"
        )
    zone = literal_zone((fields.get("Z") or fields.get("z") or ("", UTC))[1])
    try:
        return _assemble(fields), _found_zone(zone, text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f'INVALID_FUNCTION_ARGUMENT: Cannot parse "{text}": {error}') from error


def _found_zone(zone: str | None, text: str) -> str:
    if zone is None:
        raise ValueError(f"the time zone of {text!r} is not known")
    return zone


def _assemble(fields: dict[str, tuple[str, str]]) -> datetime:
    def number(letter: str, default: int) -> int:
        return int(fields[letter][1]) if letter in fields else default

    year = _year(fields)
    fraction = fields.get("S", ("", ""))[1].ljust(_SHORT, "0")[:_SHORT]
    clock = (_hour(fields), number("m", 0), number("s", 0), int(fraction) * 1000)
    if "D" in fields:
        start = datetime(year, 1, 1, *clock)  # noqa: DTZ001 - civil
        return start + timedelta(days=number("D", 1) - 1)
    return datetime(year, _month(fields), number("d", 1), *clock)  # noqa: DTZ001 - civil


def _year(fields: dict[str, tuple[str, str]]) -> int:
    letters, text = fields.get("y") or fields.get("Y") or ("yyyy", "1970")
    if len(letters) == _TWO and len(text) == _TWO:
        short = int(text)
        if short in _MOVING:
            raise ValueError(f"the century of the year {text} depends on the day of the query")
        return short + (2000 if short < _MOVING.start else 1900)
    return int(text)


def _month(fields: dict[str, tuple[str, str]]) -> int:
    if "M" not in fields:
        return 1
    text = fields["M"][1]
    if text.isdigit():
        return int(text)
    return [name[:_SHORT].lower() for name in MONTHS].index(text[:_SHORT].lower()) + 1


def _hour(fields: dict[str, tuple[str, str]]) -> int:
    late = fields.get("a", ("", "am"))[1].lower() == "pm"
    for letter, most in (("H", None), ("k", 24), ("K", None), ("h", _HALF)):
        if letter not in fields:
            continue
        value = int(fields[letter][1])
        if most is not None:
            value %= most
        return value + (_HALF if late and letter in "Kh" else 0)
    return _HALF if late else 0
