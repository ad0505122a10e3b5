"""GROUP BY and ORDER BY of a SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.aggregates import check_scalar
from runner.local.athena.analysis.coercion import is_comparable, is_orderable
from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.rules import mismatch
from runner.local.athena.analysis.scopes import Field, Relation, Scope
from runner.local.athena.analysis.types import UNSURE
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.analysis.rules import Analysis


def grouped_by(analysis: Analysis, node: exp.Select, scope: Scope) -> list[exp.Expr] | None:
    """Give what GROUP BY groups by; None without one, or if it is not known."""
    group = node.args.get("group")
    if group is None:
        return None
    found: list[exp.Expr] = []
    for written in _grouped(group, analysis):
        each: exp.Expr | None = written
        if isinstance(written, exp.Literal) and not written.is_string:
            each = _selected(written, node, "GROUP BY")
        if each is None:
            continue
        each = each.unalias()
        since = analysis.found()
        kind = analysis.type_of(each, scope)
        check_scalar(analysis, each, "GROUP BY clause", since)
        if kind.is_sure() and not is_comparable(kind):
            raise mismatch(
                f"{kind} is not comparable, and therefore cannot be used in GROUP BY", each
            )
        found.append(each)
    return found


def _grouped(group: exp.Expr, analysis: Analysis) -> list[exp.Expr]:
    """Give the expressions of all grouping sets."""
    found: list[exp.Expr] = []
    for each in group.expressions:
        if isinstance(each, exp.GroupingSets | exp.Cube | exp.Rollup):
            found += _of_columns(_grouped(each, analysis), analysis)
        elif isinstance(each, exp.Tuple):
            found += each.expressions
        else:
            found.append(each.unnest())
    for name in ("grouping_sets", "cube", "rollup"):
        for each in group.args.get(name) or ():
            if isinstance(each, exp.Expr):
                found += _grouped(each, analysis)
    return found


def _of_columns(nodes: list[exp.Expr], analysis: Analysis) -> list[exp.Expr]:
    """Refuse grouping sets of anything but columns."""
    for each in nodes:
        if isinstance(each.unnest(), exp.Binary):
            raise AthenaFailure(
                "INVALID_COLUMN_REFERENCE",
                f"GROUP BY expression must be a column reference: {formatted(each, analysis)}",
                at=each,
            )
    return nodes


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


def ordered_by(
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
                f"{formatted(value, analysis)}",
                at=node,
            )
    return found
