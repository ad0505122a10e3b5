"""Dates stay dates: DATE +/- an interval, date_trunc and date_add of a DATE give a DATE."""

from __future__ import annotations

from sqlglot import exp

_DATE = exp.DataType.Type.DATE
_ADDS = (exp.Add, exp.Sub)


def apply(tree: exp.Query) -> exp.Query:
    """Cast the results of date arithmetic back; untyped operands go through a macro."""
    for node in list(tree.find_all(exp.DateAdd, exp.DateTrunc, exp.TimestampTrunc, *_ADDS)):
        match node:
            case exp.Add() | exp.Sub():
                _interval(node)
            case exp.DateTrunc() | exp.TimestampTrunc():
                unit = exp.Literal.string(node.text("unit").lower())
                _replace(node, "__date_trunc", [unit, node.this])
            case exp.DateAdd():
                unit = exp.Literal.string(node.text("unit").lower())
                _replace(node, "__date_add", [unit, node.expression, node.this])
    return tree


def _replace(node: exp.Expr, name: str, arguments: list[exp.Expr]) -> None:
    """Dispatch by DuckDB's types, unless an argument is an aggregate, which macros cannot see."""
    new = exp.Anonymous(this=name, expressions=arguments)
    typed = arguments[-1].type
    if typed is not None and typed.is_type("date"):
        new.set("this", f"{name}_date")
    elif arguments[-1].find(exp.AggFunc, exp.Window) is not None or (
        typed is not None and typed.is_type("timestamp", "timestamptz")
    ):
        new.set("this", f"{name}_timestamp")
    new.type = node.type
    node.replace(new)


def _interval(node: exp.Expr) -> None:
    if not isinstance(node, exp.Binary):
        return
    sides = [node.left, node.right]
    if not any(isinstance(side.unnest(), exp.Interval) for side in sides):
        return
    other = next((s for s in sides if not isinstance(s.unnest(), exp.Interval)), None)
    if other is not None and other.type is not None and other.type.this == _DATE:
        node.replace(exp.cast(node.copy(), exp.DataType.build("date")))
