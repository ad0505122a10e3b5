"""Java date patterns (DateTimeFormatter) of partition values, written and read.

In: a pattern such as yyyy-MM-dd, an instant.  Out: text, or the instant read from it.  Patterns of
numbers and quoted text only; others are refused with ValueError.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_STRFTIME = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "DDD": "%j",
    "MMM": "%b",
    "MMMM": "%B",
    "EEE": "%a",
}
_ORDER = ("%S", "%M", "%H", "%d", "%j", "%m", "%Y", "%y")
_UNITS = {
    "%S": "SECONDS",
    "%M": "MINUTES",
    "%H": "HOURS",
    "%d": "DAYS",
    "%j": "DAYS",
    "%m": "MONTHS",
    "%Y": "YEARS",
    "%y": "YEARS",
}


@lru_cache(maxsize=64)
def strftime_pattern(pattern: str) -> str:
    """Translate a Java pattern; raises ValueError for letters that are not known here.

    >>> strftime_pattern("yyyy/MM/dd'T'HH")
    '%Y/%m/%dT%H'
    """
    out: list[str] = []
    for match in _PIECE.finditer(pattern):
        piece = match.group()
        if piece.startswith("'"):
            out.append((match[1].replace("''", "'") or "'").replace("%", "%%"))
        elif match[2]:
            if piece not in _STRFTIME:
                raise ValueError(f"date pattern letters {piece!r} in {pattern!r}")
            out.append(_STRFTIME[piece])
        else:
            out.append(piece.replace("%", "%%"))
    return "".join(out)


@lru_cache(maxsize=64)
def is_ordered(pattern: str) -> bool:
    """Tell whether the order of values as text is their order in time.

    >>> is_ordered("yyyy/MM/dd"), is_ordered("dd-MM-yyyy")
    (True, False)
    """
    found = re.findall("%([A-Za-z])", strftime_pattern(pattern))
    return found == list("YmdHMS")[: len(found)]


def format_java(instant: datetime, pattern: str) -> str:
    """Write an instant.

    >>> format_java(datetime(2013, 1, 5), "yyyyMMdd")
    '20130105'
    """
    text = strftime_pattern(pattern)
    return instant.strftime(text.replace("%Y", f"{instant.year:04}"))


def parse_java(text: str, pattern: str) -> datetime:
    """Read an instant; fields the pattern lacks are the first of their kind."""
    found = datetime.strptime(text, strftime_pattern(pattern))  # noqa: DTZ007 - civil values
    return found if "yy" in pattern or "uu" in pattern else found.replace(year=1970)


def finest_unit(pattern: str) -> str:
    """Name the smallest unit that the pattern writes: DAYS for yyyy-MM-dd."""
    text = strftime_pattern(pattern)
    return next((_UNITS[each] for each in _ORDER if each in text), "DAYS")
