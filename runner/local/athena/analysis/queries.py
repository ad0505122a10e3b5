"""Queries: FROM, WHERE, SELECT, GROUP BY, HAVING and ORDER BY in the order in which Trino looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.aggregates import (
    check_distinct_order,
    check_grouping,
    check_having,
    check_scalar,
)
from runner.local.athena.analysis.coercion import is_comparable
from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.grouping import grouped_by, ordered_by
from runner.local.athena.analysis.joins import source_of
from runner.local.athena.analysis.rules import mismatch, must_be_boolean
from runner.local.athena.analysis.scopes import OPEN, Field, Relation, Scope
from runner.local.athena.analysis.sources import relation_of, with_queries
from runner.local.athena.analysis.types import UNSURE, Type
from runner.local.athena.analysis.unions import check_limits, ordered_whole, set_operation
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.analysis.rules import Analysis


def query(analysis: Analysis, node: exp.Expr, outer: Scope | None) -> Relation:
    """Analyse a query; gives the columns that it has."""
    kept = analysis.queries, analysis.select
    lists = analysis.aggregates, analysis.windows, analysis.groupings
    analysis.aggregates, analysis.windows, analysis.groupings = [], [], []
    analysis.select = node
    with_queries(analysis, node, outer)
    found = _any_query(analysis, node, outer)
    analysis.queries, analysis.select = kept
    analysis.aggregates, analysis.windows, analysis.groupings = lists
    return found


def _any_query(analysis: Analysis, node: exp.Expr, outer: Scope | None) -> Relation:
    if isinstance(node, exp.Select):
        return _select(analysis, node, outer)
    if isinstance(node, exp.SetOperation):
        return set_operation(analysis, node, outer)
    if isinstance(node, exp.Subquery):
        return ordered_whole(analysis, node, query(analysis, node.this, outer), outer)
    if isinstance(node, exp.Values | exp.Table):
        return relation_of(analysis, node, Scope(Relation(), outer))
    return OPEN


def _select(analysis: Analysis, node: exp.Select, outer: Scope | None) -> Relation:
    scope = source_of(analysis, node, outer)
    check_limits(node)
    where = node.args.get("where")
    if where is not None:
        since = analysis.found()
        kind = analysis.type_of(where.this, scope)
        check_scalar(analysis, where.this, "WHERE clause", since)
        must_be_boolean(kind, "WHERE clause must evaluate to a boolean: actual type {}", where.this)
    outputs = _outputs(analysis, node, scope)
    _check_distinct(analysis, node, outputs)
    groups = grouped_by(analysis, node, scope)
    having = node.args.get("having")
    if having is not None:
        since = analysis.found()
        kind = analysis.type_of(having.this, scope)
        must_be_boolean(
            kind, "HAVING clause must evaluate to a boolean: actual type {}", having.this
        )
        check_having(analysis, since)
    order = ordered_by(analysis, node, scope, outputs)
    check_grouping(analysis, node, groups, order, scope)
    if node.args.get("distinct") is not None:
        check_distinct_order(analysis, node, order, outputs)
    return Relation(outputs, is_open=any(each.name == "*" for each in outputs))


def _outputs(analysis: Analysis, node: exp.Select, scope: Scope) -> tuple[Field, ...]:
    """Type the select list; a star of what is open gives a field '*'."""
    found: list[Field] = []
    for each in node.expressions:
        if isinstance(each, exp.Star) or (
            isinstance(each, exp.Column) and isinstance(each.this, exp.Star)
        ):
            found += _star(each, scope)
        elif isinstance(each, exp.Aliases) or (
            isinstance(each, exp.Dot) and isinstance(each.expression, exp.Star)
        ):
            analysis.type_of(each.this, scope)
            found.append(Field("*"))
        else:
            kind = analysis.type_of(each, scope)
            found.append(Field(each.output_name.lower(), kind, shown=each.output_name))
    return tuple(found)


def _star(node: exp.Expr, scope: Scope) -> list[Field]:
    relation = scope.relation
    if isinstance(node, exp.Star):
        if not scope.has_from:
            raise AthenaFailure(
                "COLUMN_NOT_FOUND", "SELECT * not allowed in queries without FROM clause", at=node
            )
        fields = list(relation.stars())
        return [*fields, Field("*")] if relation.is_open else fields
    known = _starred(node, scope) if isinstance(node, exp.Column) else None
    return known if known is not None else [Field("*")]


def _starred(node: exp.Column, scope: Scope) -> list[Field] | None:
    """Give what `t.*` gives; None if that is not known."""
    shown = [each.name for each in node.parts[:-1]]
    parts = [each.lower() for each in shown]
    here: Scope | None = scope
    while here is not None:
        found = [
            each
            for each in here.relation.stars()
            if each.table == parts[-1] and (len(parts) == 1 or each.database == parts[-2])
        ]
        if found and not here.relation.is_open:
            return found
        if found or here.relation.is_open or any(f.name in parts for f in here.relation.fields):
            return None
        here = here.parent
    raise AthenaFailure(
        "TABLE_NOT_FOUND", f"Unable to resolve reference {'.'.join(shown)}", at=node
    )


def _check_distinct(analysis: Analysis, node: exp.Select, outputs: Sequence[Field]) -> None:
    if node.args.get("distinct") is None:
        return
    for each, output in zip(node.expressions, outputs, strict=False):
        if output.name == "*" or isinstance(each, exp.Star):
            return
        if output.type.is_sure() and not is_comparable(output.type):
            raise mismatch(
                f"DISTINCT can only be applied to comparable types (actual: {output.type}): "
                f"{formatted(each.unalias(), analysis)}",
                node,
            )


def scalar_query(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    """Type a query that stands for a value."""
    relation = query(analysis, node, scope)
    parts = tuple(each.type for each in relation.stars())
    if relation.is_open or not parts:
        return UNSURE
    return parts[0] if len(parts) == 1 else Type("row", (), parts)
