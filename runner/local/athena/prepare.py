"""A tree as Athena reads the text, where sqlglot's parser changed or misread it.

In: a query, right after parsing.  Out: the same tree with the keys of subscripts as written, rows
told from tables, and rows in VALUES as columns.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.simplify import simplify

from runner.local.athena.nested import ELEMENT_AT, SUBSCRIPT
from runner.local.athena.trees import find_all

_SOURCES = (exp.Table, exp.Subquery, exp.Values, exp.Unnest, exp.Lateral)


def unify_rows(tree: exp.Query) -> exp.Query:
    """Undo what sqlglot's parser makes of subscripts, `r.*` and `VALUES ROW(...)`.

    Keys of `x[y]` and element_at are those of the text again.  Run it right after parsing.
    """
    for node in find_all(tree, exp.Bracket):
        key = node.expressions[0]
        if node.args.get("offset") is None and _was_shifted(node.this, key):
            key = simplify(exp.Add(this=key.copy(), expression=exp.Literal.number(1)))
        name = ELEMENT_AT if node.args.get("safe") else SUBSCRIPT
        node.replace(exp.Anonymous(this=name, expressions=[node.this, key]))
    for column in find_all(tree, exp.Column):
        _unify_field(column)
    for lateral in find_all(tree, exp.Lateral):
        _unify_lateral(lateral)
    for values in find_all(tree, exp.Values):
        for row in values.expressions:
            _unify_row(row)
    return tree


def _unify_lateral(lateral: exp.Lateral) -> None:
    """Take LATERAL off where no table comes before it."""
    if isinstance(lateral.parent, exp.From) and isinstance(lateral.this, exp.Subquery):
        alias = lateral.args.get("alias")
        lateral.replace(exp.Subquery(this=lateral.this.this, alias=alias))


def _unify_row(row: exp.Expr) -> None:
    """Make the fields of a row that stands alone in VALUES the columns."""
    inner = row.expressions[0].unnest() if isinstance(row, exp.Tuple) else None
    if inner is None or len(row.expressions) > 1:
        return
    if isinstance(inner, exp.Struct):
        row.set("expressions", list(inner.expressions))
    elif isinstance(inner, exp.Cast) and inner.to.is_type(exp.DType.STRUCT):
        places = range(1, len(inner.to.expressions) + 1)
        taken = [
            exp.Anonymous(
                this="struct_extract_at", expressions=[inner.copy(), exp.Literal.number(place)]
            )
            for place in places
        ]
        row.set("expressions", taken)


def _unify_field(column: exp.Column) -> None:
    """Tell fields of rows, `t.r.x`, `r.x.y`, `r.*`, from columns of tables, `db.t.x` and `t.*`."""
    parts = list(column.parts)
    if len(parts) == 1:
        return
    names = _source_names(column)
    if column.table.lower() in names:
        return
    is_qualified = len(parts) > 2 and parts[0].name.lower() in names  # noqa: PLR2004 - t.r.x
    rest = parts[2:] if is_qualified else parts[1:]
    new: exp.Expr = (
        exp.Column(this=parts[1].copy(), table=parts[0].copy())
        if is_qualified
        else exp.Column(this=parts[0].copy())
    )
    for each in rest:
        new = exp.Dot(this=new, expression=each.copy())
    column.replace(new)


def _source_names(column: exp.Column) -> set[str]:
    """Give the names of the tables that a column may belong to, those outside included."""
    names: set[str] = set()
    above = column.parent
    while above is not None:
        if isinstance(above, exp.Select):
            parts = [above.args.get("from_"), *(above.args.get("joins") or [])]
            parts += above.args.get("laterals") or []
            found = [each for each in parts if each is not None]
            names |= {s.alias_or_name.lower() for each in found for s in find_all(each, *_SOURCES)}
        above = above.parent
    return names


def _was_shifted(base: exp.Expr, key: exp.Expr) -> bool:
    """Tell whether sqlglot took 1 from a key, which it does to integers unless it sees no array."""
    if base.type is not None and not base.type.is_type(exp.DType.UNKNOWN, exp.DType.ARRAY):
        return False
    kind = annotate_types(key.copy(), dialect="trino").type
    return kind is not None and kind.this in exp.DataType.INTEGER_TYPES
