"""Which form of a function takes some arguments, and what it gives then.

In: a function and the types of a call's arguments; a lambda stands as a function from the types
of its parameters to that of its body.  Out: the type of the call, UNSURE where several forms
might be meant, or None if no form takes the arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.analysis.coercion import coerces, common, is_comparable, is_orderable
from runner.local.athena.analysis.types import FUNCTION, INTEGERS, UNKNOWN, UNSURE, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.local.athena.analysis.signatures import Function, Pattern, Signature

    Body = Callable[[Sequence[Type]], Type]
    """Gives the type of a lambda's body for the types of its parameters."""
    Argument = Type | Body

_NESTED = frozenset({"array", "map", "row", "qdigest"})
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}


def bind(function: Function, arguments: Sequence[Argument]) -> Type | None:
    """Give what a call gives."""
    fitting = [
        found
        for signature in function.signatures
        if (found := _Binding(signature).try_all(arguments)) is not None
    ]
    if not fitting:
        return None
    if any(isinstance(each, Type) and not each.is_sure() for each in arguments):
        return _agreed([each.given() for each in fitting])
    exact = [each for each in fitting if each.is_exact]
    plain = [each for each in exact if not each.is_generic()]
    for some in (plain, exact):
        if len(some) == 1:
            return some[0].given()
    return _agreed([each.given() for each in _most_special(exact or fitting)])


def _agreed(types: Sequence[Type]) -> Type:
    return types[0] if all(each == types[0] for each in types) else UNSURE


def _most_special(fitting: Sequence[_Binding]) -> Sequence[_Binding]:
    """Keep the forms whose parameters become those of all others."""
    kept = [
        one
        for one in fitting
        if all(other is one or other.takes_formals_of(one) for other in fitting)
    ]
    return kept or fitting


def _same_bases(one: Type, other: Type) -> bool:
    """Tell whether two types differ in lengths and digits only."""
    if UNSURE in (one, other):
        return True
    return (
        one.name == other.name
        and len(one.parts) == len(other.parts)
        and all(_same_bases(*pair) for pair in zip(one.parts, other.parts, strict=True))
    )


class _Binding:
    """A signature held against arguments."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._types: dict[str, Type] = {}
        self._numbers: dict[str, int | None] = {}
        self.is_exact = True
        self.formals: list[Type] = []

    def is_generic(self) -> bool:
        """Tell whether the form has variables."""
        return bool(self._types or self._numbers)

    def try_all(self, arguments: Sequence[Argument]) -> _Binding | None:
        """Hold all arguments against their patterns; None if one does not fit."""
        takes = list(self._signature.takes)
        if self._signature.is_variadic:
            missing = len(arguments) - len(takes)
            if not arguments and takes[-1].is_variable:
                return None
            takes = takes[:-1] if missing < 0 else takes + [takes[-1]] * missing
        if len(takes) != len(arguments):
            return None
        pairs = list(zip(takes, arguments, strict=True))
        known = [(take, each) for take, each in pairs if isinstance(each, Type)]
        if not all(self._collect(take, each) for take, each in known) or not self._allowed():
            return None
        lambdas = [(take, each) for take, each in pairs if not isinstance(each, Type)]
        if not all(self._apply(take, each) for take, each in lambdas):
            return None
        self.formals = [self._filled(take) for take, _ in known]
        sides = zip(self.formals, known, strict=True)
        self.is_exact = all(formal == each for formal, (_, each) in sides)
        return self

    def takes_formals_of(self, other: _Binding) -> bool:
        """Tell whether this form takes what another one does."""
        return _Binding(self._signature).try_all(other.formals) is not None

    def given(self) -> Type:
        """Give the type of the call."""
        return self._filled(self._signature.gives)

    def _allowed(self) -> bool:
        return all(
            is_comparable(kind) if name in self._signature.comparable else True
            for name, kind in self._types.items()
        ) and all(
            is_orderable(kind) if name in self._signature.orderable else True
            for name, kind in self._types.items()
        )

    def _collect(self, take: Pattern, actual: Type) -> bool:
        """Learn from an argument what the variables are; tell whether it fits."""
        if take.is_variable:
            return self._join(take.name, actual)
        if actual in (UNKNOWN, UNSURE):
            return True
        if take.name == "function" or actual == FUNCTION:
            return False
        if take.name in _NESTED:
            return (
                take.name == actual.name
                and len(take.parts) == len(actual.parts)
                and all(self._collect(*pair) for pair in zip(take.parts, actual.parts, strict=True))
            )
        if not coerces(actual, Type(take.name, (None,) * len(take.numbers))):
            return False
        self._learn(take, actual)
        return True

    def _join(self, name: str, actual: Type) -> bool:
        if actual == FUNCTION:
            return False
        found = common(self._types.get(name, UNKNOWN), actual)
        if found is not None:
            self._types[name] = found
        return found is not None

    def _learn(self, take: Pattern, actual: Type) -> None:
        """Fix the numbers of `varchar(x)` or `decimal(p,s)`."""
        numbers = actual.numbers
        if take.name == "decimal" and actual.name in INTEGERS:
            numbers = (_DIGITS[actual.name], 0)
        elif actual.name == "date":
            numbers = (0,)
        for number, name in enumerate(take.numbers):
            known = numbers[number] if number < len(numbers) else None
            if name in self._numbers and self._numbers[name] != known:
                known = self._larger(self._numbers[name], known)
            self._numbers[name] = known

    @staticmethod
    def _larger(one: int | None, other: int | None) -> int | None:
        return None if one is None or other is None else max(one, other)

    def _apply(self, take: Pattern, body: Body) -> bool:
        """Type a lambda, which may fix a variable; tell whether it fits."""
        if take.name != "function":
            return False
        *takes, gives = take.parts
        found = body([self._filled(each) for each in takes])
        known = self._filled(gives)
        if gives.is_variable and _same_bases(known, found):
            self._types[gives.name] = common(known, found) or UNSURE
            return True
        return known == UNSURE or _same_bases(known, found)

    def _filled(self, pattern: Pattern) -> Type:
        """Write the values of variables in."""
        if pattern.is_variable:
            return self._types.get(pattern.name, UNSURE)
        if pattern.name == "function":
            return FUNCTION
        numbers = tuple(
            int(name) if name.isdigit() else self._numbers.get(name) for name in pattern.numbers
        )
        if pattern.name == "varchar" and "x" in pattern.numbers and numbers == (None,):
            numbers = self._unbounded(pattern)
        return Type(pattern.name, numbers, tuple(self._filled(each) for each in pattern.parts))

    def _unbounded(self, pattern: Pattern) -> tuple[int | None, ...]:
        """Tell text without a length from text of an unknown one."""
        return () if pattern.numbers[0] in self._numbers else (None,)
