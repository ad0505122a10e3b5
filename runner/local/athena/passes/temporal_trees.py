"""Small trees that the passes of dates and times share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.datetexts import duck_zone, offset_minutes
from runner.local.athena.errors import unsupported
from runner.local.athena.trees import kind_of

if TYPE_CHECKING:
    from runner.local.athena.temporal_kinds import Kind

_SPELLED = frozenset({"__iso_zone", "__hours_text", "__offset_text"})
"""Macros that give a zone as Trino spells it."""


def call(name: str, *arguments: exp.Expr | str | int) -> exp.Anonymous:
    """Make a call; text and numbers become literals."""
    return exp.Anonymous(this=name, expressions=[_literal(each) for each in arguments])


def _literal(value: exp.Expr | str | int) -> exp.Expr:
    if isinstance(value, exp.Expr):
        return value.copy()
    return exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(value)


def cast(node: exp.Expr, name: str) -> exp.Cast:
    """Make a cast to a DuckDB type."""
    return exp.Cast(this=node.copy(), to=kind_of(name))


def step(precision: int) -> int:
    """Give the microseconds of the last digit."""
    return int(10 ** max(0, 6 - precision))


def zone(kind: Kind) -> exp.Expr:
    """Write a kind's zone for DuckDB; refuses one that only an inner query knows."""
    constant = kind.constant_zone()
    if constant is not None:
        return exp.Literal.string(duck_zone(constant))
    name = kind.zone.name if isinstance(kind.zone, exp.Anonymous) else ""
    return call("__duck_zone" if name in _SPELLED else "__check_zone", zone_text(kind))


def zone_text(kind: Kind) -> exp.Expr:
    """Write a kind's zone as Trino spells it."""
    if kind.zone is None:
        raise unsupported("A time zone that differs from row to row, outside of its own query")
    if isinstance(kind.zone, exp.Literal) or kind.zone.name in _SPELLED:
        return kind.zone.copy()
    return call("__zone_spelling", kind.zone)


def local(node: exp.Expr, kind: Kind | None) -> exp.Expr:
    """Give a zoned timestamp's local time; anything else as it is."""
    if kind is None or kind.name != "zoned":
        return node.copy()
    return call("timezone", zone(kind), node)


def instant(node: exp.Expr, kind: Kind) -> exp.Expr:
    """Give the instant of a local time: the first one where clocks are set back."""
    return call("timezone" if is_fixed(kind) else "__instant", zone(kind), node)


def instant_near(node: exp.Expr, kind: Kind, origin: exp.Expr) -> exp.Expr:
    """Give the instant of a local time with the offset that another instant has, if it can be."""
    if is_fixed(kind):
        return instant(node, kind)
    return call("__instant_near", zone(kind), node, origin)


def is_fixed(kind: Kind) -> bool:
    """Tell a zone that is always as far from UTC."""
    constant = kind.constant_zone()
    return constant is not None and offset_minutes(constant) is not None
