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
    value = _number(template, env, "integer")
    if isinstance(value, float) and not value.is_integer():  # nor is infinity
        raise _not_a(template, value, "integer")
    if value < least:
        raise _outside(template, _too_small(_name(template), value))
    return int(value)


def _too_small(name: str, value: float) -> str:
    if name == "MaxConcurrency":
        return f"Expected non-negative integer for {name}, got '{int(value)}' instead."
    return f"{name} cannot be {'negative' if value < 0 else 'zero'}."


def percentage_of(template: Template | None, env: Env) -> float:
    """Evaluate a field that holds a percentage; 0 when the field is not given."""
    if template is None:
        return 0.0
    value = _number(template, env, "float")
    if not 0 <= value <= _MOST_PERCENT:
        raise _outside(template, f"{_name(template)} must be between 0 and 100.")
    return float(value)


def _number(template: Template, env: Env, kind: str) -> float:
    value = template.evaluate(env)
    if template.notation is Notation.PATH and isinstance(value, str):
        value = _read(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _not_a(template, value, kind)
    return value


def _read(text: str) -> Json:
    try:
        return int(text)
    except ValueError:
        return text


def _name(template: Template) -> str:
    return template.field.rpartition("/")[2].removesuffix("Path")


def _not_a(template: Template, value: Json, kind: str) -> StateError:
    if template.notation is Notation.JSONATA:
        return shaping.unexpected_type(template, value, "number")
    shown = value if isinstance(value, str) else shaping.compact(value)
    told = f'The {template.field} field refers to value "{shown}" which is not a valid {kind}'
    return StateError(RUNTIME, f"{told}: {template.source}")


def _outside(template: Template, told: str) -> StateError:
    return StateError(QUERY if template.notation is Notation.JSONATA else RUNTIME, told)
