"""Aggregates and windows: where their calls stand, FILTER and OVER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.coercion import is_comparable, is_orderable
from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.frames import check_frame
from runner.local.athena.analysis.rules import mismatch, must_be_boolean
from runner.local.athena.analysis.signatures import find_function
from runner.local.athena.analysis.written import name_of, written
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.analysis.rules import Analysis, Rule
    from runner.local.athena.analysis.scopes import Scope
    from runner.local.athena.analysis.signatures import Function
    from runner.local.athena.analysis.types import Type
    from runner.local.athena.analysis.written import Written

_MEASURES = "window functions or row pattern measures"


def place_aggregate(
    analysis: Analysis, node: exp.Expr, function: Function, since: tuple[int, int, int]
) -> None:
    """Note an aggregate; one in another is refused, unless that one is a window."""
    if function.kind == "scalar" or id(node) in analysis.overs:
        return
    if function.kind == "window":
        raise AthenaFailure(
            "MISSING_OVER",
            f"Window function system.builtin.{function.name} requires an OVER clause",
            at=node,
        )
    for code, found, what in (
        ("NESTED_AGGREGATION", analysis.aggregates[since[0] :], "aggregations"),
        ("NESTED_WINDOW", analysis.windows[since[1] :], _MEASURES),
    ):
        if found:
            shown = ", ".join(formatted(each, analysis) for each in found)
            raise AthenaFailure(
                code,
                f"Cannot nest {what} inside aggregation '{function.name}': [{shown}]",
                at=node,
            )
    analysis.aggregates.append(node)


def check_distinct(
    node: exp.Expr, given: Written, function: Function, kinds: Sequence[Type]
) -> None:
    """Refuse DISTINCT in a call of no aggregate, and of what cannot be compared."""
    if not given.is_distinct:
        return
    if function.kind == "scalar":
        raise AthenaFailure(
            "FUNCTION_NOT_AGGREGATE",
            "DISTINCT is not supported for non-aggregation functions",
            at=node,
        )
    for kind in kinds:
        if kind.is_sure() and not is_comparable(kind):
            raise mismatch(
                f"DISTINCT can only be applied to comparable types (actual: {kind})", node
            )


def check_order(
    analysis: Analysis, order: Sequence[exp.Expr], node: exp.Expr, scope: Scope
) -> None:
    """Refuse an aggregate's ORDER BY of what has no order."""
    for each in order:
        kind = analysis.type_of(each.this, scope)
        if kind.is_sure() and not is_orderable(kind):
            raise mismatch(
                f"ORDER BY can only be applied to orderable types (actual: {kind})", node
            )


def _filter(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    since = analysis.found()
    kind = analysis.type_of(node.this, scope)
    if analysis.found() == since and find_function(name_of(analysis, node.this)) is not None:
        raise AthenaFailure(
            "FUNCTION_NOT_AGGREGATE", "Filter is only valid for aggregation functions", at=node.this
        )
    condition = node.args["expression"]
    if isinstance(condition, exp.Where):
        must_be_boolean(
            analysis.type_of(condition.this, scope),
            "Filter expression must evaluate to a boolean (actual: {})",
            condition.this,
        )
    return kind


def _window(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    inner = node.this
    while isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
        inner = inner.this
    _check_over(analysis, node, inner)
    since = len(analysis.windows)
    analysis.types_of(node.args.get("partition_by") or (), scope)
    order = node.args.get("order")
    for each in order.expressions if order is not None else ():
        kind = analysis.type_of(each.this, scope)
        if kind.is_sure() and not is_orderable(kind):
            raise mismatch(
                f"{kind} is not orderable, and therefore cannot be used in window function "
                "ORDER BY",
                each.this,
            )
    check_frame(analysis, node, scope)
    _refuse_nested(analysis, since, "specification")
    found = analysis.type_of(inner, scope)
    _refuse_nested(analysis, since, "function arguments")
    analysis.windows.append(node)
    return found


def _refuse_nested(analysis: Analysis, since: int, where: str) -> None:
    if len(analysis.windows) > since:
        raise AthenaFailure(
            "NESTED_WINDOW",
            f"Cannot nest {_MEASURES} inside window {where}",
            at=analysis.windows[since],
        )


def _check_over(analysis: Analysis, node: exp.Expr, inner: exp.Expr) -> None:
    """Note the call before OVER, which must be one of a window."""
    if isinstance(inner, exp.Filter):
        raise AthenaFailure(
            "NOT_SUPPORTED", "FILTER is not yet supported for window functions", at=analysis.select
        )
    analysis.overs.add(id(inner))
    function = find_function(name_of(analysis, inner))
    if function is not None and function.kind == "scalar":
        raise AthenaFailure(
            "FUNCTION_NOT_WINDOW", f"Not a window function: {function.name}", at=analysis.select
        )
    given = written(analysis, inner)
    if function is not None and given is not None and given.is_distinct:
        raise AthenaFailure(
            "NOT_SUPPORTED",
            "DISTINCT in window function parameters not yet supported: "
            + formatted(node, analysis),
            at=analysis.select,
        )


RULES: dict[type[exp.Expr], Rule] = {
    exp.Filter: _filter,
    exp.Window: _window,
    exp.IgnoreNulls: lambda analysis, node, scope: analysis.type_of(node.this, scope),
    exp.RespectNulls: lambda analysis, node, scope: analysis.type_of(node.this, scope),
}
