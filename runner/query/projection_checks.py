"""Checks of `partition:`: what Athena would refuse, or would read wrongly without a word.

In: a header and the project's time zone.  Out: problems with their place in the header.  Facts of
Athena are from its user guide, "Partition projection with Amazon Athena".  SEMANTICS 22 and 24.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.keeper.windows import GRAINS, format_value, pattern_grain, split_pattern
from runner.query.projection import (
    GRAIN_UNITS,
    TIME_PARTS,
    combinations,
    integer_range,
    read_date,
    time_parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.errors import Place
    from runner.model.header import Header, PartitionColumn

NOW = re.compile(
    r"\s*NOW\s*(?:([+-])\s*([0-9]+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?\s*)?\Z"
)
"""Athena's own: one offset at most."""
MOST_PARTITIONS = 1_000_000
"""Athena reads at most this many partitions in one scan."""
_DIGITS = {"year": 4, "month": 2, "day": 2, "hour": 2}
_CAPITALS = {"YYYY": "yyyy", "YY": "yy", "DD": "dd", "hh": "HH"}


@dataclass(frozen=True, slots=True)
class HeaderProblem:
    """A fault of the header, before its YAML tells the line."""

    path: tuple[str, ...]
    """Keys from the top: ("partition", "dt", "format")."""
    code: str
    found: str
    expected: str
    advice: str

    def fault(self, place: Place) -> Fault:
        """Put it at the place of its key in the file."""
        return Fault(place, self.code, self.found, self.expected, self.advice)


def check_projection(header: Header, *, timezone: str = "UTC") -> tuple[HeaderProblem, ...]:
    """Find everything in `partition:` that Athena would refuse, or would read wrongly in silence.

    `timezone` is the project's; NOW in a projection is UTC (SEMANTICS 24).
    """
    problems: list[HeaderProblem] = []
    for name, column in header.partition.items():
        problems += _misplaced_settings(name, column)
        match column.type:
            case "date":
                problems += _check_date(name, column, timezone)
            case "integer":
                problems += _check_integer(name, column)
            case "enum":
                problems += _check_values(name, column, needed="every value that the column has")
            case "injected":
                problems += _check_values(name, column, needed="the values to write, one by one")
    problems += _check_order(header)
    if not problems:
        problems += _check_size(header)
    return tuple(problems)


_SETTINGS = {
    "date": {"format", "range", "interval", "interval_unit"},
    "integer": {"range", "interval", "digits"},
    "enum": {"values"},
    "injected": {"values"},
}


def _misplaced_settings(name: str, column: PartitionColumn) -> Iterator[HeaderProblem]:
    given = {key for key in column.model_fields_set if getattr(column, key) is not None}
    for key in sorted(given - _SETTINGS[column.type] - {"type"}):
        yield _problem(
            (name, key),
            "projection-setting",
            found=f"{key} in a column of type {column.type}",
            expected=f"type and {', '.join(sorted(_SETTINGS[column.type]))}",
            advice=f"remove {key}, or change the type",
        )


def _problem(
    path: tuple[str, ...], code: str, *, found: str, expected: str, advice: str
) -> HeaderProblem:
    return HeaderProblem(("partition", *path), code, found, expected, advice)


def _check_date(name: str, column: PartitionColumn, timezone: str) -> Iterator[HeaderProblem]:
    if column.format is None:
        yield _problem(
            (name,),
            "projection-format",
            found="a date column without a format",
            expected="format: a Java date pattern",
            advice="add format: yyyy-MM-dd",
        )
        return
    format_problem = _check_format(name, column.format)
    if format_problem is not None:
        yield format_problem
        return
    grain = pattern_grain(column.format)
    yield from _check_interval(name, column, grain)
    yield from _check_date_range(name, column, column.format, grain, timezone)


def _check_format(name: str, pattern: str) -> HeaderProblem | None:
    def problem(found: str, advice: str) -> HeaderProblem:
        expected = "a Java date pattern down to the hour, such as yyyy-MM-dd or yyyyMMddHH"
        return _problem(
            (name, "format"), "projection-format", found=found, expected=expected, advice=advice
        )

    runs = [run[0] for run in re.finditer(r"([A-Za-z])\1*", pattern)]
    wrong = next((field for field in _CAPITALS if field in runs), None)
    if wrong is not None:
        meaning = {"YYYY": "the year of the week", "YY": "the year of the week"}.get(
            wrong, "the day of the year" if wrong == "DD" else "the hour of half a day"
        )
        better = pattern
        for field, right in _CAPITALS.items():
            better = better.replace(field, right)
        if "MM" not in better:
            better = better.replace("mm", "MM")
        return problem(f"{pattern!r}, in which {wrong} means {meaning}", f"write {better}")
    try:
        fields = [text for text, is_field in split_pattern(pattern) if is_field]
    except ValueError as error:
        return problem(str(error), "write yyyy, MM, dd, HH and separators")
    if "mm" in fields and "MM" not in fields:
        return problem(
            f"{pattern!r}, in which mm means minutes", f"write {pattern.replace('mm', 'MM')}"
        )
    lacking = _lacking(pattern, fields)
    return None if lacking is None else problem(*lacking)


def _lacking(pattern: str, fields: list[str]) -> tuple[str, str] | None:
    """Find what keeps a pattern's values from naming, and sorting like, its periods."""
    try:
        grain = pattern_grain(pattern)
    except ValueError as error:
        return str(error), "write yyyy, MM, dd, HH and separators"
    fineness = GRAINS.index(grain)
    needed = [("year", {"yyyy", "uuuu"})]
    if fineness <= GRAINS.index("month") and "DDD" not in fields:
        needed.append(("month", {"MM"}))
    if fineness <= GRAINS.index("day"):
        needed.append(("day", {"dd", "DDD"}))
    if grain == "hour":
        needed.append(("hour", {"HH"}))
    for what, names in needed:
        if not names & set(fields):
            found = f"{pattern!r}, which does not write the {what} in full"
            return found, f"write {' or '.join(sorted(names))} for the {what}"
    if "/" in pattern:
        return (
            f"{pattern!r}, whose values hold a slash",
            "write another separator: values become folders named column=value",
        )
    return None


def _check_interval(name: str, column: PartitionColumn, grain: str) -> Iterator[HeaderProblem]:
    unit = GRAIN_UNITS[grain]
    if column.interval_unit is None and column.interval is None:
        return  # this project writes the unit of the format; Athena needs it but for day and month
    if column.interval_unit != unit or column.interval not in (None, 1):
        given = f"{column.interval or 1} {column.interval_unit or '(no unit)'}"
        yield _problem(
            (name, "interval_unit" if column.interval_unit else "interval"),
            "projection-interval",
            found=f"an interval of {given} in a column whose format tells {grain}s apart",
            expected=f"1 {unit}: every {grain} is a partition that a run may write",
            advice="remove interval and interval_unit; they follow from the format",
        )


def _check_date_range(
    name: str, column: PartitionColumn, pattern: str, grain: str, timezone: str
) -> Iterator[HeaderProblem]:
    path = (name, "range") if column.range is not None else (name,)
    parts = [part.strip() for part in (column.range or "").split(",")]
    if len(parts) != 2 or not all(parts):  # noqa: PLR2004 - first and last
        yield _problem(
            path,
            "projection-range",
            found=f"the range {column.range!r}" if column.range is not None else "no range",
            expected="first,last, both in the format, or NOW with one offset",
            advice=f'write range: "{_first_day(pattern)},NOW+1DAYS"',
        )
        return
    wrong = [part for part in parts if not NOW.match(part) and read_date(part, pattern) is None]
    for part in wrong:
        yield _problem(
            path,
            "projection-range",
            found=f"{part!r} in the range",
            expected=f"a date written as {pattern}, such as {_first_day(pattern)}, or NOW+1DAYS",
            advice="write both ends in the column's format",
        )
    if not wrong:
        yield from _check_ends(
            path, parts[0], parts[1], pattern=pattern, grain=grain, timezone=timezone
        )


def _check_ends(
    path: tuple[str, ...], first: str, last: str, *, pattern: str, grain: str, timezone: str
) -> Iterator[HeaderProblem]:
    begin, end = read_date(first, pattern), read_date(last, pattern)
    if begin is not None and end is not None and end < begin:
        yield _problem(
            path,
            "projection-range",
            found=f"a range from {first} back to {last}",
            expected="the first value before the last",
            advice="exchange the two",
        )
    now = NOW.match(last)
    if now is not None and (grain == "hour" or timezone not in ("UTC", "Etc/UTC")):
        hours = _offset_hours(now)
        if hours < 24:  # noqa: PLR2004 - NOW+1DAYS
            why = "an hourly table" if grain == "hour" else f"a project in {timezone}"
            yield _problem(
                path,
                "projection-now",
                found=f"a range that ends at {last}",
                expected=f"NOW+1DAYS or later: NOW is UTC, and {why} may write what is later",
                advice=f'write range: "{first},NOW+1DAYS"',
            )


def _offset_hours(now: re.Match[str]) -> float:
    sign, count, unit = now.groups()
    if sign is None:
        return 0
    hours = {
        "SECOND": 1 / 3600,
        "MINUTE": 1 / 60,
        "HOUR": 1,
        "DAY": 24,
        "WEEK": 168,
        "MONTH": 672,
        "YEAR": 8760,
    }
    return (-1 if sign == "-" else 1) * int(count) * hours[unit]


def _first_day(pattern: str) -> str:
    return format_value(dt.datetime(2013, 1, 1), pattern)  # noqa: DTZ001 - civil: no zone


def _check_integer(name: str, column: PartitionColumn) -> Iterator[HeaderProblem]:
    ends = integer_range(column)
    if ends is None:
        yield _problem(
            (name, "range") if column.range is not None else (name,),
            "projection-range",
            found=f"the range {column.range!r}" if column.range is not None else "no range",
            expected="first,last: two whole numbers, the first not above the last",
            advice='write range: "0,23"',
        )
        return
    first, last = ends
    if column.digits is None and re.search(r"(?:^|,)\s*-?0[0-9]", column.range or ""):
        yield _problem(
            (name, "range"),
            "projection-digits",
            found=f"leading zeros in the range {column.range!r}, which pad nothing",
            expected="digits: the width of every value",
            advice=f"write digits: {len(str(last))} and no leading zeros",
        )
    if column.digits is not None and len(str(max(abs(first), abs(last)))) > column.digits:
        yield _problem(
            (name, "digits"),
            "projection-digits",
            found=f"digits: {column.digits} for values up to {last}",
            expected="digits for the longest value",
            advice=f"write digits: {len(str(max(abs(first), abs(last))))}",
        )


def _check_values(name: str, column: PartitionColumn, *, needed: str) -> Iterator[HeaderProblem]:
    path = (name, "values") if column.values is not None else (name,)
    if not column.values:
        yield _problem(
            path,
            "projection-values",
            found=f"an {column.type} column without values",
            expected=f"values: {needed}",
            advice="write values: [a, b]",
        )
        return
    for value in dict.fromkeys(column.values):
        reason = _bad_value(value, column.values.count(value))
        if reason is not None:
            yield _problem(
                path,
                "projection-values",
                found=f"the value {value!r}, {reason}",
                expected="distinct values without commas, slashes or white space at their ends",
                advice="correct the value; Athena compares it with the folder's name as it stands",
            )


def _bad_value(value: str, count: int) -> str | None:
    if count > 1:
        return "twice"
    if not value:
        return "which is empty"
    if value != value.strip():
        return "whose white space is part of it"
    wrong = re.search(r"[,/\\=%:\"'*?#\x00-\x1f]", value)
    return f"which holds {wrong[0]!r}" if wrong is not None else None


def _check_order(header: Header) -> Iterator[HeaderProblem]:
    """SEMANTICS 22: time first; the others enum or integer, with a finite range."""
    names = list(header.partition)
    for index, name in enumerate(names):
        if header.partition[name].type == "date" and index > 0:
            yield _problem(
                (name,),
                "projection-order",
                found=f"the date column {name} after {names[index - 1]}",
                expected="one time column, first; or year, month, day, hour as integers",
                advice=f"move {name} to the front, or make it an ordinary column",
            )
    if not names or header.partition[names[0]].type == "date":
        return  # a column named hour beside a date is a column like any other
    parts = time_parts(header)
    stray = [name for name in names if name in TIME_PARTS and name not in parts]
    if stray and header.partition[stray[0]].type == "integer":
        before = TIME_PARTS[: TIME_PARTS.index(stray[0])]
        yield _problem(
            (stray[0],),
            "projection-order",
            found=f"{stray[0]} without {' and '.join(before) or 'the front place'} before it",
            expected="year, month, day, hour in this order and from the front",
            advice="order the columns, or choose one date column",
        )
    for part in parts:
        if header.partition[part].digits != _DIGITS[part]:
            yield _problem(
                (part, "digits") if header.partition[part].digits else (part,),
                "projection-digits",
                found=f"{part} without digits: {_DIGITS[part]}",
                expected="zero-padded values, as dates write them",
                advice=f"write digits: {_DIGITS[part]}",
            )


def _check_size(header: Header) -> Iterator[HeaderProblem]:
    beside = combinations(header)
    if beside > MOST_PARTITIONS:
        yield HeaderProblem(
            ("partition",),
            "projection-size",
            f"{beside:,} partitions for every time value",
            f"at most {MOST_PARTITIONS:,} partitions in a scan",
            "narrow the ranges, or make one of the columns an ordinary one",
        )
