"""FROM with its joins: the columns that the rest of a SELECT sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.analysis.aggregates import check_scalar
from runner.local.athena.analysis.coercion import common
from runner.local.athena.analysis.rules import mismatch, must_be_boolean
from runner.local.athena.analysis.scopes import OPEN, Field, Relation, Scope
from runner.local.athena.analysis.sources import relation_of
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot import exp

    from runner.local.athena.analysis.rules import Analysis
    from runner.local.athena.analysis.types import Type


def source_of(analysis: Analysis, node: exp.Select, outer: Scope | None) -> Scope:
    """Give the scope of a SELECT's FROM."""
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
