"""Literals and casts of dates and times, and their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.datetexts import MICROS, UTC, offset_minutes, read_time, read_timestamp
from runner.local.athena.errors import unsupported
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
from runner.local.athena.trees import find_all, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable


_T = exp.DataType.Type
STAMPS = frozenset(
    {_T.TIMESTAMP, _T.TIMESTAMP_S, _T.TIMESTAMP_MS, _T.TIMESTAMP_NS, _T.TIMESTAMPNTZ}
)
ZONED = frozenset({_T.TIMESTAMPTZ, _T.TIMESTAMPLTZ})
_TEXT = exp.DataType.TEXT_TYPES - {_T.CHAR, _T.NCHAR}
_MILLIS = 3
_PLACEHOLDER = "zq"


def see_zones(tree: exp.Query) -> None:
    """See the zone in TIMESTAMP '2001-1-22 +07:09', which the parser takes for no zone."""
    for node in find_all(tree, exp.Cast):
        literal = node.this
        if not (
            node.to.this in STAMPS and node.to.expressions and isinstance(literal, exp.Literal)
        ):
            continue
        stamp = read_timestamp(literal.name)
        if stamp is not None and stamp.zone and not stamp.has_time:
            node.set("to", kind_of("TIMESTAMPTZ(0)"))
            node.type = node.to


def _cast(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Cast):
        return None
    source, target = kinds.of(node.this), kinds.of(node)
    new: exp.Expr | None = None
    if node.to.this in _TEXT:
        new = text(node.this, source)
        if new is not None and node.to.expressions:
            new = call("__type_fit", new, int(node.to.expressions[0].name), "")
    elif from_type(node.to) is None or target is None:
        return None
    elif source is not None and not source.array:
        new = _between(node, source, target)
    elif (
        node.this.type is None
        or node.this.is_string
        or node.this.is_type(exp.DType.UNKNOWN, *_WORDS)
    ):
        new = _from_text(node, target)
    if new is not None and isinstance(node, exp.TryCast):
        new = call("TRY", new)
    return new


_WORDS = (exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR)


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
    if node.this.type is None or node.this.is_type(exp.DType.UNKNOWN):
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
        case ("months", "months") | ("days", "days"):
            same: exp.Expr = node.this.copy()
            return same
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
