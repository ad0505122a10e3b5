"""Arguments that a function of Athena's does not take, and conditions that are no booleans.

DuckDB would cast them.  Only arguments whose types are certain are looked at: literals, casts,
columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.calls import mismatch
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.passes.mismatches import certain_kind
from runner.local.athena.trees import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_NUMBER = frozenset({"text", "boolean", "date"})
_NO_TEXT = frozenset({"number", "boolean", "date"})
_NO_BOOLEAN = frozenset({"number", "text", "date"})
_REFUSED: dict[type[exp.Expr], tuple[str, frozenset[str]]] = {
    **{
        kind: (kind.key, _NO_NUMBER)
        for kind in (
            exp.Sqrt, exp.Cbrt, exp.Exp, exp.Ln, exp.Sin, exp.Cos, exp.Tan, exp.Asin, exp.Acos,
            exp.Atan, exp.Degrees, exp.Radians,
        )
    },
    exp.Avg: ("avg", _NO_NUMBER - {"date"}),
    exp.IsInf: ("is_infinite", _NO_NUMBER),
    exp.IsNan: ("is_nan", _NO_NUMBER),
    exp.JSONFormat: ("json_format", _NO_TEXT),
    exp.LogicalAnd: ("bool_and", _NO_BOOLEAN),
    exp.LogicalOr: ("bool_or", _NO_BOOLEAN),
    exp.Max: ("max", frozenset({"map"})),
    exp.Min: ("min", frozenset({"map"})),
    exp.Replace: ("replace", _NO_TEXT),
    exp.Reverse: ("reverse", _NO_TEXT | {"map", "row"}),
    exp.Sum: ("sum", _NO_NUMBER - {"date"}),
    exp.UnixToTime: ("from_unixtime", _NO_NUMBER),
}  # fmt: skip
"""Kinds of first arguments that are refused, beside the function's name."""
_NAMED: dict[str, frozenset[str]] = {
    "human_readable_seconds": _NO_NUMBER,
    "is_finite": _NO_NUMBER,
    "is_infinite": _NO_NUMBER,
    "__json_format": _NO_TEXT,
    "replace": _NO_TEXT,
    "__replace": _NO_TEXT,
    "__reverse": _NO_TEXT | {"map", "row"},
    "element_at": frozenset({"number", "text", "boolean", "date"}),
    "__element_at": frozenset({"number", "text", "boolean", "date"}),
}


_CONDITIONS = frozenset({exp.And, exp.Or, exp.Not, exp.If, exp.Where})


def apply(tree: exp.Query) -> exp.Query:
    """Refuse what Athena refuses; changes nothing."""
    for node in walk(tree):
        if isinstance(node, exp.Anonymous):
            name = node.name.lower()
            _check(
                name.removeprefix("__").replace("jzon", "json"), node.expressions, _NAMED.get(name)
            )
        elif type(node) in _REFUSED:
            name, refused = _REFUSED[type(node)]
            _check(name, [node.this] if node.this else [], refused)
        elif type(node) in _CONDITIONS:
            _condition(node)
    return tree


def _check(name: str, arguments: Sequence[exp.Expr], refused: frozenset[str] | None) -> None:
    if refused and arguments and certain_kind(arguments[0]) in refused:
        raise mismatch(name, arguments)


def _condition(node: exp.Expr) -> None:
    match node:
        case exp.And() | exp.Or():
            words, terms = "Logical expression term", [node.left, node.right]
        case exp.Not():
            words, terms = "Value of logical NOT expression", [node.this]
        case exp.If() if not isinstance(node.parent, exp.Case):
            words, terms = "IF condition", [node.this]
        case exp.Where():
            words, terms = "WHERE clause", [node.this]
        case _:
            return
    for each in terms:
        if certain_kind(each) in _NO_BOOLEAN and each.type is not None:
            found = each.type.sql("trino").lower()
            raise AthenaFailure(
                "TYPE_MISMATCH", f"{words} must evaluate to a boolean (actual: {found})"
            )
