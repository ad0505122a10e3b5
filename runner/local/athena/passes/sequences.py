"""sequence(): also downwards, with a step that fits, and of at most 10,000 values."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.nested import call_of
from runner.local.athena.passes.lambdas import call
from runner.local.athena.trees import find_all, kind_of

_STEPPED = 3


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite those of integers, dates and timestamps; of unknown types they stay."""
    for node in find_all(tree, exp.GenerateSeries):
        arguments = call_of(node)[1]
        new = _sequence(arguments)
        if new is not None:
            new.type = node.type
            node.replace(new)
    return tree


def _sequence(arguments: list[exp.Expr]) -> exp.Expr | None:
    kind = arguments[0].type
    stepped = len(arguments) == _STEPPED
    if kind is None:
        return None
    if kind.this in exp.DataType.INTEGER_TYPES:
        return call("__sequence_by" if stepped else "__sequence", *arguments)
    if stepped and kind.is_type(exp.DType.DATE, exp.DType.TIMESTAMP):
        spans: exp.Expr = call("__sequence_spans", *arguments)
    elif kind.is_type(exp.DType.DATE):
        spans = call("__sequence_days", *arguments)
    else:
        return None
    is_date = kind.is_type(exp.DType.DATE)
    return exp.cast(spans, kind_of("ARRAY<DATE>")) if is_date else spans
