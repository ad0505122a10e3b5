"""A `choice` step: its rules are asked once, and what they say is the step's value.

Steps that rules name look there whether they are chosen: nothing jumps, so that chosen steps may
run beside others.  The rules stand inside of a Parallel state because JSONata that fails in a
Choice ends an execution, while a Parallel state can catch it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl.expressions import expression, names_in
from runner.asl.flow import Flow, State, state_name
from runner.asl.steps.scope import entry, gated, step_failing, step_retriers
from runner.asl.steps.values import seeing

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.steps_flow import ChoiceStep


def states(scope: Scope, name: str, step: ChoiceStep) -> tuple[State, ...]:
    """Ask the rules; go on in any case."""
    *outcomes, default = step.outcomes
    asked = ""
    for rule, targets in zip(step.rules, outcomes, strict=True):
        asked += f"({rule.when}) ? {names_in(list(targets))} : "
    decided = seeing(scope, f"{asked}{names_in(list(default))}")
    rules = State(
        state_name(name, "rules"),
        {"Type": "Pass", "Output": {"go": expression(decided)}, "End": True},
    )
    catchers, explained = step_failing(scope, name, "choice", step)
    value = ', "value": $states.result[0].go'
    fields: dict[str, Any] = {
        "Type": "Parallel",
        "Branches": [Flow((rules,))],
        "Assign": scope.collect(entry(name, name, "choice", "succeeded", value)),
        "Output": {},
        "Catch": catchers,
        "Next": scope.following,
    }
    retriers = step_retriers(step.retry, [])
    if retriers:
        fields["Retry"] = retriers
    run = State(state_name(name, "run"), fields)
    return (*gated(scope, name, step, "choice"), run, *explained)
