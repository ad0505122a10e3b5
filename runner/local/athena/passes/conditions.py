"""What decides must be a boolean: WHERE 1, `a AND 'x'` and NOT 0 are refused, DuckDB casts them.

Only operands whose types are certain are looked at: literals, casts, columns, common functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from runner.local.athena.annotators import METADATA
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.trees import kind_of, walk

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
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg)
_CERTAIN = (
    *(exp.Literal, exp.Cast, exp.Column, exp.Coalesce),
    *_ARITHMETIC,
    *(exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max),
    *(exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Length),
    *(exp.Concat, exp.DPipe, exp.Upper, exp.Lower, exp.Substring, exp.Trim),
)
_OPERATORS = (*(each for each in _ARITHMETIC if each is not exp.Neg), exp.DPipe)
"""Trino says where the sign stands, which nobody knows any more."""


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


def _refuse(node: exp.Expr | None, message: str, kind: str) -> None:
    raise AthenaFailure("TYPE_MISMATCH", message.format(kind), at=node)


def _clause(node: exp.Expr | None, what: str) -> None:
    if kind := _other(node):
        _refuse(node, what + " clause must evaluate to a boolean: actual type {}", kind)


def _term(node: exp.Expr | None, what: str) -> None:
    if kind := _other(node):
        _refuse(node, what + " must evaluate to a boolean (actual: {})", kind)


def _where(node: exp.Expr) -> None:
    if isinstance(node.parent, exp.Filter):
        _term(node.this, "Filter expression")
    else:
        _clause(node.this, "WHERE")


def _having(node: exp.Expr) -> None:
    """Check a clause whose columns sqlglot gives no types: the select list's have them."""
    select = node.parent
    if isinstance(node.this.unnest(), _CERTAIN) and isinstance(select, exp.Select):
        kinds = {
            each.name: each.type
            for each in select.find_all(exp.Column)
            if each.type is not None and not each.is_type(_TYPES.UNKNOWN)
        }
        for column in list(node.find_all(exp.Column)):
            if not column.table and column.name in kinds:
                column.type = kinds[column.name]
        _annotate(node.this.unnest())
    _clause(node.this, "HAVING")


def _annotate(node: exp.Expr) -> None:
    """Give an expression its type by those of its columns; sums are no booleans in any case."""
    copy = exp.Alias(this=node.copy(), alias=exp.to_identifier("c"))
    for column in list(copy.find_all(exp.Column)):
        if column.type is None or column.is_type(_TYPES.UNKNOWN):
            if isinstance(node, exp.Sum | exp.Avg):
                node.type = kind_of("BIGINT" if isinstance(node, exp.Sum) else "DOUBLE")
            return
        column.replace(exp.cast(exp.null(), column.type))
    select = exp.Select(expressions=[copy])
    node.type = annotate_types(select, None, METADATA, dialect="trino").selects[0].type


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
    exp.Where: _where,
    exp.Having: _having,
    exp.Join: lambda node: _clause(node.args.get("on"), "JOIN ON"),
    exp.And: _connector,
    exp.Or: _connector,
    exp.Not: lambda node: _term(node.this, "Value of logical NOT expression"),
    exp.Case: _case,
    exp.If: _if,
}
