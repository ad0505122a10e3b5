"""How far before its window a table reads, counted in periods of its own grain (SEMANTICS 19).

In: the marks that bound an input from below.  Out: a number of periods, never too small.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.model.sqltext import Mark

_HOURS = {"hours": 1, "days": 24, "weeks": 168}
_LONGEST_MONTH, _SHORTEST_MONTH = 31 * 24, 28 * 24
_FLOORS = {"day_start": 23, "week_start": 6 * 24, "month_start": 30 * 24, "year_start": 365 * 24}
_FLOORED_BY = {
    "hour": frozenset(_FLOORS),
    "day": frozenset({"week_start", "month_start", "year_start"}),
    "month": frozenset({"week_start", "year_start"}),
    "year": frozenset({"week_start"}),
}


def periods_before(marks: Iterable[Mark], grain: str) -> int:
    """Count the periods before the window that the earliest of the marks can reach, at worst.

    >>> from runner.model.sqltext import Mark
    >>> periods_before([Mark("start", (("days", -7),))], "day")
    7
    >>> periods_before([Mark("start", (("month_start", 0),))], "day")
    30
    >>> periods_before([Mark("start", (("months", -1),))], "month")
    1
    """
    return max((_periods(mark.steps, grain) for mark in marks), default=0)


def _periods(steps: tuple[tuple[str, int], ...], grain: str) -> int:
    months = sum(n * {"months": 1, "years": 12}.get(name, 0) for name, n in steps)
    hours = sum(n * _HOURS.get(name, 0) for name, n in steps)
    floors = [name for name, _ in steps if name in _FLOORED_BY[grain]]
    if grain in ("hour", "day"):
        length = _LONGEST_MONTH if months < 0 else _SHORTEST_MONTH
        back = -hours - months * length + sum(_FLOORS[name] for name in floors)
        return max(0, math.ceil(back / (1 if grain == "hour" else 24)))
    floored = 11 if "year_start" in floors and grain == "month" else 0
    week = _FLOORS["week_start"] if "week_start" in floors else 0
    back_months = -months + floored + math.ceil((week - hours) / _SHORTEST_MONTH)
    return max(0, back_months if grain == "month" else math.ceil(back_months / 12))
