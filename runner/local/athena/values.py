"""VALUES as Athena reads it: a row is its columns, and a column has one type for all rows.

In: a tree with typed literals.  Out: the same tree, its VALUES changed in place.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from runner.local.athena.numbers import METADATA, common


def settle_values(tree: exp.Query) -> None:
    """Open the rows of every VALUES, and cast numbers to what their column has in common."""
    for place, values in enumerate(tree.find_all(exp.Values)):
        rows = [each for each in values.expressions if isinstance(each, exp.Tuple)]
        for row in rows:
            if len(row.expressions) == 1:
                _open(row)
        if rows and isinstance(values.parent, exp.From | exp.Join) and not values.alias:
            _name(values, place, len(rows[0].expressions))
        if len(rows) > 1 and len({len(row.expressions) for row in rows}) == 1:
            for number in range(len(rows[0].expressions)):
                _cast_column([row.expressions[number] for row in rows])


def _name(values: exp.Values, place: int, count: int) -> None:
    """Name the columns as Athena does, so that a star over them is known."""
    columns = [exp.to_identifier(f"_col{number}") for number in range(count)]
    name = exp.to_identifier(f"_values{place}")
    values.set("alias", exp.TableAlias(this=name, columns=columns))


def _open(row: exp.Tuple) -> None:
    """Make `ROW(a, b)`, or a cast of it to a row type, the columns a and b."""
    only = row.expressions[0]
    value, target = only, None
    if type(only) is exp.Cast and only.to.is_type("struct"):
        value, target = only.this, only.to
    while isinstance(value, exp.Paren):
        value = value.this
    if not isinstance(value, exp.Struct | exp.Tuple):
        return
    items = [each.copy() for each in value.expressions]
    if target is not None:
        kinds = [
            each.args["kind"] if isinstance(each, exp.ColumnDef) else each
            for each in target.expressions
        ]
        if len(kinds) != len(items) or not all(isinstance(k, exp.DataType) for k in kinds):
            return
        items = [exp.cast(each, kind) for each, kind in zip(items, kinds, strict=True)]
    row.set("expressions", items)


def _cast_column(column: list[exp.Expr]) -> None:
    kinds = [_kind(each) for each in column]
    found = common(kinds)
    if found is None or all(kind in {found, None} for kind in kinds):
        return
    for each, kind in zip(column, kinds, strict=True):
        if kind is not None and kind != found and kind.this != exp.DataType.Type.NULL:
            each.replace(exp.Cast(this=each.copy(), to=found.copy()))


def _kind(value: exp.Expr) -> exp.DataType | None:
    typed = annotate_types(value.copy(), dialect="trino", expression_metadata=METADATA)
    return typed.type
