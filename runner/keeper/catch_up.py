"""Catching up after a scheduler that was off: the window of a run grows backwards.

In: the records of a workflow's tables and the window of its schedule.  Out: an earlier start.  A
period was missed when no run has left a record of it, not even a failed one, since the newest
period before the window that has some.  Before the first record nothing was missed.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from . import records, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .storage import Storage

NONE, LATEST, ALL = "none", "latest", "all"
"""Policies; another one is {"last": n}."""


def widen(
    storage: Storage,
    tables: Mapping[str, str],
    window: tuple[str, str, str],
    *,
    policy: Any,  # noqa: ANN401 - JSON: a word or {"last": n}
    unit: str,
    max_window: int,
) -> str:
    """Give the start of a scheduled window with what the policy adds to it.

    `tables` maps physical names to grains, `window` is start, end and grain, `unit` the period
    that the schedule counts in.  The window never grows beyond `max_window` of its own periods.
    """
    start, end, grain = window
    most = {NONE: 0, LATEST: 1, ALL: None}[policy] if isinstance(policy, str) else policy["last"]
    if most == 0:
        return start
    begin = windows.floor(windows.parse_civil(start, grain), unit)
    newest = _newest_touched(storage, tables, begin, unit)
    if newest is None:
        return start
    first = windows.add(newest, unit + "s", 1)
    if most is not None:
        first = max(first, windows.add(begin, unit + "s", -most))
    last = windows.parse_civil(end, grain)
    first = max(first, windows.add(last, grain + "s", 1 - max_window))
    return min(start, windows.write_civil(first, grain))


def _newest_touched(
    storage: Storage, tables: Mapping[str, str], begin: dt.datetime, unit: str
) -> dt.datetime | None:
    """Give the newest period before `begin` that a record covers.

    A table of a coarser grain says nothing of single periods, unless all tables are so.
    """
    fine = windows.GRAINS.index(unit)
    telling = {name: g for name, g in tables.items() if windows.GRAINS.index(g) <= fine} or tables
    before = begin - dt.timedelta(seconds=1)
    found: dt.datetime | None = None
    for name, grain in telling.items():
        for entry in records.history(storage, name):
            ends = _ends(entry, grain)
            if ends is not None and ends[0] < begin:
                touched = windows.floor(min(ends[1], before), unit)
                found = touched if found is None else max(found, touched)
    return found


def _ends(entry: records.Entry, grain: str) -> tuple[dt.datetime, dt.datetime] | None:
    """Give a record's first and last second; None if the table was partitioned otherwise then."""
    try:
        first, last = (windows.parse_civil(text, grain) for text in (entry.start, entry.end))
    except ValueError:
        return None
    return windows.floor(first, grain), windows.last_second(last, grain)
