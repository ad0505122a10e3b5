"""Digests that are asked at once: what they answer is known without them.

In: a query as it was read.  Out: the same with `value_at_quantile(qdigest_agg(x), q)` as
approx_percentile(x, q), and with `cardinality(approx_set(x))` as a count.  A digest that is kept,
merged or shown is refused by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import unsupported
from runner.local.athena.trees import find_all, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUANTILES = frozenset({"qdigest_agg", "tdigest_agg"})
_ASKING = frozenset({"value_at_quantile", "values_at_quantiles"})
_SETS = frozenset({"approx_set", "empty_approx_set"})
DIGESTS = _QUANTILES | _ASKING | _SETS
_PAIR = 2


def spell_digests(tree: exp.Query) -> exp.Query:
    """Rewrite what can be answered; raises AthenaFailure for other digests."""
    for node in reversed(find_all(tree, exp.ArraySize, exp.Anonymous)):
        new = _count(node) if isinstance(node, exp.ArraySize) else _quantile(node)
        if new is not None:
            node.replace(new)
    for node in find_all(tree, exp.Anonymous):
        if node.name.lower() in DIGESTS:
            raise unsupported(f"Function '{node.name.lower()}' here")
    return tree


def _inner(node: exp.Expr, names: frozenset[str]) -> exp.Anonymous | None:
    """Give the call of a digest below a FILTER."""
    call = node.this if isinstance(node, exp.Filter) else node
    return call if isinstance(call, exp.Anonymous) and call.name.lower() in names else None


def _around(node: exp.Expr, new: exp.Expr) -> exp.Expr:
    """Put an aggregate below the FILTER that a digest has."""
    if not isinstance(node, exp.Filter):
        return new
    return exp.Filter(this=new, expression=node.expression.copy())


def _count(node: exp.ArraySize) -> exp.Expr | None:
    """Count as exactly as approx_distinct() does here; of no values Athena makes no set."""
    call = _inner(node.this, _SETS)
    if call is None:
        return None
    values = call.expressions
    if call.name.lower() == "empty_approx_set" and not values:
        return exp.cast(exp.Literal.number(0), kind_of("bigint"))
    if len(values) != 1:
        return None
    counted = _around(node.this, exp.ApproxDistinct(this=values[0].copy()))
    return exp.Nullif(this=counted, expression=exp.Literal.number(0))


def _quantile(node: exp.Anonymous) -> exp.Expr | None:
    if node.name.lower() not in _ASKING or len(node.expressions) != _PAIR:
        return None
    digest, asked = node.expressions
    call = _inner(digest, _QUANTILES)
    if call is None or len(call.expressions) != 1:
        return None
    several = isinstance(asked, exp.Array)
    if several != (node.name.lower() == "values_at_quantiles"):
        return None
    return _around(digest, exp.ApproxQuantile(this=_value(call), quantile=asked.copy()))


def _value(call: exp.Anonymous) -> exp.Expr:
    """Give the value; a t-digest's are doubles."""
    values: Sequence[exp.Expr] = call.expressions
    if call.name.lower() == "qdigest_agg":
        return values[0].copy()
    return exp.cast(values[0].copy(), kind_of("double"))
