"""`try(x)` is NULL where x fails; TRY_CAST likewise."""

from __future__ import annotations

from sqlglot import exp


def apply(tree: exp.Query) -> exp.Query:
    """Write TRY as DuckDB's own, which catches division by zero and failed casts alike."""
    for node in list(tree.find_all(exp.Anonymous, exp.Try)):
        if isinstance(node, exp.Anonymous) and node.name.upper() != "TRY":
            continue
        inner = node.expressions[0] if isinstance(node, exp.Anonymous) else node.this
        node.replace(exp.Anonymous(this="TRY", expressions=[inner.copy()]))
    return tree
