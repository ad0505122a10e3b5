"""The whole JSONata language through jsonata-python, with the adaptations that AWS's needs.

In: an expression's text.  Out: a closure over an `Env`.  The adaptations: JSON null and undefined
are told apart, numbers that are whole come back as integers, sequences come back as plain lists,
`$eval` is not there, `$now` and `$millis` tell the state's time, and AWS's own functions are.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from jsonata import Jsonata
from jsonata.jexception import JException
from jsonata.utils import Utils

from runner.machine.aws_functions import bind_aws_functions
from runner.machine.failures import QUERY, StateError
from runner.machine.templates import UNDEFINED

if TYPE_CHECKING:
    from runner.machine.templates import Compiled, Env
    from runner.model.ports import Json

_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_PAIR = re.compile(
    r"\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|.)", re.IGNORECASE | re.DOTALL
)
"""An escape in a string literal; the groups match a character written as two surrogates."""
_MARK = re.compile(r"\{\{\w+\}\}")
_NULL = Utils.NULL_VALUE


def compile_full(text: str) -> Compiled:
    """Compile any expression; raises StateError for one that is not JSONata."""
    try:
        program = Jsonata(_PAIR.sub(_joined, text))
    except JException as error:
        raise _failure(error) from error
    program.set_output_convert_nulls(False)
    program.set_validate_input(False)
    names = frozenset(_NAME.findall(text))

    def evaluate(env: Env) -> Json:
        bindings = _bindings(env, names)
        try:
            value = program.evaluate(None, bindings)
        except JException as error:
            raise _failure(error) from error
        except RecursionError as error:
            raise StateError(QUERY, "D1011: Stack overflow error") from error
        except ArithmeticError as error:
            raise StateError(QUERY, "D1001: Number out of range: Infinity") from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # The library lets Python's own errors through where JSONata has a type error.
            raise StateError(QUERY, f"T0410: {error}") from error
        return UNDEFINED if value is None else _plain(value)

    return evaluate


def syntax_error(text: str) -> tuple[str, int] | None:
    """Give JSONata's message about a text that is no expression, and the character it stops at."""
    try:
        Jsonata(_PAIR.sub(_joined, text))
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


def _joined(escape: re.Match[str]) -> str:
    """Write a pair of surrogates as the one character that it means; the library keeps two."""
    if escape[1] is None:
        return escape[0]
    return chr(0x10000 + ((int(escape[1], 16) & 0x3FF) << 10) + (int(escape[2], 16) & 0x3FF))


def _failure(error: JException) -> StateError:
    return StateError(QUERY, f"{error.error}: {error}")


def _bindings(env: Env, names: frozenset[str]) -> dict[str, object]:
    bound: dict[str, object] = {}
    variables = env.variables
    for name in names:
        if name in variables:
            bound[name] = _with_nulls(variables[name])
    if "states" in names:
        bound["states"] = _with_nulls(env.states())
    bind_aws_functions(
        bound, names, env, as_function=Jsonata.JLambda, null=_NULL, as_sequence=_sequence
    )
    return bound


def _with_nulls(value: Json) -> Json:
    """Mark JSON nulls where the library would take None for undefined: alone and in arrays."""
    if value is None:
        return _NULL
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    if isinstance(value, dict):
        return {
            key: _with_nulls(item) if isinstance(item, (list, dict)) else item
            for key, item in value.items()
        }
    return value


def _sequence(items: list[Json] | None) -> object:
    """Make a JSONata sequence, of which a single item is as good as the item."""
    if items is None or not items:
        return None
    return items[0] if len(items) == 1 else Utils.create_sequence_from_iter(items)


def _plain(value: object) -> Json:
    """Turn the library's value into JSON; functions cannot leave an expression."""
    if value is _NULL or value is None:
        return None
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    raise StateError(QUERY, "T1006: The expression gives a function, which is not JSON")


def _number(value: float) -> float | int:
    if not math.isfinite(value):
        raise StateError(QUERY, f"D1001: Number out of range: {value}")
    whole = int(value)
    return whole if whole == value else value
