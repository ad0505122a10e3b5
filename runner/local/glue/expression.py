"""GetPartitions' Expression: a small WHERE clause over the partition keys.

In: the text, the keys' names and types.  Out: a test of a partition's values.  Literals are read
as the key's type; what is no literal of that type, an unknown key, and anything that the grammar
has not are InvalidInputException.  The words are those that Glue is known to use.
"""

from __future__ import annotations

import json
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.local.glue.errors import GlueError, invalid
from runner.local.glue.keytypes import KeyType, key_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Test = Callable[[Sequence[str]], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^']|'')*')
      | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])
      | (?P<word>[A-Za-z_][\w.$]*)
      | (?P<quoted>`[^`]+`|"[^"]+")
      | (?P<mark><>|!=|>=|<=|[=<>(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_TYPED_LITERALS = frozenset({"date", "timestamp"})
_KEYWORDS = frozenset({"and", "or", "not", "in", "between", "like", "is", "null"})
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Filter:
    """What an expression asks for."""

    test: Test
    """Whether a partition with these values is meant."""
    start: str
    """How the JSON text of the values begins, as far as equalities of leading keys say it."""


@dataclass(frozen=True, slots=True)
class _Column:
    number: int
    type: KeyType

    def value(self, values: Sequence[str]) -> Any:  # noqa: ANN401 - comparable with its literals
        """Read a partition's value; what is there and does not fit is InvalidStateException."""
        try:
            return self.type.read(values[self.number])
        except (ValueError, IndexError) as error:  # the table's keys may have changed since
            raise GlueError("InvalidStateException", str(error)) from error

    def literal(self, text: str) -> Any:  # noqa: ANN401
        """Read a literal of the expression."""
        try:
            return self.type.read(text)
        except ValueError as error:
            raise invalid(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Literal:
    text: str


@dataclass(frozen=True, slots=True)
class _Condition:
    test: Test
    equal: tuple[tuple[int, str], ...] = ()
    """Keys of text that have to have a value, whatever else is asked."""


_Node = _Column | _Literal | _Condition


def read_filter(expression: str, keys: Sequence[tuple[str, str]]) -> Filter:
    """Read an expression over keys, given as names (in lower case) and types."""
    condition = _Reader(expression, keys).read()
    values, equal = [], dict(condition.equal)
    for number in range(len(keys)):
        if number not in equal:
            break
        values.append(equal[number])
    return Filter(condition.test, start_of_vals(values))


def start_of_vals(leading: Sequence[str]) -> str:
    """Write how the JSON text of values begins whose first ones are known.

    >>> start_of_vals(["2013-01-01"])
    '["2013-01-01"'
    """
    return json.dumps(list(leading))[:-1] if leading else ""


class _Reader:
    """Reads from left to right, one method a level of precedence."""

    def __init__(self, text: str, keys: Sequence[tuple[str, str]]) -> None:
        self._text = text
        self._keys = keys
        self._tokens = self._scan()
        self._at = 0
        self._depth = 0

    def _scan(self) -> list[tuple[str, str]]:
        found, at, end = [], 0, len(self._text.rstrip())
        while at < end:
            token = _TOKEN.match(self._text, at)
            if token is None:
                raise self._unsupported()
            found.append((str(token.lastgroup), token[str(token.lastgroup)]))
            at = token.end()
        return found

    def _unsupported(self) -> GlueError:
        return invalid(f"Unsupported expression '{self._text}'")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _accept(self, *words: str) -> bool:
        """Take these words or marks if they are next."""
        next_ones = self._tokens[self._at : self._at + len(words)]
        if [t.lower() for k, t in next_ones if k in {"word", "mark"}] != list(words):
            return False
        self._at += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unsupported()

    def read(self) -> _Condition:
        """Read the whole text."""
        found = self._condition(self._any())
        if self._at < len(self._tokens):
            raise self._unsupported()
        return found

    def _condition(self, node: _Node) -> _Condition:
        if not isinstance(node, _Condition):
            raise self._unsupported()
        return node

    def _any(self) -> _Node:
        """Read `a OR b`."""
        node = self._all()
        if self._peek()[1].lower() != "or":
            return node
        tests = [self._condition(node).test]
        while self._accept("or"):
            tests.append(self._condition(self._all()).test)
        return _Condition(lambda values: any(test(values) for test in tests))

    def _all(self) -> _Node:
        """Read `a AND b`."""
        node = self._negated()
        if self._peek()[1].lower() != "and":
            return node
        parts = [self._condition(node)]
        while self._accept("and"):
            parts.append(self._condition(self._negated()))
        tests = [part.test for part in parts]
        equal = tuple(each for part in parts for each in part.equal)
        return _Condition(lambda values: all(test(values) for test in tests), equal)

    def _negated(self) -> _Node:
        count = 0
        while self._accept("not"):
            count += 1
        node = self._compared()
        if not count:
            return node
        inner = self._condition(node).test
        return _Condition(_not(inner) if count % 2 else inner)

    def _compared(self) -> _Node:
        """Read `key = 1`, `1 = key`, `key [NOT] IN (1)`, `key IS NULL` and the like."""
        left = self._term()
        if isinstance(left, _Condition):
            return left
        kind, text = self._peek()
        if kind == "mark" and text in _COMPARISONS:
            self._at += 1
            return self._comparison(left, text, self._term())
        return self._tested(left) if isinstance(left, _Column) else left

    def _tested(self, column: _Column) -> _Node:
        """Read what may follow a key, but for a comparison."""
        if self._accept("is", "not", "null"):
            return _Condition(lambda _: True)
        if self._accept("is", "null"):  # a registered value is text, never null
            return _Condition(lambda _: False)
        negated = self._accept("not")
        test = self._listed(column) or self._ranged(column) or self._like(column)
        if test is None:
            if negated:
                raise self._unsupported()
            return column
        return _Condition(_not(test) if negated else test)

    def _comparison(self, left: _Node, mark: str, right: _Node) -> _Condition:
        if isinstance(left, _Literal) and isinstance(right, _Column):
            return self._comparison(right, _MIRRORED.get(mark, mark), left)
        if not isinstance(left, _Column) or not isinstance(right, _Literal):
            raise self._unsupported()
        column, compare, wanted = left, _COMPARISONS[mark], left.literal(right.text)
        fixed = ((column.number, right.text),) if mark == "=" and column.type.is_text else ()
        return _Condition(lambda values: compare(column.value(values), wanted), fixed)

    def _listed(self, column: _Column) -> Test | None:
        if not self._accept("in"):
            return None
        self._expect("(")
        wanted = [column.literal(self._literal().text)]
        while self._accept(","):
            wanted.append(column.literal(self._literal().text))
        self._expect(")")
        return lambda values: column.value(values) in wanted

    def _ranged(self, column: _Column) -> Test | None:
        if not self._accept("between"):
            return None
        low = column.literal(self._literal().text)
        self._expect("and")
        high = column.literal(self._literal().text)
        return lambda values: low <= column.value(values) <= high

    def _like(self, column: _Column) -> Test | None:
        if not self._accept("like"):
            return None
        if not column.type.is_text:
            raise invalid(f"{column.type.kind} data type doesn't support operation 'LIKE'")
        wild = {"%": ".*", "_": "."}
        pattern = "".join(wild.get(each) or re.escape(each) for each in self._literal().text)
        found = re.compile(pattern, re.DOTALL)
        return lambda values: found.fullmatch(values[column.number]) is not None

    def _literal(self) -> _Literal:
        node = self._term()
        if not isinstance(node, _Literal):
            raise self._unsupported()
        return node

    def _term(self) -> _Node:
        """Read a key, a literal, or whatever stands in parentheses."""
        if self._accept("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._unsupported()
            node = self._any()
            self._expect(")")
            self._depth -= 1
            return node
        kind, text = self._peek()
        self._at += 1
        match kind:
            case "string":
                return _Literal(text[1:-1].replace("''", "'"))
            case "number":
                return _Literal(text)
            case "quoted":
                return self._column(text[1:-1])
            case "word" if text.lower() in _TYPED_LITERALS and self._peek()[0] == "string":
                return self._literal()
            case "word" if text.lower() not in _KEYWORDS:
                return self._column(text)
            case _:
                raise self._unsupported()

    def _column(self, name: str) -> _Column:
        for number, (known, type_name) in enumerate(self._keys):
            if known == name.lower():
                return _Column(number, key_type(type_name))
        raise invalid("Invalid partition expression!")


def _not(test: Test) -> Test:
    return lambda values: not test(values)
