"""JSONPath filters: `[?(@.a == 'x' && @.n > 3)]`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from runner.model.ports import Json

    Operand: TypeAlias = "Callable[[Json, Json], tuple[bool, Json]]"
    Test: TypeAlias = "Callable[[Json, Json], bool]"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Filter:
    """A test of each item or member."""

    test: Test


_BLANK = re.compile(r"\s*")
_LITERAL = re.compile(
    r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)"""
)
_COMPARE = re.compile(r"==|!=|<=|>=|<|>|=~|in\b|nin\b")
_LIST = re.compile(r"\[[^\]]*\]")
_PATTERN = re.compile(r"/((?:[^/\\]|\\.)*)/(i?)")


def scan_filter(text: str, position: int) -> tuple[Filter, int]:
    """Read a filter that begins at `[?`."""
    reader = _Reader(text, position + 2)
    test = reader.either()
    reader.expect("]")
    return Filter(test), reader.position


def holds(tested: Filter, item: Json, root: Json) -> bool:
    """Tell whether an item passes."""
    return tested.test(item, root)


class _Reader:
    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self.position = position

    def _skip(self, word: str) -> bool:
        blank = _BLANK.match(self._text, self.position)
        at = blank.end() if blank else self.position
        if not self._text.startswith(word, at):
            return False
        self.position = at + len(word)
        return True

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._skip("")
        match = pattern.match(self._text, self.position)
        if match is not None:
            self.position = match.end()
        return match

    def expect(self, word: str) -> None:
        if not self._skip(word):
            raise _bad(self._text)

    def either(self) -> Test:
        left = self._both()
        while self._skip("||"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Test:
        left = self._one()
        while self._skip("&&"):
            left = _and(left, self._one())
        return left

    def _one(self) -> Test:
        if self._skip("("):
            inner = self.either()
            self.expect(")")
            return inner
        if not self._text.startswith("!=", self.position) and self._skip("!"):
            negated = self._one()
            return lambda item, root: not negated(item, root)
        left = self._operand()
        symbol = self._match(_COMPARE)
        if symbol is None:
            return lambda item, root: left(item, root)[0]
        if symbol[0] == "=~":
            return self._matching(left)
        return _comparison(symbol[0], left, self._operand())

    def _matching(self, left: Operand) -> Test:
        match = self._match(_PATTERN)
        if match is None:
            raise _bad(self._text)
        pattern = re.compile(match[1], re.IGNORECASE if match[2] else 0)

        def test(item: Json, root: Json) -> bool:
            _, value = left(item, root)
            return isinstance(value, str) and pattern.fullmatch(value) is not None

        return test

    def _operand(self) -> Operand:
        self._skip("")
        if self._text[self.position : self.position + 1] in {"@", "$"}:
            return self._path()
        literal = self._match(_LITERAL)
        if literal is not None:
            return _constant(_value_of(literal))
        listed = self._match(_LIST)
        if listed is None:
            raise _bad(self._text)
        return _constant([_value_of(match) for match in _LITERAL.finditer(listed[0])])

    def _path(self) -> Operand:
        from runner.machine.paths import find, scan_steps  # noqa: PLC0415  (mutual recursion)

        from_item = self._text[self.position] == "@"
        steps, self.position = scan_steps(self._text, self.position + 1)

        def operand(item: Json, root: Json) -> tuple[bool, Json]:
            found = list(find(steps, item if from_item else root))
            return bool(found), found[0] if found else None

        return operand


def _bad(text: str) -> Exception:
    from runner.machine.paths import BadPath  # noqa: PLC0415  (mutual recursion)

    return BadPath(text)


def _value_of(match: re.Match[str]) -> Json:
    text = match[1] if match[1] is not None else match[2]
    if text is not None:
        return re.sub(r"\\(.)", r"\1", text)
    return json.loads(match[3])


def _constant(value: Json) -> Operand:
    return lambda _item, _root: (True, value)


def _or(left: Test, right: Test) -> Test:
    return lambda item, root: left(item, root) or right(item, root)


def _and(left: Test, right: Test) -> Test:
    return lambda item, root: left(item, root) and right(item, root)


def _comparison(symbol: str, left: Operand, right: Operand) -> Test:
    def test(item: Json, root: Json) -> bool:
        there, one = left(item, root)
        _, other = right(item, root)
        return _compare(symbol, one, other) if there else symbol == "!="

    return test


def _compare(symbol: str, left: Json, right: Json) -> bool:
    if symbol in {"in", "nin"}:
        inside = isinstance(right, list) and any(_same(left, one) for one in right)
        return inside is (symbol == "in")
    if symbol in {"==", "!="}:
        return _same(left, right) is (symbol == "==")
    if not _comparable(left, right):
        return False
    if symbol == "<":
        return bool(left < right)
    if symbol == "<=":
        return bool(left <= right)
    return bool(left > right) if symbol == ">" else bool(left >= right)


def _same(left: Json, right: Json) -> bool:
    return bool(left == right) and isinstance(left, bool) is isinstance(right, bool)


def _comparable(left: Json, right: Json) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return True
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    return numbers and not isinstance(left, bool) and not isinstance(right, bool)
