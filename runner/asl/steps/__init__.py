"""Step types: each knows its states.  One file each; this is the table that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl.steps import bigquery, function, loads, redshift, simple, tables
from runner.model.steps_sinks import BigqueryTransferStep, RedshiftStep
from runner.model.workflow import AslStep, LambdaStep, LoadsStep, SnsStep, TablesStep, WaitStep

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.asl.flow import State
    from runner.asl.steps.scope import Scope
    from runner.model.workflow import AnyStep

_STATES: dict[type, Callable[[Scope, str, Any], tuple[State, ...]]] = {
    AslStep: simple.asl_states,
    BigqueryTransferStep: bigquery.states,
    LambdaStep: function.states,
    LoadsStep: loads.states,
    RedshiftStep: redshift.states,
    SnsStep: simple.sns_states,
    TablesStep: tables.states,
    WaitStep: simple.wait_states,
}


def step_states(scope: Scope, name: str, step: AnyStep) -> tuple[State, ...]:
    """Give the states of one step; whatever happens, `scope.following` comes next."""
    return _STATES[type(step)](scope, name, step)
