"""One JSONata expression, compiled: the quick path first, the full language when it is needed.

In: the text between the braces.  Out: a closure that gives a JSON value or UNDEFINED, or raises
StateError(States.QueryEvaluationError) with JSONata's own code and message as its cause.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from runner.machine.quick import compile_quick
from runner.machine.quick_values import Deferred

if TYPE_CHECKING:
    from runner.machine.templates import Compiled, Env
    from runner.model.ports import Json


_KEPT = 1000
"""Expressions that stay compiled: a definition repeats a few of them in many states."""


@lru_cache(maxsize=_KEPT)
def compile_quickly(text: str) -> Compiled | None:
    """Compile an expression of the quick subset, or decline."""
    return compile_quick(text)


@lru_cache(maxsize=_KEPT)
def compile_query(text: str) -> Compiled:
    """Compile an expression; what is outside the quick subset compiles when first evaluated."""
    quick = compile_quickly(text)
    full = _compile_when_needed(text)
    if quick is None:
        return full

    def evaluate(env: Env) -> Json:
        try:
            return quick(env)
        except Deferred:
            return full(env)

    return evaluate


def _compile_when_needed(text: str) -> Compiled:
    made: list[Compiled] = []

    def evaluate(env: Env) -> Json:
        if not made:
            from runner.machine.full_query import compile_full  # noqa: PLC0415  (80 ms)

            made.append(compile_full(text))
        return made[0](env)

    return evaluate
