"""Partition projection as plain facts: time columns, table properties, numbers of partitions.

In: the `partition:` of a header that `projection_checks` found right.  Out: values.  Facts of
Athena are from its user guide, "Supported types for partition projection".  SEMANTICS 22.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.keeper.windows import (
    add,
    count_periods,
    format_value,
    pattern_grain,
    split_pattern,
    write_civil,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.header import Header, PartitionColumn

TIME_PARTS = ("year", "month", "day", "hour")
GRAIN_UNITS = {"hour": "HOURS", "day": "DAYS", "month": "MONTHS", "year": "YEARS"}
_FIELDS = {"year": "yyyy", "month": "MM", "day": "dd", "hour": "HH"}
_LONG = 2**63


@dataclass(frozen=True, slots=True)
class TimeKey:
    """The partition columns that hold the time: one date column, or year, month, day, hour."""

    columns: tuple[str, ...]
    formats: tuple[str, ...]
    """The Java pattern of each column."""
    grain: str
    """hour, day, month or year."""

    @property
    def format(self) -> str:
        """What `{{ start }}` prints: the column's pattern; of several columns, a civil value."""
        if len(self.columns) == 1:
            return self.formats[0]
        return {"hour": "yyyy-MM-dd'T'HH", "day": "yyyy-MM-dd", "month": "yyyy-MM"}.get(
            self.grain, "yyyy"
        )


def time_key(header: Header) -> TimeKey | None:
    """Find the columns of time; None when there are none, or when they are wrong."""
    first = next(iter(header.partition.items()), None)
    if first is None:
        return None
    name, column = first
    if column.type == "date":
        pattern = column.format or ""
        try:
            return TimeKey((name,), (pattern,), pattern_grain(pattern))
        except ValueError:
            return None
    parts = time_parts(header)
    if not parts:
        return None
    return TimeKey(parts, tuple(_FIELDS[part] for part in parts), parts[-1])


def time_parts(header: Header) -> tuple[str, ...]:
    """Find leading integer columns named year, month, day, hour."""
    names = list(header.partition)
    together = zip(TIME_PARTS, names, strict=False)
    parts = [part for part, name in itertools.takewhile(lambda pair: pair[0] == pair[1], together)]
    integers = itertools.takewhile(lambda part: header.partition[part].type == "integer", parts)
    return tuple(integers)


def projection_parameters(header: Header) -> dict[str, str]:
    """Write the table's `projection.*` properties; empty without partitions.

    No `storage.location.template`: writes use `<location>/a=<a>/b=<b>/`, Athena's default.
    """
    if not header.partition:
        return {}
    parameters = {"projection.enabled": "true"}
    for name, column in header.partition.items():
        for key, value in _column_parameters(column):
            parameters[f"projection.{name}.{key}"] = value
    return parameters


def _column_parameters(column: PartitionColumn) -> Iterator[tuple[str, str]]:
    yield "type", column.type
    match column.type:
        case "date":
            pattern = column.format or ""
            yield "format", pattern
            yield "range", ",".join(part.strip() for part in (column.range or "").split(","))
            yield "interval", "1"
            yield "interval.unit", GRAIN_UNITS[pattern_grain(pattern)]
        case "integer":
            first, last = integer_range(column) or (0, 0)
            yield "range", f"{first},{last}"
            if column.interval is not None:
                yield "interval", str(column.interval)
            if column.digits is not None:
                yield "digits", str(column.digits)
        case "enum":
            yield "values", ",".join(column.values or ())
        case "injected":
            return


def column_values(column: PartitionColumn) -> int | None:
    """Count the values of one column; None for a range that moves with NOW."""
    match column.type:
        case "enum" | "injected":
            return len(column.values or ())
        case "integer":
            ends = integer_range(column)
            return 0 if ends is None else (ends[1] - ends[0]) // (column.interval or 1) + 1
        case "date":
            return _date_values(column)


def _date_values(column: PartitionColumn) -> int | None:
    pattern = column.format or ""
    ends = [read_date(part.strip(), pattern) for part in (column.range or "").split(",")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:  # noqa: PLR2004 - first and last
        return None
    grain = pattern_grain(pattern)
    return count_periods(write_civil(ends[0], grain), write_civil(ends[1], grain), grain)


def combinations(header: Header) -> int:
    """Count the partitions that one time value has: the product of the other columns' values."""
    key = time_key(header)
    time = key.columns if key is not None else ()
    others = [column for name, column in header.partition.items() if name not in time]
    return math.prod(column_values(column) or 1 for column in others)


def partition_count(header: Header) -> int | None:
    """Count all partitions; None when a date range moves with NOW."""
    counts = [column_values(column) for column in header.partition.values()]
    known = [count for count in counts if count is not None]
    return math.prod(known) if len(known) == len(counts) else None


def read_date(text: str, pattern: str) -> dt.datetime | None:
    """Read a value by a Java pattern; None unless writing it again gives the same text."""
    expression, names = "", set()
    for piece, is_field in split_pattern(pattern):
        group = _GROUPS.get(piece) if is_field else None
        if group is None:
            expression += re.escape(piece) if not is_field else r"\w+"
        elif group[0] in names:
            expression += f"(?P={group[0]})"
        else:
            names.add(group[0])
            expression += f"(?P<{group[0]}>{group[1]})"
    match = re.fullmatch(expression, text)
    if match is None:
        return None
    values = {name: int(value) for name, value in match.groupdict().items()}
    try:
        value = dt.datetime(  # noqa: DTZ001 - civil: no zone
            values.get("year", 1970), values.get("month", 1), values.get("day", 1),
            values.get("hour", 0),
        )  # fmt: skip
        if "ordinal" in values:
            value = add(value, "days", values["ordinal"] - 1)
    except ValueError:
        return None
    return value if format_value(value, pattern) == text else None


_GROUPS = {
    "yyyy": ("year", "[0-9]{4}"),
    "uuuu": ("year", "[0-9]{4}"),
    "MM": ("month", "[0-9]{2}"),
    "M": ("month", "[0-9]{1,2}"),
    "dd": ("day", "[0-9]{2}"),
    "d": ("day", "[0-9]{1,2}"),
    "HH": ("hour", "[0-9]{2}"),
    "H": ("hour", "[0-9]{1,2}"),
    "D": ("ordinal", "[0-9]{1,3}"),
    "DDD": ("ordinal", "[0-9]{3}"),
}


def integer_range(column: PartitionColumn) -> tuple[int, int] | None:
    """Give the first and last value of an integer column; None when the range is wrong."""
    match = re.fullmatch(r"\s*(-?[0-9]+)\s*,\s*(-?[0-9]+)\s*", column.range or "")
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    return (first, last) if -_LONG <= first <= last < _LONG else None
