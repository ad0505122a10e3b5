"""Intrinsic functions: `States.Format('{}', $.a)`, read and compiled to closures."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from runner.machine import path_misses
from runner.machine.failures import RUNTIME, StateError
from runner.machine.intrinsic_functions import FUNCTIONS, Escaped, IntrinsicFailure
from runner.machine.paths import BadPath, Missing, follow, scan_path
from runner.machine.payloads import root_value

if TYPE_CHECKING:
    from runner.machine.paths import Path
    from runner.machine.templates import Compiled, Env
    from runner.model.ports import Json

_NAME = re.compile(r"\s*States\.([A-Za-z0-9]+)\s*\(")
_STRING = re.compile(r"'((?:[^'\\]|\\['{}\\])*)'")
_NUMBER = re.compile(r"-?\d{1,300}(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_WORD = re.compile(r"true|false|null")
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}
_BLANK = re.compile(r"\s*")
_MOST_NESTED = 10
"""Intrinsic functions nest at most 10 deep (Step Functions guide)."""


def compile_intrinsic(source: str, field: str) -> Compiled:
    """Compile an intrinsic function; one that cannot be read fails when it is evaluated."""
    try:
        compiled, end = _call(source, 0, _MOST_NESTED)
    except BadPath:
        return _refusing(source, field)
    if source[end:].strip():
        return _refusing(source, field)

    def evaluate(env: Env) -> Json:
        try:
            value = compiled(env)
        except IntrinsicFailure as error:
            told = f"The function '{source}' had the following error: {error}"
            raise StateError(RUNTIME, told) from error
        return value.plain() if isinstance(value, Escaped) else value

    return evaluate


def is_intrinsic(text: str) -> bool:
    r"""Tell whether a text is a call of an intrinsic function.

    >>> is_intrinsic("States.Format('{}', $.a)"), is_intrinsic(r"States.Array('\x')")
    (True, False)
    """
    try:
        _, end = _call(text, 0, _MOST_NESTED)
    except BadPath:
        return False
    return not text[end:].strip()


def _refusing(source: str, field: str) -> Compiled:
    def refuse(_env: Env) -> Json:
        told = f"The value for the field '{field}' must be a valid intrinsic function: {source}"
        raise StateError(RUNTIME, told)

    return refuse


def _call(text: str, start: int, depth: int) -> tuple[Compiled, int]:
    name = _NAME.match(text, start)
    function = FUNCTIONS.get(name[1]) if name else None
    if name is None or function is None or depth == 0:
        raise BadPath(text)
    arguments: list[Compiled] = []
    position = _skip(text, name.end())
    while not text.startswith(")", position):
        if arguments:
            if not text.startswith(",", position):
                raise BadPath(text)
            position = _skip(text, position + 1)
        argument, position = _argument(text, position, depth)
        arguments.append(argument)
        position = _skip(text, position)
    known = tuple(arguments)
    return (lambda env: function(env, [argument(env) for argument in known])), position + 1


def _skip(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    return blank.end() if blank else position


def _argument(text: str, position: int, depth: int) -> tuple[Compiled, int]:
    if text.startswith("States.", position):
        return _call(text, position, depth - 1)
    if text.startswith("$", position):
        path, end = scan_path(text, position)
        return _reader(path, text[position:end]), end
    return _literal(text, position)


def _reader(path: Path, text: str) -> Compiled:
    def read(env: Env) -> Json:
        try:
            return follow(path, root_value(path, env))
        except Missing as error:
            raise IntrinsicFailure(path_misses.no_argument(path, text, env)) from error

    return read


def _literal(text: str, position: int) -> tuple[Compiled, int]:
    string = _STRING.match(text, position)
    if string is not None:
        return _constant(Escaped(string[1])), string.end()
    word = _WORD.match(text, position)
    if word is not None:
        return _constant(_WORDS[word[0]]), word.end()
    number = _NUMBER.match(text, position)
    if number is None:
        raise BadPath(text)
    is_float = number[1] is not None or number[2] is not None
    value = float(number[0]) if is_float else int(number[0])
    if not math.isfinite(value):
        raise BadPath(text)
    return _constant(value), number.end()


def _constant(value: Json) -> Compiled:
    return lambda _env: value
