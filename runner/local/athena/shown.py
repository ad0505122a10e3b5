"""A query's values as Athena shows them: instants in their zone, intervals of months, old years.

In: rows from DuckDB and, for each column, what the translation found.  Out: rows and types.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from runner.local.athena.datetexts import offset_minutes
from runner.local.athena.errors import unsupported
from runner.local.athena.sqltypes import SqlType, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Show = Callable[[Any], Any]

MONTHS = "months"
"""Marks a column of intervals of months."""
EACH = "*"
"""Marks a column whose rows have zones of their own: pairs of an instant and a zone's name."""
_DAYS_A_MONTH = 30
_TIME = re.compile(r"time\((\d+)\)")
"""A column of times that have as many digits of a second."""
_ERA = re.compile(r"(\d+)(-\d\d-\d\d) \(BC\)")


def shown_columns(
    columns: Sequence[tuple[str, str]], shows: Sequence[str]
) -> tuple[tuple[str, SqlType], ...]:
    """Give the columns' types."""
    found = [(name, parse_type(kind)) for name, kind in columns]
    names = [*shows, *[""] * len(columns)]
    return tuple(
        (name, _typed(kind, show)) for (name, kind), show in zip(found, names, strict=False)
    )


def _typed(kind: SqlType, show: str) -> SqlType:
    if show == EACH:
        return SqlType("timestamp with time zone")
    if digits := _TIME.fullmatch(show):
        return SqlType("time", (int(digits[1]),))
    if kind.name == "interval":
        of = "year to month" if show == MONTHS else "day to second"
        return SqlType(f"interval {of}")
    return kind


def shown_rows(
    columns: Sequence[tuple[str, str]], rows: tuple[tuple[Any, ...], ...], shows: Sequence[str]
) -> tuple[tuple[Any, ...], ...]:
    """Give the rows, changed only where a column needs it."""
    names = [*shows, *[""] * len(columns)]
    changes = [
        (number, change)
        for number, ((_, kind), show) in enumerate(zip(columns, names, strict=False))
        if (change := _change(kind, show)) is not None
    ]
    if not changes:
        return rows
    return tuple(_changed(row, changes) for row in rows)


def _changed(row: tuple[Any, ...], changes: Sequence[tuple[int, Show]]) -> tuple[Any, ...]:
    values = list(row)
    for number, change in changes:
        values[number] = change(values[number])
    return tuple(values)


def _change(kind: str, show: str) -> Show | None:
    if show == MONTHS:
        return _each(_months)
    if show == EACH:
        return _pair if kind.startswith("STRUCT") else _refuse
    if show and not _TIME.fullmatch(show):
        zone = zone_of(show)
        return _each(lambda value: _in_zone(value, zone))
    return _each(_old) if kind.startswith(("DATE", "TIMESTAMP")) else None


def _each(change: Show) -> Show:
    def apply(value: Any) -> Any:  # noqa: ANN401 - any value
        if isinstance(value, list):
            return [apply(each) for each in value]
        return value if value is None else change(value)

    return apply


def _pair(value: Any) -> Any:  # noqa: ANN401 - a struct of an instant and its zone
    if value is None or value["t"] is None:
        return None
    return _in_zone(value["t"], zone_of(value["z"]))


def _refuse(_: Any) -> Any:  # noqa: ANN401 - an instant
    raise unsupported(
        "A result with time zones of its rows, from an inner query, DISTINCT or UNION,"
    )


def _months(value: timedelta) -> str:
    """Write an interval that DuckDB's client has turned into 30 days a month, 365 a year.

    >>> _months(timedelta(days=90))
    '0-3'
    """
    count = value.days // _DAYS_A_MONTH
    sign = "-" if count < 0 else ""
    return f"{sign}{abs(count) // 12}-{abs(count) % 12}"


def _old(value: Any) -> Any:  # noqa: ANN401 - text of a date before year 1, or a date
    if not isinstance(value, str):
        return value
    match = _ERA.match(value)
    if match is None:
        return value
    year = 1 - int(match[1])
    sign = "-" if year < 0 else ""
    return f"{sign}{abs(year):04}{match[2]}{value[match.end() :]}"


def zone_of(name: str) -> tzinfo:
    """Give a zone that names itself as Trino does."""
    minutes = offset_minutes(name)
    if minutes is None:
        return ZoneInfo(name)
    return timezone(timedelta(minutes=minutes), name)


def _in_zone(value: Any, zone: tzinfo) -> Any:  # noqa: ANN401 - an instant
    return value.astimezone(zone) if isinstance(value, datetime) else value
