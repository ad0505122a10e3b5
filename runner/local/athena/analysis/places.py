"""Where a node of a parsed query stands in its text, exactly: the text is parsed once more.

In: the text, the tree and one of its nodes.  Out: line and column as Trino tells them.  Only
failures pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena import names
from runner.local.athena.dialect import AthenaQuery
from runner.local.athena.trees import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlglot.tokenizer_core import Token

_STARTERS = (
    *("_parse_unary", "_parse_type", "_parse_primary", "_parse_function", "_parse_lambda"),
    *("_parse_column", "_parse_field", "_parse_select", "_parse_unnest", "_parse_table"),
    *("_parse_value", "_parse_paren", "_parse_derived_table_values", "_parse_cte"),
)
"""Methods of the parser that give what begins at the token where they are called."""
_SETS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_RIGHT: dict[type[exp.Expr], str] = {
    exp.Between: "low",
    exp.Like: "expression",
    exp.Is: "expression",
}
_PREDICATES = frozenset({"IS", "BETWEEN", "IN", "LIKE", "DISTINCT", "NOT", "FROM"})


class _Noting(AthenaQuery.Parser):
    """A parser that notes at which token a node begins."""

    starts: dict[int, tuple[int, exp.Expr]]


def _noting(name: str) -> Callable[..., exp.Expr | None]:
    method: Callable[..., exp.Expr | None] = getattr(AthenaQuery.Parser, name)

    def parse(self: _Noting, *args: object, **options: object) -> exp.Expr | None:
        start = self._index
        found = method(self, *args, **options)
        if isinstance(found, exp.Expr):
            self.starts.setdefault(id(found), (start, found))
        return found

    return parse


for _name in _STARTERS:
    setattr(_Noting, _name, _noting(_name))


def exact_place(sql: str, tree: exp.Expr, node: exp.Expr) -> tuple[int, int]:
    """Give line and column of a node; (0, 0) if it is none of the tree's."""
    parser, tokens = names.noting_parser(sql, _Noting)
    parser.starts = {}  # type: ignore[attr-defined]  # of the class above
    again = parser.parse(tokens, sql)[0]
    if again is None:
        return 0, 0
    if isinstance(again, exp.Values) and isinstance(tree, exp.Select):
        tree = tree.args["from_"].this
    number = next((n for n, each in enumerate(walk(tree)) if each is node), None)
    if number is None:
        return 0, 0
    found = walk(again)[number]
    number = _Finder(tokens, parser.starts).place(found)  # type: ignore[attr-defined]  # as above
    if number is None:
        return 0, 0
    token = tokens[number]
    return token.line, token.col - (token.end - token.start)


class _Finder:
    def __init__(self, tokens: Sequence[Token], starts: dict[int, tuple[int, exp.Expr]]) -> None:
        self._tokens = tokens
        self._starts = starts

    def place(self, node: exp.Expr) -> int | None:  # noqa: PLR0911 - one return a form
        """Give the number of the token that stands for a node."""
        while isinstance(node, exp.Paren | exp.Alias):
            node = node.this
        if isinstance(node, exp.TableAlias) and node.parent is not None:
            return self._first(node.parent)
        if isinstance(node, exp.WindowSpec) and node.parent is not None:
            return self._next(self._first(node.parent), str(node.args.get("kind")).upper())
        if isinstance(node, exp.SetOperation):
            return self._back(self._first(node.expression), _SETS)
        if isinstance(node, exp.Values):
            return self._back(self._first(node.expressions[0]), frozenset({"VALUES"}))
        inner = node.args.get("this")
        if isinstance(node, exp.Escape | exp.Dot) or (
            isinstance(node, exp.Not) and isinstance(inner, exp.In | exp.Between | exp.Is)
        ):
            return self.place(node.this)
        if node._meta and "start" in node._meta:  # noqa: SLF001 - a call, as mod(a, b)
            return self._first(node)
        right = self._right(node)
        return self._first(node) if right is None else self._operator(right)

    def _right(self, node: exp.Expr) -> exp.Expr | None:
        """Give the operand before which the operator stands."""
        if isinstance(node, exp.In):
            found = node.args.get("query") or (node.expressions or [None])[0]
        elif isinstance(node, exp.Binary) and not isinstance(node, exp.Func):
            found = node.args.get("expression")
        else:
            found = node.args.get(_RIGHT.get(type(node), ""))
        return found if isinstance(found, exp.Expr) else None

    def _operator(self, right: exp.Expr) -> int | None:
        number = self._first(right)
        if number is None:
            return None
        number -= 1
        while number and self._tokens[number].text == "(":
            number -= 1
        while number and {self._word(number), self._word(number - 1)} <= _PREDICATES:
            number -= 1
        return max(number, 0)

    def _first(self, node: exp.Expr) -> int | None:
        """Give the first token of a node."""
        if id(node) in self._starts:
            return self._starts[id(node)][0]
        if node._meta and "start" in node._meta:  # noqa: SLF001 - `meta` would make one
            start = node._meta["start"]  # noqa: SLF001 - as above
            return next((n for n, each in enumerate(self._tokens) if each.start >= start), None)
        found = [self._first(each) for each in node.iter_expressions()]
        return min((number for number in found if number is not None), default=None)

    def _back(self, number: int | None, words: frozenset[str]) -> int | None:
        while number is not None and number >= 0:
            if self._word(number) in words:
                return number
            number -= 1
        return None

    def _next(self, number: int | None, word: str) -> int | None:
        """Go on to a word, behind the next OVER."""
        words = [each.text.upper() for each in self._tokens]
        if number is None or "OVER" not in words[number:]:
            return None
        over = words.index("OVER", number)
        return words.index(word, over) if word in words[over:] else None

    def _word(self, number: int) -> str:
        return self._tokens[number].text.upper()
