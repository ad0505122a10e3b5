"""Functions as the evaluator calls them: signatures, arguments, and the whole table.

In: nothing.  Out: `FUNCTIONS`, by name.  The library's signatures take null for a missing argument
and mix up the fields of their messages; a few of its functions stay, the others are mended in
`jsonata_strings`, `jsonata_numbers` and `jsonata_arrays`.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, NoReturn, cast

from jsonata import Jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.signature import Signature
from jsonata.utils import Utils

from runner.machine.jsonata_errors import NULL, Complaint

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine.jsonata_text import Value

_KINDS = {
    "a": "arrays",
    "b": "booleans",
    "f": "functions",
    "n": "numbers",
    "o": "objects",
    "s": "strings",
}


class StrictSignature(Signature):  # type: ignore[misc]  # (the library is not typed)
    """A signature that tells null from a missing argument, and complains in JSONata's words."""

    def get_symbol(self, value: Value) -> str:
        """Give the letter of a value's type."""
        return "l" if value is NULL else str(super().get_symbol(value))

    def validate(self, args: Value, context: Value) -> Value:
        """Check the arguments, and add the context where one is missing."""
        try:
            return super().validate(args, context)
        except JException as error:
            if isinstance(error, Complaint):
                raise
            raise _complaint(error) from error

    def throw_validation_error(self, *given: Value) -> NoReturn:
        """Find the first argument that does not fit; the library looks for a whole match."""
        letters = given[1]
        pattern, good = "", 0
        for parameter in self._params:
            pattern += parameter.regex
            found = re.match(pattern, letters)
            if found is None:
                break
            good = found.end()
        raise Complaint("T0410", index=good + 1)


def strict(signature: Value) -> StrictSignature:
    """Make the strict signature of a function that an expression declares."""
    made = copy.copy(signature)
    made.__class__ = StrictSignature
    return cast("StrictSignature", made)


def _complaint(error: JException) -> Complaint:
    if error.error == "T0411":
        return Complaint("T0411", index=error.expected)
    if error.error == "T0412":
        kind = _KINDS.get(str(error.extra), str(error.extra))
        return Complaint("T0412", index=error.current, type=kind)
    return Complaint(str(error.error), index=error.current)


class Native(Jsonata.JFunction):  # type: ignore[misc]  # (the library is not typed)
    """A function of ours with a signature."""

    def __init__(
        self, name: str, signature: str, method: Callable[..., object], count: int, arity: int
    ) -> None:
        """Take how many arguments the method has, and how many a caller such as $map passes."""
        super().__init__(None, None)
        self.function_name = name
        self.signature = StrictSignature(signature, name)
        self.method = method
        self.count = count
        self.arity = arity

    def call(self, given: Value, args: Value) -> Value:  # noqa: ARG002
        """Call with undefined for what is missing."""
        missing = self.count - len(args)
        return self.method(*args[: self.count], *([None] * missing))

    def get_number_of_args(self) -> int:
        """Tell how many arguments partial application may bind."""
        return self.count


class Variadic(Native):
    """A function of any number of arguments."""

    def call(self, given: Value, args: Value) -> Value:  # noqa: ARG002
        """Call with all arguments."""
        return self.method(*args)


def apply(function: Value, arguments: list[Value]) -> Value:
    """Call a function value from inside a function."""
    evaluator = Jsonata.CURRENT.jsonata
    return evaluator.apply(function, arguments, None, evaluator.environment)


def charge(amount: int) -> None:
    """Pay for work inside a function."""
    Jsonata.CURRENT.jsonata.meter.charge(amount)


def afford(characters: int) -> None:
    """Refuse a string that is too long before it is made."""
    Jsonata.CURRENT.jsonata.meter.afford(characters)


def arity_of(function: Value) -> int:
    """Tell how many arguments a function takes."""
    arity = getattr(function, "arity", None)
    if isinstance(arity, int):
        return arity
    return len(function.arguments) if Functions.is_lambda(function) else 1


def sequence(items: Value) -> Value:
    """Make a sequence, of which a single item is as good as the item."""
    return Utils.create_sequence_from_iter(items)
