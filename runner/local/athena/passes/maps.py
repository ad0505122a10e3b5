"""Functions of maps, over their entries; aggregates into maps, over arrays of entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import unsupported
from runner.local.athena.nested import call_of
from runner.local.athena.passes.lambdas import (
    body_of,
    call,
    field_of,
    fresh,
    lambda_of,
    pair_of,
    unless_null,
)
from runner.local.athena.trees import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Handler = Callable[[exp.Expr, Sequence[exp.Expr]], exp.Expr]

_AGGREGATES = {"map_agg": "__map_first", "multimap_agg": "__multimap"}


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite every call, arguments first."""
    for node in reversed(walk(tree)):
        name, arguments = call_of(node)
        if name in _AGGREGATES:
            entry = pair_of(arguments[0].copy(), arguments[1])
            _aggregate(node, _AGGREGATES[name], exp.ArrayAgg(this=entry), arguments[0])
        elif name == "map_union":
            _aggregate(node, "__map_union", exp.ArrayAgg(this=arguments[0].copy()), arguments[0])
        elif name == "histogram":
            _aggregate(node, "__histogram", call(name, arguments[0].copy()), arguments[0])
        elif name in _HANDLERS:
            new = _HANDLERS[name](node, arguments)
            new.type = node.type
            node.replace(new)
    return tree


def _aggregate(node: exp.Expr, macro: str, inner: exp.Expr, wanted: exp.Expr) -> None:
    """Aggregate where `wanted` is not NULL, under the call's own FILTER and OVER."""
    if isinstance(wanted, exp.Distinct | exp.Order):
        raise unsupported(f"{call_of(node)[0]} with DISTINCT or ORDER BY")
    condition: exp.Expr = exp.Not(this=exp.Is(this=wanted.copy(), expression=exp.null()))
    whole = node
    if isinstance(node.parent, exp.Filter):
        whole = node.parent
        condition = exp.and_(whole.expression.this, condition)
    found: exp.Expr = exp.Filter(this=inner, expression=exp.Where(this=condition))
    if isinstance(whole.parent, exp.Window) and whole.arg_key == "this":
        whole.replace(found)
        whole = found.find_ancestor(exp.Window) or whole
        found = whole.copy()
    new = call(macro, found)
    new.type = node.type
    whole.replace(new)


def _bodies(node: exp.Expr, argument: exp.Expr) -> tuple[exp.Expr, str]:
    """Give a lambda's body over an entry, and the entry's name."""
    if not isinstance(argument, exp.Lambda):
        raise unsupported(f"{call_of(node)[0]} without a lambda")
    name = fresh(node)
    return body_of(argument, field_of(name, 1), field_of(name, 2)), name


def _map_filter(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    body, name = _bodies(node, arguments[1])
    kept = call("list_filter", call("map_entries", arguments[0]), lambda_of(body, name))
    return call("map_from_entries", kept)


def _transform_keys(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    body, name = _bodies(node, arguments[1])
    entry = pair_of(body, field_of(name, 2))
    entries = call("list_transform", call("map_entries", arguments[0]), lambda_of(entry, name))
    return call("__map_strict", entries)


def _transform_values(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    body, name = _bodies(node, arguments[1])
    entry = pair_of(field_of(name, 1), body)
    entries = call("list_transform", call("map_entries", arguments[0]), lambda_of(entry, name))
    return call("map_from_entries", entries)


def _map_zip_with(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    left, right, merge = arguments
    if not isinstance(merge, exp.Lambda):
        raise unsupported("map_zip_with without a lambda")
    key = exp.to_identifier(fresh(node))
    values = [call("map_extract_value", each.copy(), key.copy()) for each in (left, right)]
    entry = pair_of(key, body_of(merge, key, *values))
    entries = call("list_transform", call("__all_keys", left, right), lambda_of(entry, key.name))
    return call("map_from_entries", entries)


def _map_entries(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """Give rows without names, as Trino does."""
    name = fresh(node)
    row = call("row", field_of(name, 1), field_of(name, 2))
    return call("list_transform", call("map_entries", arguments[0]), lambda_of(row, name))


def _entries(node: exp.Expr, argument: exp.Expr) -> exp.Expr:
    name = fresh(node)
    entry = pair_of(field_of(name, 1), field_of(name, 2))
    whole = call("__entries_whole", argument)
    return call("list_transform", whole, lambda_of(entry, name))


def _map_from_entries(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return call("__map_strict", _entries(node, arguments[0]))


def _multimap_from_entries(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return call("__multimap_strict", _entries(node, arguments[0]))


def _split_to_map(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    if len(node.expressions) > 3:  # noqa: PLR2004 - text and two delimiters
        raise unsupported("split_to_map with a lambda")
    return call("__map_strict", call("__split_entries", *arguments))


def _split_to_multimap(_: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return call("__multimap", call("__split_entries", *arguments))


def _map_concat(_: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """Give NULL if any map is: DuckDB passes over it."""
    joined = call("map_concat", *(each.copy() for each in arguments))
    return unless_null(joined, arguments)


_HANDLERS: dict[str, Handler] = {
    "map_concat": _map_concat,
    "map_entries": _map_entries,
    "map_filter": _map_filter,
    "map_from_entries": _map_from_entries,
    "map_zip_with": _map_zip_with,
    "multimap_from_entries": _multimap_from_entries,
    "split_to_map": _split_to_map,
    "split_to_multimap": _split_to_multimap,
    "transform_keys": _transform_keys,
    "transform_values": _transform_values,
}
