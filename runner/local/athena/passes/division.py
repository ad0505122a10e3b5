"""Division: of integers it is integral and fails on zero, of doubles it may be infinite.

DuckDB's `/` always gives a double.  Where the types are not known, a macro decides by the types
that DuckDB binds; its value is right and its type a double.
"""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.dialect import MOST_DIGITS
from runner.local.athena.numbers import arithmetic, digits, is_decimal, is_float, is_integer
from runner.local.athena.passes.numbers import quotient
from runner.local.athena.trees import find_all


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite every division, innermost first."""
    for node in reversed(find_all(tree, exp.Div)):
        new = _divided(node)
        new.type = node.type
        node.replace(new)
    return tree


def _divided(node: exp.Div) -> exp.Expr:
    left, right = node.left, node.right
    kind = arithmetic(node)
    sides = [left, right]
    if is_integer(left) and is_integer(right):
        return exp.Anonymous(this="__int_div", expressions=sides)
    if is_float(left) or is_float(right):
        new: exp.Expr = exp.Anonymous(this="__float_div", expressions=sides)
        if kind is not None and kind.this == exp.DataType.Type.FLOAT:
            new = exp.cast(new, kind)
        return new
    if kind is not None and is_decimal(node):
        a, b = (digits(each.type) or (MOST_DIGITS, 0) for each in sides)
        return quotient((left, a), (right, b), kind)
    return exp.Anonymous(this="__any_div", expressions=sides)
