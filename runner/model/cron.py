"""Cron expressions of EventBridge: six fields, checked before AWS refuses them.

Fields and wildcards: docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    special: str = ""
    """A pattern of values that only this field knows."""

    def allowed(self) -> str:
        words = f" or {self.words[0]}-{self.words[-1]}" if self.words else ""
        return f"{self.least}-{self.most}{words}"


_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31, special=r"\?|L|LW|L-([1-9]|[12]\d|30)|([1-9]|[12]\d|3[01])W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _DAYS, special=r"\?|L|([1-7]|[A-Z]{3})(L|#[1-5])"),
    _Field("year", 1970, 2199),
)
EXPECTED = "six fields: minutes hours day-of-month month day-of-week year"


def cron_problem(text: str) -> str | None:
    """Say what is wrong with an expression, or None.

    >>> cron_problem("0 3 * * ? *")
    >>> cron_problem("0 25 * * ? *")
    "hours '25' is not within 0-23"
    """
    words = text.split()
    if len(words) != len(_FIELDS):
        return f"{len(words)} field{'s' if len(words) != 1 else ''}"
    for field, word in zip(_FIELDS, words, strict=True):
        for item in word.upper().split(","):
            problem = _item_problem(field, item)
            if problem is not None:
                return problem
    questions = [words[2] == "?", words[4] == "?"]
    if questions.count(True) != 1:
        return "no `?` for the day that does not matter" if not any(questions) else "two `?`"
    return None


def _item_problem(field: _Field, item: str) -> str | None:
    if field.special and re.fullmatch(field.special, item):
        return None
    base, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return f"{field.name} {item!r} has no number after the /"
    if base == "*":
        return None
    first, dash, last = base.partition("-")
    ends = [_number(field, first), _number(field, last)] if dash else [_number(field, first)]
    if any(end is None for end in ends):
        return f"{field.name} {item!r} is not within {field.allowed()}"
    return None


def _number(field: _Field, text: str) -> int | None:
    if text in field.words:
        return field.words.index(text) + field.least
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text) if field.least <= int(text) <= field.most else None
