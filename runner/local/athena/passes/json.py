"""JSON: scalars are unquoted, objects are no scalars, and text becomes a JSON string."""

from __future__ import annotations

from sqlglot import exp


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite json_extract_scalar and the casts between text and JSON."""
    for node in list(tree.find_all(exp.JSONExtractScalar)):
        arguments = [node.this.copy(), node.expression.copy()]
        node.replace(exp.Anonymous(this="__json_scalar", expressions=arguments))
    for cast in list(tree.find_all(exp.Cast)):
        source, target = cast.this.type, cast.to
        if target.is_type("json") and source is not None and source.this in exp.DataType.TEXT_TYPES:
            if not cast.args.get("is_literal_json"):
                cast.replace(exp.Anonymous(this="to_json", expressions=[cast.this.copy()]))
        elif target.this in exp.DataType.TEXT_TYPES and _is_json(cast.this):
            cast.replace(exp.Anonymous(this="__json_text", expressions=[cast.this.copy()]))
    return tree


def _is_json(node: exp.Expr) -> bool:
    if isinstance(node, exp.JSONExtract | exp.ParseJSON):
        return True
    return node.type is not None and node.type.is_type("json")
