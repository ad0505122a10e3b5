"""Literals with digits beyond the microsecond, which DuckDB cannot hold.

What depends on them is decided here (comparisons of literals, their text, rounding), what does not
is left alone, and the rest is refused.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.datetexts import MICROS, UTC, read_time, read_timestamp
from runner.local.athena.errors import unsupported
from runner.local.athena.functions_dates import shift
from runner.local.athena.temporal_kinds import from_type
from runner.local.athena.trees import find_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.datetexts import Stamp

_T = exp.DataType.Type
_TEXT = exp.DataType.TEXT_TYPES - {_T.CHAR, _T.NCHAR}
_CLOCKS = frozenset({_T.TIME, _T.TIMETZ})
_DAY_S = 86_400
_COMPARISONS: dict[type[exp.Expr], Callable[[tuple[int, str], tuple[int, str]], bool]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.NullSafeEQ: lambda a, b: a == b,
    exp.NullSafeNEQ: lambda a, b: a != b,
}
_FINE_ENOUGH = (
    exp.Year, exp.Month, exp.Day, exp.Hour, exp.Minute, exp.Second, exp.Week, exp.WeekOfYear,
    exp.Quarter, exp.DayOfWeek, exp.DayOfWeekIso, exp.DayOfMonth, exp.DayOfYear, exp.YearOfWeek,
    exp.YearOfWeekIso, exp.Extract, exp.TimestampTrunc, exp.DateTrunc, exp.DateDiff, exp.LastDay,
    exp.TimeToStr, exp.TimeToUnix, exp.Date, exp.TsOrDsToDate, exp.Typeof,
)  # fmt: skip
_FINE_NAMES = frozenset(
    {"millisecond", "format_datetime", "yow", "year_of_week", "timezone_hour", "timezone_minute"}
)


def apply(tree: exp.Query) -> exp.Query:
    """Decide comparisons, then look at every other literal."""
    for node in find_all(tree, *_COMPARISONS):
        _fold(node)
    for between in find_all(tree, exp.Between):
        stamps = [_literal_stamp(between.args[each]) for each in ("this", "low", "high")]
        if any(_is_fine(each) for each in stamps) and all(stamps):
            this, low, high = (
                _key(stamp, between.args[each])
                for stamp, each in zip(stamps, ("this", "low", "high"), strict=True)
                if stamp
            )
            between.replace(exp.Boolean(this=low <= this <= high))
    for literal in find_all(tree, exp.Cast):
        stamp = _literal_stamp(literal)
        if stamp is not None and _is_fine(stamp):
            _need_less(literal, stamp)
    return tree


def _literal_stamp(node: exp.Expr | None) -> Stamp | None:
    """Read a literal of a timestamp or time, in brackets or not; not one that a cast rounds."""
    inner = node.unnest() if node is not None else None
    if not isinstance(inner, exp.Cast) or not isinstance(inner.this, exp.Literal):
        return None
    kind = from_type(inner.to)
    if kind is None or not inner.this.is_string:
        return None
    read = read_time if inner.to.this in _CLOCKS else read_timestamp
    stamp = read(inner.this.name)
    if stamp is None or kind.precision >= len(stamp.fraction):
        return stamp
    if kind.precision > MICROS:
        raise unsupported("A timestamp finer than microseconds")
    return None


def _is_fine(stamp: Stamp | None) -> bool:
    return stamp is not None and bool(stamp.fraction[MICROS:].strip("0"))


def _fold(node: exp.Expr) -> None:
    if not isinstance(node, exp.Binary):
        return
    left, right = _literal_stamp(node.left), _literal_stamp(node.right)
    if left and right and (_is_fine(left) or _is_fine(right)):
        keys = _key(left, node.left), _key(right, node.right)
        node.replace(exp.Boolean(this=_COMPARISONS[type(node)](*keys)))


def _key(stamp: Stamp, node: exp.Expr) -> tuple[int, str]:
    """Give the second in UTC (of the day, for a time) and the digits after it."""
    seconds = int((_moment(stamp) - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001 - civil
    seconds -= shift(_moment(stamp), stamp.zone or UTC) // 1_000_000
    inner = node.unnest()
    if isinstance(inner, exp.Cast) and inner.to.this in _CLOCKS:
        seconds %= _DAY_S
    return seconds, stamp.fraction.ljust(12, "0")


def _moment(stamp: Stamp) -> datetime:
    try:
        return datetime(*stamp.date, *stamp.time)  # noqa: DTZ001 - civil
    except ValueError as error:
        raise unsupported("A timestamp finer than microseconds in such a year") from error


def _need_less(node: exp.Cast, stamp: Stamp) -> None:
    """Accept a literal where its last digits do not matter, or use them up."""
    inner: exp.Expr = node
    while isinstance(inner.parent, exp.Paren):
        inner = inner.parent
    parent = inner.parent
    if isinstance(parent, exp.Cast) and _cast(parent, node, stamp):
        return
    named = isinstance(parent, exp.Anonymous) and parent.name.lower() in _FINE_NAMES
    if not isinstance(parent, _FINE_ENOUGH) and not named:
        raise unsupported("A timestamp finer than microseconds")


def _cast(parent: exp.Cast, node: exp.Cast, stamp: Stamp) -> bool:
    """Cast to a date, to a text, or to fewer digits; tells whether that is done."""
    if parent.to.this == _T.DATE:
        return True
    if parent.to.this in _TEXT and not parent.to.expressions:
        parent.replace(exp.Literal.string(_text(stamp, is_time=node.to.this in _CLOCKS)))
        return True
    kind = from_type(parent.to)
    if kind is None or kind.precision > MICROS:
        return False
    if kind.precision == MICROS:
        _round(node, stamp)
    return True


def _round(node: exp.Cast, stamp: Stamp) -> None:
    micros = int(stamp.fraction[:MICROS]) + (stamp.fraction[MICROS] >= "5")
    moment = _moment(stamp) + timedelta(microseconds=micros)
    text = moment.isoformat(sep=" ", timespec="microseconds")
    if node.to.this in _CLOCKS:
        text = text.partition(" ")[2]
    node.set("this", exp.Literal.string(f"{text} {stamp.zone}" if stamp.zone else text))


def _text(stamp: Stamp, *, is_time: bool) -> str:
    year, month, day = stamp.date
    hour, minute, second = stamp.time
    clock = f"{hour:02}:{minute:02}:{second:02}.{stamp.fraction}"
    if is_time:
        return clock + ("+00:00" if stamp.zone == UTC else stamp.zone)
    text = f"{year:04}-{month:02}-{day:02} {clock}"
    return f"{text} {stamp.zone}" if stamp.zone else text
