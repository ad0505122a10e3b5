"""Dates, times, timestamps with their zones, and intervals, as Trino has them.

DuckDB keeps an instant without its zone, and fractions to the microsecond.  Each expression's
precision and zone are found in the tree first; then functions are rewritten to work on the local
time of the zone.  What the result shows is left in the tree's `meta`: `shows` for each column, and
`zones` for columns whose zone differs from row to row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.datetexts import UTC
from runner.local.athena.errors import unsupported
from runner.local.athena.passes import (
    temporal_casts,
    temporal_fields,
    temporal_fine,
    temporal_functions,
    temporal_sums,
)
from runner.local.athena.passes.temporal_trees import zone_text
from runner.local.athena.shown import EACH, MONTHS
from runner.local.athena.temporal_kinds import SAME_CALLS, Kinds, join, type_name
from runner.local.athena.trees import find_all, kind_of, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.athena.temporal_kinds import Kind

    Rewriter = Callable[[Kinds, exp.Expr], exp.Expr | None]

_REWRITERS: Mapping[type[exp.Expr], Rewriter] = {
    **temporal_casts.REWRITERS,
    **temporal_fields.REWRITERS,
    **temporal_functions.REWRITERS,
    **temporal_sums.REWRITERS,
}
_CARRIERS = (
    *temporal_fields.REWRITERS,
    *temporal_functions.REWRITERS,
    exp.Binary,
    exp.Connector,
    exp.Predicate,
    exp.Between,
    exp.Paren,
    exp.Alias,
    exp.Cast,
    exp.Coalesce,
    exp.Greatest,
    exp.Least,
    exp.Case,
    exp.If,
    exp.Nullif,
    exp.Min,
    exp.Max,
    exp.ArgMax,
    exp.ArgMin,
    exp.AnyValue,
    exp.Count,
    exp.ApproxDistinct,
    exp.Distinct,
    exp.Window,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
    exp.Query,
    exp.Group,
    exp.Order,
    exp.Ordered,
    exp.Tuple,
    exp.Values,
    exp.Array,
    exp.ArrayAgg,
    exp.Bracket,
    exp.GenerateSeries,
    exp.Unnest,
    exp.Struct,
    exp.In,
    exp.Filter,
    exp.Having,
    exp.Where,
    exp.Join,
    exp.Typeof,
    exp.Lambda,
    exp.Transform,
    exp.ArrayFilter,
    exp.ArraySort,
    exp.ArrayDistinct,
    exp.ArrayMax,
    exp.ArrayMin,
    exp.Reverse,
)

_NAMED_CARRIERS = frozenset(temporal_functions.NAMED) | SAME_CALLS | {"len"}

_USUAL_DIGITS = 3
"""Digits of a second that times are shown with unless their type says otherwise."""


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite the innermost expressions first."""
    temporal_casts.see_zones(tree)
    temporal_fine.apply(tree)
    kinds = Kinds()
    nodes = walk(tree)
    for node in nodes:
        kinds.of(node)
    outputs = tuple(_output(kinds, tree, number) for number in range(len(tree.selects)))
    shows = tuple(_show(kind) for kind in outputs)
    zones = {
        number: zone_text(kind)
        for number, kind in enumerate(outputs)
        if shows[number] == EACH and kind is not None and kind.zone is not None
    }
    for node in reversed(nodes):
        kind = kinds.of(node)
        _check_zone(node, kind)
        _check_offset(node, kind)
        rewrite = _REWRITERS.get(type(node))
        new = rewrite(kinds, node) if rewrite is not None else None
        if new is not None and new is not node:
            new.type = node.type
            kinds.keep(new, kind)
            node.replace(new)
    _plain_types(tree)
    tree.meta["shows"] = shows
    tree.meta["zones"] = zones
    return tree


def _output(kinds: Kinds, tree: exp.Query, number: int) -> Kind | None:
    """Give an output column's kind, over all branches of a UNION."""
    if isinstance(tree, exp.SetOperation):
        sides = (tree.left.unnest(), tree.right.unnest())
        return join([_output(kinds, side, number) for side in sides if isinstance(side, exp.Query)])
    return kinds.of(tree.selects[number]) if number < len(tree.selects) else None


def _show(kind: Kind | None) -> str:
    """Say how to show a column: its zone, that its intervals are of months, a time's digits."""
    if kind is None or kind.name not in {"zoned", "months", "time"}:
        return ""
    if kind.name == "months":
        return MONTHS
    if kind.name == "time":
        usual = kind.array or kind.precision == _USUAL_DIGITS
        return "" if usual else type_name(kind)
    zone = kind.constant_zone()
    if zone is None:
        return EACH
    return "" if zone == UTC else zone


def _check_zone(node: exp.Expr, kind: Kind | None) -> None:
    """Refuse to hand a zone to what would lose it."""
    parent = node.parent
    if kind is not None and kind.name == "months" and _loses_months(parent):
        raise unsupported("An interval year to month inside of a map or row")
    if kind is None or kind.name != "zoned" or kind.constant_zone() == UTC:
        return
    if parent is None or isinstance(node, exp.Query | exp.Identifier):
        return
    if isinstance(parent, exp.Anonymous):
        if parent.name.lower() in _NAMED_CARRIERS:
            return
    elif (isinstance(parent, _CARRIERS) and not _is_shown_row(parent)) or not isinstance(
        parent, exp.Func
    ):
        return
    raise unsupported(f"A time zone inside of {_name(parent)}")


def _loses_months(parent: exp.Expr | None) -> bool:
    """Tell whether a value is put where its intervals would be shown as days."""
    if isinstance(parent, exp.Anonymous):
        return parent.name.lower() in {"map", "map_agg", "histogram", "multimap_agg"}
    return parent is not None and (
        isinstance(parent, exp.Map | exp.VarMap) or _is_shown_row(parent)
    )


def _check_offset(node: exp.Expr, kind: Kind | None) -> None:
    """Refuse to group times with a zone: DuckDB tells equal ones with other offsets apart."""
    if kind is None or kind.name != "timetz":
        return
    parent = node.parent
    distinct = isinstance(parent, exp.Select) and parent.args.get("distinct") is not None
    if distinct or isinstance(parent, exp.Group | exp.Distinct):
        raise unsupported("Grouping by a time with time zone")


def _is_shown_row(node: exp.Expr) -> bool:
    """Tell whether a row may reach the result: it is not compared with another."""
    if isinstance(node, exp.Tuple):
        return not isinstance(node.parent, exp.Values | exp.In | exp.Group | exp.Binary)
    return isinstance(node, exp.Struct) and node.find_ancestor(*temporal_sums.COMPARED) is None


def _name(node: exp.Expr) -> str:
    return node.name if isinstance(node, exp.Anonymous) else node.key


def _plain_types(tree: exp.Query) -> None:
    """Drop the precision of types: DuckDB would make other types of it."""
    for kind in find_all(tree, exp.DataType):
        if kind.this in temporal_casts.STAMPS:
            kind.replace(kind_of("TIMESTAMP"))
        elif kind.this in temporal_casts.ZONED and kind.expressions:
            kind.replace(kind_of("TIMESTAMPTZ"))
