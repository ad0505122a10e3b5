"""What a date or time expression is: its type, its precision, and the zone it is shown in.

In: a qualified tree.  Out: a `Kind` for each expression that is one of these types.  DuckDB keeps
an instant without its zone; the zone is known from the text of the query instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from runner.local.athena.datetexts import (
    UTC,
    literal_zone,
    offset_text,
    read_interval,
    read_timestamp,
)
from runner.local.athena.functions_dates import read_iso
from runner.local.athena.joda import parse_joda
from runner.local.athena.nested import ELEMENT_AT, SUBSCRIPT
from runner.local.athena.temporal_scopes import lambda_array, origins
from runner.local.athena.trees import ByClass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_T = exp.DataType.Type
_TYPES = {
    _T.DATE: "date",
    _T.TIME: "time",
    _T.TIMETZ: "timetz",
    _T.TIMESTAMP: "timestamp",
    _T.TIMESTAMPNTZ: "timestamp",
    _T.TIMESTAMPTZ: "zoned",
    _T.TIMESTAMPLTZ: "zoned",
}
_DEFAULT = 3
MONTHS = frozenset({"YEAR", "MONTH", "QUARTER"})
_SAME = (
    exp.Paren,
    exp.Alias,
    exp.Nullif,
    exp.Min,
    exp.Max,
    exp.AnyValue,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Window,
    exp.Filter,
    exp.IgnoreNulls,
    exp.ArgMax,
    exp.ArgMin,
    exp.Neg,
    exp.TimestampTrunc,
    exp.DateTrunc,
    exp.DateAdd,
    exp.Ordered,
    exp.ArrayFilter,
    exp.ArraySort,
    exp.ArrayDistinct,
    exp.Reverse,
    exp.Sum,
    exp.Avg,
)

SAME_CALLS = frozenset({"try", "unnest", "__array_first", "element_at", ELEMENT_AT, SUBSCRIPT})
"""Calls that give their first argument, or an element of it."""


class Kind(NamedTuple):
    """A type: date, time, timetz, timestamp, zoned, days or months."""

    name: str
    precision: int = _DEFAULT
    zone: exp.Expr | None = None
    """Of a zoned timestamp: its zone's text in Trino's spelling; None if it is not known."""
    array: bool = False

    def constant_zone(self) -> str | None:
        """Give the zone if it is one for all rows."""
        return self.zone.name if isinstance(self.zone, exp.Literal) else None


def zoned(precision: int = _DEFAULT, zone: exp.Expr | str | None = UTC) -> Kind:
    """Make the kind of a timestamp with time zone."""
    return Kind("zoned", precision, exp.Literal.string(zone) if isinstance(zone, str) else zone)


def type_name(kind: Kind) -> str:
    """Name a kind as typeof() does."""
    match kind.name:
        case "zoned":
            return f"timestamp({kind.precision}) with time zone"
        case "timetz":
            return f"time({kind.precision}) with time zone"
        case "days":
            return "interval day to second"
        case "months":
            return "interval year to month"
        case "date":
            return "date"
    return f"{kind.name}({kind.precision})"


class Kinds:
    """Finds kinds, each once."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._known: dict[int, tuple[exp.Expr, Kind | None]] = {}

    def of(self, node: exp.Expr | None) -> Kind | None:
        """Give the kind of an expression; None for anything that is no date or time."""
        if node is None:
            return None
        known = self._known.get(id(node))
        if known is None:
            self._known[id(node)] = (node, None)
            known = self._known[id(node)] = (node, self._find(node))
        return known[1]

    def keep(self, node: exp.Expr, kind: Kind | None) -> None:
        """Say what a new expression is."""
        self._known[id(node)] = (node, kind)

    def _find(self, node: exp.Expr) -> Kind | None:
        finder = _FINDERS.of(node)
        return finder(self, node) if finder is not None else from_type(node.type)

    def column(self, node: exp.Expr) -> Kind | None:
        """Give a column's kind, from where it comes."""
        found = origins(node) if isinstance(node, exp.Column) else ()
        if not found:
            return from_type(node.type)
        kinds = [self.of(each) for each, _ in found]
        if any(unnested for _, unnested in found):
            kinds = [k and k._replace(array=False) for k in kinds]
        return _outer(join(kinds))


def _outer(kind: Kind | None) -> Kind | None:
    """Forget a zone that only the inner query can compute."""
    if kind is not None and kind.zone is not None and kind.constant_zone() is None:
        return kind._replace(zone=None)
    return kind


def from_type(kind: exp.DataType | None) -> Kind | None:
    """Give the kind of a type that the tree names."""
    if kind is not None and isinstance(kind.this, exp.Interval):
        words = {each.name.upper() for each in kind.this.find_all(exp.Var)}
        return Kind("months" if words & MONTHS else "days")
    if kind is None or kind.this not in _TYPES:
        return None
    name = _TYPES[kind.this]
    precision = int(kind.expressions[0].name) if kind.expressions else _DEFAULT
    return zoned(precision) if name == "zoned" else Kind(name, 0 if name == "date" else precision)


def join(kinds: Sequence[Kind | None]) -> Kind | None:
    """Give the kind of what may be either of several."""
    found = [kind for kind in kinds if kind is not None]
    if not found:
        return None
    names = {kind.name for kind in found}
    name = next((n for n in ("zoned", "timestamp", "timetz") if n in names), found[0].name)
    zones = {kind.constant_zone() if kind.name == "zoned" else UTC for kind in found}
    zone = found[0].zone if len(zones) == 1 and found[0].name == "zoned" else None
    if zone is None and zones == {UTC} and name == "zoned":
        zone = exp.Literal.string(UTC)
    return Kind(name, max(k.precision for k in found), zone, array=found[0].array)


def _cast(kinds: Kinds, node: exp.Expr) -> Kind | None:
    if not isinstance(node, exp.Cast):
        return None
    kind = from_type(node.to)
    if kind is None:
        return None
    if kind.name == "zoned":
        source = kinds.of(node.this)
        if isinstance(node.this, exp.Literal):
            read = read_timestamp(node.this.name)
            return zoned(kind.precision, (read and read.zone) or UTC)
        if source is not None and source.name == "zoned":
            return zoned(kind.precision, source.zone)
        if source is None and (
            node.this.type is None or node.this.is_type(exp.DType.UNKNOWN, *_TEXTS)
        ):
            return zoned(kind.precision, exp.Anonymous(this="__text_zone", expressions=[node.this]))
    return kind


_TEXTS = (exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR)


def _same(kinds: Kinds, node: exp.Expr) -> Kind | None:
    return kinds.of(node.this) or from_type(node.type)


def _branches(kinds: Kinds, node: exp.Expr) -> Kind | None:
    match node:
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            parts = [node.this, *node.expressions]
        case exp.Case():
            parts = [each.args["true"] for each in node.args["ifs"]] + [node.args.get("default")]
        case _:
            parts = [node.args.get("true"), node.args.get("false")]
    return join([kinds.of(part) for part in parts]) or from_type(node.type)


def _query(kinds: Kinds, node: exp.Expr) -> Kind | None:
    query = node.unnest() if isinstance(node, exp.Subquery) else node
    selects = query.selects if isinstance(query, exp.Query) else []
    return _outer(kinds.of(selects[0])) if len(selects) == 1 else None


def _interval(_: Kinds, node: exp.Expr) -> Kind:
    unit = node.args.get("unit")
    name = unit.this.name if isinstance(unit, exp.IntervalSpan) else unit.name if unit else ""
    return Kind("months" if name.upper().rstrip("S") in MONTHS else "days")


_MOMENTS = {"date", "time", "timetz", "timestamp", "zoned"}


def _sum(kinds: Kinds, node: exp.Expr) -> Kind | None:
    left, right = kinds.of(node.this), kinds.of(node.expression)
    if isinstance(node, exp.Sub) and left and right and right.name in _MOMENTS:
        return Kind("days")
    for kind in (left, right):
        if kind is not None and kind.name in _MOMENTS:
            return kind
    return left or right or from_type(node.type)


def _product(kinds: Kinds, node: exp.Expr) -> Kind | None:
    return next((k for k in (kinds.of(node.this), kinds.of(node.expression)) if k), None)


def _at_zone(kinds: Kinds, node: exp.Expr) -> Kind | None:
    source = kinds.of(node.this)
    if source is not None and source.name in {"time", "timetz"}:
        return Kind("timetz", source.precision)
    return zoned(source.precision if source else _DEFAULT, zone_text(node.args["zone"]))


def zone_text(zone: exp.Expr) -> exp.Expr:
    """Give a zone's text: literals in Trino's spelling, intervals as offsets."""
    if isinstance(zone, exp.Literal):
        return exp.Literal.string(literal_zone(zone.name) or zone.name)
    minutes = interval_minutes(zone)
    if minutes is not None:
        return exp.Literal.string(offset_text(minutes))
    if isinstance(zone, exp.Interval):
        return exp.Anonymous(this="__offset_text", expressions=[zone.copy()])
    return zone.copy()


def interval_minutes(node: exp.Expr) -> int | None:
    """Give the minutes of an interval that is a literal."""
    read = literal_interval(node)
    return read[1] // 60_000 if read is not None and read[0] == "days" else None


def literal_interval(node: exp.Expr) -> tuple[str, int] | None:
    """Read an interval that is a literal: ("months", n) or ("days", milliseconds)."""
    inner, sign = node.unnest(), 1
    while isinstance(inner, exp.Neg):
        inner, sign = inner.this.unnest(), -sign
    unit = inner.args.get("unit") if isinstance(inner, exp.Interval) else None
    if unit is None:
        return None
    value = inner.this
    while isinstance(value, exp.Neg):
        sign, value = -sign, value.this
    span = isinstance(unit, exp.IntervalSpan)
    first = (unit.this.name if span else unit.name).upper().rstrip("S")
    last = unit.expression.name.upper().rstrip("S") if span else first
    read = None
    if isinstance(value, exp.Literal):
        read = read_interval(value.name, first=first, last=last)
    return read and (read[0], sign * read[1])


def _now(_: Kinds, node: exp.Expr) -> Kind:
    precision = int(node.this.name) if isinstance(node.this, exp.Literal) else _DEFAULT
    if isinstance(node, exp.CurrentTimestamp):
        return zoned(precision)
    names: dict[type[exp.Expr], str] = {
        exp.Localtimestamp: "timestamp",
        exp.Localtime: "time",
        exp.CurrentTime: "timetz",
    }
    return Kind(names.get(type(node), "date"), precision)


def _array(kinds: Kinds, node: exp.Expr) -> Kind | None:
    found = join([kinds.of(each) for each in node.expressions])
    return found and found._replace(array=True)


def _joined(kinds: Kinds, node: exp.Expr) -> Kind | None:
    found = [kinds.of(node.this), kinds.of(node.expression)]
    return join(found) if all(found) else found[0] or found[1] or from_type(node.type)


def _collected(kinds: Kinds, node: exp.Expr) -> Kind | None:
    inner = node.args["start"] if isinstance(node, exp.GenerateSeries) else node.this
    if isinstance(inner, exp.Order):
        inner = inner.this
    if isinstance(inner, exp.Distinct):
        inner = inner.expressions[0]
    found = kinds.of(inner)
    return found and found._replace(array=True)


def _parameter(kinds: Kinds, node: exp.Expr) -> Kind | None:
    array = lambda_array(node) if isinstance(node, exp.Identifier) else None
    found = kinds.of(array)
    return _outer(found._replace(array=False)) if found is not None and found.array else None


def _transformed(kinds: Kinds, node: exp.Expr) -> Kind | None:
    body = node.expression
    found = kinds.of(body.this) if isinstance(body, exp.Lambda) else None
    return found and found._replace(array=True)


def _element(kinds: Kinds, node: exp.Expr) -> Kind | None:
    found = kinds.of(node.this)
    return found._replace(array=False) if found and found.array else from_type(node.type)


def _from_unixtime(_: Kinds, node: exp.Expr) -> Kind:
    zone, hours = node.args.get("zone"), node.args.get("hours")
    if isinstance(hours, exp.Literal | exp.Neg):
        minutes = node.args.get("minutes") or exp.Literal.number(0)
        if hours.is_int and minutes.is_int:
            return zoned(zone=offset_text(int(hours.to_py()) * 60 + int(minutes.to_py())))
    if hours is not None:
        arguments = [hours.copy(), (node.args.get("minutes") or exp.Literal.number(0)).copy()]
        return zoned(zone=exp.Anonymous(this="__hours_text", expressions=arguments))
    return zoned(zone=zone_text(zone)) if zone is not None else zoned()


def _named(kinds: Kinds, node: exp.Expr) -> Kind | None:
    arguments = node.expressions
    match node.name.lower():
        case "at_timezone" | "with_timezone":
            source = kinds.of(arguments[0])
            return zoned(source.precision if source else _DEFAULT, zone_text(arguments[1]))
        case name if name in SAME_CALLS:
            found = kinds.of(arguments[0])
            return found and (found._replace(array=False) if found.array else found)
        case "from_unixtime_nanos":
            return zoned(9)
        case "parse_duration":
            return Kind("days")
    return None


def _iso(_: Kinds, node: exp.Expr) -> Kind:
    precision = 9 if isinstance(node, exp.FromISO8601TimestampNanos) else _DEFAULT
    text = node.this
    if isinstance(text, exp.Literal) and text.name.startswith("zq"):
        return zoned(precision)  # a placeholder stands for texts without another zone only
    if not isinstance(text, exp.Literal):
        return zoned(precision, exp.Anonymous(this="__iso_zone", expressions=[text.copy()]))
    read = read_iso(text.name)
    return zoned(precision, (read and read.zone) or UTC)


def _joda(_: Kinds, node: exp.Expr) -> Kind:
    pattern = node.args["format"]
    if isinstance(pattern, exp.Literal) and not set("zZ") & set(pattern.name):
        return zoned()
    if isinstance(pattern, exp.Literal) and isinstance(node.this, exp.Literal):
        try:
            return zoned(zone=parse_joda(node.this.name, pattern.name)[1])
        except ValueError:
            return zoned()
    copies = [node.this.copy(), pattern.copy()]
    return zoned(zone=exp.Anonymous(this="__joda_zone", expressions=copies))


def _date(_: Kinds, __: exp.Expr) -> Kind:
    return Kind("date", 0)


def _parsed(_: Kinds, __: exp.Expr) -> Kind:
    return Kind("timestamp")


_FINDERS: ByClass[Callable[[Kinds, exp.Expr], Kind | None]] = ByClass(
    (
        ((exp.Column,), Kinds.column),
        ((exp.Cast,), _cast),
        ((exp.Interval,), _interval),
        ((exp.Add, exp.Sub), _sum),
        ((exp.Mul, exp.Div), _product),
        (_SAME, _same),
        ((exp.Coalesce, exp.Greatest, exp.Least, exp.Case, exp.If), _branches),
        ((exp.Query,), _query),
        ((exp.AtTimeZone,), _at_zone),
        ((exp.CurrentTimestamp, exp.Localtimestamp, exp.Localtime, exp.CurrentTime), _now),
        ((exp.Array,), _array),
        ((exp.DPipe,), _joined),
        ((exp.GenerateSeries, exp.ArrayAgg), _collected),
        ((exp.Bracket, exp.ArrayMax, exp.ArrayMin, exp.Explode), _element),
        ((exp.Transform,), _transformed),
        ((exp.Identifier,), _parameter),
        ((exp.UnixToTime,), _from_unixtime),
        ((exp.StrToTime,), _parsed),
        ((exp.FromISO8601Timestamp, exp.FromISO8601TimestampNanos), _iso),
        ((exp.ParseDatetime,), _joda),
        ((exp.LastDay, exp.Date, exp.TsOrDsToDate, exp.CurrentDate, exp.FromISO8601Date), _date),
        ((exp.Anonymous,), _named),
    )
)
