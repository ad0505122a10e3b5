"""Parts of dates and times: year() ... timezone_minute(), and EXTRACT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.passes.temporal_trees import call, cast, local, zone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.local.athena.temporal_kinds import Kind, Kinds

_PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Week: "week",
    exp.WeekOfYear: "week",
    exp.Day: "day",
    exp.DayOfMonth: "day",
    exp.DayOfWeek: "isodow",
    exp.DayOfWeekIso: "isodow",
    exp.DayOfYear: "doy",
    exp.YearOfWeek: "isoyear",
    exp.YearOfWeekIso: "isoyear",
    exp.Hour: "hour",
    exp.Minute: "minute",
    exp.Second: "second",
}
_NAMES = {
    "DAY_OF_MONTH": "day",
    "DAY_OF_WEEK": "isodow",
    "DAYOFWEEK": "isodow",
    "DAYOFWEEKISO": "isodow",
    "DOW": "isodow",
    "DAY_OF_YEAR": "doy",
    "DAYOFYEAR": "doy",
    "YEAR_OF_WEEK": "isoyear",
    "YEAROFWEEK": "isoyear",
    "YOW": "isoyear",
    "WEEK_OF_YEAR": "week",
}
_DAY_PARTS = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1000}
_CLOCK = frozenset({"hour", "minute", "second", "millisecond"})
_ABSENT = {
    "date": _CLOCK | {"timezone_hour", "timezone_minute"},
    "time": frozenset({"timezone_hour", "timezone_minute"}),
}
_CYCLES = {"hour": 24, "minute": 60, "second": 60, "millisecond": 1000}


def _is_null(node: exp.Expr) -> bool:
    node = node.unnest()
    while isinstance(node, exp.Cast):
        node = node.this.unnest()
    return isinstance(node, exp.Null)


def part(node: exp.Expr, kind: Kind | None, name: str) -> exp.Expr:
    """Take one part of a value; raises AthenaFailure for one that it does not have."""
    if kind is not None and kind.name in _ABSENT and name in _ABSENT[kind.name]:
        raise AthenaFailure(
            "FUNCTION_NOT_FOUND", f"Unexpected parameters ({kind.name}) for function {name}"
        )
    if _is_null(node):
        return cast(exp.null(), "BIGINT")
    if name.startswith("timezone_"):
        return _zone_part(node, kind, name)
    if kind is not None and kind.name == "days":
        _refuse_part(name, (*_CYCLES, "day"), "interval day to second")
        milliseconds = call("__interval_ms", node)
        new = call("divide", milliseconds, _DAY_PARTS.get(name, 1))
        return call("mod", new, _CYCLES[name]) if name in _CYCLES else new
    if kind is not None and kind.name == "months":
        _refuse_part(name, ("year", "month"), "interval year to month")
        return exp.Extract(this=exp.var(name), expression=node.copy())
    place = local(node, kind)
    if kind is not None and kind.name == "timetz":
        place = cast(node, "TIME")
    if name == "millisecond":
        return call("__millis", place)
    return exp.Extract(this=exp.var(name), expression=place)


def _refuse_part(name: str, parts: Sequence[str], kind: str) -> None:
    """Refuse a part that an interval does not have; raises AthenaFailure."""
    if name not in parts:
        raise AthenaFailure(
            "FUNCTION_NOT_FOUND", f"Unexpected parameters ({kind}) for function {name}"
        )


def _zone_part(node: exp.Expr, kind: Kind | None, name: str) -> exp.Expr:
    if kind is not None and kind.name == "timetz":
        minutes: exp.Expr = call("__timetz_minutes", node)
    elif kind is not None and kind.name == "zoned":
        minutes = call("__zone_minutes", node, zone(kind))
    else:
        minutes = call("__zone_minutes", cast(node, "TIMESTAMPTZ"), "UTC")
    return call("divide" if name == "timezone_hour" else "mod", minutes, 60)


def called(node: exp.Expr, kind: Kind | None, name: str) -> exp.Expr:
    """Answer a function such as hour(): a date is its midnight, a time is in UTC."""
    if kind is not None and kind.name in _ABSENT and name in _ABSENT[kind.name]:
        known = exp.Not(this=exp.Is(this=node.copy(), expression=exp.null()))
        return exp.Case().when(known, cast(exp.Literal.number(0), "BIGINT"))
    return part(node, kind, name)


def _part(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    name = _PARTS[type(node)]
    inner = node.this
    if isinstance(inner, exp.TsOrDsToDate):
        inner = inner.this
    return called(inner, kinds.of(inner), name)


def _extract(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    name = node.name.upper()
    if name == "MILLISECOND":
        raise AthenaFailure("SYNTAX_ERROR", f"Invalid EXTRACT field: {name}")
    return part(node.expression, kinds.of(node.expression), _NAMES.get(name, name.lower()))


REWRITERS: dict[type[exp.Expr], Callable[[Kinds, exp.Expr], exp.Expr | None]] = {
    **dict.fromkeys(_PARTS, _part),
    exp.Extract: _extract,
}
NAMED_PARTS = {
    "millisecond": "millisecond",
    "yow": "isoyear",
    "year_of_week": "isoyear",
    "day_of_week": "isodow",
    "dow": "isodow",
    "doy": "doy",
    "day_of_year": "doy",
    "day_of_month": "day",
    "week_of_year": "week",
    "timezone_hour": "timezone_hour",
    "timezone_minute": "timezone_minute",
}
