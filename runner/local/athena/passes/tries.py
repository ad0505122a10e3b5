"""`try(x)` is NULL where x fails; TRY_CAST likewise."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.trees import find_all


def apply(tree: exp.Query) -> exp.Query:
    """Write TRY as DuckDB's own, which catches division by zero and failed casts alike."""
    for node in find_all(tree, exp.Anonymous, exp.Try):
        if isinstance(node, exp.Anonymous) and node.name.upper() != "TRY":
            continue
        inner = node.expressions[0] if isinstance(node, exp.Anonymous) else node.this
        node.replace(exp.Anonymous(this="TRY", expressions=[inner.copy()]))
    return tree
