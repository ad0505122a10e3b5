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
from runner.local.athena.analysis.coercion import common, is_comparable, is_orderable
from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.rules import mismatch, must_be_boolean
from runner.local.athena.analysis.scopes import OPEN, Field, Relation, Scope
from runner.local.athena.analysis.sources import relation_of, with_queries
from runner.local.athena.analysis.types import UNKNOWN, UNSURE, Type
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.analysis.rules import Analysis


def query(analysis: Analysis, node: exp.Expr, outer: Scope | None) -> Relation:
    """Analyse a query; gives the columns that it has."""
    kept = analysis.queries, analysis.aggregates, analysis.windows, analysis.select
    analysis.aggregates, analysis.windows, analysis.select = [], [], node
    with_queries(analysis, node, outer)
    found = _any_query(analysis, node, outer)
    analysis.queries, analysis.aggregates, analysis.windows, analysis.select = kept
    return found


def check_limits(node: exp.Expr) -> None:
    """Refuse a LIMIT or OFFSET that is no whole number."""
    for name, wanted in (("limit", "'?', 'ALL', <integer>"), ("offset", "'?', <integer>")):
        clause = node.args.get(name)
        value = clause.args.get("expression") if clause is not None else None
        if isinstance(value, exp.Neg):
            shown = "-"
        elif isinstance(value, exp.Literal) and value.is_string:
            shown = f"'{value.name}'"
        else:
            continue
        raise AthenaFailure(
            "SYNTAX_ERROR", f"mismatched input '{shown}'. Expecting: {wanted}", at=value
        )


def _any_query(analysis: Analysis, node: exp.Expr, outer: Scope | None) -> Relation:
    if isinstance(node, exp.Select):
        return _select(analysis, node, outer)
    if isinstance(node, exp.SetOperation):
        return _set_operation(analysis, node, outer)
    if isinstance(node, exp.Subquery):
        return _ordered_whole(analysis, node, query(analysis, node.this, outer), outer)
    if isinstance(node, exp.Values | exp.Table):
        return relation_of(analysis, node, Scope(Relation(), outer))
    return OPEN


def _select(analysis: Analysis, node: exp.Select, outer: Scope | None) -> Relation:
    scope = _source(analysis, node, outer)
    check_limits(node)
    where = node.args.get("where")
    if where is not None:
        since = analysis.found()
        kind = analysis.type_of(where.this, scope)
        check_scalar(analysis, where.this, "WHERE clause", since)
        must_be_boolean(kind, "WHERE clause must evaluate to a boolean: actual type {}", where.this)
    outputs = _outputs(analysis, node, scope)
    _check_distinct(node, outputs)
    groups = _groups(analysis, node, scope)
    having = node.args.get("having")
    if having is not None:
        since = analysis.found()
        kind = analysis.type_of(having.this, scope)
        must_be_boolean(
            kind, "HAVING clause must evaluate to a boolean: actual type {}", having.this
        )
        check_having(analysis, since)
    order = _order(analysis, node, scope, outputs)
    check_grouping(analysis, node, groups, order, scope)
    if node.args.get("distinct") is not None:
        check_distinct_order(analysis, node, order, outputs)
    return Relation(outputs, is_open=any(each.name == "*" for each in outputs))


def _source(analysis: Analysis, node: exp.Select, outer: Scope | None) -> Scope:
    scope = Scope(Relation(), outer, has_from=False)
    from_ = node.args.get("from_")
    if from_ is None:
        return scope
    scope.has_from = True
    scope.relation = relation_of(analysis, from_.this, scope)
    for join in node.args.get("joins") or ():
        _join(analysis, join, scope)
    if node.args.get("laterals") or node.args.get("pivots") or node.args.get("match"):
        scope.relation = scope.relation._replace(is_open=True)
    return scope


def _join(analysis: Analysis, join: exp.Join, scope: Scope) -> None:
    """Put what is joined beside what is there."""
    left = scope.relation
    right = relation_of(analysis, join.this, scope)
    both = Relation(left.fields + right.fields, is_open=left.is_open or right.is_open)
    scope.relation = both
    if join.method.upper() == "NATURAL":
        scope.relation = OPEN
    elif using := join.args.get("using"):
        scope.relation = _using(using, left, right)
    elif (on := join.args.get("on")) is not None:
        since = analysis.found()
        kind = analysis.type_of(on, scope)
        check_scalar(analysis, on, "JOIN clause", since)
        must_be_boolean(kind, "JOIN ON clause must evaluate to a boolean: actual type {}", on)


def _using(names: Sequence[exp.Expr], left: Relation, right: Relation) -> Relation:
    """Make the columns that are joined by name one."""
    if left.is_open or right.is_open:
        return OPEN
    joined: list[Field] = []
    for each in names:
        name = each.name.lower()
        kinds: list[Type] = []
        for side, relation in (("left", left), ("right", right)):
            found = [field for field in relation.fields if field.name == name]
            if len(found) > 1:
                raise AthenaFailure("AMBIGUOUS_NAME", f"Column '{each.name}' is ambiguous", at=each)
            if not found:
                raise AthenaFailure(
                    "COLUMN_NOT_FOUND",
                    f"Column '{each.name}' is missing from {side} side of join",
                    at=each,
                )
            kinds.append(found[0].type)
        shared = common(*kinds)
        if shared is None:
            raise mismatch(f"Cannot apply operator: {kinds[0]} = {kinds[1]}", each)
        joined.append(Field(name, shared))
    taken = {field.name for field in joined}
    rest = [field for field in left.fields + right.fields if field.name not in taken]
    return Relation((*joined, *rest))


def _outputs(analysis: Analysis, node: exp.Select, scope: Scope) -> tuple[Field, ...]:
    """Type the select list; a star of what is open gives a field '*'."""
    found: list[Field] = []
    for each in node.expressions:
        if isinstance(each, exp.Star) or (
            isinstance(each, exp.Column) and isinstance(each.this, exp.Star)
        ):
            found += _star(each, scope)
        elif isinstance(each, exp.Dot) and isinstance(each.expression, exp.Star):
            analysis.type_of(each.this, scope)
            found.append(Field("*"))
        elif isinstance(each, exp.Aliases):
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


def _check_distinct(node: exp.Select, outputs: Sequence[Field]) -> None:
    if node.args.get("distinct") is None:
        return
    for each, output in zip(node.expressions, outputs, strict=False):
        if output.name == "*" or isinstance(each, exp.Star):
            return
        if output.type.is_sure() and not is_comparable(output.type):
            raise mismatch(
                f"DISTINCT can only be applied to comparable types (actual: {output.type}): "
                f"{formatted(each.unalias())}",
                node,
            )


def _groups(analysis: Analysis, node: exp.Select, scope: Scope) -> list[exp.Expr] | None:
    """Give what GROUP BY groups by; None without one, or if it is not known."""
    group = node.args.get("group")
    if group is None:
        return None
    found: list[exp.Expr] = []
    for each in _grouped(group):
        if isinstance(each, exp.Literal) and not each.is_string:
            item = _selected(each, node, "GROUP BY")
            if item is None:
                continue
            each = item.unalias()
        since = analysis.found()
        kind = analysis.type_of(each, scope)
        check_scalar(analysis, each, "GROUP BY clause", since)
        if kind.is_sure() and not is_comparable(kind):
            raise mismatch(
                f"{kind} is not comparable, and therefore cannot be used in GROUP BY", each
            )
        found.append(each)
    return found


def _grouped(group: exp.Expr) -> list[exp.Expr]:
    """Give the expressions of all grouping sets."""
    found: list[exp.Expr] = []
    for each in group.expressions:
        if isinstance(each, exp.GroupingSets | exp.Cube | exp.Rollup):
            found += _grouped(each)
        elif isinstance(each, exp.Tuple):
            found += each.expressions
        else:
            found.append(each.unnest())
    for name in ("grouping_sets", "cube", "rollup"):
        for each in group.args.get(name) or ():
            if isinstance(each, exp.Expr):
                found += _grouped(each)
    return found


def _selected(number: exp.Expr, node: exp.Select, clause: str) -> exp.Expr | None:
    """Give what a position means; None if stars come before it."""
    if any(each.is_star for each in node.expressions):
        return None
    place = int(number.name) if number.name.isdigit() else 0
    if not 1 <= place <= len(node.expressions):
        raise AthenaFailure(
            "INVALID_COLUMN_REFERENCE",
            f"{clause} position {number.name} is not in select list",
            at=number,
        )
    item: exp.Expr = node.expressions[place - 1]
    return item


def _order(
    analysis: Analysis, node: exp.Select, scope: Scope, outputs: Sequence[Field]
) -> list[exp.Expr]:
    """Check ORDER BY; gives the expressions that are no outputs."""
    order = node.args.get("order")
    found: list[exp.Expr] = []
    fields = tuple(each._replace(table="") for each in outputs if each.name)
    names = Scope(Relation(fields, is_open=any(each.name == "*" for each in fields)), scope)
    for each in order.expressions if order is not None else ():
        value = each.this
        if isinstance(value, exp.Literal) and not value.is_string and value.name.isdigit():
            item = _selected(value, node, "ORDER BY")
            kind = outputs[int(value.name) - 1].type if item is not None else UNSURE
        else:
            kind = analysis.type_of(value, names)
            found.append(value)
        if kind.is_sure() and not is_orderable(kind):
            raise AthenaFailure(
                "TYPE_MISMATCH",
                f"Type {kind} is not orderable, and therefore cannot be used in ORDER BY: "
                f"{formatted(value)}",
                at=node,
            )
    return found


def _set_operation(analysis: Analysis, node: exp.SetOperation, outer: Scope | None) -> Relation:
    sides = [query(analysis, side, outer) for side in (node.left, node.right)]
    left, right = (each.stars() for each in sides)
    if any(each.is_open for each in sides):
        relation = OPEN
    else:
        relation = Relation(_paired(node, left, right))
    return _ordered_whole(analysis, node, relation, outer)


def _paired(
    node: exp.SetOperation, left: Sequence[Field], right: Sequence[Field]
) -> tuple[Field, ...]:
    name = node.key.upper()
    if len(left) != len(right):
        raise mismatch(
            f"{name} query has different number of fields: {len(left)}, {len(right)}", node
        )
    found: list[Field] = []
    for number, (one, other) in enumerate(zip(left, right, strict=True), 1):
        shared = common(one.type, other.type)
        if shared is None:
            raise mismatch(
                f"column {number} in {name} query has incompatible types: {one.type}, {other.type}",
                node,
            )
        if name != "UNION" or node.args.get("distinct"):
            _comparable(shared, name, number, node)
        found.append(Field(one.name, shared, shown=one.shown))
    return tuple(found)


def _comparable(kind: Type, name: str, number: int, node: exp.Expr) -> None:
    if kind.is_sure() and kind != UNKNOWN and not is_comparable(kind):
        raise mismatch(
            f"Type {kind} is not comparable and therefore cannot be used in {name}"
            f"{' DISTINCT' if name == 'UNION' else ''}",
            node,
        )


def _ordered_whole(
    analysis: Analysis, node: exp.Expr, relation: Relation, outer: Scope | None
) -> Relation:
    """Check the ORDER BY of a set operation, which sees its columns only."""
    check_limits(node)
    order = node.args.get("order")
    scope = Scope(relation, outer)
    for each in order.expressions if order is not None else ():
        value = each.this
        if isinstance(value, exp.Literal) and not value.is_string and value.name.isdigit():
            if not relation.is_open and not 1 <= int(value.name) <= len(relation.fields):
                raise AthenaFailure(
                    "INVALID_COLUMN_REFERENCE",
                    f"ORDER BY position {value.name} is not in select list",
                    at=value,
                )
        else:
            analysis.type_of(value, scope)
    return relation


def scalar_query(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    """Type a query that stands for a value."""
    relation = query(analysis, node, scope)
    parts = tuple(each.type for each in relation.stars())
    if relation.is_open or not parts:
        return UNSURE
    return parts[0] if len(parts) == 1 else Type("row", (), parts)
