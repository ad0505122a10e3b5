"""Steps that are one call: `workflow`, `ecs_task` and `http`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import expression, quote
from runner.asl.flow import State, retrier, state_name, task
from runner.asl.steps.nesting import START
from runner.asl.steps.scope import entry, gated, step_failing, step_retriers
from runner.asl.steps.values import with_values
from runner.model.durations import seconds
from runner.model.steps_flow import ComputedWindow

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.steps_flow import EcsTaskStep, HttpStep, WorkflowStep
    from runner.model.workflow import AnyStep

_RUN = "arn:aws:states:::ecs:runTask.sync"
_HTTP = "arn:aws:states:::http:invoke"
_HTTP_TIMEOUT_S = 60
"""AWS waits no longer."""
_REFUSED_FOR_NOW = ("States.Http.StatusCode.429", "States.Http.StatusCode.503")
"""Answers after which the request has done nothing."""
_UNKNOWN = (
    "States.Http.Socket",
    "States.Http.StatusCode.500",
    "States.Http.StatusCode.502",
    "States.Http.StatusCode.504",
)
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods of which a second request does no more than the first (RFC 9110, 9.2.2)."""
_EXECUTION = "$states.context.Execution"
_LONGEST_NAME = 60
_HASH = 16


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a service, and what is kept of its answer."""

    resource: str
    arguments: dict[str, Any]
    timeout_s: int
    retry: list[Any]
    value: str
    """Further fields of the result, as JSONata."""


def workflow_states(scope: Scope, name: str, step: WorkflowStep) -> tuple[State, ...]:
    """Run another workflow's machine; its values are this step's value."""
    machine = scope.target.workflow_machine(step.workflow)
    window = step.window
    said = window if isinstance(window, ComputedWindow) else None
    arguments = {
        "StateMachineArn": scope.target.machine_arn(machine),
        "Name": expression(_execution_name(repeats=bool(step.retry))),
        "Input": {
            "start": with_values(scope, said.start) if said else _window(scope, "start"),
            "end": with_values(scope, said.end) if said else _window(scope, "end"),
        },
    }
    output = "$states.result.Output"
    values = f"$merge($append([], {output}.results[$exists(value)].{{step: value}}))"
    value = (
        f', "value": {{"execution": $states.result.Name, "window": {output}.window, '
        f'"values": {values}}}'
    )
    timeout = step.timeout or scope.workflow.timeout
    retry = step_retriers(step.retry, retries.executions())
    call = _Call(START, arguments, seconds(timeout), retry, value)
    return _called(scope, name, step, call)


def _execution_name(*, repeats: bool) -> str:
    """Name the execution after this one, the state and, in a map, the item.

    A call whose outcome is unknown has the same name again, so that nothing is started twice; with
    retriers of the user's own each try is an execution of its own.
    """
    item = "$states.context.Map.Item.Index"
    parts = [
        f"{_EXECUTION}.Id",
        f"$string({_EXECUTION}.RedriveCount)",
        "$states.context.State.Name",
        f'($exists({item}) ? $string({item}) : "")',
        *(["$string($states.context.State.RetryCount)"] if repeats else []),
    ]
    told = ' & "|" & '.join(parts)
    short = f"$substring({_EXECUTION}.Name, 0, {_LONGEST_NAME})"
    return f'{short} & "-" & $substring($hash({told}, "SHA-256"), 0, {_HASH})'


def _window(scope: Scope, end: str) -> str:
    return expression(f"{scope.window}.{end}")


def ecs_states(scope: Scope, name: str, step: EcsTaskStep) -> tuple[State, ...]:
    """Run a task; what is not its exit code 0 fails."""
    told = {
        **{key: with_values(scope, value) for key, value in step.environment.items()},
        "START": _window(scope, "start"),
        "END": _window(scope, "end"),
        "WORKFLOW": scope.workflow_name,
        "STEP": name,
    }
    container: dict[str, Any] = {
        "Name": step.container,
        "Environment": [{"Name": key, "Value": value} for key, value in told.items()],
    }
    if step.command:
        container["Command"] = with_values(scope, step.command)
    arguments: dict[str, Any] = {
        "Cluster": step.cluster or scope.target.cluster,
        "TaskDefinition": step.task_definition,
        "LaunchType": step.launch_type,
        "Overrides": {"ContainerOverrides": [container]},
    }
    network = scope.target.network
    if network is not None:
        arguments["NetworkConfiguration"] = {
            "AwsvpcConfiguration": {
                "Subnets": list(network.subnets),
                "SecurityGroups": list(network.security_groups),
                "AssignPublicIp": "ENABLED" if network.assign_public_ip else "DISABLED",
            }
        }
    ours = f"$states.result.Containers[Name = {quote(step.container)}]"
    value = (
        f', "value": {{"task": $states.result.TaskArn, "exit": $append([], {ours}.ExitCode)[0]}}'
    )
    timeout = step.timeout or scope.project.config.defaults.load_timeout
    default = [retrier(retries.ECS_REFUSED, interval_s=10, attempts=6)]
    retry = step_retriers(step.retry, default)
    return _called(scope, name, step, _Call(_RUN, arguments, seconds(timeout), retry, value))


def http_states(scope: Scope, name: str, step: HttpStep) -> tuple[State, ...]:
    """Make a request; its answer's body is the step's value."""
    arguments: dict[str, Any] = {
        "ApiEndpoint": with_values(scope, step.endpoint),
        "Method": step.method,
        "Authentication": {"ConnectionArn": scope.target.connection(step.connection)},
    }
    given = {"Headers": step.headers, "QueryParameters": step.query, "RequestBody": step.body}
    for key, said in given.items():
        if said or (key == "RequestBody" and said is not None):
            arguments[key] = with_values(scope, said)
    if step.form:
        arguments["Transform"] = {"RequestBodyEncoding": "URL_ENCODED"}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        arguments["Headers"] = {**arguments.get("Headers", {}), **form}
    again = (*_REFUSED_FOR_NOW, *(_UNKNOWN if step.method in _REPEATABLE else ()))
    default = [retrier(again, interval_s=2, attempts=5, max_delay_s=60)]
    timeout = seconds(step.timeout) if step.timeout else _HTTP_TIMEOUT_S
    body = "$states.result.ResponseBody"
    value = f', "http": $states.result.StatusCode, "value": $exists({body}) ? {body} : null'
    retry = step_retriers(step.retry, default)
    return _called(scope, name, step, _Call(_HTTP, arguments, timeout, retry, value))


def _called(scope: Scope, name: str, step: AnyStep, call: _Call) -> tuple[State, ...]:
    """Give the states of one call, behind a gate if other steps are needed."""
    kind, start = step.type, state_name(name, "call")
    catchers, explained = step_failing(scope, name, kind, step)
    called = task(
        call.resource,
        call.arguments,
        timeout_s=call.timeout_s,
        Retry=call.retry,
        Assign=scope.collect(entry(name, name, kind, "succeeded", call.value)),
        Output={},
        Catch=catchers,
        Next=scope.following,
    )
    return (*gated(scope, name, step, kind, start=start), State(start, called), *explained)
