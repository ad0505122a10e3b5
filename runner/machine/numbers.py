"""Fields whose value is a number: timeouts, concurrency, tolerances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine import shaping
from runner.machine.failures import QUERY, RUNTIME, StateError
from runner.machine.templates import Notation

if TYPE_CHECKING:
    from runner.machine.templates import Env, Template
    from runner.model.ports import Json

_MOST_PERCENT = 100


def whole_number(template: Template | None, env: Env, *, least: int) -> int | None:
    """Evaluate a field that holds a whole number; None when the field is not given."""
    if template is None:
        return None
    value = template.evaluate(env)
    if template.notation is Notation.PATH and isinstance(value, str):
        value = _read(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _no_number(template, value)
    if value != int(value) or value < least:
        raise _outside(template, value, f"a whole number of at least {least}")
    return int(value)


def percentage_of(template: Template | None, env: Env) -> float:
    """Evaluate a field that holds a percentage; 0 when the field is not given."""
    if template is None:
        return 0.0
    value = template.evaluate(env)
    if template.notation is Notation.PATH and isinstance(value, str):
        value = _read(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _no_number(template, value)
    if not 0 <= value <= _MOST_PERCENT:
        raise _outside(template, value, "between 0 and 100")
    return float(value)


def _read(text: str) -> Json:
    try:
        return int(text)
    except ValueError:
        return text


def _no_number(template: Template, value: Json) -> StateError:
    if template.notation is Notation.JSONATA:
        return shaping.unexpected_type(template, value, "number")
    told = f'The {template.field} field refers to value "{shaping.compact(value)}"'
    return StateError(RUNTIME, f"{told} which is not a valid integer: {template.source}")


def _outside(template: Template, value: float, expected: str) -> StateError:
    error = QUERY if template.notation is Notation.JSONATA else RUNTIME
    return StateError(error, f"The field '{template.field}' must be {expected}, but was {value}")
