"""Arithmetic, comparisons and sequences of dates, times and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.datetexts import read_interval
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.passes.temporal_trees import call, cast, instant_near, local
from runner.local.athena.temporal_kinds import type_name
from runner.local.athena.trees import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.temporal_kinds import Kind, Kinds

_DAY_MS = 86_400_000
COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_INTERVALS = frozenset({"days", "months"})


def _interval(_: Kinds, node: exp.Expr) -> exp.Expr | None:
    """Read an interval's text; one of whole single units stays as it is."""
    if not isinstance(node, exp.Interval):
        return None
    value, unit = node.this, node.args.get("unit")
    if unit is None and isinstance(node.parent, exp.Add | exp.Sub):
        # sqlglot takes the number of `INTERVAL '1' DAY + 3` for an interval.
        word = "+" if isinstance(node.parent, exp.Add) else "-"
        raise AthenaFailure("TYPE_MISMATCH", f"Cannot apply operator: interval {word} number")
    sign = 1
    while isinstance(value, exp.Neg):
        sign, value = -sign, value.this
    if not isinstance(value, exp.Literal) or unit is None:
        return None
    span = isinstance(unit, exp.IntervalSpan)
    first = (unit.this.name if span else unit.name).upper().rstrip("S")
    last = unit.expression.name.upper().rstrip("S") if span else first
    read = read_interval(value.name, first=first, last=last)
    if read is None:
        raise AthenaFailure(
            "INVALID_LITERAL", f"'{value.name}' is not a valid interval literal", line=1, column=1
        )
    name, count = read
    if not span and value.name.isdigit() and sign > 0:
        return None
    return call("to_months" if name == "months" else "to_milliseconds", sign * count)


def _sum(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    """Add or subtract."""
    if not isinstance(node, exp.Binary):
        return None
    left, right = kinds.of(node.left), kinds.of(node.right)
    if left is None or right is None:
        return _untyped(node, left, right)
    if left.name in _INTERVALS and right.name in _INTERVALS:
        if left.name != right.name:
            raise _mismatch(node, left, right)
        return None
    if isinstance(node, exp.Sub) and right.name not in _INTERVALS:
        return _difference(node, left, right)
    if left.name not in _INTERVALS and right.name not in _INTERVALS:
        raise _mismatch(node, left, right)
    if left.name in _INTERVALS:
        return _moved(node, node.right, right, left)
    return _moved(node, node.left, left, right)


def _untyped(node: exp.Binary, left: Kind | None, right: Kind | None) -> exp.Expr | None:
    """Keep what DuckDB decides, unless a number is added to a date."""
    known, other = (left, node.right) if left is not None else (right, node.left)
    number = other.type is not None and other.type.this in exp.DataType.NUMERIC_TYPES
    if known is not None and number and not known.array:
        sign = "+" if isinstance(node, exp.Add) else "-"
        raise AthenaFailure(
            "TYPE_MISMATCH",
            f"Cannot apply operator: {type_name(known)} {sign} "
            f"{other.type.sql('trino').lower() if other.type else 'number'}",
        )
    return None


def _mismatch(node: exp.Binary, left: Kind, right: Kind) -> AthenaFailure:
    sign = "+" if isinstance(node, exp.Add) else "-"
    return AthenaFailure(
        "TYPE_MISMATCH", f"Cannot apply operator: {type_name(left)} {sign} {type_name(right)}"
    )


def _difference(node: exp.Binary, left: Kind, right: Kind) -> exp.Expr:
    clocks = {"time", "timetz"}
    if (left.name in clocks) != (right.name in clocks):
        raise _mismatch(node, left, right)
    if left.name in clocks:
        sides = [_utc(side, kind) for side, kind in ((node.left, left), (node.right, right))]
        micros = exp.Sub(this=call("epoch_us", sides[0]), expression=call("epoch_us", sides[1]))
        return call("to_microseconds", micros)
    sides = [
        cast(side, "TIMESTAMPTZ" if "zoned" in {left.name, right.name} else "TIMESTAMP")
        for side in (node.left, node.right)
    ]
    return exp.paren(exp.Sub(this=sides[0], expression=sides[1]))


def _utc(node: exp.Expr, kind: Kind) -> exp.Expr:
    return call("__timetz_utc", node) if kind.name == "timetz" else node.copy()


def _moved(node: exp.Binary, moment: exp.Expr, kind: Kind, interval: Kind) -> exp.Expr | None:
    """Move a date or time by an interval."""
    other = node.right if moment is node.left else node.left
    signed = exp.Neg(this=exp.paren(other.copy())) if isinstance(node, exp.Sub) else other.copy()
    if kind.name == "date":
        if interval.name == "days" and _has_time(other):
            raise AthenaFailure(
                "INVALID_FUNCTION_ARGUMENT", "Cannot add hour, minutes or seconds to a date"
            )
        return cast(exp.paren(node.copy()), "DATE")
    if kind.name in {"time", "timetz"}:
        if interval.name == "months":
            raise _mismatch(node, kind, interval)
        micros = call("epoch_us", signed)
        return call("__time_add" if kind.name == "time" else "__timetz_add", moment, micros)
    if kind.name == "zoned" and interval.name == "months":
        shifted = exp.paren(exp.Add(this=local(moment, kind), expression=exp.paren(signed)))
        return instant_near(shifted, kind, moment)
    return None


def _has_time(interval: exp.Expr) -> bool:
    """Tell whether a literal interval is not of whole days."""
    inner = interval.unnest()
    while isinstance(inner, exp.Neg):
        inner = inner.this.unnest()
    if isinstance(inner, exp.Interval):
        unit = inner.args.get("unit")
        return unit is not None and unit.name.upper().rstrip("S") in {"HOUR", "MINUTE", "SECOND"}
    if isinstance(inner, exp.Anonymous) and inner.name == "to_milliseconds":
        argument = inner.expressions[0]
        return not (argument.is_int and int(argument.to_py()) % _DAY_MS == 0)
    return False


def _scaled(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    """Multiply or divide an interval by a number."""
    if not isinstance(node, exp.Binary):
        return None
    left, right = kinds.of(node.left), kinds.of(node.right)
    kind = left or right
    if kind is None or kind.name not in _INTERVALS:
        return None
    interval, number = (node.left, node.right) if left else (node.right, node.left)
    if isinstance(node, exp.Div):
        if left is None:
            raise unsupported("A number divided by an interval")
        number = exp.paren(
            exp.Div(this=exp.Literal.number("1e0"), expression=exp.paren(number.copy()))
        )
        number = call("__float_div", number.this.this, number.this.expression)
    return call(f"__{kind.name}_times", interval, number)


def _negated(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    kind = kinds.of(node.this)
    if kind is None or kind.name not in _INTERVALS:
        return None
    return call(f"__{kind.name}_times", node.this, -1)


def _compared(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    """Compare times with a zone by what they are in UTC; refuse to compare with text."""
    places = [(name, node.args.get(name)) for name in ("this", "expression", "low", "high")]
    sides = [(name, side) for name, side in places if isinstance(side, exp.Expr)]
    found = [kinds.of(side) for _, side in sides]
    moment = next((kind for kind in found if kind is not None and not kind.array), None)
    if moment is None:
        return None
    for side in [*(side for _, side in sides), *node.expressions]:
        _refuse_text(node, side, moment)
    for (name, side), kind in zip(sides, found, strict=True):
        if kind is not None and kind.name == "timetz":
            node.set(name, call("__timetz_utc", side))
    if isinstance(node, exp.In) and moment.name == "timetz":
        node.set("expressions", [call("__timetz_utc", each) for each in node.expressions])
    return None


def _refuse_text(node: exp.Expr, side: exp.Expr, moment: Kind) -> None:
    inner = side.unnest()
    known = isinstance(inner, exp.Literal | exp.Column) and inner.type is not None
    if not known or not (inner.is_string or inner.is_type(exp.DType.VARCHAR, exp.DType.TEXT)):
        return
    length = f"({len(inner.name)})" if isinstance(inner, exp.Literal) else ""
    kinds = [type_name(moment), f"varchar{length}"]
    if side is node.this:
        kinds.reverse()
    sign = _SIGNS.get(type(node), "=")
    raise AthenaFailure("TYPE_MISMATCH", f"Cannot apply operator: {kinds[0]} {sign} {kinds[1]}")


_SIGNS: dict[type[exp.Expr], str] = {
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def _total(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    """Sum, or choose among, intervals by their length; DuckDB looks at days before hours."""
    kind = kinds.of(node)
    if kind is not None and isinstance(node, exp.Sum):
        _average(kinds, node)
    if kind is None or kind.name not in _INTERVALS or kind.array:
        return None
    count, back = _COUNTS[kind.name]
    new = node.copy()
    new.set("this", call(count, node.this))
    if node.expressions:
        new.set("expressions", [call(count, each) for each in node.expressions])
    return call(back, exp.cast(new, kind_of("BIGINT" if kind.name == "days" else "INT")))


def _mean(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    """Round an average of months; one of days is right."""
    _average(kinds, node)
    kind = kinds.of(node)
    if kind is None or kind.name != "months" or isinstance(node.parent, exp.Filter | exp.Window):
        return None
    months = exp.Avg(this=call("__interval_months", node.this))
    return call("to_months", exp.cast(call("round", months), kind_of("INT")))


def _average(kinds: Kinds, node: exp.Expr) -> None:
    """Refuse sums and averages of moments."""
    kind = kinds.of(node.this)
    if kind is not None and kind.name not in _INTERVALS:
        raise AthenaFailure(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({type_name(kind)}) for function {node.key}",
        )


_COUNTS = {
    "days": ("__interval_ms", "to_milliseconds"),
    "months": ("__interval_months", "to_months"),
}


def _series(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    """Make a sequence of dates or timestamps, at most 10,000 long."""
    start, end, by = (node.args.get(each) for each in ("start", "end", "step"))
    kind, interval = kinds.of(start), kinds.of(by)
    if kind is None or start is None or end is None:
        return None
    first, last = local(start, kind), local(end, kind)
    if by is None:
        if kind.name != "date":
            return None
        return cast(call("__few", call("__date_series", first, last), first, last, 0), "DATE[]")
    moments = [cast(first, "TIMESTAMP"), cast(last, "TIMESTAMP")]
    if interval is not None and interval.name == "months":
        new: exp.Expr = call("__month_series", *moments, call("__interval_months", by))
    else:
        if kind.name == "zoned":
            moments = [start.copy(), end.copy()]
        new = call("generate_series", *moments, by)
    new = call("__few", new, *moments, call("epoch_us", by))
    if kind.name == "date":
        new = cast(new, "DATE[]")
    elif kind.name == "zoned" and interval is not None and interval.name == "months":
        raise unsupported("A sequence of timestamps with time zone by months")
    return new


REWRITERS: dict[type[exp.Expr], Callable[[Kinds, exp.Expr], exp.Expr | None]] = {
    exp.Interval: _interval,
    exp.Add: _sum,
    exp.Sub: _sum,
    exp.Mul: _scaled,
    exp.Div: _scaled,
    exp.Neg: _negated,
    exp.GenerateSeries: _series,
    exp.Between: _compared,
    exp.In: _compared,
    exp.Sum: _total,
    exp.Avg: _mean,
    exp.Greatest: _total,
    exp.Least: _total,
    **dict.fromkeys(COMPARED, _compared),
}
