"""Operators: arithmetic, comparisons, and what decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.coercion import (
    all_common,
    common,
    is_comparable,
    is_number,
    is_orderable,
)
from runner.local.athena.analysis.rules import mismatch, must_be_boolean
from runner.local.athena.analysis.sums import SIGNS, sum_of
from runner.local.athena.analysis.types import BOOLEAN, DAYS, MONTHS, UNKNOWN, UNSURE, Type, row
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.analysis.rules import Analysis, Rule
    from runner.local.athena.analysis.scopes import Scope

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: "<",
    exp.GTE: "<=",
}
_TEXTS = frozenset({"varchar", "char", "unknown"})
_NEGATED = (
    *("bigint", "integer", "smallint", "tinyint", "double", "real"),
    *("interval day to second", "interval year to month", "decimal(1,0)"),
)
_WHICH_NEGATION = (
    "Could not choose a best candidate operator. Explicit type casts must be added.\n"
    "Candidates are:\n" + "".join(f"\t * ({kind}):{kind}\n" for kind in _NEGATED)
)


def _arithmetic(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    if id(node) in analysis.arguments:  # mod(a, b)
        return analysis.call(analysis, node, scope)
    left, right = analysis.types_of([node.args["this"], node.args["expression"]], scope)
    found = sum_of(SIGNS[type(node)], left, right)
    if found is None:
        raise mismatch(f"Cannot apply operator: {left} {SIGNS[type(node)]} {right}", node)
    return found


def _negation(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    kind = analysis.type_of(node.this, scope)
    if kind == UNKNOWN:
        raise AthenaFailure("AMBIGUOUS_FUNCTION_CALL", _WHICH_NEGATION)
    if kind.is_sure() and not is_number(kind) and kind not in (DAYS, MONTHS):
        raise mismatch(f"Cannot negate {kind}", node)
    return kind


def _comparison(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    right_node = node.args["expression"]
    if isinstance(right_node, exp.All | exp.Any):
        return quantified(analysis, node, right_node.this, scope)
    sides = analysis.types_of([node.args["this"], right_node], scope)
    if not all(each.is_sure() for each in sides):
        return BOOLEAN
    shared = common(*sides)
    is_equality = isinstance(node, exp.EQ | exp.NEQ)
    if shared is None or not (is_comparable if is_equality else is_orderable)(shared):
        left, right = sides
        raise mismatch(f"Cannot apply operator: {left} {_COMPARISONS[type(node)]} {right}", node)
    return BOOLEAN


def quantified(analysis: Analysis, node: exp.Expr, query: exp.Expr, scope: Scope) -> Type:
    """Check `value IN (SELECT ...)` and `value = ALL (SELECT ...)`."""
    value = analysis.type_of(node.args["this"], scope)
    while isinstance(query, exp.Paren | exp.Tuple):
        query = query.this if isinstance(query, exp.Paren) else query.expressions[0]
    relation = analysis.query(analysis, query.unnest(), scope)
    parts = tuple(each.type for each in relation.stars())
    given = row(*parts)
    wanted = value if value.name == "row" else row(value)
    if not (value.is_sure() and given.is_sure()) or relation.is_open:
        return BOOLEAN
    if common(wanted, given) is None and common(value, given) is None:
        raise mismatch(
            "Value expression and result of subquery must be of the same type: "
            f"{wanted} vs {given}",
            node,
        )
    return BOOLEAN


def _distinct(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    left, right = analysis.types_of([node.args["this"], node.args["expression"]], scope)
    shared = common(left, right)
    if shared is None or (shared.is_sure() and not is_comparable(shared)):
        raise mismatch(f"Cannot check if {left} is distinct from {right}", node)
    return BOOLEAN


def _between(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    kinds = analysis.types_of([node.args[name] for name in ("this", "low", "high")], scope)
    shared = all_common(kinds)
    if not all(each.is_sure() for each in kinds):
        return BOOLEAN
    if shared is None or not is_orderable(shared):
        value, low, high = kinds
        raise mismatch(f"Cannot check if {value} is BETWEEN {low} and {high}", node)
    return BOOLEAN


def _among(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    query = node.args.get("query")
    if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Values):
        query = node.expressions[0]
    if query is not None:
        return quantified(analysis, node, query, scope)
    if node.expressions:
        nodes = [node.args["this"], *node.expressions]
        shared_type("IN value and list items", nodes, analysis.types_of(nodes, scope), at=None)
    return BOOLEAN


def shared_type(
    what: str, nodes: Sequence[exp.Expr], kinds: Sequence[Type], *, at: exp.Expr | None
) -> Type:
    """Give what all types have in common; raises AthenaFailure at the first that has not."""
    found = UNKNOWN
    for node, kind in zip(nodes, kinds, strict=True):
        if not (found.is_sure() and kind.is_sure()):
            return UNSURE
        both = common(found, kind)
        if both is None:
            names = ", ".join(dict.fromkeys(map(str, kinds)))
            raise mismatch(
                f"{what} must be the same type or coercible to a common type. Cannot find common "
                f"type between {found} and {kind}, all types (without duplicates): [{names}]",
                at or node,
            )
        found = both
    return found


def _connector(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    terms: list[exp.Expr] = []
    rest = [node]
    while rest:  # a chain may be long
        each = rest.pop()
        if type(each) is type(node):
            rest += [each.args["expression"], each.args["this"]]
        else:
            terms.append(each)
    for each in terms:
        message = "Logical expression term must evaluate to a boolean (actual: {})"
        must_be_boolean(analysis.type_of(each, scope), message, each)
    return BOOLEAN


def _not(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    message = "Value of logical NOT expression must evaluate to a boolean (actual: {})"
    must_be_boolean(analysis.type_of(node.this, scope), message, node.this)
    return BOOLEAN


def _like(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    escape = None
    if isinstance(node, exp.Escape):
        escape, node = node.args["expression"], node.this
    for what, each, kinds in (
        ("Left side of LIKE expression", node.args["this"], _TEXTS),
        ("Pattern for LIKE expression", node.args["expression"], _TEXTS - {"char"}),
        ("Escape for LIKE expression", escape, _TEXTS - {"char"}),
    ):
        if each is None:
            continue
        kind = analysis.type_of(each, scope)
        if kind.is_sure() and kind.name not in kinds:
            raise mismatch(f"{what} must evaluate to a varchar (actual: {kind})", each)
    return BOOLEAN


def _is(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    analysis.type_of(node.args["this"], scope)
    return BOOLEAN


def _exists(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    analysis.query(analysis, node.this.unnest(), scope)
    return BOOLEAN


RULES: dict[type[exp.Expr], Rule] = {
    **dict.fromkeys(SIGNS, _arithmetic),
    **dict.fromkeys(_COMPARISONS, _comparison),
    exp.Neg: _negation,
    exp.NullSafeEQ: _distinct,
    exp.NullSafeNEQ: _distinct,
    exp.Between: _between,
    exp.In: _among,
    exp.And: _connector,
    exp.Or: _connector,
    exp.Not: _not,
    exp.Like: _like,
    exp.Escape: _like,
    exp.Is: _is,
    exp.Exists: _exists,
}
