"""Where an expression stands in the statement, as Trino tells it in errors.

In: a node of the parser's tree and the parser's tokens.  Out: line and column, from 1.  A failure
names a comparison or a sum by its operator, BETWEEN, IN and LIKE by their word, a call, a cast and
a CASE by their first word, a literal and a column by where they begin (asked of a real Trino 435).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from runner.local.athena.trees import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

_WORDS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Neg: frozenset({"-"}),
    exp.Not: frozenset({"NOT"}),
    exp.Case: frozenset({"CASE"}),
    exp.Array: frozenset({"ARRAY"}),
    exp.Interval: frozenset({"INTERVAL"}),
    exp.Extract: frozenset({"EXTRACT"}),
    exp.Exists: frozenset({"EXISTS"}),
    exp.Paren: frozenset({"("}),
    exp.Tuple: frozenset({"("}),
    exp.Subquery: frozenset({"("}),
}
"""The word that begins an expression, where the tree does not say where it stands."""
_CASTS = frozenset({"CAST", "TRY_CAST"})
_RIGHT: dict[type[exp.Expr], str] = {
    exp.Between: "low",
    exp.In: "expressions",
    exp.Like: "expression",
}
_PREDICATES = frozenset({"IS", "BETWEEN", "IN", "LIKE", "DISTINCT", "NOT", "FROM", "ALL", "ANY"})


def place_of(node: exp.Expr, tokens: Sequence[Token]) -> tuple[int, int]:
    """Give line and column of a node; (0, 0) when the tree does not tell."""
    number = _Finder(tokens).place(node)
    if number is None:
        return 0, 0
    token = tokens[number]
    return token.line, token.col - (token.end - token.start)


def forget_places(tree: exp.Expr) -> None:
    """Make a tree of another text say nothing of where it stands."""
    for node in walk(tree):
        if node._meta:  # noqa: SLF001 - `meta` would make one for each
            for name in ("line", "col", "start", "end"):
                node.meta.pop(name, None)


class _Finder:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._starts = [token.start for token in tokens]

    def place(self, node: exp.Expr) -> int | None:
        """Give the number of the token that stands for an expression."""
        node = node.unnest()
        right = node.args.get(_RIGHT.get(type(node), "expression"))
        right = right[0] if isinstance(right, list) and right else right
        inner = node.args.get("this")
        if isinstance(node, exp.Not) and isinstance(inner, exp.Between | exp.In | exp.Like):
            return self.place(inner)
        if isinstance(node, exp.Connector) or not isinstance(node, exp.Binary | exp.Predicate):
            return self._first(node)
        return self._before(right) if isinstance(right, exp.Expr) else self._first(node)

    def _before(self, right: exp.Expr) -> int | None:
        """Give the operator in front of a right operand."""
        number = self._first(right)
        if number is None:
            return None
        number -= 1
        while number and self._tokens[number].token_type == TokenType.L_PAREN:
            number -= 1
        while (
            number and self._word(number) in _PREDICATES and self._word(number - 1) in _PREDICATES
        ):
            number -= 1
        return max(number, 0)

    def _first(self, node: exp.Expr) -> int | None:
        """Give the first token of an expression."""
        if isinstance(node, exp.Cast) and "start" not in node.meta:
            return self._cast(node)
        if "start" in node.meta:
            number = bisect_left(self._starts, node.meta["start"])
            return number if number < len(self._starts) else None
        if isinstance(node, exp.Column):
            return self._column(node)
        found = [self._first(each) for each in node.iter_expressions()]
        known = [number for number in found if number is not None]
        if not known:
            return None
        words = _WORDS.get(type(node))
        return min(known) if words is None else self._back(min(known), words)

    def _column(self, node: exp.Column) -> int | None:
        """Give the first part of a name that was written: a qualified tree has more of them."""
        number = self._first(node.this)
        for part in ("table", "db", "catalog"):
            before = self._first(node.args[part]) if node.args.get(part) else None
            if number is None or before != number - 2:
                break
            number = before
        return number

    def _cast(self, node: exp.Cast) -> int | None:
        """Find CAST( in front of its operand, or the type of a literal such as DATE '...'."""
        inner = self._first(node.this)
        if inner is None:
            return None
        if inner and self._tokens[inner - 1].token_type == TokenType.L_PAREN:
            return self._back(inner, _CASTS)
        literal = isinstance(node.this, exp.Literal)
        return inner - 1 if literal and node.this.is_string and inner else inner

    def _back(self, number: int, words: frozenset[str]) -> int | None:
        """Go back to one of these words."""
        for before in range(number - 1, -1, -1):
            if self._word(before) in words:
                return before
        return None

    def _word(self, number: int) -> str:
        return self._tokens[number].text.upper()
