"""VALUES as Athena reads it: a column has one type for all rows.

In: a tree with typed literals.  Out: the same tree, its VALUES changed in place.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from runner.local.athena.numbers import METADATA, common
from runner.local.athena.trees import find_all


def settle_values(tree: exp.Query) -> None:
    """Name the columns of every VALUES, and cast numbers to what their column has in common."""
    for place, values in enumerate(find_all(tree, exp.Values)):
        rows = [each for each in values.expressions if isinstance(each, exp.Tuple)]
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
