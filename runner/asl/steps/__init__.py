"""Step types: each knows its states.  One file each; this is the table that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl.steps import calls, choice, function, loads, repeating, simple, sql, tables
from runner.model.steps_flow import ChoiceStep, EcsTaskStep, HttpStep, SqlStep, WorkflowStep
from runner.model.workflow import (
    AslStep,
    LambdaStep,
    LoadsStep,
    MapStep,
    SnsStep,
    TablesStep,
    WaitStep,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.asl.flow import State
    from runner.asl.steps.scope import Scope
    from runner.model.workflow import AnyStep

_STATES: dict[type, Callable[[Scope, str, Any], tuple[State, ...]]] = {
    AslStep: simple.asl_states,
    ChoiceStep: choice.states,
    EcsTaskStep: calls.ecs_states,
    HttpStep: calls.http_states,
    LambdaStep: function.states,
    LoadsStep: loads.states,
    MapStep: lambda scope, name, step: repeating.states(scope, name, step, inner=step_states),
    SnsStep: simple.sns_states,
    SqlStep: sql.states,
    TablesStep: tables.states,
    WaitStep: simple.wait_states,
    WorkflowStep: calls.workflow_states,
}


def step_states(scope: Scope, name: str, step: AnyStep) -> tuple[State, ...]:
    """Give the states of one step; whatever happens, `scope.following` comes next."""
    return _STATES[type(step)](scope, name, step)
