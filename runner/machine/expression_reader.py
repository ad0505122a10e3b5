"""Reads JSONata without evaluating it: whether a text is an expression, and what it refers to.

In: the text between the braces.  Out: the references that Step Functions does not allow anywhere
(`phone`, `$`, `$$`: there is no context item) and the fields of `$states`, in order; or None where
the reader is not sure that the text is an expression, and JSONata's own parser must decide.
Only the first step of a path reads the context item; a predicate, a sort term, a group and every
later step read what the step before gave.  It leaves to the parser what few expressions use:
parents (`%`), positions and context variables (`#`, `@`), signatures of functions.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(
    r"""(?:\s|/\*.*?\*/)*(?:
      (?P<string>"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|'(?:[^'\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
    | (?P<number>(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)
    | (?P<variable>\$[^\s.\[\]{}(),@\#;:?+\-*/%|=<>^&!~"'`]*)
    | (?P<quoted>`[^`]*`)
    | (?P<symbol>\.\.|:=|!=|<=|>=|\*\*|~>|\?:|\?\?|[.\[\]{}(),@\#;:?+\-*/%|=<>^&!~])
    | (?P<name>[^\s.\[\]{}(),@\#;:?+\-*/%|=<>^&!~"'`]+)
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\n()\[\]{}]|\\.)+/[im]*")
"""A pattern without groups; one with groups may hold a slash inside them."""
_POWERS = {
    ".": 75,
    "[": 80,
    "{": 70,
    "(": 80,
    "?": 20,
    "+": 50,
    "-": 50,
    "*": 60,
    "/": 60,
    "%": 60,
    "=": 40,
    "<": 40,
    ">": 40,
    "^": 40,
    ":=": 10,
    "!=": 40,
    "<=": 40,
    ">=": 40,
    "~>": 40,
    "?:": 40,
    "??": 40,
    "and": 30,
    "or": 25,
    "in": 40,
    "&": 50,
}
_WORDS = frozenset({"and", "or", "in"})
_FUNCTION = frozenset({"function", "\u03bb"})
_NEGATION = 70
_DEEPEST = 100
_GROUPED = "{"
"""What a reading gives instead of a variable's name: the expression ends in a group."""


class Token(NamedTuple):
    """One token; `start` is where it begins."""

    kind: str
    text: str
    start: int
    end: int


class References(NamedTuple):
    """What an expression refers to."""

    outside: tuple[str, ...]
    """Names at the top level, `$` and `$$`."""
    states: tuple[str, ...]
    """Fields of `$states`."""


class _Unsure(Exception):
    """The text may be no expression."""


def read_references(text: str) -> References | None:
    """Read an expression; None where JSONata's own parser must decide."""
    try:
        return _Reader(text).whole()
    except (_Unsure, RecursionError):
        return None


class _Reader:
    """A precedence-climbing reader; `top` tells whether the context item is the one outside."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0
        self._outside: dict[str, None] = {}
        self._states: dict[str, None] = {}
        self._token = self._scan(0)

    def whole(self) -> References:
        self._expression(0, top=True)
        if self._token.kind != "end":
            raise _Unsure
        return References(tuple(self._outside), tuple(self._states))

    # -- tokens ------------------------------------------------------------------------------

    def _scan(self, position: int) -> Token:
        match = _TOKEN.match(self._text, position)
        if match is None:
            raise _Unsure
        kind = match.lastgroup or ""
        return Token(kind, match[kind], match.start(kind), match.end())

    def _advance(self) -> Token:
        token = self._token
        self._token = self._scan(token.end)
        return token

    def _at(self, symbol: str) -> bool:
        return self._token.kind == "symbol" and self._token.text == symbol

    def _take(self, symbol: str) -> bool:
        if not self._at(symbol):
            return False
        self._advance()
        return True

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise _Unsure

    # -- expressions ---------------------------------------------------------------------------

    def _expression(self, least: int, *, top: bool) -> str:
        """Read one expression; gives the variable's name if it is nothing but a variable."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Unsure
        left = self._prefix(top=top)
        while self._power() > least:
            left = self._infix(self._advance().text, left, top=top)
        self._depth -= 1
        return left

    def _power(self) -> int:
        kind, text = self._token.kind, self._token.text
        if kind == "symbol" or (kind == "name" and text in _WORDS):
            return _POWERS.get(text, 0)
        return 0

    def _prefix(self, *, top: bool) -> str:
        if self._at("/"):
            return self._pattern()
        token = self._advance()
        if token.kind == "string":
            return ""
        if token.kind == "number":
            return self._number(token.text)
        if token.kind == "variable":
            return self._variable(token.text[1:], top=top)
        if token.kind in {"name", "quoted"}:
            return self._name(token, top=top)
        read = _PREFIXES.get(token.text) if token.kind == "symbol" else None
        if read is None:
            raise _Unsure
        read(self, top)
        return ""

    @staticmethod
    def _number(text: str) -> str:
        if math.isinf(float(text)):
            raise _Unsure
        return ""

    def _pattern(self) -> str:
        """Read a pattern that stands alone or behind a comma; else it is for the parser to say."""
        match = _REGEX.match(self._text, self._token.start)
        if match is None:
            raise _Unsure
        before, after = self._text[: match.start()].rstrip(), self._text[match.end() :].strip()
        if not before.endswith(",") and (before or after):
            raise _Unsure
        self._token = self._scan(match.end())
        return ""

    def _variable(self, name: str, *, top: bool) -> str:
        if name in {"", "$"} and top:
            self._outside[f"${name}"] = None
        return name

    def _name(self, token: Token, *, top: bool) -> str:
        if token.kind == "name" and token.text in _FUNCTION and self._at("("):
            self._function(top=top)
        elif token.kind == "quoted":
            self._refer(token.text[1:-1], top=top)
        elif token.text not in {"true", "false", "null"}:
            self._refer(token.text, top=top)
        return ""

    def _refer(self, name: str, *, top: bool) -> None:
        if top:
            self._outside[name] = None

    def _function(self, *, top: bool) -> None:
        self._expect("(")
        while not self._take(")"):
            if self._advance().kind != "variable" or not (self._at(")") or self._take(",")):
                raise _Unsure
        self._expect("{")
        self._expression(0, top=top)
        self._expect("}")

    # -- prefixes ------------------------------------------------------------------------------

    def negated(self, top: bool) -> None:  # noqa: FBT001  (called from a table)
        self._expression(_NEGATION, top=top)

    def block(self, top: bool) -> None:  # noqa: FBT001
        while not self._take(")"):
            self._expression(0, top=top)
            if not self._at(")"):
                self._expect(";")

    def array(self, top: bool) -> None:  # noqa: FBT001
        while not self._take("]"):
            self._expression(0, top=top)
            if self._take(".."):
                self._expression(0, top=top)
            if not self._at("]"):
                self._expect(",")
                if self._at("]"):
                    raise _Unsure

    def object(self, top: bool) -> None:  # noqa: FBT001
        while not self._take("}"):
            self._expression(0, top=top)
            self._expect(":")
            self._expression(0, top=top)
            if not self._at("}"):
                self._expect(",")
                if self._at("}"):
                    raise _Unsure

    def transform(self, _top: bool) -> None:  # noqa: FBT001
        self._expression(0, top=False)
        self._expect("|")
        self._expression(0, top=False)
        if self._take(","):
            self._expression(0, top=False)
        self._expect("|")

    def nothing(self, _top: bool) -> None:  # noqa: FBT001
        """Read a wildcard or a descent: one token, and no name."""

    # -- infixes -------------------------------------------------------------------------------

    def _infix(self, symbol: str, left: str, *, top: bool) -> str:
        is_grouped = left == _GROUPED
        if is_grouped and symbol in "[{":
            raise _Unsure  # a step has one group, and no predicate behind it
        read = _INFIXES.get(symbol)
        if read is not None:
            read(self, top)
        elif symbol == ".":
            self._step(left, top=top)
        elif symbol == ":=":
            if not left or is_grouped:
                raise _Unsure
            self._expression(_POWERS[symbol] - 1, top=top)
        else:
            self._expression(_POWERS[symbol], top=top)
        return _GROUPED if is_grouped or symbol == "{" else ""

    def _step(self, left: str, *, top: bool) -> None:
        if self._token.kind == "number":
            raise _Unsure
        if left == "states" and top and self._token.kind in {"name", "quoted"}:
            self._states[self._token.text.strip("`")] = None
        self._expression(_POWERS["."], top=False)

    def predicate(self, _top: bool) -> None:  # noqa: FBT001
        if not self._take("]"):
            self._expression(0, top=False)
            self._expect("]")

    def group(self, _top: bool) -> None:  # noqa: FBT001
        self.object(False)

    def call(self, top: bool) -> None:  # noqa: FBT001
        while not self._take(")"):
            if not (self._at("?") and self._take("?")):
                self._expression(0, top=top)
            if not self._at(")"):
                self._expect(",")
                if self._at(")"):
                    raise _Unsure

    def condition(self, top: bool) -> None:  # noqa: FBT001
        self._expression(0, top=top)
        if self._take(":"):
            self._expression(0, top=top)

    def sort(self, _top: bool) -> None:  # noqa: FBT001
        self._expect("(")
        while True:
            if not self._take("<"):
                self._take(">")
            self._expression(0, top=False)
            if not self._take(","):
                break
        self._expect(")")


_PREFIXES: dict[str, Callable[[_Reader, bool], None]] = {
    "-": _Reader.negated,
    "(": _Reader.block,
    "[": _Reader.array,
    "{": _Reader.object,
    "|": _Reader.transform,
    "*": _Reader.nothing,
    "**": _Reader.nothing,
}
_INFIXES: dict[str, Callable[[_Reader, bool], None]] = {
    "[": _Reader.predicate,
    "{": _Reader.group,
    "(": _Reader.call,
    "?": _Reader.condition,
    "^": _Reader.sort,
}
