"""Timestamps: one type, zones only where DuckDB's answer is Athena's.

DuckDB keeps no zone in a value.  `x AT TIME ZONE z` becomes the local time in z, which is right
where a clock or calendar field of it is wanted; anywhere else it is refused.
"""

from __future__ import annotations

import re

from sqlglot import exp

from runner.local.athena.errors import unsupported

_TIMESTAMPS = frozenset(
    {
        exp.DataType.Type.TIMESTAMP,
        exp.DataType.Type.TIMESTAMP_S,
        exp.DataType.Type.TIMESTAMP_MS,
        exp.DataType.Type.TIMESTAMP_NS,
        exp.DataType.Type.TIMESTAMPNTZ,
    }
)
_ZONED = frozenset({exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMPLTZ})
_ZONE = re.compile(r"\d\s*(UTC|Z|GMT|\+00:?00)$|^[-\d :.T]+$")
_FIELDS = (
    exp.Extract,
    exp.TimeToStr,
    exp.DateTrunc,
    exp.TimestampTrunc,
    exp.Year,
    exp.Month,
    exp.Day,
    exp.Hour,
    exp.Minute,
    exp.Second,
    exp.Week,
    exp.WeekOfYear,
    exp.Quarter,
    exp.DayOfWeek,
    exp.DayOfWeekIso,
    exp.DayOfMonth,
    exp.DayOfYear,
    exp.YearOfWeek,
    exp.Date,
    exp.TsOrDsToDate,
)


def apply(tree: exp.Query) -> exp.Query:
    """Drop precisions, refuse zones in literals, and make AT TIME ZONE local time."""
    for kind in list(tree.find_all(exp.DataType)):
        if kind.this in _TIMESTAMPS | _ZONED and (kind.expressions or kind.this in _TIMESTAMPS):
            name = "TIMESTAMPTZ" if kind.this in _ZONED else "TIMESTAMP"
            kind.replace(exp.DataType.build(name))
    for cast in tree.find_all(exp.Cast):
        literal = cast.this
        zoned = cast.to.this in _ZONED and isinstance(literal, exp.Literal)
        if zoned and not _ZONE.search(literal.name.strip()):
            raise unsupported(f"The time zone in TIMESTAMP '{literal.name}'")
    for node in list(tree.find_all(exp.AtTimeZone)):
        if not _wants_fields(node):
            raise unsupported("AT TIME ZONE outside of a date or time function")
        instant = exp.cast(node.this.copy(), exp.DataType.build("TIMESTAMPTZ"))
        node.set("this", exp.paren(instant))
    return tree


def _wants_fields(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if isinstance(parent, exp.Cast):
        return parent.to.is_type("date", "timestamp")
    return isinstance(parent, _FIELDS)
