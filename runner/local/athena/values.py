"""VALUES and UNION as Athena reads them: a column has one type for all rows.

In: a tree with typed literals.  Out: the same tree, its VALUES or sides changed in place.
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
    column = [each for each in column if not isinstance(each.unnest(), exp.Null)]
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


def settle_unions(tree: exp.Query) -> bool:
    """Cast the sides of set operations to what their numbers have in common; tell if any was."""
    found = False
    for operation in find_all(tree, exp.SetOperation):
        if not isinstance(operation.parent, exp.SetOperation):
            sides = _sides(operation)
            if all(sides) and len({len(side.selects) for side in sides if side}) == 1:
                columns = zip(*(side.selects for side in sides if side), strict=True)
                for column in columns:
                    found = _cast_outputs(column) or found
    return found


def _sides(query: exp.Expr) -> list[exp.Select | None]:
    """Give the selects that a set operation joins; None for one that is something else."""
    query = query.unnest()
    if isinstance(query, exp.SetOperation):
        return [*_sides(query.left), *_sides(query.right)]
    return [query if isinstance(query, exp.Select) and not query.is_star else None]


def _cast_outputs(column: tuple[exp.Expr, ...]) -> bool:
    values = [each.unalias() for each in column]
    values = [each for each in values if not isinstance(each, exp.Null)]
    wanted = common(each.type for each in values)
    if wanted is None:
        return False
    differ = [each for each in values if each.type != wanted]
    for each in differ:
        new = exp.Cast(this=each.copy(), to=wanted.copy())
        each.replace(
            new if isinstance(each.parent, exp.Alias) else exp.alias_(new, each.alias_or_name)
        )
    return bool(differ)
