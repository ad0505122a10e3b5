"""JSONPath filters: `[?(@.a == 'x' && @.n > 3)]`.

In: the text of a path, where a filter begins.  Out: a test of an item against the document that
the path is followed in.  Regular expressions that could take for ever are tried on short texts
only.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.machine.failures import RUNTIME, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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
    r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\""""
    r"""|(-?(?:0|[1-9]\d{0,99})(?:\.\d+)?(?:[eE][-+]?\d{1,2})?(?![\w.])|(?:true|false|null)\b)""",
    re.ASCII,
)
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
"""What stands after an operator without quotes: AWS takes it, and published machines have it."""
_COMPARE = re.compile(
    r"==|!=|<=|>=|<|>|=~|(?:in|nin|contains|size|empty|subsetof|anyof|noneof|all)\b"
)
_LIST = re.compile(r"\[[^\]]*\]")
_PATTERN = re.compile(r"/((?:[^/\\]|\\.)*)/([imsxu]*)")
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.UNICODE}
_MOST_NESTED = 50
_SHORT = 20
"""Characters on which even a regular expression with repeats in repeats ends soon."""


def scan_filter(text: str, position: int) -> tuple[Filter, int]:
    """Read a filter that begins at `[?`."""
    reader = _Reader(text, position + 2)
    if not text[position + 2 :].lstrip().startswith("("):
        raise _bad(text)
    test = reader.either()
    end = reader.position
    reader.expect("]")
    if text[end - 1] != ")":
        raise _bad(text)
    return Filter(test), reader.position


def holds(tested: Filter, item: Json, root: Json) -> bool:
    """Tell whether an item passes."""
    return tested.test(item, root)


class _Reader:
    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self._depth = 0
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
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise _bad(self._text)
        try:
            return self._enclosed() or self._compared()
        finally:
            self._depth -= 1

    def _enclosed(self) -> Test | None:
        if self._skip("("):
            inner = self.either()
            self.expect(")")
            return inner
        if not self._text.startswith("!=", self.position) and self._skip("!"):
            negated = self._one()
            return lambda item, root: not negated(item, root)
        return None

    def _compared(self) -> Test:
        left = self._operand()
        symbol = self._match(_COMPARE)
        if symbol is None:
            return lambda item, root: left(item, root)[0]
        if symbol[0] == "=~":
            return self._matching(left)
        word = self._match(_WORD) if self._at_word() else None
        right = self._operand() if word is None else _constant(word[0])
        return _comparison(symbol[0], left, right)

    def _at_word(self) -> bool:
        self._skip("")
        literal = _LITERAL.match(self._text, self.position)
        return literal is None and _WORD.match(self._text, self.position) is not None

    def _matching(self, left: Operand) -> Test:
        match = self._match(_PATTERN)
        if match is None:
            raise _bad(self._text)
        pattern = _regular(match[1], match[2], self._text)
        longest = _SHORT if _may_explode(match[1]) else None

        def test(item: Json, root: Json) -> bool:
            _, value = left(item, root)
            if not isinstance(value, str):
                return False
            if longest is not None and len(value) > longest:
                told = f"The regular expression /{match[1]}/ may take too long on a text of"
                raise StateError(RUNTIME, f"{told} more than {longest} characters")
            return pattern.fullmatch(value) is not None

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
        from runner.machine.paths import Missing, find, scan_steps  # noqa: PLC0415  (recursion)

        from_item = self._text[self.position] == "@"
        steps, self.position = scan_steps(self._text, self.position + 1)

        def operand(item: Json, root: Json) -> tuple[bool, Json]:
            try:
                found = list(find(steps, item if from_item else root, root))
            except Missing:
                return False, None
            return bool(found), found[0] if found else None

        return operand


def _bad(text: str) -> Exception:
    from runner.machine.paths import BadPath  # noqa: PLC0415  (mutual recursion)

    return BadPath(text)


def _value_of(match: re.Match[str]) -> Json:
    text = match[1] if match[1] is not None else match[2]
    return json.loads(match[3]) if text is None else re.sub(r"\\(.)", r"\1", text)


def _regular(pattern: str, flags: str, path: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(pattern, sum(_FLAGS[flag] for flag in set(flags)))
        except (re.error, OverflowError, RecursionError) as error:
            raise _bad(path) from error


_REPEATED = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|[()|*+]|\{\d*,?\d*\}", re.DOTALL)


def _may_explode(pattern: str) -> bool:
    r"""Tell whether a regular expression repeats a group that repeats or chooses something.

    >>> _may_explode(r"(a+b)*c"), _may_explode(r"[ab]+c*(d|e)"), _may_explode(r"(a|b)+")
    (True, False, True)
    """
    choices = [False]
    closed = False
    for mark in _REPEATED.findall(pattern):
        if mark == "(":
            choices.append(False)
        elif mark in {"|", "*", "+"} or mark[0] == "{":
            if mark != "|" and closed:
                return True
            choices[-1] = True
        closed = mark == ")" and len(choices) > 1 and choices.pop()
        if closed:
            choices[-1] = True
    return False


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
        return _compare(symbol, one, other) if there else symbol in {"!=", "nin"}

    return test


def _compare(symbol: str, left: Json, right: Json) -> bool:
    if symbol in {"==", "!="}:
        return _same(left, right) is (symbol == "==")
    if symbol in _SETS:
        return _SETS[symbol](left, right)
    if not _comparable(left, right):
        return False
    if symbol == "<":
        return bool(left < right)
    if symbol == "<=":
        return bool(left <= right)
    return bool(left > right) if symbol == ">" else bool(left >= right)


def _inside(one: Json, many: Json) -> bool:
    return isinstance(many, list) and any(_same(one, other) for other in many)


def _contains(left: Json, right: Json) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _inside(right, left)


def _lists(test: Callable[[list[Json], list[Json]], bool]) -> Callable[[Json, Json], bool]:
    return lambda left, right: (
        isinstance(left, list) and isinstance(right, list) and test(left, right)
    )


_SETS: Mapping[str, Callable[[Json, Json], bool]] = {
    "in": _inside,
    "nin": lambda left, right: not _inside(left, right),
    "contains": _contains,
    "size": lambda left, right: isinstance(left, (str, list)) and _same(len(left), right),
    "empty": lambda left, right: isinstance(left, (str, list)) and (not left) is right,
    "subsetof": _lists(lambda left, right: all(_inside(one, right) for one in left)),
    "anyof": _lists(lambda left, right: any(_inside(one, right) for one in left)),
    "noneof": _lists(lambda left, right: not any(_inside(one, right) for one in left)),
    "all": _lists(lambda left, right: all(_inside(one, left) for one in right)),
}


def _same(left: Json, right: Json) -> bool:
    """Compare as Jayway does: a number equals a string that reads as it."""
    if isinstance(left, str) and _is_number(right):
        return left == json.dumps(right)
    if isinstance(right, str) and _is_number(left):
        return right == json.dumps(left)
    return bool(left == right) and isinstance(left, bool) is isinstance(right, bool)


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _comparable(left: Json, right: Json) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return True
    return _is_number(left) and _is_number(right)
