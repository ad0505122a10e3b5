"""Division: of integers it is integral and fails on zero, of doubles it may be infinite.

DuckDB's `/` always gives a double.  Where sqlglot could not find the types, a macro decides by
the types that DuckDB binds; its value is right and its type a double.
"""

from __future__ import annotations

from sqlglot import exp

_INTEGERS = exp.DataType.INTEGER_TYPES
_FLOATS = exp.DataType.FLOAT_TYPES


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite every division, innermost last."""
    for node in list(tree.find_all(exp.Div)):
        left, right = node.left, node.right
        kinds = {_kind(left), _kind(right)}
        if kinds == {"integer"}:
            new: exp.Expr = exp.Anonymous(this="__int_div", expressions=[left, right])
        elif "float" in kinds:
            new = exp.Anonymous(this="__float_div", expressions=[left, right])
        elif kinds <= {"integer", "decimal"} and (scale := _scale(left, right)) is not None:
            new = exp.Anonymous(
                this="__decimal_div", expressions=[left, right, exp.Literal.number(scale)]
            )
            new = exp.cast(new, exp.DataType.build(f"DECIMAL(38, {scale})"))
        else:
            new = exp.Anonymous(this="__any_div", expressions=[left, right])
        new.type = node.type
        node.replace(new)
    return tree


def _kind(node: exp.Expr) -> str:
    kind = node.type.this if node.type else None
    if kind in _INTEGERS:
        return "integer"
    if kind in _FLOATS:
        return "float"
    is_decimal = kind == exp.DataType.Type.DECIMAL or _is_decimal_literal(node)
    return "decimal" if is_decimal else "unknown"


def _is_decimal_literal(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and "." in node.name


def _scale(left: exp.Expr, right: exp.Expr) -> int | None:
    """Give the scale of the quotient: the larger of both, as Trino has it."""
    scales = [_scale_of(left), _scale_of(right)]
    known = [scale for scale in scales if scale is not None]
    return max(known) if len(known) == len(scales) else None


def _scale_of(node: exp.Expr) -> int | None:
    if _kind(node) == "integer":
        return 0
    if isinstance(node, exp.Literal):
        return len(node.name.partition(".")[2])
    numbers = node.type.expressions if node.type else []
    return int(numbers[1].name) if len(numbers) > 1 else None
