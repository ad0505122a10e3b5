"""The whole JSONata language through jsonata-python, with the adaptations that AWS's needs.

In: an expression's text.  Out: a closure over an `Env`.  The adaptations: JSON null and undefined
are told apart, numbers that are whole come back as integers, sequences come back as plain lists,
`$eval` is not there, `$now` and `$millis` tell the state's time, and AWS's own functions are.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from jsonata.jexception import JException

from runner.machine.aws_functions import bind_aws_functions
from runner.machine.failures import QUERY, StateError
from runner.machine.jsonata_errors import MEMORY, NULL, STACK, code_of, told
from runner.machine.jsonata_evaluator import Evaluator, is_callable
from runner.machine.jsonata_library import FUNCTIONS
from runner.machine.templates import UNDEFINED

if TYPE_CHECKING:
    from runner.machine.jsonata_text import Value
    from runner.machine.templates import Compiled, Env
    from runner.model.ports import Json

_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_PAIR = re.compile(
    r"\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|.)", re.IGNORECASE | re.DOTALL
)
"""An escape in a string literal; the groups match a character written as two surrogates."""
_MARK = re.compile(r"\{\{\w+\}\}")

_PYTHONS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the library lets through where JSONata has an error of its own."""


def compile_full(text: str) -> Compiled:
    """Compile any expression; raises StateError for one that is not JSONata."""
    try:
        program = Evaluator(_PAIR.sub(_joined, text), FUNCTIONS)
    except JException as error:
        raise StateError(QUERY, _parsing(error, text)) from error
    except RecursionError as error:
        raise StateError(QUERY, STACK) from error
    except _PYTHONS as error:
        raise StateError(QUERY, _unparsed(error)) from error
    names = frozenset(_NAME.findall(text))

    def evaluate(env: Env) -> Json:
        try:
            value = program.run(_bindings(env, names))
            return UNDEFINED if value is None else _plain(value)
        except JException as error:
            raise StateError(QUERY, told(error)) from error
        except RecursionError as error:
            raise StateError(QUERY, STACK) from error
        except _PYTHONS as error:
            raise StateError(QUERY, _internal(error)) from error

    return evaluate


def syntax_error(text: str) -> tuple[str, int] | None:
    """Give JSONata's message about a text that is no expression, and the character it stops at."""
    try:
        Evaluator(_PAIR.sub(_joined, text), FUNCTIONS)
    except JException as error:
        return _quoted(error), error.location
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        return None  # the library's own trouble says nothing about the text
    return None


def _quoted(error: JException) -> str:
    """Write a message as JSONata does, with its tokens in quotes; the library leaves them out."""
    told = str(JException.error_codes.get(error.error, error))
    for token in (error.current, error.expected):
        shown = json.dumps(token) if isinstance(token, (str, int, float)) else str(token)
        told = _MARK.sub(shown.replace("\\", r"\\"), told, count=1)
    return told


def _parsing(error: JException, text: str) -> str:
    if error.error == "S0102" and error.current is None:
        numbers = (found[0] for found in _NUMBER.finditer(text))
        error.current = next((one for one in numbers if not math.isfinite(float(one))), None)
    return told(error)


_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?")


def _unparsed(error: Exception) -> str:
    """Tell what the library's parser trips over."""
    if isinstance(error, KeyError):
        return f'S0204: Unknown operator: "{error.args[0]}"'
    if isinstance(error, IndexError):
        return "S0106: Comment has no closing tag"
    return _internal(error)


def _internal(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, (OSError, OverflowError)):
        return "D1001: Number out of range: null"
    code = code_of(str(error))
    return f"{code}: {error}" if code else f"T0410: {error}"


def _joined(escape: re.Match[str]) -> str:
    """Write a pair of surrogates as the one character that it means; the library keeps two."""
    if escape[1] is None:
        return escape[0]
    return chr(0x10000 + ((int(escape[1], 16) & 0x3FF) << 10) + (int(escape[2], 16) & 0x3FF))


def _bindings(env: Env, names: frozenset[str]) -> dict[str, object]:
    bound: dict[str, object] = {}
    variables = env.variables
    for name in names:
        if name in variables:
            bound[name] = with_nulls(variables[name])
    if "states" in names:
        bound["states"] = with_nulls(env.states())
    bind_aws_functions(bound, names, env)
    return bound


def with_nulls(value: Value) -> Value:
    """Mark JSON nulls, for the library takes None for undefined.

    What needs no mark is not copied: the evaluator changes nothing that it is given.
    """
    if value is None:
        return NULL
    if isinstance(value, list):
        made = [with_nulls(item) for item in value]
        return value if all(map(_is, made, value)) else made
    if isinstance(value, dict):
        marked = {key: with_nulls(item) for key, item in value.items()}
        return value if all(map(_is, marked.values(), value.values())) else marked
    return value


def _is(one: object, other: object) -> bool:
    return one is other


def _plain(value: Value) -> Json:
    """Turn the library's value into JSON; functions cannot leave an expression."""
    if value is NULL or value is None:
        return None
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if is_callable(value):
        raise StateError(QUERY, "T1006: The expression gives a function, which is not JSON")
    raise TypeError(f"{type(value)} is no JSON")


_DIGITS = 1e21


def _number(value: float) -> Json:
    """Write a double as AWS does: infinities are texts, large whole numbers have no exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value != math.floor(value) or abs(value) >= _DIGITS:
        return value
    return int(Decimal(repr(value)))
