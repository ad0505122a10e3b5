"""An alias of the select list is no column of it: Athena cannot resolve it, DuckDB could."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure, no_column
from runner.local.athena.trees import find_all


def apply(tree: exp.Query) -> exp.Query:
    """Refuse columns that only an alias of the same SELECT explains."""
    for select in find_all(tree, exp.Select):
        aliases = {each.alias for each in select.expressions if isinstance(each, exp.Alias)}
        parts = [*select.expressions, select.args.get("where"), select.args.get("group")]
        for part in [*parts, select.args.get("having")]:
            for column in find_all(part, exp.Column) if part is not None else ():
                if not column.table and column.name in aliases and _is_free(column, select):
                    if _name_source(column, select):
                        continue
                    meta = column.this.meta
                    raise AthenaFailure(
                        "COLUMN_NOT_FOUND",
                        no_column(column.name),
                        line=meta.get("line", 0),
                        column=meta.get("col", 0) - (meta.get("end", 0) - meta.get("start", 0)),
                    )
    return tree


def _name_source(column: exp.Column, select: exp.Select) -> bool:
    """Let a column of HAVING mean the source's, if the select list or GROUP BY names that."""
    parts = [*select.expressions, select.args.get("group")]
    for part in parts:
        for found in find_all(part, exp.Column) if part is not None else ():
            if found.table and found.name == column.name and _is_free(found, select):
                column.replace(_placed(found.copy(), column))
                return True
    return False


def _placed(found: exp.Column, column: exp.Column) -> exp.Column:
    """Let a column stand where another one stood."""
    for part in found.parts:
        part.meta.clear()
    found.this.meta.update(column.this.meta)
    return found


def _is_free(column: exp.Column, select: exp.Select) -> bool:
    """Tell whether the column stands in this SELECT itself, and is no lambda's parameter."""
    node = column.parent
    while node is not None and node is not select:
        if isinstance(node, exp.Select | exp.Lambda | exp.Order | exp.Subquery):
            return False
        node = node.parent
    return True
