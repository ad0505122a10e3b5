"""Calls as they were written: the name, and the arguments in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

if TYPE_CHECKING:
    from runner.local.athena.analysis.rules import Analysis

_FORMS: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.Trim: ("trim", ("this", "expression")),
    exp.Substring: ("substring", ("this", "start", "length")),
    exp.StrPosition: ("strpos", ("this", "substr")),
    exp.ArgMax: ("max_by", ("this", "expression", "count")),
    exp.GroupConcat: ("listagg", ("this",)),
    exp.ArgMin: ("min_by", ("this", "expression", "count")),
}
"""Calls that the parser has a grammar for: the function, and where the arguments are."""
_TRIMS = {"LEADING": "ltrim", "TRAILING": "rtrim"}


class Written(NamedTuple):
    """A call's arguments as they were written, without what wraps them."""

    arguments: list[exp.Expr]
    is_distinct: bool = False
    order: tuple[exp.Expr, ...] = ()


def name_of(analysis: Analysis, node: exp.Expr) -> str:
    """Give the name that a call was written with; empty if it is none."""
    if isinstance(node, exp.Anonymous):
        return node.name.lower().removeprefix("__").replace("jzon", "json")
    if type(node) in _FORMS and id(node) not in analysis.arguments:
        position = str(node.args.get("position")).upper()
        return _TRIMS.get(position, _FORMS[type(node)][0])
    meta = node._meta  # noqa: SLF001 - `meta` would make one for each
    if not meta or "start" not in meta:
        return "if" if isinstance(node, exp.If) else _FORMS.get(type(node), ("", ()))[0]
    return analysis.sql[meta["start"] : meta["end"] + 1].lower().replace("jzon", "json")


def shown_name(analysis: Analysis, node: exp.Expr) -> str:
    """Give the name as it was written, small and capital letters kept."""
    meta = node.meta
    if "start" in meta:
        return analysis.sql[meta["start"] : meta["end"] + 1]
    return name_of(analysis, node)


def written(analysis: Analysis, node: exp.Expr) -> Written | None:
    """Give what a call was given; None if the parser did not note it."""
    if isinstance(node, exp.Anonymous):
        found = node.expressions
    elif id(node) in analysis.arguments:
        found = analysis.arguments[id(node)].arguments
    elif type(node) in _FORMS:
        names = _FORMS[type(node)][1]
        found = [node.args[name] for name in names if node.args.get(name) is not None]
    else:
        return None
    arguments = [each for each in found if not isinstance(each, exp.Star)]
    if not any(isinstance(each, _WRAPPERS) for each in arguments):
        return Written(arguments)
    return _unwrapped(arguments)


_WRAPPERS = (exp.Order, exp.Distinct, exp.IgnoreNulls, exp.RespectNulls)


def _unwrapped(arguments: list[exp.Expr]) -> Written:
    order: tuple[exp.Expr, ...] = ()
    is_distinct = False
    found: list[exp.Expr] = []
    for each in arguments:
        inner: exp.Expr = each
        while isinstance(inner, exp.Order | exp.IgnoreNulls | exp.RespectNulls):
            order = tuple(inner.expressions) if isinstance(inner, exp.Order) else order
            inner = inner.this
        is_distinct = is_distinct or isinstance(inner, exp.Distinct)
        found += inner.expressions if isinstance(inner, exp.Distinct) else [inner]
    return Written(found, is_distinct, order)
