"""Step types: each knows its states.  One file each; this is the table that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from runner.asl.steps import function, loads, simple, tables
from runner.model.workflow import AslStep, LambdaStep, LoadsStep, SnsStep, TablesStep, WaitStep

if TYPE_CHECKING:
    from runner.asl.flow import State
    from runner.asl.steps.scope import Scope
    from runner.model.workflow import AnyStep


def step_states(scope: Scope, name: str, step: AnyStep) -> tuple[State, ...]:
    """Give the states of one step; whatever happens, `scope.following` comes next."""
    match step:
        case TablesStep():
            return tables.states(scope, name, step)
        case LoadsStep():
            return loads.states(scope, name, step)
        case LambdaStep():
            return function.states(scope, name, step)
        case WaitStep():
            return simple.wait_states(scope, name, step)
        case SnsStep():
            return simple.sns_states(scope, name, step)
        case AslStep():
            return simple.asl_states(scope, name, step)
        case _:
            assert_never(step)
