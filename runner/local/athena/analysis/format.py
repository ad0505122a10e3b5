"""Expressions as Trino writes them in failures: `(y + 1)`, `CAST(x AS bigint)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.treetypes import type_of_tree
from runner.local.athena.analysis.written import shown_name, written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.local.athena.analysis.rules import Analysis
    from runner.local.athena.analysis.written import Written

_SIGNS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.And: "AND", exp.Or: "OR",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip


def formatted(node: exp.Expr, analysis: Analysis) -> str:
    """Write an expression."""
    return _Writer(analysis).text(node)


class _Writer:
    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis

    def text(self, node: exp.Expr) -> str:
        """Write an expression."""
        sign = _SIGNS.get(type(node))
        given = written(self._analysis, node)
        if given is not None:
            return self._call(node, given)
        if sign is not None:
            return f"({self.text(node.args['this'])} {sign} {self.text(node.args['expression'])})"
        write = _WRITERS.get(type(node))
        return write(self, node) if write is not None else node.sql("trino")

    def list(self, nodes: Sequence[exp.Expr]) -> str:
        """Write some expressions."""
        return ", ".join(map(self.text, nodes))

    def _call(self, node: exp.Expr, given: Written) -> str:
        name = shown_name(self._analysis, node)
        inner = self.list(given.arguments)
        if given.is_distinct:
            inner = f"DISTINCT {inner}"
        if isinstance(node, exp.Count) and not inner:
            inner = "*"
        if given.order:
            order = (
                f"{self.text(e.this)} {'DESC' if e.args.get('desc') else 'ASC'}"
                for e in given.order
            )
            inner = f"{inner} ORDER BY {', '.join(order)}"
        return f"{name}({inner})"

    def case(self, node: exp.Expr) -> str:
        """Write a CASE."""
        parts = ["CASE"]
        if node.args.get("this") is not None:
            parts.append(self.text(node.this))
        parts += [
            f"WHEN {self.text(branch.this)} THEN {self.text(branch.args['true'])}"
            for branch in node.args["ifs"]
        ]
        if node.args.get("default") is not None:
            parts.append(f"ELSE {self.text(node.args['default'])}")
        return f"({' '.join(parts)} END)"

    def cast(self, node: exp.Expr) -> str:
        """Write a CAST."""
        word = "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
        return f"{word}({self.text(node.this)} AS {type_of_tree(node.args['to'])})"

    def window(self, node: exp.Expr) -> str:
        """Write a call with OVER."""
        return f"{self.text(node.this)} OVER {node.sql('trino').partition(' OVER ')[2]}"

    def between(self, node: exp.Expr) -> str:
        """Write a BETWEEN."""
        low, high = self.text(node.args["low"]), self.text(node.args["high"])
        return f"({self.text(node.this)} BETWEEN {low} AND {high})"

    def negation(self, node: exp.Expr) -> str:
        """Write a NOT."""
        if isinstance(node.this, exp.Is):
            return self.text(node.this).replace(" IS ", " IS NOT ")
        return f"(NOT {self.text(node.this)})"

    def function(self, node: exp.Expr) -> str:
        """Write a lambda."""
        names = ", ".join(each.name for each in node.expressions)
        return f"({names}) -> {self.text(node.this)}"

    def inner(self, node: exp.Expr) -> str:
        """Write what brackets hold."""
        return self.text(node.this)


def _column(node: exp.Expr) -> str:
    names = ("catalog", "db", "table", "this")
    return ".".join(_identifier(node.args[name]) for name in names if node.args.get(name))


def _identifier(node: exp.Expr) -> str:
    return f'"{node.name}"' if node.args.get("quoted") else node.name


_WRITERS: dict[type[exp.Expr], Callable[[_Writer, exp.Expr], str]] = {
    exp.Column: lambda _writer, node: _column(node),
    exp.Identifier: lambda _writer, node: _identifier(node),
    exp.Paren: _Writer.inner,
    exp.Neg: lambda writer, node: f"-{writer.text(node.this)}",
    exp.Case: _Writer.case,
    exp.Cast: _Writer.cast,
    exp.TryCast: _Writer.cast,
    exp.Window: _Writer.window,
    exp.Between: _Writer.between,
    exp.Is: lambda writer, node: f"({writer.text(node.args['this'])} IS "
    f"{writer.text(node.args['expression'])})",
    exp.Not: _Writer.negation,
    exp.Lambda: _Writer.function,
    exp.Array: lambda writer, node: f"ARRAY[{writer.list(node.expressions)}]",
    exp.Struct: lambda writer, node: f"ROW ({writer.list(node.expressions)})",
    exp.Tuple: lambda writer, node: f"ROW ({writer.list(node.expressions)})",
    exp.DPipe: lambda writer, node: f"concat({writer.text(node.args['this'])}, "
    f"{writer.text(node.args['expression'])})",
    exp.Bracket: lambda writer, node: f"{writer.text(node.this)}[{writer.list(node.expressions)}]",
    exp.Grouping: lambda writer, node: f"GROUPING ({writer.list(node.expressions)})",
}  # fmt: skip
