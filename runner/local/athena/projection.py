"""Partition projection: which partitions a projected table has, from its parameters alone.

In: a table's parameters and what the query asks of a column.  Out: the values in order, as text.
Rules and messages: "Partition projection with Amazon Athena" in the Athena guide.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.javatime import finest_unit, format_java, is_ordered, parse_java

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_NOW = re.compile(
    r"\s*NOW\s*(([+\-])\s*([0-9]+)\s*(YEARS?|MONTHS?|WEEKS?|DAYS?|HOURS?|MINUTES?|SECONDS?)\s*)?",
    re.IGNORECASE,
)
MOST = 1_000_000
"""Partitions that one scan may read."""
_NUMBER = re.compile(r"[+-]?[0-9]+")
_MONTHS = {"MONTHS": 1, "YEARS": 12}
_ENDS = 2
_SECONDS = {"WEEKS": 604800, "DAYS": 86400, "HOURS": 3600, "MINUTES": 60, "SECONDS": 1}


class Asked(NamedTuple):
    """What a query says of one column: its values by = or IN (None: any), and text bounds."""

    values: frozenset[str] | None = None
    least: str = ""
    most: str = ""


def is_projected(parameters: Mapping[str, str]) -> bool:
    """Tell whether projection is switched on."""
    return parameters.get("projection.enabled", "").strip().lower() == "true"


def projected_values(
    column: str,
    parameters: Mapping[str, str],
    *,
    table: str,
    asked: Asked,
    now: datetime,
) -> list[str]:
    """Give a column's values, at least those that the query asks for."""
    wanted = asked.values
    kind = parameters.get(f"projection.{column}.type", "").strip().lower()
    match kind:
        case "enum":
            values = _need(column, "values", parameters, table).split(",")
            return [value for value in values if wanted is None or value in wanted]
        case "integer":
            return list(_integers(column, parameters, table, wanted))
        case "date":
            return list(_dates(column, parameters, table, asked, now))
        case "injected":
            if wanted is None:
                raise AthenaFailure(
                    "CONSTRAINT_VIOLATION",
                    f"For the injected projected partition column {column}, the WHERE clause must "
                    f"contain only static equality conditions, and at least one such condition "
                    f"must be present.",
                )
            return sorted(wanted)
        case "":
            raise _metastore(
                f"Table {table} is configured for partition projection, but the following "
                f"partition columns are missing projection configuration: [{column}] "
                f"(table {table})"
            )
        case _:
            raise _metastore(f"Unknown projection type {kind} of column {column} (table {table})")


def _need(column: str, name: str, parameters: Mapping[str, str], table: str) -> str:
    found = parameters.get(f"projection.{column}.{name}")
    if found is None:
        raise _metastore(f"projection.{column}.{name} is required (table {table})")
    return found


def _integers(
    column: str, parameters: Mapping[str, str], table: str, wanted: Collection[str] | None
) -> Iterator[str]:
    text = _need(column, "range", parameters, table)
    try:
        first, last = (_long(each) for each in text.split(","))
    except ValueError:
        raise _metastore(
            f"Invalid projection.{column}.range: {text!r} is not two whole numbers with a comma "
            f"between them (table {table})"
        ) from None
    step = _positive(column, "interval", parameters, table)
    digits = _positive(column, "digits", parameters, table, default=0)
    if wanted is not None:
        for value in sorted(wanted):
            number = int(value) if re.fullmatch(r"-?\d+", value) else first - 1
            if first <= number <= last and (number - first) % step == 0:
                yield f"{number:0{digits}d}"
        return
    for number in range(first, last + 1, step):
        yield f"{number:0{digits}d}"


def _long(text: str) -> int:
    """Read a number of 64 bits; raises ValueError."""
    found = int(text.strip()) if _NUMBER.fullmatch(text.strip()) else None
    if found is None or not -(2**63) <= found < 2**63:
        raise ValueError(text)
    return found


def _positive(
    column: str, name: str, parameters: Mapping[str, str], table: str, *, default: int = 1
) -> int:
    text = parameters.get(f"projection.{column}.{name}")
    if text is None:
        return default
    found = int(text.strip()) if _NUMBER.fullmatch(text.strip()) else 0
    if found <= 0:
        raise _metastore(
            f"Invalid projection.{column}.{name}: {text!r} is not a positive whole number "
            f"(table {table})"
        )
    return found


def _dates(
    column: str,
    parameters: Mapping[str, str],
    table: str,
    asked: Asked,
    now: datetime,
) -> Iterator[str]:
    wanted = asked.values
    pattern = _need(column, "format", parameters, table)
    text = _need(column, "range", parameters, table)
    try:
        unit, step = _interval(column, parameters, pattern, table)
        first, last = _ends(text, pattern, now)
    except ValueError as error:
        raise _metastore(
            f"Invalid configuration of column {column}: {error} (table {table})"
        ) from None
    if wanted is not None and step == 1 and unit == finest_unit(pattern):
        yield from _members(wanted, pattern, first, last)
        return
    first, last = _clipped(asked, pattern, (unit, step), (first, last))
    for count in range(MOST + 1):
        instant = _add(first, unit, step * count)
        if instant > last:
            return
        value = format_java(instant, pattern)
        if wanted is None or value in wanted:
            yield value
    raise too_many(table)


def too_many(table: str) -> AthenaFailure:
    """Make the failure of a scan of more partitions than one may read."""
    return AthenaFailure(
        "HIVE_EXCEEDED_PARTITION_LIMIT",
        f"Query over table '{table}' can potentially read more than {MOST} partitions",
    )


def _ends(text: str, pattern: str, now: datetime) -> tuple[datetime, datetime]:
    """Read a range of dates; raises ValueError."""
    ends = text.split(",")
    if len(ends) != _ENDS:
        raise ValueError(f"range {text!r} is not two dates with a comma between them")
    return _bound(ends[0], pattern, now), _bound(ends[1], pattern, now)


def _clipped(
    asked: Asked, pattern: str, interval: tuple[str, int], ends: tuple[datetime, datetime]
) -> tuple[datetime, datetime]:
    """Move the range's ends towards the bounds that the query sets, never past them."""
    (unit, step), (first, last) = interval, ends
    if not is_ordered(pattern):
        return ends
    least, most = _exact(asked.least, pattern), _exact(asked.most, pattern)
    if least is not None and least > first:
        if unit in _MONTHS:
            months = (least.year - first.year) * 12 + least.month - first.month
            steps = max(0, months // (_MONTHS[unit] * step) - 1)
        else:
            steps = int((least - first).total_seconds() // (_SECONDS[unit] * step))
        first = _add(first, unit, steps * step)
    if most is not None and most < last:
        last = most
    return first, last


def _exact(text: str, pattern: str) -> datetime | None:
    """Read a bound, if it is a value of the pattern to the letter."""
    try:
        found = parse_java(text, pattern)
    except ValueError:
        return None
    return found if format_java(found, pattern) == text else None


def _members(
    wanted: Collection[str], pattern: str, first: datetime, last: datetime
) -> Iterator[str]:
    for value in sorted(wanted):
        try:
            instant = parse_java(value, pattern)
        except ValueError:
            continue
        if first <= instant <= last and format_java(instant, pattern) == value:
            yield value


def _interval(
    column: str, parameters: Mapping[str, str], pattern: str, table: str
) -> tuple[str, int]:
    unit = parameters.get(f"projection.{column}.interval.unit")
    given = parameters.get(f"projection.{column}.interval")
    step = _positive(column, "interval", parameters, table)
    finest = finest_unit(pattern)
    if unit is None or given is None:
        if finest not in {"DAYS", "MONTHS"}:
            raise ValueError("interval and interval.unit are required for this format")
        if unit is None:
            return finest, step
    plural = unit.strip().upper()
    plural = plural if plural.endswith("S") else plural + "S"
    if plural not in _MONTHS and plural not in _SECONDS:
        raise ValueError(f"interval unit {unit}")
    return plural, step


def _bound(text: str, pattern: str, now: datetime) -> datetime:
    match = _NOW.fullmatch(text)
    if match is None:
        return parse_java(text.strip(), pattern)
    moved = now.replace(tzinfo=None)
    if match[1]:
        unit = match[4].upper()
        amount = int(match[3]) * (-1 if match[2] == "-" else 1)
        moved = _add(moved, unit if unit.endswith("S") else unit + "S", amount)
    return parse_java(format_java(moved, pattern), pattern)


def _add(instant: datetime, unit: str, amount: int) -> datetime:
    if unit in _SECONDS:
        return instant + timedelta(seconds=_SECONDS[unit] * amount)
    months = instant.year * 12 + instant.month - 1 + _MONTHS[unit] * amount
    year, month = divmod(months, 12)
    for day in (instant.day, 30, 29, 28):
        try:
            return instant.replace(year=year, month=month + 1, day=min(day, instant.day))
        except ValueError:
            continue
    raise ValueError(f"no day {instant.day} in month {month + 1}")


def _metastore(message: str) -> AthenaFailure:
    return AthenaFailure("HIVE_METASTORE_ERROR", message)
