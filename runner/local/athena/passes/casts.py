"""Casts to varchar, worded as Trino words them: doubles as 1.0E10, timestamps with milliseconds."""

from __future__ import annotations

from sqlglot import exp

_TEXT = exp.DataType.TEXT_TYPES - {exp.DataType.Type.CHAR, exp.DataType.Type.NCHAR}


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite casts to text, and casts of fractions to integers (they round half away)."""
    for node in list(tree.find_all(exp.Cast, exp.TryCast)):
        source = node.this.type
        if node.to.this in _TEXT and (node.to.expressions or not node.this.is_string):
            _to_text(node, source)
        elif node.to.this in exp.DataType.INTEGER_TYPES and (
            source is not None and source.this in exp.DataType.FLOAT_TYPES
        ):
            node.set("this", exp.Anonymous(this="round", expressions=[node.this.copy()]))
    return tree


def _to_text(node: exp.Cast, source: exp.DataType | None) -> None:
    limit = node.to.expressions[0].name if node.to.expressions else ""
    if source is not None and source.this in exp.DataType.FLOAT_TYPES:
        new: exp.Expr = exp.Anonymous(this="__double_text", expressions=[node.this])
    elif source is not None and source.is_type("timestamp"):
        new = exp.Anonymous(this="__timestamp_text", expressions=[node.this])
    elif source is None or source.is_type("unknown"):
        has_aggregate = node.this.find(exp.AggFunc, exp.Window) is not None
        name = "__any_text" if has_aggregate else "__text"
        new = exp.Anonymous(this=name, expressions=[node.this])
    else:
        new = exp.cast(node.this.copy(), exp.DataType.build("varchar"))
        if not limit:
            return
    if limit:
        new = exp.Anonymous(this="left", expressions=[new, exp.Literal.number(limit)])
    node.replace(new)
