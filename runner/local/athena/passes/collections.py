"""Arrays, maps and strings in parts: order, limits and lambdas that DuckDB treats otherwise."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.trees import walk

_RENAMED = {
    "array_union": "__array_union",
    "infinity": "__infinity",
    "nan": "__nan",
    "codepoint": "unicode",
    "is_infinite": "isinf",
    "is_finite": "isfinite",
    "map_agg": "__map_agg",
}


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite, innermost nodes included."""
    for node in walk(tree):
        _rewrite(node)
    return tree


def _rewrite(node: exp.Expr) -> None:
    match node:
        case exp.ArrayDistinct():
            _call(node, "__array_distinct", node.this)
        case exp.ArraySize():
            is_map = isinstance(node.this, exp.Map | exp.VarMap) or _is(node.this, "map")
            _call(node, "cardinality" if is_map else "len", node.this)
        case exp.Split() if node.args.get("limit") is not None:
            _call(node, "__split_limit", node.this, node.expression, node.args["limit"])
        case exp.Reverse() if isinstance(node.this, exp.Array) or _is(node.this, "array"):
            _call(node, "list_reverse", node.this)
        case exp.Reverse() if isinstance(node.this, exp.ArraySort):
            _call(node, "list_reverse", node.this)
        case exp.GroupConcat() if node.args.get("separator") is None:
            node.set("separator", exp.Literal.string(""))
        case exp.Reduce():
            _reduce(node)
        case exp.Anonymous() if node.name.lower() in _RENAMED:
            node.set("this", _RENAMED[node.name.lower()])


def _is(node: exp.Expr, kind: str) -> bool:
    return node.type is not None and node.type.this == exp.DType[kind.upper()]


def _call(node: exp.Expr, name: str, *arguments: exp.Expr) -> None:
    new = exp.Anonymous(this=name, expressions=list(arguments))
    new.type = node.type
    node.replace(new)


def _reduce(node: exp.Reduce) -> None:
    """Apply the last lambda to the reduced value, in a list of one."""
    finish = node.args.get("finish")
    if not isinstance(finish, exp.Lambda):
        return
    node.set("finish", None)
    if isinstance(finish.this, exp.Identifier | exp.Column):
        return
    reduced = exp.Array(expressions=[node.copy()])
    finished = exp.Anonymous(this="list_transform", expressions=[reduced, finish.copy()])
    node.replace(exp.Anonymous(this="list_extract", expressions=[finished, exp.Literal.number(1)]))
