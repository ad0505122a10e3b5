"""count_if: of no true input it is 0; DuckDB gives NULL when no input is true or false."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.trees import find_all


def apply(tree: exp.Query) -> exp.Query:
    """Write `count_if(x)` as `count(CASE WHEN x THEN 1 END)`, also under FILTER and OVER."""
    for node in find_all(tree, exp.CountIf):
        case = exp.Case().when(node.this.copy(), exp.Literal.number(1))
        new = exp.Count(this=case)
        new.type = node.type
        node.replace(new)
    return tree
