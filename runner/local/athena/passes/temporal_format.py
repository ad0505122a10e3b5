"""Zoned timestamps and intervals in format(): the texts that Java makes of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import unsupported
from runner.local.athena.passes.temporal_casts import text
from runner.local.athena.passes.temporal_trees import call, local, zone, zone_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.temporal_kinds import Kinds

_BY_OTHERS = re.compile(r"%[^%a-zA-Z]*[a-rt-zA-RT-Z]")


def formatted(kinds: Kinds, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """Hand zoned timestamps and intervals to format() as the texts that Java makes of them."""
    values = [_java_text(kinds, each) for each in arguments[1:]]
    pattern = arguments[0]
    if any(values) and not (
        isinstance(pattern, exp.Literal) and not _BY_OTHERS.search(pattern.name)
    ):
        raise unsupported("A time zone or an interval in format() by anything but %s")
    texts = (new or each for new, each in zip(values, arguments[1:], strict=True))
    return call("__format", arguments[0], *texts)


def _java_text(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    kind = kinds.of(node)
    if kind is None or kind.name not in {"zoned", "days", "months"}:
        return None
    if kind.name != "zoned":
        found = text(node, kind)
        return exp.cast(node, "varchar") if found is None else found
    there = call("__format", "%s", local(node, kind))
    suffix: exp.Expr = call("__java_zone", call("__zone_suffix", node, zone(kind)), zone_text(kind))
    made = exp.paren(exp.DPipe(this=there, expression=suffix))
    # A format of NULL is a text, too.
    return exp.Case().when(exp.Not(this=exp.Is(this=node.copy(), expression=exp.null())), made)
