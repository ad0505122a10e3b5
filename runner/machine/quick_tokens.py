"""The tokens of JSONata's small subset; anything unknown makes the whole text decline."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from runner.model.ports import Json


class Kind(Enum):
    """What a token is."""

    STRING = auto()
    NUMBER = auto()
    WORD = auto()
    """`true`, `false`, `null`."""
    VARIABLE = auto()
    NAME = auto()
    """A field's name: after a dot, or in a predicate."""
    SYMBOL = auto()
    END = auto()


class Token(NamedTuple):
    """One token; `value` is what a literal means."""

    kind: Kind
    text: str
    value: Json = None


_FUNCTIONS = """
    sum count max min average string substring substringBefore substringAfter lowercase
    uppercase length trim pad match contains replace split join formatNumber formatBase
    formatInteger parseInteger number floor ceil round abs sqrt power random boolean not map zip
    filter single reduce sift keys lookup append exists spread merge reverse each error assert
    type sort shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl
    decodeUrlComponent decodeUrl eval toMillis fromMillis clone now millis partition range hash
    uuid parse
"""
FUNCTION_NAMES = frozenset(_FUNCTIONS.split())
"""What JSONata and AWS call functions: such a name means a function unless it is assigned to."""

_TOKEN = re.compile(
    r"""\s*(?:
      "(?P<double>(?:[^"\\]|\\.)*)"
    | '(?P<single>(?:[^'\\]|\\.)*)'
    | (?P<number>(?:0|[1-9][0-9]*)(?![0-9.eE]))
    | \$(?P<variable>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol>!=|<=|>=|[=<>&+\-*.,:?()\[\]{}])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}
_OPERATORS = frozenset({"and", "or", "in"})


def tokenize(text: str) -> list[Token] | None:
    """Cut an expression into tokens, or decline."""
    tokens: list[Token] = []
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        token = _token(match, after_dot=bool(tokens) and tokens[-1].text == ".")
        if token is None:
            return None
        tokens.append(token)
        if token.kind is Kind.END:
            return tokens
        position = match.end()


def _token(match: re.Match[str], *, after_dot: bool) -> Token | None:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind in {"double", "single"}:
        return _string(text)
    if kind == "number":
        return Token(Kind.NUMBER, text, int(text))
    if kind == "variable":
        return Token(Kind.VARIABLE, text)
    if kind == "symbol":
        return Token(Kind.SYMBOL, text)
    if kind == "name":
        return _name(text, after_dot=after_dot)
    return Token(Kind.END, "")


def _name(text: str, *, after_dot: bool) -> Token | None:
    if text in _WORDS or text in _OPERATORS or text == "function":
        if after_dot or text == "function":
            return None
        if text in _OPERATORS:
            return Token(Kind.SYMBOL, text)
        return Token(Kind.WORD, text, _WORDS[text])
    return Token(Kind.NAME, text)


def _string(raw: str) -> Token | None:
    if "\\" not in raw:
        return Token(Kind.STRING, "", raw)
    try:
        value = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPES[m[2]], raw)
    except KeyError:
        return None
    if any("\ud800" <= character <= "\udfff" for character in value):
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Token(Kind.STRING, "", value)
