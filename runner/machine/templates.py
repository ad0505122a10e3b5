"""Expressions inside a definition, ready to evaluate against what a state can see.

In: a JSON value of the definition that may hold expressions, and the notation it is written in.
Out: its value in an `Env`.  Compiled on first use and kept: one definition, one compilation.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from runner.machine.failures import QUERY, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from random import Random

    from runner.model.ports import Json

    Compiled: TypeAlias = "Callable[[Env], Json]"

_CODED = re.compile(r"[A-Z]\d{4}: ")
"""How a message of JSONata's begins; AWS writes those of its limits without a code."""

OPEN = "{%"
CLOSE = "%}"


class Undefined(Enum):
    """The one value that JSONata calls undefined and JSON cannot say."""

    UNDEFINED = "undefined"


UNDEFINED = Undefined.UNDEFINED


class Env:
    """What an expression can see: the state's data, variables, context, and fixed chance."""

    __slots__ = (
        "error_output",
        "input",
        "make_context",
        "make_random",
        "now",
        "result",
        "variables",
    )

    def __init__(
        self,
        data: Json,
        variables: Mapping[str, Json],
        *,
        make_context: Callable[[], Mapping[str, Json]],
        make_random: Callable[[], Random],
        now: datetime,
    ) -> None:
        """Take the state's input and variables; the rest is made when it is asked for."""
        self.input = data
        self.variables = variables
        self.make_context = make_context
        self.make_random = make_random
        self.now = now
        self.result: Json | Undefined = UNDEFINED
        self.error_output: Json | Undefined = UNDEFINED

    def states(self) -> dict[str, Json]:
        """Make `$states`; `result` and `errorOutput` are there only where they exist."""
        found = {"input": self.input, "context": self.make_context()}
        if self.result is not UNDEFINED:
            found["result"] = self.result
        if self.error_output is not UNDEFINED:
            found["errorOutput"] = self.error_output
        return found


class Notation(Enum):
    """How a template is written."""

    JSONATA = "jsonata"
    """`{% ... %}` strings anywhere in the value."""
    PAYLOAD = "payload"
    """Keys that end in `.$` hold paths or intrinsic functions."""
    PATH = "path"
    """The whole value is one path or intrinsic function."""
    CONSTANT = "constant"
    """The value itself."""


class Template:
    """A value with expressions, and the name of the field that holds it (for error texts)."""

    __slots__ = ("_compiled", "field", "notation", "source")

    def __init__(self, source: Json, field: str, notation: Notation) -> None:
        """Take the value as the definition has it."""
        self.source = source
        self.field = field
        self.notation = notation
        self._compiled: Compiled | None = None

    def evaluate(self, env: Env) -> Json:
        """Give the value; raises StateError."""
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = _compile(self.source, self.field, self.notation)
        return compiled(env)


def is_expression(text: object) -> bool:
    """Tell whether a value is a JSONata expression.

    >>> is_expression("{% $x %}"), is_expression(" {% $x %}")
    (True, False)
    """
    return isinstance(text, str) and text.startswith(OPEN) and text.endswith(CLOSE)


def expression_text(text: str) -> str:
    """Take the expression out of its braces.

    >>> expression_text("{% $x %}")
    '$x'
    """
    return text[len(OPEN) : -len(CLOSE)].strip()


def _compile(source: Json, field: str, notation: Notation) -> Compiled:
    if notation is Notation.JSONATA:
        return _compile_jsonata(source, field)
    if notation is Notation.CONSTANT:
        return _constant(source)
    from runner.machine import payloads  # noqa: PLC0415  (JSONata definitions need no paths)

    if notation is Notation.PATH:
        return payloads.compile_path(source, field)
    return payloads.compile_payload(source, field)


def _constant(value: Json) -> Compiled:
    return lambda _env: value


def _compile_jsonata(source: Json, field: str) -> Compiled:
    return _find_expressions(source, field) or _constant(source)


def _find_expressions(source: Json, field: str) -> Compiled | None:
    """Compile the expressions of a value; None when it has none and stands for itself."""
    if isinstance(source, dict):
        return _compile_object(source, field)
    if isinstance(source, list):
        return _compile_array(source, field)
    return _compile_expression(expression_text(source), field) if is_expression(source) else None


def _compile_object(source: dict[str, Json], field: str) -> Compiled | None:
    found = {key: _find_expressions(value, f"{field}/{key}") for key, value in source.items()}
    if not any(found.values()):
        return None
    members = tuple((key, made or _constant(source[key])) for key, made in found.items())
    return lambda env: {key: compiled(env) for key, compiled in members}


def _compile_array(source: list[Json], field: str) -> Compiled | None:
    found = [_find_expressions(value, f"{field}[{index}]") for index, value in enumerate(source)]
    if not any(found):
        return None
    items = tuple(made or _constant(value) for made, value in zip(found, source, strict=True))
    return lambda env: [compiled(env) for compiled in items]


def _compile_expression(text: str, field: str) -> Compiled:
    from runner.machine.query import compile_query  # noqa: PLC0415  (not every definition asks)

    query = compile_query(text)

    def evaluate(env: Env) -> Json:
        try:
            value = query(env)
        except StateError as error:
            stop = "." if _CODED.match(error.cause or "") else ":"
            told = f"threw an error during evaluation{stop} {error.cause}"
            raise StateError(error.error, _told(text, field, told), field) from error
        if value is UNDEFINED:
            told = _told(text, field, "returned nothing (undefined).")
            raise StateError(QUERY, told, field)
        return value

    return evaluate


def _told(text: str, field: str, what: str) -> str:
    return f"The JSONata expression '{text}' specified for the field '{field}' {what}"
