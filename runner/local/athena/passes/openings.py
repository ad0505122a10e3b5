"""`row.*` in a select list: the row's fields become columns, named as the row's type names them."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure, unsupported


def apply(tree: exp.Query) -> exp.Query:
    """Open the rows of every select list."""
    for select in list(tree.find_all(exp.Select)):
        if any(_opened(each) is not None for each in select.expressions):
            found: list[exp.Expr] = []
            for each in list(select.expressions):
                row = _opened(each)
                found += [each] if row is None else _columns(each, row, len(found))
            select.set("expressions", found)
    return tree


def _opened(node: exp.Expr) -> exp.Expr | None:
    """Give the row that a column of the select list opens, if it opens one."""
    if isinstance(node, exp.Aliases):
        node = node.this
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star):
        row: exp.Expr = node.this.unnest()
        return row
    return None


def _columns(node: exp.Expr, row: exp.Expr, before: int) -> list[exp.Expr]:
    kind = row.type
    if kind is None or not kind.is_type("struct"):
        raise unsupported("Opening a row whose type is not known, by .*,")
    fields = kind.expressions
    names = [each.name if isinstance(each, exp.ColumnDef) else "" for each in fields]
    if isinstance(node, exp.Aliases):
        names = [each.name for each in node.expressions]
        if len(names) != len(fields):
            raise AthenaFailure(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but relation has {len(fields)} "
                "columns",
            )
    values = [_field(row, number, each) for number, each in enumerate(fields)]
    return [
        exp.alias_(value, name or f"_col{before + number}", copy=False)
        for number, (name, value) in enumerate(zip(names, values, strict=True))
    ]


def _field(row: exp.Expr, number: int, field: exp.Expr) -> exp.Expr:
    kind = field.kind if isinstance(field, exp.ColumnDef) else field
    if not isinstance(kind, exp.DataType):
        raise unsupported("Opening a row whose type is not known, by .*,")
    if isinstance(row, exp.Struct):
        value: exp.Expr = row.expressions[number].copy()
    elif isinstance(row, exp.Cast) and isinstance(row.this, exp.Struct):
        value = exp.Cast(this=row.this.expressions[number].copy(), to=kind.copy())
    else:
        place = exp.Literal.number(number + 1)
        value = exp.Anonymous(this="struct_extract_at", expressions=[row.copy(), place])
    value.type = kind
    return value
