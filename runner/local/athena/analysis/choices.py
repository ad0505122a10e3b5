"""Choices between values: CASE, IF, COALESCE and NULLIF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.coercion import common
from runner.local.athena.analysis.operators import shared_type
from runner.local.athena.analysis.rules import mismatch, must_be_boolean
from runner.local.athena.analysis.types import UNSURE, Type
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from runner.local.athena.analysis.rules import Analysis, Rule
    from runner.local.athena.analysis.scopes import Scope


def _case(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    operand = node.args.get("this")
    value = analysis.type_of(operand, scope) if operand is not None else None
    for branch in node.args["ifs"]:
        kind = analysis.type_of(branch.this, scope)
        if value is None:
            message = "CASE WHEN clause must evaluate to a boolean (actual: {})"
            must_be_boolean(kind, message, branch.this)
        elif value.is_sure() and kind.is_sure() and common(value, kind) is None:
            raise mismatch(
                f"CASE operand type does not match WHEN clause operand type: {value} vs {kind}",
                branch.this,
            )
    results = [branch.args["true"] for branch in node.args["ifs"]]
    if node.args.get("default") is not None:
        results.append(node.args["default"])
    return shared_type("All CASE results", results, analysis.types_of(results, scope), at=None)


def _if(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    must_be_boolean(
        analysis.type_of(node.this, scope),
        "IF condition must evaluate to a boolean (actual: {})",
        node.this,
    )
    kind = analysis.type_of(node.args["true"], scope)
    false = node.args.get("false")
    if false is None:
        return kind
    other = analysis.type_of(false, scope)
    found = common(kind, other)
    if found is None and kind.is_sure() and other.is_sure():
        raise mismatch(f"Result types for IF must be the same: {kind} vs {other}", node)
    return found or UNSURE


def _coalesce(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    nodes = [node.this, *node.expressions]
    if len(nodes) == 1:
        raise AthenaFailure(
            "SYNTAX_ERROR", "The 'coalesce' function must have at least two arguments", at=node
        )
    return shared_type("All COALESCE operands", nodes, analysis.types_of(nodes, scope), at=None)


def _nullif(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    first, second = analysis.types_of([node.args["this"], node.args["expression"]], scope)
    if first.is_sure() and second.is_sure() and common(first, second) is None:
        raise mismatch(f"Types are not comparable with NULLIF: {first} vs {second}", node)
    return first


RULES: dict[type[exp.Expr], Rule] = {
    exp.Case: _case,
    exp.If: _if,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
}
