"""Which inputs a query filters by the window, and from how long before it (SEMANTICS 19, 20).

In: the tree.  Out: a `WindowFilter` for each mention of a table and column that every path of the
query bounds from below by a mark.  A bound on a subquery's or CTE's column is followed to the
table's column, unless the subquery looks at other rows (LIMIT, window functions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from runner.model.sqltext import Mark
from runner.query.facts import WindowFilter
from runner.query.parse import selects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlglot.optimizer.scope import Scope

    from runner.query.rendered import Rendered


@dataclass(frozen=True, slots=True)
class _Bound:
    """A column (its qualifier may be empty) that is at least one of the marks."""

    qualifier: str
    column: str
    marks: tuple[Mark, ...]


def window_filters(
    rendered: Rendered, tree: exp.Expr, mentions: Mapping[int, int]
) -> tuple[WindowFilter, ...]:
    """Find the filters; `mentions` maps id() of a table's node to its index in the analysis."""
    if not rendered.printed:
        return ()
    incoming: dict[int, list[list[_Bound]]] = {}
    found: list[WindowFilter] = []
    for scope in reversed(traverse_scope(tree)):
        inherited = _common(incoming.get(id(scope), []))
        if isinstance(scope.expression, exp.SetOperation):
            for branch in scope.set_operation_scopes:
                passed = _through_union(scope.expression, branch.expression, inherited)
                incoming.setdefault(id(branch), []).append(passed)
            continue
        bounds = _with_equals(
            scope, [*_own_bounds(rendered, scope), *_pushed_down(scope, inherited)]
        )
        for alias, (node, source) in scope.selected_sources.items():
            mine = [bound for bound in bounds if bound.qualifier in ("", alias.lower())]
            if isinstance(source, exp.Table):
                index = mentions.get(id(source), mentions.get(id(node)))
                if index is not None:
                    found += [WindowFilter(index, bound.column, bound.marks) for bound in mine]
            else:
                incoming.setdefault(id(source), []).append(mine)
    return tuple(dict.fromkeys(found))


def _common(references: list[list[_Bound]]) -> list[_Bound]:
    """Keep the columns that every reference to a subquery bounds."""
    if not references:
        return []
    columns = set.intersection(*({bound.column for bound in group} for group in references))
    merged: list[_Bound] = []
    for column in sorted(columns):
        marks = [m for group in references for b in group if b.column == column for m in b.marks]
        merged.append(_Bound("", column, tuple(dict.fromkeys(marks))))
    return merged


def _through_union(union: exp.Expr, branch: exp.Expr, bounds: list[_Bound]) -> list[_Bound]:
    outer = [item.alias_or_name.lower() for item in selects(union)]
    inner = [item.alias_or_name.lower() for item in selects(branch)]
    passed: list[_Bound] = []
    for bound in bounds:
        if "*" in outer + inner:
            passed.append(bound)
        elif bound.column in outer and outer.index(bound.column) < len(inner):
            passed.append(_Bound("", inner[outer.index(bound.column)], bound.marks))
    return passed


def _pushed_down(scope: Scope, bounds: list[_Bound]) -> Iterator[_Bound]:
    """Follow bounds on a subquery's output to the columns that it selects."""
    query = scope.expression
    if not isinstance(query, exp.Select) or query.args.get("limit") or query.find(exp.Window):
        return
    by_name = {item.alias_or_name.lower(): item.unalias() for item in query.selects}
    for bound in bounds:
        item = by_name.get(bound.column)
        if item is None and any(item.is_star for item in query.selects):
            yield bound
        else:
            column = _bare_column(item)
            if column is not None:
                yield _Bound(column.table.lower(), column.name.lower(), bound.marks)


def _own_bounds(rendered: Rendered, scope: Scope) -> list[_Bound]:
    query = scope.expression
    if not isinstance(query, exp.Select):
        return []
    where = query.args.get("where")
    bounds = list(_bounds(rendered, where.this)) if where is not None else []
    for join in query.args.get("joins") or ():
        condition = join.args.get("on")
        if condition is None:
            continue
        joined = join.this.alias_or_name.lower()
        found = _bounds(rendered, condition)
        inner = not join.args.get("side")
        left = join.args.get("side") == "LEFT"
        bounds += [b for b in found if inner or (left and b.qualifier == joined)]
    return bounds


def _with_equals(scope: Scope, bounds: list[_Bound]) -> list[_Bound]:
    """Carry bounds over equalities: f.dt = w.dt bounds w.dt when f.dt is bounded."""
    query = scope.expression
    if not bounds or not isinstance(query, exp.Select):
        return bounds
    where = query.args.get("where")
    pairs = list(_equal_columns(where.this)) if where is not None else []
    shared: set[str] = set()
    for join in query.args.get("joins") or ():
        shared |= {column.name.lower() for column in join.args.get("using") or ()}
        condition, side = join.args.get("on"), join.args.get("side")
        if condition is None or side not in (None, "", "LEFT"):
            continue
        joined = join.this.alias_or_name.lower()
        found = list(_equal_columns(condition))
        pairs += [pair for pair in found if not side or pair[1][0] == joined]
    found_bounds = [_Bound("", b.column, b.marks) if b.column in shared else b for b in bounds]
    for bound in found_bounds:  # grows while it is read
        for source, (qualifier, column) in pairs:
            if source in ((bound.qualifier, bound.column), ("", bound.column)):
                carried = _Bound(qualifier, column, bound.marks)
                if carried not in found_bounds:
                    found_bounds.append(carried)
    return found_bounds


_Pair = tuple[tuple[str, str], tuple[str, str]]


def _equal_columns(node: exp.Expr) -> Iterator[_Pair]:
    """Give the pairs of columns that a condition makes equal, in both directions."""
    match node:
        case exp.Paren():
            yield from _equal_columns(node.this)
        case exp.And():
            yield from _equal_columns(node.left)
            yield from _equal_columns(node.right)
        case exp.EQ():
            left, right = _bare_column(node.left), _bare_column(node.right)
            if left is not None and right is not None:
                one = (left.table.lower(), left.name.lower())
                other = (right.table.lower(), right.name.lower())
                yield one, other
                yield other, one
        case _:
            return


def _bounds(rendered: Rendered, node: exp.Expr) -> Iterator[_Bound]:
    match node:
        case exp.Paren():
            yield from _bounds(rendered, node.this)
        case exp.And():
            yield from _bounds(rendered, node.left)
            yield from _bounds(rendered, node.right)
        case exp.Or():
            yield from _either(
                list(_bounds(rendered, node.left)), list(_bounds(rendered, node.right))
            )
        case exp.Between():
            yield from _bound(rendered, node.this, [node.args["low"]])
        case exp.In():
            yield from _bound(rendered, node.this, node.expressions)
        case exp.EQ():
            yield from _bound(rendered, node.left, [node.right])
            yield from _bound(rendered, node.right, [node.left])
        case exp.GTE() | exp.GT():
            yield from _bound(rendered, node.left, [node.right])
        case exp.LTE() | exp.LT():
            yield from _bound(rendered, node.right, [node.left])
        case _:
            return


def _either(left: list[_Bound], right: list[_Bound]) -> Iterator[_Bound]:
    for bound in left:
        for other in right:
            if (bound.qualifier, bound.column) == (other.qualifier, other.column):
                yield _Bound(bound.qualifier, bound.column, bound.marks + other.marks)


def _bound(rendered: Rendered, side: exp.Expr, values: list[exp.Expr]) -> Iterator[_Bound]:
    column = _bare_column(side)
    marks = [list(_marks(rendered, value)) for value in values]
    if column is not None and marks and all(marks):
        flat = tuple(dict.fromkeys(mark for found in marks for mark in found))
        yield _Bound(column.table.lower(), column.name.lower(), flat)


def _bare_column(node: exp.Expr | None) -> exp.Column | None:
    """Find the column under casts and date readings, which keep the order of days."""
    while isinstance(node, exp.Cast | exp.Paren | exp.Date | exp.StrToTime | exp.TsOrDsToDate):
        node = node.this
    return node if isinstance(node, exp.Column) and not node.is_star else None


def _marks(rendered: Rendered, value: exp.Expr) -> Iterator[Mark]:
    for literal in value.find_all(exp.Literal):
        start, end = literal.meta.get("start"), literal.meta.get("end")
        if start is None or end is None:
            continue
        for printed in rendered.printed:
            if start <= printed.sample_start and printed.sample_end <= end + 1:
                steps = tuple(_arithmetic(literal, value))
                yield Mark(printed.mark.base, printed.mark.steps + steps, printed.mark.format)


def _arithmetic(literal: exp.Expr, top: exp.Expr) -> Iterator[tuple[str, int]]:
    """Give the date arithmetic between a literal and the comparison that it stands in."""
    node: exp.Expr = literal
    while node is not top and node.parent is not None:
        child, node = node, node.parent
        if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
            sign = -1 if isinstance(node, exp.Sub) else 1
            yield from _step(node.expression.this, node.expression.args.get("unit"), sign)
        elif isinstance(node, exp.DateAdd | exp.DateSub) and child is node.this:
            sign = -1 if isinstance(node, exp.DateSub) else 1
            yield from _step(node.expression, node.args.get("unit"), sign)


def _step(count: exp.Expr, unit: exp.Expr | None, sign: int) -> Iterator[tuple[str, int]]:
    negative = isinstance(count, exp.Neg)
    literal = count.this if negative else count
    name = (unit.name if unit is not None else "").lower().rstrip("s") + "s"
    text = literal.name if isinstance(literal, exp.Literal) else ""
    if text.lstrip("-").isdigit() and name in ("hours", "days", "weeks", "months", "years"):
        yield name, sign * int(text) * (-1 if negative else 1)
