"""Zoned timestamps and intervals in format(): the texts that Java makes of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.datetexts import UTC
from runner.local.athena.errors import unsupported
from runner.local.athena.passes.temporal_casts import text
from runner.local.athena.passes.temporal_trees import call, local, zone, zone_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.temporal_kinds import Kind, Kinds

_BY_OTHERS = re.compile(r"%[^%a-zA-Z]*[a-rt-zA-RT-Z]")


def formatted(kinds: Kinds, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """Hand zoned timestamps and intervals to format() as the texts that Java makes of them."""
    pattern = arguments[0]
    as_text = isinstance(pattern, exp.Literal) and not _BY_OTHERS.search(pattern.name)
    values = [_java_text(each, kinds.of(each), as_text=as_text) for each in arguments[1:]]
    return call("__format", pattern, *values)


def _java_text(node: exp.Expr, kind: Kind | None, *, as_text: bool) -> exp.Expr:
    if kind is None or kind.name not in {"zoned", "days", "months"}:
        return node
    if not as_text:
        if kind.constant_zone() == UTC:
            return node
        raise unsupported("A time zone or an interval in format() by anything but %s")
    if kind.name != "zoned":
        found = text(node, kind)
        return exp.cast(node, "varchar") if found is None else found
    there = call("__java_local", local(node, kind))
    suffix: exp.Expr = call("__java_zone", call("__zone_suffix", node, zone(kind)), zone_text(kind))
    made = exp.paren(exp.DPipe(this=there, expression=suffix))
    # A format of NULL is a text, too.
    return exp.Case().when(exp.Not(this=exp.Is(this=node.copy(), expression=exp.null())), made)
