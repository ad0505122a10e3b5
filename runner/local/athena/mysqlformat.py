"""date_format and date_parse: MySQL's patterns as Trino takes them.

In: a timestamp or a text, and a pattern.  Out: the text or the timestamp.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

UNSUPPORTED = frozenset("DUuVwX")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT = 3
_HALF = 12

_WRITE: dict[str, Callable[[datetime], str]] = {
    "a": lambda t: DAYS[t.weekday()][:_SHORT],
    "b": lambda t: MONTHS[t.month - 1][:_SHORT],
    "c": lambda t: str(t.month),
    "d": lambda t: f"{t.day:02}",
    "e": lambda t: str(t.day),
    "f": lambda t: f"{t.microsecond // 1000:03}000",
    "H": lambda t: f"{t.hour:02}",
    "h": lambda t: f"{t.hour % _HALF or _HALF:02}",
    "I": lambda t: f"{t.hour % _HALF or _HALF:02}",
    "i": lambda t: f"{t.minute:02}",
    "j": lambda t: f"{t.timetuple().tm_yday:03}",
    "k": lambda t: str(t.hour),
    "l": lambda t: str(t.hour % _HALF or _HALF),
    "M": lambda t: MONTHS[t.month - 1],
    "m": lambda t: f"{t.month:02}",
    "p": lambda t: "AM" if t.hour < _HALF else "PM",
    "r": lambda t: f"{t.hour % _HALF or _HALF:02}:{t:%M:%S} {'AM' if t.hour < _HALF else 'PM'}",
    "S": lambda t: f"{t.second:02}",
    "s": lambda t: f"{t.second:02}",
    "T": lambda t: f"{t:%H:%M:%S}",
    "v": lambda t: f"{t.isocalendar().week:02}",
    "W": lambda t: DAYS[t.weekday()],
    "x": lambda t: f"{t.isocalendar().year:04}",
    "Y": lambda t: f"{t.year:04}",
    "y": lambda t: f"{t.year % 100:02}",
}
_DIGITS = {
    **dict.fromkeys("cdeHhIiklmSs", r"\d{1,2}"),
    "f": r"\d{1,9}",
    "j": r"\d{1,3}",
    "v": r"\d{1,2}",
    "x": r"[+-]?\d{1,9}",
    "Y": r"[+-]?\d{1,9}",
    "y": r"[+-]?\d{2,9}",
}
_EXPANDED = {"r": "%I:%i:%s %p", "T": "%H:%i:%s"}
_NOON = re.compile(r"AM|PM|오전|오후", re.IGNORECASE)


def pieces(pattern: str) -> tuple[tuple[str, str], ...]:
    """Split a pattern into ("field", letter) and ("text", characters); raises ValueError."""
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(pattern):
        letter = pattern[place + 1 : place + 2]
        if pattern[place] != "%" or not letter:
            found.append(("text", pattern[place]))
            place += 1
            continue
        if letter in UNSUPPORTED:
            raise ValueError(
                f"INVALID_FUNCTION_ARGUMENT: %{letter} not supported in date format string"
            )
        found.append(("field" if letter in _WRITE else "text", letter))
        place += 2
    return tuple(found)


def format_mysql(moment: datetime, pattern: str) -> str:
    """Write a timestamp; its fraction is rounded to milliseconds first.

    >>> format_mysql(datetime(2001, 1, 9, 13, 4, 5), "%a %e %M %r")
    'Tue 9 January 01:04:05 PM'
    """
    rounded = moment + timedelta(microseconds=500)
    return "".join(
        _WRITE[text](rounded) if kind == "field" else text for kind, text in pieces(pattern)
    )


@lru_cache(maxsize=128)
def _reader(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    for letter, long in _EXPANDED.items():
        pattern = pattern.replace(f"%{letter}", long)
    fields: list[str] = []
    out: list[str] = []
    for kind, text in pieces(pattern):
        if kind == "text":
            out.append(re.escape(text))
            continue
        fields.append(text)
        out.append(f"({_regex(text)})")
    return re.compile("".join(out), re.IGNORECASE), tuple(fields)


def _regex(letter: str) -> str:
    if letter in _DIGITS:
        return _DIGITS[letter]
    names = {"M": MONTHS, "b": MONTHS, "W": DAYS, "a": DAYS}.get(letter)
    if names is None:
        return _NOON.pattern
    return "|".join(names) + "|" + "|".join(name[:_SHORT] for name in names)


def parse_mysql(text: str, pattern: str) -> datetime:
    """Read a timestamp; fields that the pattern lacks are those of 1970.

    >>> parse_mysql("2013-05-17 12:35:10 AM", "%Y-%m-%d %h:%i:%s %p")
    datetime.datetime(2013, 5, 17, 0, 35, 10)
    """
    regex, letters = _reader(pattern)
    match = regex.fullmatch(text)
    if match is None:
        raise ValueError(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}"')
    fields = dict(zip(letters, match.groups(), strict=True))
    try:
        return _assemble(fields)
    except (ValueError, OverflowError) as error:
        raise ValueError(f'INVALID_FUNCTION_ARGUMENT: Cannot parse "{text}": {error}') from error


def _assemble(fields: dict[str, str]) -> datetime:
    hour, minute = _hour(fields), int(fields.get("i", 0))
    second = int(fields.get("s") or fields.get("S") or 0)
    clock = (hour, minute, second, int(fields.get("f", "0").ljust(3, "0")[:_SHORT]) * 1000)
    year = _year(fields)
    if "v" in fields:
        week = datetime.fromisocalendar(int(fields.get("x", year)), int(fields["v"]), 1)
        return week.replace(hour=hour, minute=minute, second=second, microsecond=clock[3])
    if "j" in fields:
        day = datetime(year, 1, 1, *clock) + timedelta(days=int(fields["j"]) - 1)  # noqa: DTZ001
        if day.year != year:
            raise ValueError(f"Value {fields['j']} for dayOfYear must be in the range [1,366]")
        return day
    day_of_month = int(fields.get("d") or fields.get("e") or 1)
    return datetime(year, _month(fields), day_of_month, *clock)  # noqa: DTZ001 - civil


def _year(fields: dict[str, str]) -> int:
    if "y" in fields:
        short = int(fields["y"])
        return short + (2000 if short < 70 else 1900) if len(fields["y"]) == 2 else short  # noqa: PLR2004
    return int(fields.get("Y", 1970))


def _month(fields: dict[str, str]) -> int:
    named = fields.get("M") or fields.get("b")
    if named:
        shorts = [name[:_SHORT].lower() for name in MONTHS]
        return shorts.index(named[:_SHORT].lower()) + 1
    return int(fields.get("m") or fields.get("c") or 1)


def _hour(fields: dict[str, str]) -> int:
    whole = fields.get("H") or fields.get("k")
    if whole is not None:
        return int(whole)
    half = next((fields[each] for each in "hIl" if each in fields), None)
    late = fields.get("p", "AM").lower() in {"pm", "오후"}
    if half is None:
        return _HALF if late else 0
    if not 1 <= int(half) <= _HALF:
        raise ValueError(f"Value {half} for clockhourOfHalfday must be in the range [1,12]")
    return int(half) % _HALF + (_HALF if late else 0)
