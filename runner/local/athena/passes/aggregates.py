"""Aggregates that DuckDB names, counts or rounds otherwise than Athena."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.functions_maths import PAIRS
from runner.local.athena.numbers import is_decimal, is_float, is_integer
from runner.local.athena.passes.numbers import cast_to, outermost, replaced, wrap
from runner.local.athena.trees import find_all, kind_of, walk

if TYPE_CHECKING:
    from collections.abc import Callable

_FINITE = frozenset({"corr", "regr_intercept", "regr_slope"})
_HISTOGRAM_WEIGHTS = 3


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite the aggregates, innermost first; refuses what has no faithful form."""
    for window in find_all(tree, exp.Window):
        if isinstance(window.this, exp.Filter):
            raise AthenaFailure("NOT_SUPPORTED", "FILTER is not yet supported for window functions")
    for node in reversed(walk(tree)):
        name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        if name in PAIRS:
            _distinct_pair(node)
            _pair(node, name)
        rewrite = _CALLS.get(name) if name else _KINDS.get(type(node))
        if rewrite is not None:
            rewrite(node)
    return tree


def _distinct_pair(node: exp.Expr) -> None:
    """Write DISTINCT before two arguments, not before a row of them."""
    first = node.expressions[0] if len(node.expressions) == 1 else None
    if isinstance(first, exp.Distinct):
        left, *others = first.expressions
        node.set("expressions", [exp.Distinct(expressions=[left]), *others])


def _pair(node: exp.Expr, name: str) -> None:
    """Take two numbers as reals, or as doubles; give the same."""
    top, kind = outermost(node), node.type
    small = kind is not None and kind.is_type("float")

    def made(inner: exp.Expr) -> exp.Expr:
        found = _call("__finite", inner) if name in _FINITE else inner
        return cast_to(kind)(found) if small and kind is not None else found

    for each in [*node.expressions] if small else ():
        first = each.expressions[0] if isinstance(each, exp.Distinct) else each
        wrap(first, cast_to(kind_of("real")))
    wrap(top, made)


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _around(name: str) -> Callable[[exp.Expr], None]:
    def rewrite(node: exp.Expr) -> None:
        wrap(outermost(node), lambda inner: _call(name, inner))

    return rewrite


def _renamed(name: str) -> Callable[[exp.Expr], None]:
    def rewrite(node: exp.Expr) -> None:
        node.set("this", name)

    return rewrite


def _extreme(node: exp.Expr) -> None:
    """Give the value beside the extreme, NULL too: DuckDB's arg_max passes over it."""
    greatest = isinstance(node, exp.ArgMax)
    key, count = node.expression, node.args.get("count")
    if greatest and is_float(key):
        key = _call("__nan_first", key)
    if count is None:
        new = _call("arg_max_null" if greatest else "arg_min_null", node.this, key)
        new.type = node.type
        node.replace(new)
        return
    new = _call("arg_max" if greatest else "arg_min", _call("list_value", node.this), key, count)
    top = outermost(node)
    top.replace(_call("__unwrapped", replaced(top, node, new)))


def _most(node: exp.Expr) -> None:
    """Let NaN be the least of all, as it is for max; DuckDB has it the greatest.

    So it is the least of the negated values that counts, negated again: NaN stays the greatest
    of those, and the sign of a zero or of NaN is changed twice.
    """
    value = node.this
    if node.expressions and is_float(value):
        _most_of(node)
        return
    if not is_float(node) or node.expressions or isinstance(value, exp.Distinct):
        return
    top = outermost(node)
    least = exp.Min(this=_negative(value.copy()))
    new = exp.Paren(this=exp.Neg(this=replaced(top, node, least)))
    new.type = node.type
    top.replace(new)


def _negative(value: exp.Expr) -> exp.Expr:
    if isinstance(value, exp.Order):  # of the rows; it changes nothing
        value = value.this
    return exp.Neg(this=exp.Paren(this=value))


def _most_of(node: exp.Expr) -> None:
    """Refuse NaN where several are asked for: DuckDB would give it first, Athena last."""
    node.set("this", _call("__no_nan", node.this.copy()))


def _distinct(node: exp.Expr) -> None:
    """Count exactly, which is as close as approx_distinct promises."""
    new = exp.Count(this=exp.Distinct(expressions=[node.this]))
    new.type = node.type
    node.replace(new)


def _percentile(node: exp.Expr) -> None:
    if node.args.get("weight") is not None or node.args.get("accuracy") is not None:
        raise unsupported("approx_percentile with weights or an accuracy")
    value, quantile = node.this, node.args["quantile"]
    several = isinstance(quantile, exp.Array)
    shares = [_share(each) for each in (quantile.expressions if several else [quantile])]
    wanted: exp.Expr = exp.Array(expressions=shares) if several else shares[0]
    if is_integer(value):
        value = cast_to(exp.DataType.build("bigint"))(value)
    elif is_decimal(value):
        value = cast_to(exp.DataType.build("float"))(value)
    node.replace(_call("quantile_disc", value, wanted))


def _share(quantile: exp.Expr) -> exp.Expr:
    """Ask for the value before which this share of all stands, as Trino's digest of few does.

    DuckDB's discrete quantile counts from the other end for a negative share.
    """
    plain = quantile.unnest()
    while isinstance(plain, exp.Cast):
        plain = plain.this.unnest()
    try:
        share = Decimal(plain.name) if isinstance(plain, exp.Literal) else None
    except InvalidOperation:
        share = None
    if share is None:
        raise unsupported("approx_percentile at a percentage that is no literal")
    if not 0 <= share <= 1:
        raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1")
    rest = max(1 - share, Decimal("1E-18"))
    return exp.cast(exp.Literal.string(f"-{rest:.18f}"), exp.DataType.build("DECIMAL(19, 18)"))


def _skewness(node: exp.Expr) -> None:
    """Take back DuckDB's correction for the sample's size: Athena has none."""
    top = outermost(node)
    count = replaced(top, node, exp.Count(this=node.this.copy()))
    wrap(top, lambda inner: _call("__skewness", inner, count))


def _geometric(node: exp.Expr) -> None:
    top = outermost(node)
    logs = exp.Avg(this=exp.Ln(this=node.expressions[0].copy()))
    new: exp.Expr = _call("exp", replaced(top, node, logs))
    kind = node.expressions[0].type
    if kind is not None and kind.is_type("decimal", "float"):
        new = exp.cast(new, exp.DataType.build("float"))
    top.replace(new)


def _checksum(node: exp.Expr) -> None:
    """Give NULL for no rows; of rows, the hash that Athena uses is not built."""
    top = outermost(node)
    count = replaced(top, node, exp.Count(this=exp.Star()))
    top.replace(_call("__checksum", count))


def _most_frequent(node: exp.Expr) -> None:
    buckets, value, capacity = node.expressions
    top = outermost(node)
    if is_integer(value):
        value = cast_to(kind_of("bigint"))(value)
    counts = replaced(top, node, _call("histogram", value))
    top.replace(_call("__most_frequent", counts, buckets, capacity))


def _numeric_histogram(node: exp.Expr) -> None:
    if len(node.expressions) == _HISTOGRAM_WEIGHTS:
        raise unsupported("numeric_histogram with weights")
    buckets, value = node.expressions
    top = outermost(node)
    double = exp.cast(value, kind_of("double"))
    counts = replaced(top, node, _call("histogram", double))
    new: exp.Expr = _call("__numeric_histogram", counts, buckets)
    if is_integer(value) or (value.type is not None and value.type.is_type("float")):
        new = exp.cast(new, exp.DataType.build("MAP(FLOAT, FLOAT)", dialect="duckdb"))
    top.replace(new)


def _reduce(node: exp.Expr) -> None:
    value, start, step, _ = node.expressions
    top = outermost(node)
    values = _call("__not_null", replaced(top, node, _call("list", value)))
    reduced = _call("list_reduce", values, step, start)
    any_value = exp.GT(
        this=replaced(top, node, exp.Count(this=value.copy())), expression=exp.Literal.number(0)
    )
    top.replace(exp.Case().when(any_value, reduced))


def _bits(node: exp.Expr) -> None:
    node.set("this", cast_to(kind_of("bigint"))(node.this.copy()))


def _listagg(node: exp.Expr) -> None:
    node.set("on_overflow", None)
    _around("__listagg")(node)


_CALLS: dict[str, Callable[[exp.Expr], None]] = {
    "approx_most_frequent": _most_frequent,
    "checksum": _checksum,
    "every": _renamed("bool_and"),
    "geometric_mean": _geometric,
    "numeric_histogram": _numeric_histogram,
    "reduce_agg": _reduce,
}
_KINDS: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.ApproxDistinct: _distinct,
    exp.ApproxQuantile: _percentile,
    exp.ArgMax: _extreme,
    exp.ArgMin: _extreme,
    exp.BitwiseAndAgg: _bits,
    exp.BitwiseOrAgg: _bits,
    exp.GroupConcat: _listagg,
    exp.Grouping: lambda node: wrap(node, cast_to(exp.DataType.build("integer"))),
    exp.Max: _most,
    exp.Skewness: _skewness,
}
