"""Small trees that the passes over arrays, maps and rows build, and lambdas put into others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.trees import find_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Call a function of DuckDB, or a macro."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def replace(node: exp.Expr, new: exp.Expr) -> None:
    """Put a tree in the place of one of the same type."""
    new.type = node.type
    node.replace(new)


def lambda_of(body: exp.Expr, *names: str) -> exp.Lambda:
    """Make a lambda of these parameters."""
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name) for name in names])


def field_of(name: str, place: int) -> exp.Expr:
    """Take a field, by its place from 1, of the struct that a parameter holds."""
    return call("struct_extract_at", exp.to_identifier(name), exp.Literal.number(place))


def pair_of(key: exp.Expr, value: exp.Expr) -> exp.Struct:
    """Make {'k': key, 'v': value}."""
    return struct_of({"k": key, "v": value})


def struct_of(fields: Mapping[str, exp.Expr]) -> exp.Struct:
    """Make a struct with names."""
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name), expression=value)
            for name, value in fields.items()
        ]
    )


def unless_null(value: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """Give a value if none of these is NULL."""
    whole = exp.and_(
        *(exp.Not(this=exp.Is(this=a.copy(), expression=exp.null())) for a in arguments)
    )
    return exp.Case().when(whole, value, copy=False)


def fresh(node: exp.Expr, mark: str = "p") -> str:
    """Name a parameter as no lambda above or below the node does."""
    return f"zq{mark}{node.depth}"


def body_of(node: exp.Lambda, *values: exp.Expr) -> exp.Expr:
    """Give a lambda's body with values for its parameters."""
    names = [each.name for each in node.expressions]
    known = dict(zip(names, values, strict=False))
    holder = exp.Paren(this=node.this)
    for each in find_all(holder, exp.Identifier):
        if each.name in known and is_parameter(each, holder):
            value = known[each.name].copy()
            value.type = each.type
            each.replace(value)
    body: exp.Expr = holder.this
    return body


def is_parameter(node: exp.Identifier, root: exp.Expr) -> bool:
    """Tell a parameter of the lambda whose body is `root` from fields and columns."""
    above = node.parent
    if isinstance(above, exp.Column) or (isinstance(above, exp.Dot) and above.expression is node):
        return False
    while above is not None and above is not root:
        if isinstance(above, exp.Lambda) and node.name in {e.name for e in above.expressions}:
            return False
        above = above.parent
    return not isinstance(node.parent, exp.Lambda) or node.arg_key == "this"
