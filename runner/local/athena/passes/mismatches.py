"""Types that Trino never mixes: numbers with text, dates with text, JSON with anything.

DuckDB would cast one side; Athena refuses the statement.  Only operands whose types are certain
are looked at: literals, casts, columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.trees import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TYPES = exp.DataType.Type
_KINDS = {
    **dict.fromkeys(exp.DataType.INTEGER_TYPES | exp.DataType.FLOAT_TYPES, "number"),
    _TYPES.DECIMAL: "number",
    **dict.fromkeys(exp.DataType.TEXT_TYPES, "text"),
    _TYPES.BOOLEAN: "boolean",
    _TYPES.DATE: "date",
    _TYPES.TIMESTAMP: "date",
    _TYPES.TIMESTAMPNTZ: "date",
    _TYPES.TIMESTAMPTZ: "date",
    _TYPES.JSON: "json",
}
_NESTED = {"map": "map", "struct": "row"}
_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: "<",
    exp.GTE: "<=",
}
_FLIPPED = (exp.GT, exp.GTE)


def apply(tree: exp.Query) -> exp.Query:
    """Refuse comparisons and choices between types that have none in common."""
    for node in walk(tree):
        check = _CHECKS.get(type(node))
        if check is not None:
            check(node)
    return tree


def certain_kind(node: exp.Expr) -> str:
    """Give what family a node is of, nested ones too; empty if that is not certain."""
    found = _kind(node)
    if found or node.type is None:
        return found
    return next((name for kind, name in _NESTED.items() if node.type.is_type(kind)), "")


def _kind(node: exp.Expr) -> str:
    node = node.unnest()
    if isinstance(node, exp.Neg):
        return _kind(node.this)
    certain = isinstance(node, exp.Literal | exp.Boolean | exp.Cast | exp.Column)
    return _KINDS.get(node.type.this, "") if certain and node.type else ""


def _name(node: exp.Expr) -> str:
    node = node.unnest()
    if isinstance(node, exp.Literal) and node.is_string:
        return f"varchar({len(node.name)})"
    name = parse_type(node.type.sql("trino")).trino() if node.type else "unknown"
    return name.replace(", ", ",") if name.startswith("decimal") else name


def _differ(nodes: Sequence[exp.Expr]) -> tuple[exp.Expr, exp.Expr] | None:
    """Give two operands whose types have nothing in common."""
    known = [node for node in nodes if _kind(node)]
    return next(((known[0], node) for node in known[1:] if _kind(node) != _kind(known[0])), None)


def _has_map(node: exp.Expr) -> bool:
    """Tell whether a map is part of a value: such values have no order."""
    kinds = node.type.find_all(exp.DataType) if node.type else ()
    return any(kind.this == _TYPES.MAP for kind in kinds)


def _refuse(node: exp.Expr, message: str) -> None:
    raise AthenaFailure("TYPE_MISMATCH", message, at=node)


def _compare(node: exp.Expr) -> None:
    sides = [node.args["this"], node.args["expression"]]
    has_map = not isinstance(node, exp.EQ | exp.NEQ) and any(map(_has_map, sides))
    if has_map or _differ(sides):
        if isinstance(node, _FLIPPED):
            sides.reverse()
        left, right = map(_name, sides)
        _refuse(node, f"Cannot apply operator: {left} {_SIGNS[type(node)]} {right}")


def _between(node: exp.Expr) -> None:
    operands = [node.args[name] for name in ("this", "low", "high")]
    if _differ(operands):
        value, low, high = map(_name, operands)
        _refuse(node, f"Cannot check if {value} is BETWEEN {low} and {high}")


def _among(node: exp.Expr) -> None:
    if found := _differ([node.args["this"], *node.expressions]):
        _refuse(
            found[1],
            f"IN value and list items must be the same type: {', '.join(map(_name, found))}",
        )


def _results(what: str, operands: Sequence[exp.Expr]) -> None:
    if found := _differ(operands):
        first, second = map(_name, found)
        names = dict.fromkeys(_name(each) for each in operands if _kind(each))
        _refuse(
            found[1],
            f"All {what} must be the same type or coercible to a common type. Cannot find common "
            f"type between {first} and {second}, all types (without duplicates): "
            f"[{', '.join(names)}]",
        )


def _case(node: exp.Expr) -> None:
    operand: exp.Expr | None = node.args.get("this")
    if operand is None:
        operand = exp.null()
    for branch in node.args["ifs"]:
        if found := _differ((operand, branch.this)):
            names = " vs ".join(map(_name, found))
            _refuse(
                branch.this, f"CASE operand type does not match WHEN clause operand type: {names}"
            )
    branches = [branch.args["true"] for branch in node.args["ifs"]]
    default = node.args.get("default")
    _results("CASE results", branches if default is None else [*branches, default])


def _choice(node: exp.Expr) -> None:
    false = node.args.get("false")
    if not isinstance(node.parent, exp.Case) and false is not None:
        operands = [node.args["true"], false]
        if _differ(operands):
            first, second = map(_name, operands)
            _refuse(node, f"Result types for IF must be the same: {first} vs {second}")


def _coalesce(node: exp.Expr) -> None:
    _results("COALESCE operands", [node.args["this"], *node.expressions])


def _nullif(node: exp.Expr) -> None:
    sides = [node.args["this"], node.args["expression"]]
    if _differ(sides):
        first, second = map(_name, sides)
        _refuse(node, f"Types are not comparable with NULLIF: {first} vs {second}")


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    **dict.fromkeys(_SIGNS, _compare),
    exp.Between: _between,
    exp.In: _among,
    exp.Case: _case,
    exp.If: _choice,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
}
