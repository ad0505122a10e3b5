"""Where aggregates and windows may stand, and what else may stand beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.scopes import Scope
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from runner.local.athena.analysis.rules import Analysis


def check_scalar(analysis: Analysis, node: exp.Expr, clause: str, since: tuple[int, int]) -> None:
    """Refuse aggregates and windows that were found since then in a clause that takes none."""
    aggregates, windows = since
    found = [*analysis.aggregates[aggregates:], *analysis.windows[windows:]]
    if found:
        shown = ", ".join(formatted(each) for each in found)
        raise AthenaFailure(
            "EXPRESSION_NOT_SCALAR",
            f"{clause} cannot contain aggregations, window functions or grouping operations: "
            f"[{shown}]",
            at=node,
        )


def check_grouping(
    analysis: Analysis,
    node: exp.Select,
    groups: Sequence[exp.Expr] | None,
    order: Sequence[exp.Expr],
    scope: Scope,
) -> None:
    """Refuse columns that are neither grouped by nor aggregated."""
    if groups is None and not analysis.aggregates:
        return
    checker = _Checker(analysis, groups or (), scope)
    having = node.args.get("having")
    for each in node.expressions:
        checker.check(each.unalias())
    for each in (*([having.this] if having is not None else ()), *order):
        checker.check(each)


class _Checker:
    def __init__(self, analysis: Analysis, groups: Sequence[exp.Expr], scope: Scope) -> None:
        self._analysis = analysis
        self._scope = scope
        self._aggregates = {id(each) for each in analysis.aggregates}
        self._keys = {key_of(analysis, each) for each in groups}

    def check(self, node: exp.Expr) -> None:
        """Refuse an expression unless it has one value for each group."""
        if node.is_star:
            self._check_star(node)
        elif not self._is_grouped(node):
            raise AthenaFailure(
                "EXPRESSION_NOT_AGGREGATE",
                f"'{formatted(node)}' must be an aggregate expression or appear in GROUP BY clause",
                at=node,
            )

    def _check_star(self, node: exp.Expr) -> None:
        relation = self._scope.relation
        table = node.table.lower() if isinstance(node, exp.Column) else ""
        if relation.is_open or not (isinstance(node, exp.Star) or table):
            return
        for field in relation.stars():
            if table in {"", field.table}:
                key = ("column", id(self._scope), field.table, field.name, ())
                if key not in self._keys:
                    shown = f"{field.table}.{field.name}".strip(".")
                    raise AthenaFailure(
                        "EXPRESSION_NOT_AGGREGATE", f"Column '{shown}' not in GROUP BY clause"
                    )

    def _is_grouped(self, node: exp.Expr) -> bool:
        if id(node) in self._aggregates or isinstance(node, exp.Query):
            return True
        if self._keys and key_of(self._analysis, node) in self._keys:
            return True
        if isinstance(node, exp.Filter) and id(node.this) in self._aggregates:
            return True
        if isinstance(node, exp.Column):
            known = self._analysis.fields.get(id(node))
            return known is None or known[0] != id(self._scope)
        return all(
            self._is_grouped(each)
            for each in node.iter_expressions()
            if not isinstance(each, exp.DataType)
        )


def key_of(analysis: Analysis, node: exp.Expr) -> Hashable:
    """Give what equal expressions have in common: `x` and `t.x` are one."""
    if isinstance(node, exp.Paren):
        return key_of(analysis, node.this)
    if isinstance(node, exp.Column) and id(node) in analysis.fields:
        return ("column", *analysis.fields[id(node)])
    parts: list[Hashable] = [node.key]
    for name, value in node.args.items():
        if isinstance(value, exp.Expr):
            parts.append((name, key_of(analysis, value)))
        elif isinstance(value, list):
            inner = (
                key_of(analysis, each) if isinstance(each, exp.Expr) else str(each)
                for each in value
            )
            parts.append((name, tuple(inner)))
        elif value is not None and value is not False and name != "quoted":
            is_name = isinstance(node, exp.Identifier | exp.Anonymous) and isinstance(value, str)
            parts.append((name, value.lower() if is_name else value))
    return tuple(parts)
