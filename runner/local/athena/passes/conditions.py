"""What decides must be a boolean: WHERE 1, `a AND 'x'` and NOT 0 are refused, DuckDB casts them.

Only operands whose types are certain are looked at: literals, casts, columns, sums and counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.trees import walk

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES = exp.DataType.Type
_OTHERS = (
    exp.DataType.INTEGER_TYPES
    | exp.DataType.FLOAT_TYPES
    | exp.DataType.TEXT_TYPES
    | exp.DataType.NESTED_TYPES
    | {_TYPES.DECIMAL, _TYPES.DATE, _TYPES.TIMESTAMP, _TYPES.TIMESTAMPTZ, _TYPES.JSON}
)
_CERTAIN = (exp.Literal, exp.Cast, exp.Column, exp.Add, exp.Sub, exp.Mul, exp.Count, exp.Sum)


def apply(tree: exp.Query) -> exp.Query:
    """Refuse conditions that are no booleans."""
    for node in walk(tree):
        check = _CHECKS.get(type(node))
        if check is not None:
            check(node)
    return tree


def _other(node: exp.Expr | None) -> str:
    """Name the type of an operand that is surely no boolean; else nothing."""
    found = node.unnest() if node is not None else None
    if not isinstance(found, _CERTAIN) or found.type is None or found.type.this not in _OTHERS:
        return ""
    if isinstance(found, exp.Literal) and found.is_string:
        return f"varchar({len(found.name)})"
    return parse_type(found.type.sql("trino")).trino()


def _clause(node: exp.Expr | None, what: str) -> None:
    if kind := _other(node):
        raise AthenaFailure(
            "TYPE_MISMATCH",
            f"{what} clause must evaluate to a boolean: actual type {kind}",
            at=node,
        )


def _term(node: exp.Expr | None, what: str) -> None:
    if kind := _other(node):
        raise AthenaFailure(
            "TYPE_MISMATCH", f"{what} must evaluate to a boolean (actual: {kind})", at=node
        )


def _connector(node: exp.Expr) -> None:
    _term(node.args["this"], "Logical expression term")
    _term(node.args["expression"], "Logical expression term")


def _case(node: exp.Expr) -> None:
    if node.args.get("this") is None:
        for branch in node.args["ifs"]:
            _term(branch.this, "CASE WHEN clause")


def _if(node: exp.Expr) -> None:
    if not isinstance(node.parent, exp.Case):
        _term(node.this, "IF condition")


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.Where: lambda node: _clause(node.this, "WHERE"),
    exp.Having: lambda node: _clause(node.this, "HAVING"),
    exp.Join: lambda node: _clause(node.args.get("on"), "JOIN ON"),
    exp.And: _connector,
    exp.Or: _connector,
    exp.Not: lambda node: _term(node.this, "Value of logical NOT expression"),
    exp.Case: _case,
    exp.If: _if,
}
