"""Reads SQL/JSON paths (`lax $.a[*] ? (@ > 1)`) into trees.

In: a path's text.  Out: a `Path` whose nodes are tuples with their kind in front; a path that
does not follow the grammar raises `PathSyntaxError`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

Node = tuple[object, ...]

_TOKEN = re.compile(
    r"""
    \s*(?:
      (?P<string>"(?:[^"]|"")*")
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<variable>\$[^\W\d]\w*)
    | (?P<word>[^\W\d]\w*)
    | (?P<mark>\.\.|&&|\|\||==|!=|<>|<=|>=|[-+*/%$@.?()\[\],!<>])
    )""",
    re.VERBOSE,
)
METHODS = frozenset({"double", "ceiling", "floor", "abs", "keyvalue", "type", "size"})
_COMPARISONS = {"==": "==", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_LITERALS: dict[str, Node] = {
    "true": ("literal", True),
    "false": ("literal", False),
    "null": ("literal", None),
    "last": ("last",),
}


class PathSyntaxError(ValueError):
    """A path that cannot be read."""


class Path(NamedTuple):
    """A path: its mode and the tree of its expression."""

    lax: bool
    root: Node

    def variables(self) -> frozenset[str]:
        """Give the names of the parameters that it refers to."""
        found: set[str] = set()
        waiting: list[object] = [self.root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, tuple):
                if node[:1] == ("variable",):
                    found.add(str(node[1]))
                waiting.extend(node)
        return frozenset(found)


@lru_cache(maxsize=256)
def read_path(text: str) -> Path:
    """Read a path; raises PathSyntaxError.

    >>> read_path("lax $.a[0]")
    Path(lax=True, root=('array', ('member', ('context',), 'a'), ((('literal', 0), None),)))
    """
    reader = _Reader(text)
    mode = reader.take()
    if mode not in {"lax", "strict"}:
        raise PathSyntaxError(f"mismatched input '{mode or '<EOF>'}' expecting {{'lax', 'strict'}}")
    root = reader.expression()
    if reader.peek():
        raise reader.fault()
    return Path(mode == "lax", root)


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._place = 0
        place, text = 0, text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise PathSyntaxError(f"token recognition error at: '{text[place:]}'")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            place = found.end()

    def peek(self) -> str:
        return self._tokens[self._place][1] if self._place < len(self._tokens) else ""

    def _kind(self) -> str:
        return self._tokens[self._place][0] if self._place < len(self._tokens) else ""

    def take(self) -> str:
        text = self.peek()
        self._place += 1
        return text

    def _accept(self, *texts: str) -> bool:
        ahead = self._tokens[self._place : self._place + len(texts)]
        if [text for _, text in ahead] != list(texts) or any(k == "string" for k, _ in ahead):
            return False
        self._place += len(texts)
        return True

    def _expect(self, *texts: str) -> None:
        if not self._accept(*texts):
            raise self.fault()

    def fault(self) -> PathSyntaxError:
        return PathSyntaxError(f"mismatched input '{self.peek() or '<EOF>'}'")

    def expression(self) -> Node:
        left = self._product()
        while self.peek() in {"+", "-"}:
            left = ("binary", self.take(), left, self._product())
        return left

    def _product(self) -> Node:
        left = self._signed()
        while self.peek() in {"*", "/", "%"}:
            left = ("binary", self.take(), left, self._signed())
        return left

    def _signed(self) -> Node:
        if self.peek() in {"+", "-"}:
            return ("sign", self.take(), self._signed())
        return self._accessors(self._primary())

    def _primary(self) -> Node:
        kind, text = self._kind(), self.take()
        match kind:
            case "string":
                return ("literal", _unquoted(text))
            case "number":
                return ("literal", _number(text))
            case "variable":
                return ("variable", text[1:])
            case "word" if text in _LITERALS:
                return _LITERALS[text]
        if kind == "mark" and text in {"$", "@"}:
            return ("context",) if text == "$" else ("current",)
        if kind == "mark" and text == "(":
            inner = self.expression()
            self._expect(")")
            return inner
        self._place -= 1
        raise self.fault()

    def _accessors(self, base: Node) -> Node:
        while self._kind() == "mark":
            if self._accept(".."):
                base = ("descendants", base, self._name())
            elif self._accept("."):
                base = self._member(base)
            elif self._accept("["):
                base = self._subscripts(base)
            elif self._accept("?"):
                self._expect("(")
                base = ("filter", base, self._predicate())
                self._expect(")")
            else:
                break
        return base

    def _name(self) -> str:
        kind, text = self._kind(), self.take()
        if kind == "string":
            return _unquoted(text)
        if kind != "word":
            self._place -= 1
            raise self.fault()
        return text

    def _member(self, base: Node) -> Node:
        if self._accept("*"):
            return ("members", base)
        is_word = self._kind() == "word"
        name = self._name()
        if not (is_word and self._accept("(")):
            return ("member", base, name)
        if name == "datetime":
            raise PathSyntaxError("datetime method is not yet supported")
        if name not in METHODS:
            raise PathSyntaxError(f"unknown method {name}()")
        self._expect(")")
        return ("method", base, name)

    def _subscripts(self, base: Node) -> Node:
        if self._accept("*"):
            self._expect("]")
            return ("elements", base)
        found = [self._range()]
        while self._accept(","):
            found.append(self._range())
        self._expect("]")
        return ("array", base, tuple(found))

    def _range(self) -> Node:
        first = self.expression()
        return (first, self.expression() if self._accept("to") else None)

    def _predicate(self) -> Node:
        left = self._conjunction()
        while self._accept("||"):
            left = ("or", left, self._conjunction())
        return left

    def _conjunction(self) -> Node:
        left = self._negation()
        while self._accept("&&"):
            left = ("and", left, self._negation())
        return left

    def _negation(self) -> Node:
        if self._accept("!"):
            return ("not", self._delimited())
        mark = self._place
        if self.peek() == "(" or self.peek() == "exists":
            try:
                found = self._delimited()
            except PathSyntaxError:
                self._place = mark
            else:
                if self._accept("is", "unknown"):
                    return ("unknown", found)
                if self.peek() in {"", ")", "&&", "||"}:
                    return found
                self._place = mark
        return self._comparison()

    def _delimited(self) -> Node:
        if self._accept("exists", "("):
            found: Node = ("exists", self.expression())
        else:
            self._expect("(")
            found = self._predicate()
        self._expect(")")
        return found

    def _comparison(self) -> Node:
        left = self.expression()
        sign = self.peek()
        if sign in _COMPARISONS:
            self._place += 1
            return ("compare", _COMPARISONS[sign], left, self.expression())
        if self._accept("starts", "with"):
            if self._kind() not in {"string", "variable"}:
                raise self.fault()
            return ("starts", left, self._primary())
        if sign == "like_regex":
            raise PathSyntaxError("like_regex predicate is not yet supported")
        raise self.fault()


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"')


def _number(text: str) -> int | float | Decimal:
    if "e" in text.lower():
        return float(text)
    return Decimal(text) if "." in text else int(text)
