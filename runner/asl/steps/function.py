"""A `lambda` step: one call, its result noted; user's Retry and Catch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import expression
from runner.asl.flow import State, retrier, state_name, task
from runner.asl.steps.scope import entry, gated, step_failing, step_retriers
from runner.asl.steps.values import with_values
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.workflow import LambdaStep


def states(scope: Scope, name: str, step: LambdaStep) -> tuple[State, ...]:
    """Give the states of a function call, behind a gate if other steps are needed."""
    start = state_name(name, "call")
    value = ', "value": $states.result.Payload'
    succeeded = scope.collect(entry(name, name, "lambda", "succeeded", value))
    catchers, explained = step_failing(scope, name, "lambda", step)
    timeout = step.timeout or scope.project.config.defaults.lambda_timeout
    return (
        *gated(scope, name, step, "lambda", start=start),
        State(
            start,
            task(
                "arn:aws:states:::lambda:invoke",
                {
                    "FunctionName": scope.target.function(step.function),
                    "Payload": _payload(scope, name, step),
                },
                timeout_s=seconds(timeout),
                Assign=succeeded,
                Output={},
                Retry=step_retriers(step.retry, _default_retry()),
                Catch=catchers,
                Next=scope.following,
            ),
        ),
        *explained,
    )


def _payload(scope: Scope, name: str, step: LambdaStep) -> dict[str, Any]:
    return {
        **with_values(scope, step.payload),
        "workflow": scope.workflow_name,
        "step": name,
        "start": expression(f"{scope.window}.start"),
        "end": expression(f"{scope.window}.end"),
        "results": expression(scope.known),
    }


def _default_retry() -> list[dict[str, Any]]:
    return [retrier(retries.KEEPER, interval_s=2, attempts=6)]
