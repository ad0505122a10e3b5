"""Set operations, and the ORDER BY and LIMIT of whole queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.coercion import common, is_comparable
from runner.local.athena.analysis.rules import mismatch
from runner.local.athena.analysis.scopes import OPEN, Field, Relation, Scope
from runner.local.athena.analysis.types import UNKNOWN, Type
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.analysis.rules import Analysis


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


def set_operation(analysis: Analysis, node: exp.SetOperation, outer: Scope | None) -> Relation:
    """Analyse UNION, INTERSECT and EXCEPT."""
    sides = [analysis.query(analysis, side, outer) for side in (node.left, node.right)]
    left, right = (each.stars() for each in sides)
    is_open = any(each.is_open for each in sides)
    relation = OPEN if is_open else Relation(_paired(node, left, right))
    return ordered_whole(analysis, node, relation, outer)


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
            _comparable(shared, name, node)
        found.append(Field(one.name, shared, shown=one.shown))
    return tuple(found)


def _comparable(kind: Type, name: str, node: exp.Expr) -> None:
    if kind.is_sure() and kind != UNKNOWN and not is_comparable(kind):
        raise mismatch(
            f"Type {kind} is not comparable and therefore cannot be used in {name}"
            f"{' DISTINCT' if name == 'UNION' else ''}",
            node,
        )


def ordered_whole(
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
