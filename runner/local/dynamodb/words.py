"""Expressions of DynamoDB, cut into words; and paths to attributes.

In: an expression with its names and values.  Out: words one after the other, and what was used of
the names and values: DynamoDB refuses what is given and not used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from runner.local.dynamodb.values import Item, Value, checked, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]
_WORD = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),.\[\]+-])|([:#]?[A-Za-z0-9_]+))")


class Given(NamedTuple):
    """Names and values of a request, and which of them expressions used."""

    names: Mapping[str, str]
    values: Mapping[str, Value]
    used: set[str]

    def check_used(self) -> None:
        """Refuse names and values that no expression uses."""
        for what, given in (("Names", self.names), ("Values", self.values)):
            left = sorted(set(given) - self.used)
            if left:
                raise invalid(
                    f"Value provided in ExpressionAttribute{what} unused in expressions: "
                    f"keys: {{{', '.join(left)}}}"
                )


def read_given(names: Mapping[str, str] | None, values: Mapping[str, object] | None) -> Given:
    """Take names and values of a request."""
    return Given(names or {}, {key: checked(one) for key, one in (values or {}).items()}, set())


class Words:
    """The words of one expression, read from the front."""

    def __init__(self, text: str, kind: str, given: Given) -> None:
        """Cut it; `kind` is what messages call it, e.g. ConditionExpression."""
        self._kind, self._given = kind, given
        self._words: list[str] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _WORD.match(text, at)
            if match is None:
                raise self.wrong(f"Syntax error; token: {text[at:].split(maxsplit=1)[0]!r}")
            self._words.append(match[1] or match[2])
            at = match.end()
        self._at = 0
        if not self._words:
            raise self.wrong("The expression can not be empty;")

    def wrong(self, message: str) -> Exception:
        """Make a refusal that names the expression."""
        return invalid(f"Invalid {self._kind}: {message}")

    def peek(self, ahead: int = 0) -> str:
        """Give a word without taking it; empty at the end."""
        at = self._at + ahead
        return self._words[at] if at < len(self._words) else ""

    def is_next(self, *words: str) -> bool:
        """Tell whether the next word is one of these, in any case."""
        return self.peek().upper() in words

    def take(self, *words: str) -> str:
        """Take the next word, which has to be one of these if there are any."""
        found = self.peek()
        if not found or (words and found.upper() not in words):
            expected = f"; expected: {' or '.join(words)}" if words else ""
            raise self.wrong(f"Syntax error; token: {found or '<EOF>'!r}{expected}")
        self._at += 1
        return found

    def value(self) -> Value:
        """Take a value, `:name`."""
        name = self.take()
        if name not in self._given.values:
            raise self.wrong(
                "An expression attribute value used in expression is not defined; attribute "
                f"value: {name}"
            )
        self._given.used.add(name)
        return self._given.values[name]

    def path(self) -> Path:
        """Take a path: names and places in lists."""
        parts: list[str | int] = [self._name()]
        while self.peek() in {".", "["}:
            if self.take() == ".":
                parts.append(self._name())
            else:
                place = self.take()
                if not place.isdecimal():
                    raise self.wrong(f"Syntax error; token: {place!r}")
                parts.append(int(place))
                self.take("]")
        return tuple(parts)

    def _name(self) -> str:
        word = self.take()
        if not word.startswith("#"):
            if not word[0].isalpha() and word[0] != "_":
                raise self.wrong(f"Syntax error; token: {word!r}")
            return word
        if word not in self._given.names:
            raise self.wrong(
                f"An expression attribute name used in the document path is not defined; attribute "
                f"name: {word}"
            )
        self._given.used.add(word)
        return self._given.names[word]


def find(item: Item, path: Path) -> Value | None:
    """Give what lies at a path; None if nothing does."""
    value: Value | None = item.get(str(path[0]))
    for part in path[1:]:
        if value is None:
            return None
        if isinstance(part, int):
            listed = value.get("L", [])
            value = listed[part] if part < len(listed) else None
        else:
            value = value.get("M", {}).get(part)
    return value
