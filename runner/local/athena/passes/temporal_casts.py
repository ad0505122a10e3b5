"""Literals and casts of dates and times, and their text."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.datetexts import MICROS, UTC, offset_minutes, read_time, read_timestamp
from runner.local.athena.errors import unsupported
from runner.local.athena.functions_dates import shift
from runner.local.athena.passes.temporal_trees import (
    call,
    cast,
    instant,
    local,
    step,
    zone,
    zone_text,
)
from runner.local.athena.temporal_kinds import Kind, Kinds, from_type, type_name, zoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.datetexts import Stamp

_T = exp.DataType.Type
STAMPS = frozenset(
    {_T.TIMESTAMP, _T.TIMESTAMP_S, _T.TIMESTAMP_MS, _T.TIMESTAMP_NS, _T.TIMESTAMPNTZ}
)
ZONED = frozenset({_T.TIMESTAMPTZ, _T.TIMESTAMPLTZ})
_TEXT = exp.DataType.TEXT_TYPES - {_T.CHAR, _T.NCHAR}
_MILLIS = 3
_PLACEHOLDER = "zq"
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


def _literal_stamp(node: exp.Expr | None) -> Stamp | None:
    """Read a literal of a timestamp or time, in brackets or not."""
    inner = node.unnest() if node is not None else None
    if not isinstance(inner, exp.Cast) or not isinstance(inner.this, exp.Literal):
        return None
    kind = from_type(inner.to)
    if kind is None or not inner.this.is_string:
        return None
    text = inner.this.name
    return read_time(text) if kind.name in {"time", "timetz"} else read_timestamp(text)


def _is_fine(stamp: Stamp | None) -> bool:
    return stamp is not None and bool(stamp.fraction[MICROS:].strip("0"))


def fold_fine(tree: exp.Query) -> None:
    """Decide what depends on digits beyond the microsecond; refuse the rest."""
    for each in tree.find_all(exp.Cast):
        _zone_of_date(each)
    for node in list(tree.find_all(*_COMPARISONS)):
        _fold(node)
    for between in list(tree.find_all(exp.Between)):
        stamps = [_literal_stamp(between.args[each]) for each in ("this", "low", "high")]
        if any(_is_fine(each) for each in stamps) and all(stamps):
            this, low, high = (_key(each) for each in stamps if each)
            between.replace(exp.Boolean(this=low <= this <= high))
    for literal in list(tree.find_all(exp.Cast)):
        stamp = _literal_stamp(literal)
        if stamp is not None and _is_fine(stamp):
            _need_less(literal, stamp)


def _zone_of_date(node: exp.Cast) -> None:
    """See the zone in TIMESTAMP '2001-1-22 +07:09', which the parser takes for no zone."""
    literal = node.this
    if (
        node.to.this not in STAMPS
        or not node.to.expressions
        or not isinstance(literal, exp.Literal)
    ):
        return
    stamp = read_timestamp(literal.name)
    if stamp is not None and stamp.zone and not stamp.has_time:
        node.set("to", exp.DataType.build("TIMESTAMPTZ(0)"))
        node.type = node.to


def _fold(node: exp.Expr) -> None:
    if not isinstance(node, exp.Binary):
        return
    left, right = _literal_stamp(node.left), _literal_stamp(node.right)
    if left and right and (_is_fine(left) or _is_fine(right)):
        node.replace(exp.Boolean(this=_COMPARISONS[type(node)](_key(left), _key(right))))


def _key(stamp: Stamp) -> tuple[int, str]:
    try:
        moment = datetime(*stamp.date, *stamp.time)  # noqa: DTZ001 - civil
    except ValueError as error:
        raise unsupported("Timestamps finer than microseconds in such a year") from error
    seconds = (moment - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - counted from
    return int(seconds) - shift(moment, stamp.zone or UTC) // 1_000_000, stamp.fraction.ljust(
        12, "0"
    )


def _need_less(node: exp.Cast, stamp: Stamp) -> None:
    """Accept a fine literal where its last digits do not matter; `node` may be rounded in place."""
    inner: exp.Expr = node
    while isinstance(inner.parent, exp.Paren):
        inner = inner.parent
    parent = inner.parent
    if isinstance(parent, exp.Cast) and parent.to.this == _T.DATE:
        return
    kind = from_type(parent.to) if isinstance(parent, exp.Cast) else None
    if kind is not None and kind.precision < MICROS:
        return
    if isinstance(parent, _FINE_ENOUGH) or (
        isinstance(parent, exp.Anonymous) and parent.name.lower() in _FINE_NAMES
    ):
        return
    if isinstance(parent, exp.Cast) and parent.to.this in _TEXT and not parent.to.expressions:
        parent.replace(exp.Literal.string(_stamp_text(stamp)))
        return
    raise unsupported("A timestamp finer than microseconds")


def _stamp_text(stamp: Stamp) -> str:
    year, month, day = stamp.date
    hour, minute, second = stamp.time
    text = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{stamp.fraction}"
    return f"{text} {stamp.zone}" if stamp.zone else text


def _cast(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Cast):
        return None
    source, target = kinds.of(node.this), kinds.of(node)
    new: exp.Expr | None = None
    if node.to.this in _TEXT:
        new = text(node.this, source)
        if new is not None and node.to.expressions:
            new = call("left", new, int(node.to.expressions[0].name))
    elif from_type(node.to) is None or target is None:
        return None
    elif source is not None and not source.array:
        new = _between(node, source, target)
    elif node.this.type is None or node.this.is_string or node.this.is_type("unknown", *_WORDS):
        new = _from_text(node, target)
    if new is not None and isinstance(node, exp.TryCast):
        new = call("TRY", new)
    return new


_WORDS = ("varchar", "text", "char")


def text(  # noqa: PLR0911 - one return a type
    node: exp.Expr, kind: Kind | None
) -> exp.Expr | None:
    """Write a value as CAST(... AS varchar) does."""
    if kind is None or kind.array:
        return None
    match kind.name:
        case "date":
            return call("__day_text", node)
        case "timestamp":
            return _stamp(node, kind)
        case "zoned":
            shown = _stamp(local(node, kind), kind)
            space = exp.DPipe(this=shown, expression=exp.Literal.string(" "))
            return exp.paren(exp.DPipe(this=space, expression=zone_text(kind)))
        case "time":
            return call("__time_text", node, kind.precision)
        case "timetz":
            return call("__timetz_text", node, kind.precision)
    return call(f"__{kind.name}_text", node)


def _stamp(node: exp.Expr, kind: Kind) -> exp.Expr:
    if kind.precision == _MILLIS:
        return call("__milli_text", node)
    return call("__stamp_text", node, kind.precision)


def _from_text(  # noqa: PLR0911 - one return a type
    node: exp.Cast, target: Kind
) -> exp.Expr | None:
    literal = node.this if isinstance(node.this, exp.Literal) else None
    if literal is not None:
        if literal.name.startswith(_PLACEHOLDER):
            return _placeholder(node, target)
        new = _literal(literal.name, target)
        if new is not None:
            return new
    if node.this.type is None or node.this.is_type("unknown"):
        return None
    match target.name:
        case "date":
            return call("__text_date", node.this)
        case "timestamp":
            return call("__text_timestamp", node.this, step(target.precision))
        case "time":
            return call("__text_time", node.this, step(target.precision))
        case "zoned":
            return call("__text_zoned", node.this)
    raise unsupported("A cast of text to time with time zone")


def _placeholder(node: exp.Cast, target: Kind) -> exp.Expr:
    """Keep a literal that stands for any date: the shape has seen to its form."""
    if target.name == "date":
        return cast(node.this, "DATE")
    if target.name == "zoned":
        return call("__text_zoned", node.this)
    whole = bool(node.to.expressions) and target.precision == 0
    plain: exp.Expr = cast(node.this, "TIMESTAMP" if target.name == "timestamp" else "TIME")
    return plain if whole else call("__ts_round", plain, step(target.precision))


def _literal(words: str, target: Kind) -> exp.Expr | None:
    if target.name in {"time", "timetz"}:
        return _time_literal(words, target)
    stamp = read_timestamp(words)
    if stamp is None or (target.name == "date" and stamp.has_time):
        return None
    if target.name == "date":
        return None if stamp.zone else cast(exp.Literal.string(stamp.duck()), "DATE")
    if bool(stamp.zone) != (target.name == "zoned") and target.name == "timestamp":
        return None
    new: exp.Expr = cast(exp.Literal.string(stamp._replace(has_time=True).duck()), "TIMESTAMP")
    if len(stamp.fraction) > target.precision:
        new = call("__ts_round", new, step(target.precision))
    return instant(new, target) if target.name == "zoned" else new


def _time_literal(words: str, target: Kind) -> exp.Expr | None:
    stamp = read_time(words)
    if stamp is None or (stamp.zone and target.name == "time"):
        return None
    new: exp.Expr = cast(exp.Literal.string(stamp.duck().split(" ", 1)[1]), "TIME")
    if len(stamp.fraction) > target.precision:
        new = call("__time_round", new, step(target.precision))
    if target.name == "time":
        return new
    minutes = offset_minutes(stamp.zone or UTC) or 0
    return call("__timetz", new, minutes)


def _between(node: exp.Cast, source: Kind, target: Kind) -> exp.Expr | None:
    """Cast one of these types to another."""
    rounded = target.precision < min(source.precision, MICROS)
    new: exp.Expr | None = None
    match (source.name, target.name):
        case ("date" | "timestamp" | "zoned", "date"):
            return cast(local(node.this, source), "DATE")
        case ("date" | "timestamp" | "zoned", "timestamp"):
            new = cast(local(node.this, source), "TIMESTAMP")
            return call("__ts_round", new, step(target.precision)) if rounded else new
        case ("zoned", "zoned"):
            new = node.this.copy()
            return call("__tz_round", new, step(target.precision)) if rounded else new
        case ("date" | "timestamp", "zoned"):
            new = cast(node.this, "TIMESTAMP")
            new = call("__ts_round", new, step(target.precision)) if rounded else new
            return instant(new, zoned())
        case ("timestamp" | "zoned" | "time" | "timetz", "time" | "timetz"):
            return _to_time(node, source, target, rounded=rounded)
    raise unsupported(f"A cast of {source.name} to {target.name}")


def _to_time(node: exp.Cast, source: Kind, target: Kind, *, rounded: bool) -> exp.Expr:
    new: exp.Expr = cast(local(node.this, source), "TIME")
    if rounded:
        new = call("__time_round", new, step(target.precision))
    if target.name == "time":
        return new
    if source.name == "timetz":
        return call("__timetz", new, call("__timetz_minutes", node.this))
    minutes = call("__zone_minutes", node.this, zone(source)) if source.name == "zoned" else 0
    return call("__timetz", new, minutes)


def _typeof(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    kind = kinds.of(node.this)
    if kind is None:
        return None
    name = type_name(kind)
    return exp.Literal.string(f"array({name})" if kind.array else name)


REWRITERS: dict[type[exp.Expr], Callable[[Kinds, exp.Expr], exp.Expr | None]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Typeof: _typeof,
}
