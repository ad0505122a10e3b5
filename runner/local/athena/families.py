"""Statements of one family: their texts differ in whole numbers that the translation never reads.

In: number tokens that stand for any whole number from 1 to 999,999,999.  Out: a text that may be
handed on and written, and that stops whoever reads it with `Looked`.  What a translation made
without reading a number is what it makes of every other number, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from sqlglot import exp, parser
from sqlglot.tokenizer_core import TokenType

from runner.local.athena.trees import find_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlglot.tokenizer_core import Token

_MARK = re.compile(r"zn(\d{3})zn")
"""What stands in a text for a number; see shape.py."""
WATCHED = not str(parser.__file__).endswith(".so")
"""Whether sqlglot's code can be stopped: its compiled build reads texts past their methods."""


class Looked(BaseException):
    """A number was read.  No handler of errors may take it for one."""

    def __init__(self, number: int) -> None:
        """Take the number's place in the list of the shape's values."""
        super().__init__(number)
        self.number = number


class Free(str):
    """A number of which nothing is known but that it is whole and positive."""

    __slots__ = ()

    def __bool__(self) -> bool:
        """Tell that there is a text."""
        return True

    def __copy__(self) -> Free:
        """Stay the same number."""
        return self

    def __deepcopy__(self, _: object) -> Free:
        """Stay the same number."""
        return self


_PLAIN = frozenset(
    {"__new__", "__init__", "__class__", "__doc__", "__getattribute__", "__setattr__"}
    | {"__delattr__", "__dir__", "__init_subclass__", "__subclasshook__", "__getstate__"}
)
_MORE = ("__int__", "__float__", "__index__", "__complex__", "__radd__", "__bytes__")


def _mark_of(text: str) -> int:
    return int(str.__str__(text)[2:5])


def _stop(name: str) -> Callable[..., NoReturn]:
    def method(self: str, *_: object, **__: object) -> NoReturn:
        raise Looked(_mark_of(self))

    method.__name__ = name
    return method


for _name in (*(each for each in dir(str) if each not in _PLAIN), *_MORE):
    setattr(Free, _name, _stop(_name))


class _Read(Free):
    """A number while sqlglot parses: its tokens are compared with words, which no number is."""

    __slots__ = ()

    def upper(self) -> str:
        return str.__str__(self)

    def lower(self) -> str:
        return str.__str__(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str) and other and not re.search(r"\d", other):
            return False
        raise Looked(_mark_of(self))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Free.__hash__


class _Written(Free):
    """A number while SQL is written: it may become a part of a text, and still not be read."""

    __slots__ = ()

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, _: str) -> str:
        return str.__str__(self)


def free_tokens(tokens: Iterable[Token]) -> None:
    """Make number tokens of the marks."""
    for token in tokens:
        if token.token_type == TokenType.VAR and _MARK.fullmatch(token.text):
            token.text, token.token_type = _Read(token.text), TokenType.NUMBER


def watch(tree: exp.Expr) -> None:
    """Begin to watch the numbers of a tree that was parsed."""
    _turn(tree, Free)


def let_write(tree: exp.Expr) -> None:
    """Let the numbers of a tree be written."""
    _turn(tree, _Written)


def _turn(tree: exp.Expr, kind: type[Free]) -> None:
    for literal in find_all(tree, exp.Literal):
        if is_free(literal):
            literal.args["this"] = kind(str.__str__(literal.args["this"]))


def is_free(node: exp.Expr | None) -> bool:
    """Tell whether a node is a literal that stands for any whole number above 0."""
    return isinstance(node, exp.Literal) and isinstance(node.args.get("this"), Free)


def carried(literal: exp.Literal) -> str:
    """Give a literal's text, only to be filled in and handed on; a number stays unread."""
    return str.__str__(literal.args["this"])
