"""Arguments that a function of Athena's does not take, and conditions that are no booleans.

DuckDB would cast them.  Only arguments whose types are certain are looked at: literals, casts,
columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.calls import BINARY, IP, UUID, is_type, kind_name, mismatch
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.passes.mismatches import certain_kind
from runner.local.athena.trees import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_NUMBER = frozenset({"text", "boolean", "date"})
_NO_TEXT = frozenset({"number", "boolean", "date"})
_NO_BOOLEAN = frozenset({"number", "text", "date"})
_NO_ORDER = frozenset({"map", "json"})
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
    exp.BitwiseAndAgg: ("bitwise_and_agg", _NO_NUMBER),
    exp.BitwiseOrAgg: ("bitwise_or_agg", _NO_NUMBER),
    exp.CountIf: ("count_if", _NO_BOOLEAN),
    exp.Max: ("max", _NO_ORDER),
    exp.Min: ("min", _NO_ORDER),
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
        else:
            _check_other(node)
    return tree


def _check_other(node: exp.Expr) -> None:
    match node:
        case exp.ArgMax() | exp.ArgMin() if certain_kind(node.expression) in _NO_ORDER:
            name = "max_by" if isinstance(node, exp.ArgMax) else "min_by"
            raise mismatch(name, [node.this, node.expression])
        case exp.GroupConcat():
            _listed(node)
        case exp.DPipe():
            _joined(node)
        case exp.Greatest() | exp.Least():
            operands = [node.this, *node.expressions]
            if any(certain_kind(each) in _NO_ORDER for each in operands):
                raise mismatch(node.key, operands)
        case exp.Having() if _is_number(node.this):
            raise AthenaFailure(
                "TYPE_MISMATCH",
                "HAVING clause must evaluate to a boolean: actual type "
                f"{kind_name(node.this.type)}",
            )
        case exp.Ordered() if certain_kind(node.this) == "map":
            raise AthenaFailure(
                "TYPE_MISMATCH",
                f"Type {kind_name(node.this.type)} is not orderable, and therefore cannot be used "
                f"in ORDER BY: {node.this.sql('trino')}",
            )
        case exp.Lag() | exp.Lead():
            _offset(node.args.get("offset"), 0)
        case exp.NthValue():
            _offset(node.args.get("offset"), 1)
        case _:
            _condition(node)


def _joined(node: exp.DPipe) -> None:
    """Refuse `||` of anything but two texts, two binary values, or an array and what it takes."""
    sides = [node.left, node.right]
    kinds = [_joinable(each) for each in sides]
    if "" not in kinds and "array" not in kinds and (kinds[0] != kinds[1] or "other" in kinds):
        raise mismatch("concat", sides)


def _joinable(node: exp.Expr) -> str:
    node = node.unnest()
    if is_type(node, *BINARY):
        return "binary"
    if isinstance(node, exp.Interval):
        return "other"
    if isinstance(node, exp.Cast) and is_type(node, IP, UUID, *exp.DataType.TEMPORAL_TYPES):
        return "other"
    if isinstance(node, exp.Null) or node.type is None:
        return ""
    if node.is_type(exp.DType.ARRAY):
        return "array"
    found = certain_kind(node)
    return found if found in {"", "text"} else "other"


def _is_number(node: exp.Expr) -> bool:
    return node.type is not None and node.type.this in exp.DataType.NUMERIC_TYPES


def _listed(node: exp.GroupConcat) -> None:
    """Refuse listagg of anything but text."""
    value = node.this
    while isinstance(value, exp.Order | exp.Distinct):
        value = value.expressions[0] if isinstance(value, exp.Distinct) else value.this
    if certain_kind(value) in _NO_TEXT:
        raise AthenaFailure(
            "TYPE_MISMATCH",
            f"Expected expression of varchar, but '{value.name}' has {kind_name(value.type)} type",
        )


def _offset(node: exp.Expr | None, least: int) -> None:
    """Check an offset that is a literal; others are taken as they are."""
    if isinstance(node, exp.Null):
        raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", "Offset must not be null")
    sign = -1 if isinstance(node, exp.Neg) else 1
    inner = node.this if isinstance(node, exp.Neg) else node
    if isinstance(inner, exp.Literal) and inner.is_int and sign * int(inner.name) < least:
        raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", f"Offset must be at least {least}")


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
