"""The rules of JSONPath Choice states: And, Or, Not, and comparisons of a variable."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import lru_cache
from re import DOTALL
from re import compile as compile_pattern
from typing import TYPE_CHECKING, TypeAlias

from runner.machine.failures import RUNTIME, StateError
from runner.machine.paths import Missing, Path, Root, follow
from runner.machine.payloads import NO_INPUT, root_value
from runner.machine.templates import Notation
from runner.machine.waits import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.machine.templates import Env, Template
    from runner.model.ports import Json


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class And:
    """All rules hold."""

    rules: tuple[Rule, ...]

    def holds(self, env: Env) -> bool:
        """Evaluate."""
        return all(rule.holds(env) for rule in self.rules)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Or:
    """One rule holds."""

    rules: tuple[Rule, ...]

    def holds(self, env: Env) -> bool:
        """Evaluate."""
        return any(rule.holds(env) for rule in self.rules)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Not:
    """The rule does not hold."""

    rule: Rule

    def holds(self, env: Env) -> bool:
        """Evaluate."""
        return not self.rule.holds(env)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Present:
    """The variable's path leads somewhere, or nowhere."""

    variable: Path
    expected: bool

    def holds(self, env: Env) -> bool:
        """Evaluate."""
        if self.variable.root is Root.INPUT and env.input is None:
            raise StateError(RUNTIME, NO_INPUT)
        try:
            found = follow(self.variable, root_value(self.variable, env))
        except Missing:
            return not self.expected
        there = self.variable.definite or bool(found)
        return there is self.expected


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TypeIs:
    """The variable is of a type, or is not."""

    variable: Template
    name: str
    expected: bool

    def holds(self, env: Env) -> bool:
        """Evaluate; only IsPresent suffers a variable that is not there."""
        return TYPES[self.name](self.variable.evaluate(env)) is self.expected


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """The variable compares so with a value."""

    variable: Template
    name: str
    """The operator without the ending `Path`."""
    operand: Template

    def holds(self, env: Env) -> bool:
        """Evaluate; a variable of the wrong type compares as false.

        So does a path's value where equality is asked, but an order wants it of the right type.
        """
        left, right = self.variable.evaluate(env), self.operand.evaluate(env)
        if self.operand.notation is Notation.PATH and not self.name.endswith("Equals"):
            _check_operand(self.name, self.operand, right)
        return COMPARISONS[self.name](left, right)


def _check_operand(name: str, operand: Template, value: Json) -> None:
    kind = next(kind for kind in _OF_KIND if name.startswith(kind))
    if not _OF_KIND[kind](value):
        raise StateError(RUNTIME, f"Invalid value provided at path '{operand.source}'")


Rule: TypeAlias = And | Or | Not | Present | TypeIs | Comparison


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES: Mapping[str, Callable[[Json], bool]] = {
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsNull": lambda value: value is None,
    "IsNumeric": _is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsTimestamp": lambda value: parse_timestamp(value) is not None,
}


_OF_KIND: Mapping[str, Callable[[Json], bool]] = {
    "Numeric": TYPES["IsNumeric"],
    "String": TYPES["IsString"],
    "Timestamp": TYPES["IsTimestamp"],
}


def _numbers(compare: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    return lambda left, right: _is_number(left) and _is_number(right) and compare(left, right)


def _strings(compare: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    return lambda left, right: (
        isinstance(left, str) and isinstance(right, str) and compare(left, right)
    )


def _texts(compare: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    """Order strings as Java does: by their UTF-16 units."""

    def test(left: str, right: str) -> bool:
        if left.isascii() or right.isascii():
            return compare(left, right)
        return compare(_units(left), _units(right))

    return _strings(test)


def _units(text: str) -> bytes:
    return text.encode("utf-16-be", errors="surrogatepass")


def _timestamps(compare: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    def test(left: Json, right: Json) -> bool:
        one, other = parse_timestamp(left), parse_timestamp(right)
        return one is not None and other is not None and compare(one, other)

    return test


@lru_cache(maxsize=256)
def _pieces(pattern: str) -> tuple[str, ...]:
    r"""Split a pattern at its stars; a backslash takes a star or a backslash as it is.

    >>> _pieces("log-*.txt"), _pieces(r"a\*b")
    (('log-', '.txt'), ('a*b',))
    """
    pieces = [""]
    for escaped, plain in _TOKEN.findall(pattern):
        if plain == "*":
            pieces.append("")
        else:
            pieces[-1] += escaped or plain
    return tuple(pieces)


_TOKEN = compile_pattern(r"\\(.)|(.)", DOTALL)


def _like(left: Json, right: Json) -> bool:
    first, *others = _pieces(right)
    if not others:
        return bool(left == first)
    *between, last = others
    if not (left.startswith(first) and left.endswith(last)):
        return False
    position, end = len(first), len(left) - len(last)
    for piece in between:
        found = left.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return position <= end


_ORDERS: Mapping[str, Callable[[Json, Json], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
}

COMPARISONS: Mapping[str, Callable[[Json, Json], bool]] = {
    "BooleanEquals": lambda left, right: isinstance(left, bool) and left is right,
    "StringMatches": _strings(_like),
    **{f"Numeric{name}": _numbers(order) for name, order in _ORDERS.items()},
    **{f"String{name}": _texts(order) for name, order in _ORDERS.items()},
    **{f"Timestamp{name}": _timestamps(order) for name, order in _ORDERS.items()},
}
