"""The shape of a statement: its text with dates, paths and tags replaced by placeholders.

In: SQL.  Out: the text with placeholders, and what they stood for.  Two statements of one shape
are translated once.  Equal values get equal placeholders and different ones different, so what
holds for one statement of a shape holds for all; literals that a type word precedes (`DECIMAL
'20130105'`) stay, because the type of the value may depend on their digits.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from runner.local.athena.lexer import Token

_DATE = re.compile(
    r"\d{4}(?:[-/]?\d{2}){1,2}(?:[ T-]\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?)?Z?|s3://[^']*"
)
_TAG = re.compile(r"(?=[0-9a-f]*\d)[0-9a-f]{8,}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_AFTER = {
    "DATE": _DAY,
    "CAST(": _DAY,
    "TRY_CAST(": _DAY,
    "DATE(": _DAY,
    "FROM_ISO8601_DATE(": _DAY,
    "FROM_ISO8601_TIMESTAMP(": re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z)?"),
    "TIMESTAMP": re.compile(r"\d{4}-\d{2}-\d{2}(?: (?:[01]\d|2[0-3]):\d{2}:\d{2})?"),
}
"""Behind these words, only what gives one type and needs no more reading."""
_TYPED = frozenset({"DECIMAL", "INTERVAL", "CHAR", "VARCHAR", "JSON", "TIME", "X"})
_PLACEHOLDER = re.compile(r"zq(\d{3})zq")
_ANY = re.compile(r"z([qn])(\d{3})z\1")
_WHOLE = re.compile(r"[1-9]\d{0,8}")
"""Numbers that are of type integer, whichever it is."""
_TOUCHING = re.compile(r"[\w.$'\"`]")
_MOST = 100


class Shape(NamedTuple):
    """A statement's text with placeholders, and their values in order."""

    text: str
    values: tuple[str, ...]
    numbers: tuple[int, ...] = ()
    """Of each value the place of its token, for whole numbers; -1 for others."""

    def fill(self, text: str) -> str:
        """Put the values back into any text made from the shape."""
        if not self.values:
            return text
        return _ANY.sub(lambda match: self.values[int(match[2])], text)


def is_filled_later(text: str) -> bool:
    """Tell whether a text is not the statement's own yet."""
    return _PLACEHOLDER.search(text) is not None


def whole_numbers(sql: str, tokens: Sequence[Token]) -> tuple[int, ...]:
    """Give the places of the tokens that may stand for any whole number; see families.py."""
    found = tuple(
        place
        for place, token in enumerate(tokens)
        if token.kind == "number"
        and _WHOLE.fullmatch(token.text)
        and not _TOUCHING.match(sql[token.start - 1 : token.start] or " ")
        and not _TOUCHING.match(sql, token.end)
    )
    return found if len(found) <= _MOST else ()


def shape_of(sql: str, tokens: Sequence[Token], numbers: Collection[int] = ()) -> Shape:
    """Normalise a statement; `numbers` are places of tokens that become placeholders as well.

    >>> from runner.local.athena.lexer import tokenize
    >>> text = "SELECT 1 FROM t WHERE dt = '2013-01-05' OR dt > '2013-01-05'"
    >>> shape_of(text, tokenize(text)).text
    "SELECT 1 FROM t WHERE dt = 'zq000zq' OR dt > 'zq000zq'"
    """
    if _ANY.search(sql):
        return Shape(sql, ())
    values: dict[tuple[str, str], int] = {}
    pieces: list[str] = []
    done, before, opened = 0, "", ""
    """The word just before, and before an opening bracket: `DATE '..'`, `CAST('..'`."""
    for place, token in enumerate(tokens):
        if place in numbers:
            values[(str(place), token.text)] = len(values)
            replaced = f"zn{len(values) - 1:03}zn"
        else:
            replaced = _replace(token, before or opened, values)
        if replaced:
            pieces += [sql[done : token.start], replaced]
            done = token.end
        opened = f"{before}(" if token.text == "(" else ""
        before = token.word()
    pieces.append(sql[done:])
    places = tuple(int(kind) if kind.isdigit() else -1 for kind, _ in values) if numbers else ()
    return Shape("".join(pieces), tuple(value for _, value in values), places)


def _replace(token: Token, before: str, values: dict[tuple[str, str], int]) -> str:
    if token.kind == "string" and before not in _TYPED and _accepts(before, token.text[1:-1]):
        return f"'{_number('s', token.text[1:-1], values)}'"
    if token.kind in {"quoted", "word"} and _TAG.search(token.text):
        return _TAG.sub(lambda match: _number("t", match[0], values), token.text)
    return ""


def _accepts(before: str, text: str) -> bool:
    """Tell whether a text is like a date; behind a word that reads it, also whether it is one."""
    if before not in _AFTER:
        return _DATE.fullmatch(text) is not None
    if not _AFTER[before].fullmatch(text):
        return False
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _number(kind: str, value: str, values: dict[tuple[str, str], int]) -> str:
    return f"zq{values.setdefault((kind, value), len(values)):03}zq"
