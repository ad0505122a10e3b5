"""A cheap tokenizer of Athena SQL: enough to classify, to split and to normalise statements.

In: the text.  Out: tokens with their positions; comments and white space are left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

_SHORT = 20_000
"""Characters of the texts whose tokens are remembered."""
Kind = Literal["word", "quoted", "string", "number", "mark"]
_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
  | (?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)
  | (?P<word>[^\W\d][\w$@]*)
  | (?P<mark>->|=>|<>|!=|<=|>=|\|\||::|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of the text, with where it begins and ends."""

    kind: str
    text: str
    start: int
    end: int

    def word(self) -> str:
        """Give a keyword in upper case; empty for anything that is not a bare word."""
        return self.text.upper() if self.kind == "word" else ""

    def name(self) -> str:
        """Give an identifier in lower case, without quotes; empty for anything else."""
        if self.kind == "word":
            return self.text.lower()
        if self.kind == "quoted":
            quote = self.text[0]
            return self.text[1:-1].replace(quote * 2, quote).lower()
        return ""

    def literal(self) -> str:
        """Give a string literal's value."""
        return self.text[1:-1].replace("''", "'")


def tokenize(sql: str) -> tuple[Token, ...]:
    r"""Split the text; a quote that is never closed becomes a mark.

    >>> [token.text for token in tokenize("SELECT a -- x\n FROM \"t\"")]
    ['SELECT', 'a', 'FROM', '"t"']
    """
    return _remembered(sql) if len(sql) <= _SHORT else _tokens(sql)


def _tokens(sql: str) -> tuple[Token, ...]:
    return tuple(
        Token(match.lastgroup or "mark", match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(sql)
        if match.lastgroup != "skip"
    )


_remembered = lru_cache(maxsize=16)(_tokens)
"""One statement's text is split by all who check it."""


def position(sql: str, offset: int) -> tuple[int, int]:
    """Give line and column of an offset, counted from 1."""
    before = sql[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
