"""Where aggregates and windows may stand, and what else may stand beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.signatures import find_function
from runner.local.athena.analysis.written import name_of
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.trees import find_all

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from runner.local.athena.analysis.rules import Analysis
    from runner.local.athena.analysis.scopes import Field, Scope


_SCALARS = frozenset({"coalesce", "format", "if", "nullif", "try"})
_CHOICES = frozenset(
    {exp.Case, exp.Cast, exp.TryCast, exp.Array, exp.Struct, exp.Extract, exp.Grouping, exp.If}
    | {exp.And, exp.Or}
)
"""Calls of the parser's that are none in Trino, and no aggregates."""


def check_scalar(
    analysis: Analysis, node: exp.Expr, clause: str, since: tuple[int, int, int]
) -> None:
    """Refuse aggregates and windows that were found since then in a clause that takes none."""
    aggregates, windows, groupings = since
    found = [
        *analysis.aggregates[aggregates:],
        *analysis.windows[windows:],
        *analysis.groupings[groupings:],
    ]
    if found:
        shown = ", ".join(formatted(each, analysis) for each in found)
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
    if groups is None and analysis.groupings:
        raise AthenaFailure(
            "MISSING_GROUP_BY",
            "A GROUPING() operation can only be used with a corresponding GROUPING "
            "SET/CUBE/ROLLUP/GROUP BY clause",
            at=node,
        )
    if groups is None and not analysis.aggregates:
        return
    checker = _Checker(analysis, groups or (), scope)
    having = node.args.get("having")
    for each in node.expressions:
        checker.check(each.unalias())
    for each in (*([having.this] if having is not None else ()), *order):
        checker.check(each)


def check_having(analysis: Analysis, since: tuple[int, int, int]) -> None:
    """Refuse windows that were found in HAVING."""
    if len(analysis.windows) > since[1]:
        raise AthenaFailure(
            "NESTED_WINDOW",
            "HAVING clause cannot contain window functions or row pattern measures",
            at=analysis.windows[since[1]],
        )


def check_distinct_order(
    analysis: Analysis, node: exp.Select, order: Sequence[exp.Expr], outputs: Sequence[Field]
) -> None:
    """Refuse SELECT DISTINCT ordered by what it does not select."""
    if any(each.is_star or isinstance(each, exp.Aliases) for each in node.expressions):
        return
    names = {each.name for each in outputs}
    keys = {key_of(analysis, each.unalias()) for each in node.expressions}
    for each in order:
        is_output = isinstance(each, exp.Column) and not each.table and each.name.lower() in names
        if not is_output and key_of(analysis, each) not in keys:
            raise AthenaFailure(
                "EXPRESSION_NOT_IN_DISTINCT",
                "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                at=node,
            )


class _Checker:
    def __init__(self, analysis: Analysis, groups: Sequence[exp.Expr], scope: Scope) -> None:
        self._analysis = analysis
        self._scope = scope
        self._aggregates = {id(each) for each in analysis.aggregates}
        self._keys = {key_of(analysis, each) for each in groups}

    def _text(self, node: exp.Expr) -> str:
        return formatted(node, self._analysis)

    def check(self, node: exp.Expr) -> None:
        """Refuse an expression unless it has one value for each group."""
        if node.is_star:
            self._check_star(node)
        elif not self._is_grouped(node):
            raise AthenaFailure(
                "EXPRESSION_NOT_AGGREGATE",
                f"'{self._text(node)}' must be an aggregate expression or appear in GROUP BY "
                "clause",
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
        if id(node) in self._aggregates or self._is_foreign(node):
            return True
        if isinstance(node, exp.Query | exp.Grouping):
            self._check_inner(node)
            return True
        if self._keys and key_of(self._analysis, node) in self._keys:
            return True
        if isinstance(node, exp.Window):
            self._check_window(node)
        if isinstance(node, exp.Filter) and id(node.this) in self._aggregates:
            return True
        if isinstance(node, exp.Column):
            return not self._is_ours(node) or self._has_grouped_row(node)
        return all(
            self._is_grouped(each)
            for each in node.iter_expressions()
            if not isinstance(each, exp.DataType)
        )

    def _check_inner(self, node: exp.Expr) -> None:
        if isinstance(node, exp.Query):
            self._check_query(node)
        for each in node.expressions if isinstance(node, exp.Grouping) else ():
            if key_of(self._analysis, each) not in self._keys:
                raise AthenaFailure(
                    "INVALID_ARGUMENTS",
                    "The arguments to GROUPING() must be expressions referenced by the GROUP BY at "
                    f"the associated query level. Mismatch due to {self._text(each)}.",
                    at=node,
                )

    def _check_query(self, query: exp.Expr) -> None:
        """Refuse columns of here in a query of its own, unless they are grouped by."""
        for each in find_all(query, exp.Column):
            if self._is_ours(each) and not self._is_grouped(each):
                raise AthenaFailure(
                    "EXPRESSION_NOT_AGGREGATE",
                    f"Subquery uses '{self._text(each)}' which must appear in GROUP BY clause",
                    at=each,
                )

    def _check_window(self, node: exp.Expr) -> None:
        order = node.args.get("order")
        for clause, nodes in (
            ("PARTITION BY", node.args.get("partition_by") or ()),
            ("ORDER BY", [each.this for each in order.expressions] if order is not None else ()),
        ):
            for each in nodes:
                if not self._is_grouped(each):
                    raise AthenaFailure(
                        "EXPRESSION_NOT_AGGREGATE",
                        f"{clause} expression '{self._text(each)}' must be an aggregate "
                        "expression or appear in GROUP BY clause",
                        at=each,
                    )

    def _is_foreign(self, node: exp.Expr) -> bool:
        """Tell whether a call is one of a function that may be an aggregate for all we know."""
        if not isinstance(node, exp.Func) or type(node) in _CHOICES:
            return False
        name = name_of(self._analysis, node)
        return find_function(name) is None and name not in _SCALARS

    def _has_grouped_row(self, node: exp.Column) -> bool:
        """Tell whether a field is one of a row that is grouped by."""
        *where, rest = self._analysis.fields[id(node)]
        return any(("column", *where, rest[:count]) in self._keys for count in range(len(rest)))

    def _is_ours(self, node: exp.Column) -> bool:
        known = self._analysis.fields.get(id(node))
        return known is not None and known[0] == id(self._scope)


def key_of(analysis: Analysis, node: exp.Expr) -> Hashable:
    """Give what equal expressions have in common: `x` and `t.x` are one."""
    if isinstance(node, exp.Paren):
        return key_of(analysis, node.this)
    if isinstance(node, exp.Column) and id(node) in analysis.fields:
        return ("column", *analysis.fields[id(node)])
    if id(node) in analysis.arguments:
        arguments = analysis.arguments[id(node)].arguments
        return (name_of(analysis, node), *(key_of(analysis, each) for each in arguments))
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
