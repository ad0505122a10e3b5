"""Steps of one state: `wait`, `sns` and `asl` (a raw state)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl.expressions import expression
from runner.asl.flow import State, retrier, state_name, task
from runner.asl.steps.scope import entry, gated, step_failing, step_retriers
from runner.asl.steps.values import with_values
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.workflow import AslStep, SnsStep, WaitStep

_SNS_TIMEOUT_S = 60
_SNS_ERRORS = ("SNS.ThrottledException", "SNS.InternalErrorException", "SNS.SdkClientException")


def wait_states(scope: Scope, name: str, step: WaitStep) -> tuple[State, ...]:
    """Wait, then go on."""
    fields = {
        "Type": "Wait",
        "Seconds": seconds(step.duration),
        "Assign": scope.collect(entry(name, name, "wait", "succeeded")),
        "Next": scope.following,
    }
    return (*gated(scope, name, step, "wait"), State(state_name(name, "run"), fields))


def sns_states(scope: Scope, name: str, step: SnsStep) -> tuple[State, ...]:
    """Publish a message."""
    arguments = _message(scope, step)
    default = [retrier(_SNS_ERRORS, interval_s=2, attempts=6)]
    catchers, explained = step_failing(scope, name, "sns", step)
    fields = task(
        "arn:aws:states:::sns:publish",
        arguments,
        timeout_s=seconds(step.timeout) if step.timeout else _SNS_TIMEOUT_S,
        Assign=scope.collect(entry(name, name, "sns", "succeeded")),
        Output={},
        Retry=step_retriers(step.retry, default),
        Catch=catchers,
        Next=scope.following,
    )
    return (
        *gated(scope, name, step, "sns"),
        State(state_name(name, "run"), fields),
        *explained,
    )


def _message(scope: Scope, step: SnsStep) -> dict[str, Any]:
    """Give the arguments of the publication."""
    arguments: dict[str, Any] = {
        "TopicArn": scope.target.topic(step.topic),
        "Message": with_values(scope, step.message),
    }
    if step.subject:
        arguments["Subject"] = with_values(scope, step.subject)
    if step.attributes:
        arguments["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": with_values(scope, value)}
            for name, value in step.attributes.items()
        }
    if step.group:
        once = '$states.context.Execution.Id & "|" & $states.context.State.Name'
        arguments["MessageGroupId"] = step.group
        arguments["MessageDeduplicationId"] = step.deduplication or expression(
            f'$hash({once}{scope.item_tag}, "SHA-256")'
        )
    return arguments


def asl_states(scope: Scope, name: str, step: AslStep) -> tuple[State, ...]:
    """Put a raw state between the others; its errors are noted like those of any step.

    The state's own Retry, Catch and TimeoutSeconds come before what the step says; a task that
    has no timeout at all gets that of a load.
    """
    fields: dict[str, Any] = {**step.state, "Next": scope.following}
    fields.pop("End", None)
    collected = scope.collect(entry(name, name, "asl", "succeeded"))
    fields["Assign"] = {**fields.get("Assign", {}), **collected}
    explained: tuple[State, ...] = ()
    if step.state.get("Type") in ("Task", "Parallel", "Map"):
        if step.retry:
            fields["Retry"] = [*fields.get("Retry", []), *step_retriers(step.retry, [])]
        first = fields.get("Catch", [])
        fields["Catch"], explained = step_failing(scope, name, "asl", step, first=first)
    if step.state.get("Type") == "Task":
        timeout = step.timeout or scope.project.config.defaults.load_timeout
        fields.setdefault("TimeoutSeconds", seconds(timeout))
    run = State(state_name(name, "run"), fields)
    return (*gated(scope, name, step, "asl"), run, *explained)
