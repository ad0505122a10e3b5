"""Our own tokens of Athena's SQL: enough to tell text, names, strings, numbers and comments apart.

In: SQL text, possibly with placeholder characters of marks.  Out: tokens with offsets.  It exists
beside sqlglot's because fingerprints must not change with a library's version, and because places
of marks (in a string? in a comment?) must be known before anything is parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

TokenKind = Literal["space", "comment", "string", "quoted", "number", "word", "symbol", "open"]

_WORD = "\\w\U00100000-\U0010fffd@$"
_COMMON = rf"""
    (?P<space>\s+)
  | (?P<comment>--[^\n]*|/\*(?s:.*?)\*/)
  | (?P<string>%s)
  | (?P<quoted>%s)
  | (?P<open>/\*|'|"|`)
  | (?P<number>[0-9][0-9_]*\.[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?
      |[0-9]+[eE][+-]?[0-9]+)(?![{_WORD}])
  | (?P<word>[{_WORD}]+)
  | (?P<symbol><>|<=|>=|!=|->|=>|\|\||::|.)
"""
_TRINO = (r"'(?:[^']|'')*+'", r'"(?:[^"]|"")*+"|`(?:[^`]|``)*+`')
_HIVE = (
    r"""'(?:[^'\\]|\\(?s:.)|'')*+'|"(?:[^"\\]|\\(?s:.)|"")*+\"""",
    r"`(?:[^`]|``)*+`",
)


@dataclass(frozen=True, slots=True)
class SqlToken:
    """A token: `text` is `source[start:end]`; `open` is a quote or comment that never ends."""

    kind: TokenKind
    text: str
    start: int
    end: int

    @property
    def meaningful(self) -> bool:
        """Whether it is neither white space nor a comment."""
        return self.kind not in ("space", "comment")


def _pattern(*, hive: bool) -> re.Pattern[str]:
    string, quoted = _HIVE if hive else _TRINO
    head, middle = _COMMON.split("%s", 1)
    second, tail = middle.split("%s", 1)
    return re.compile(head + string + second + quoted + tail, re.VERBOSE)


def lex(sql: str, *, hive: bool) -> Iterator[SqlToken]:
    """Cut SQL into tokens that together are the whole text; `hive` for CREATE EXTERNAL TABLE."""
    for match in _pattern(hive=hive).finditer(sql):
        kind: TokenKind = match.lastgroup  # type: ignore[assignment] # the groups are the kinds
        yield SqlToken(kind, match[0], match.start(), match.end())


def is_hive(sql: str) -> bool:
    r"""Tell whether Athena reads the statement as Hive DDL, by its first word.

    >>> is_hive("-- a table\nCREATE EXTERNAL TABLE t (a int)")
    True
    """
    for token in lex(sql, hive=False):
        if token.meaningful:
            return token.text.upper() in ("CREATE", "ALTER", "DROP", "MSCK", "DESCRIBE", "SHOW")
    return False
