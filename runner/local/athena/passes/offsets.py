"""Offsets of lag, lead and nth_value: Athena refuses what points nowhere, DuckDB gives NULL."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.families import is_free
from runner.local.athena.trees import find_all

_LEAST: dict[type[exp.Expr], int] = {exp.Lag: 0, exp.Lead: 0, exp.NthValue: 1}


def apply(tree: exp.Query) -> exp.Query:
    """Refuse offsets that are wrong literals; others are taken as they are."""
    for node in find_all(tree, *_LEAST):
        _check(node.args.get("offset"), _LEAST[type(node)])
    return tree


def _check(node: exp.Expr | None, least: int) -> None:
    if isinstance(node, exp.Null):
        raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", "Offset must not be null")
    inner = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(inner, exp.Literal) or (is_free(inner) and inner is node):
        return
    if inner.is_int and (-1 if isinstance(node, exp.Neg) else 1) * int(inner.name) < least:
        raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", f"Offset must be at least {least}")
