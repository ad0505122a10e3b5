"""Expressions as Trino writes them in failures: `(y + 1)`, `CAST(x AS bigint)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.treetypes import type_of_tree

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.And: "AND", exp.Or: "OR",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip


def formatted(node: exp.Expr) -> str:
    """Write an expression."""
    sign = _SIGNS.get(type(node))
    if sign is not None:
        return f"({formatted(node.args['this'])} {sign} {formatted(node.args['expression'])})"
    writer = _WRITERS.get(type(node))
    if writer is not None:
        return writer(node)
    if isinstance(node, exp.Func):
        return _call(node)
    return node.sql("trino")


def _list(nodes: list[exp.Expr]) -> str:
    return ", ".join(map(formatted, nodes))


def _call(node: exp.Expr) -> str:
    """Write a call; the tree has the arguments of most in their order."""
    if isinstance(node, exp.Anonymous):
        name, nodes = node.name.removeprefix("__"), node.expressions
    else:
        text = node.sql("trino")
        name = text.partition("(")[0]
        nodes = [each for each in node.iter_expressions() if not isinstance(each, exp.DataType)]
    return f"{name.lower()}({_list(nodes)})"


def _case(node: exp.Expr) -> str:
    parts = ["CASE"]
    if node.args.get("this") is not None:
        parts.append(formatted(node.this))
    parts += [
        f"WHEN {formatted(branch.this)} THEN {formatted(branch.args['true'])}"
        for branch in node.args["ifs"]
    ]
    if node.args.get("default") is not None:
        parts.append(f"ELSE {formatted(node.args['default'])}")
    return f"({' '.join(parts)} END)"


def _cast(node: exp.Expr) -> str:
    kind = str(type_of_tree(node.args["to"]))
    word = "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
    return f"{word}({formatted(node.this)} AS {kind})"


def _window(node: exp.Expr) -> str:
    text = node.sql("trino")
    return f"{formatted(node.this)} OVER {text.partition(' OVER ')[2]}"


def _between(node: exp.Expr) -> str:
    low, high = formatted(node.args["low"]), formatted(node.args["high"])
    return f"({formatted(node.this)} BETWEEN {low} AND {high})"


def _is(node: exp.Expr) -> str:
    return f"({formatted(node.args['this'])} IS {formatted(node.args['expression'])})"


def _distinct(node: exp.Expr) -> str:
    return f"DISTINCT {_list(node.expressions)}"


def _not(node: exp.Expr) -> str:
    if isinstance(node.this, exp.Is):
        return formatted(node.this).replace(" IS ", " IS NOT ")
    return f"(NOT {formatted(node.this)})"


def _column(node: exp.Expr) -> str:
    names = ("catalog", "db", "table", "this")
    return ".".join(_identifier(node.args[name]) for name in names if node.args.get(name))


def _identifier(node: exp.Expr) -> str:
    return f'"{node.name}"' if node.args.get("quoted") else node.name


_WRITERS: dict[type[exp.Expr], Callable[[exp.Expr], str]] = {
    exp.Column: _column,
    exp.Identifier: _identifier,
    exp.Paren: lambda node: formatted(node.this),
    exp.Neg: lambda node: f"-{formatted(node.this)}",
    exp.Case: _case,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Window: _window,
    exp.Between: _between,
    exp.Is: _is,
    exp.Not: _not,
    exp.Distinct: _distinct,
    exp.Star: lambda _node: "*",
    exp.Array: lambda node: f"ARRAY[{_list(node.expressions)}]",
    exp.Struct: lambda node: f"ROW ({_list(node.expressions)})",
    exp.Tuple: lambda node: f"ROW ({_list(node.expressions)})",
    exp.DPipe: lambda node: f"concat({formatted(node.args['this'])}, "
    f"{formatted(node.args['expression'])})",
    exp.Bracket: lambda node: f"{formatted(node.this)}[{_list(node.expressions)}]",
}  # fmt: skip
