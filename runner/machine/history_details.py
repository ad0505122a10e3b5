"""What AWS's history tells of an event: its type, and the members of its details.

In: the kind of an event and what the interpreter noted of it.  Out: the type and the details as
GetExecutionHistory has them; values are JSON texts.  Names: API reference, HistoryEvent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine import ledger, task_notes
from runner.machine.shaping import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.machine.definition import Map, State
    from runner.machine.ports import TaskRequest
    from runner.machine.task_notes import Manner
    from runner.model.ports import Json

Details = dict[str, "Json"]
_WHOLE = {"truncated": False}
"""The API never cuts what it shows; only logs do."""
_STATES = ("StateEntered", "StateExited")


def member_of(kind: str) -> str:
    """Name the member of a history event that holds the details of its type.

    >>> member_of("MapStateEntered"), member_of("LambdaFunctionFailed")
    ('stateEnteredEventDetails', 'lambdaFunctionFailedEventDetails')
    """
    for end in _STATES:
        if kind.endswith(end):
            kind = end
    return f"{kind[0].lower()}{kind[1:]}EventDetails"


def started_details(data: Json, role: str) -> Details:
    """Tell of the start of an execution."""
    told: Details = {"input": compact(data), "inputDetails": _WHOLE}
    return told | ({"roleArn": role} if role else {})


def ended_event(ended: Mapping[str, Json]) -> tuple[str, Details]:
    """Tell of the end of an execution, from what its journal says."""
    match ended["status"]:
        case "SUCCEEDED":
            return "ExecutionSucceeded", _output(ended["output"])
        case "TIMED_OUT":
            return "ExecutionTimedOut", _error(ended["error"], ended["cause"])
        case "ABORTED":
            return "ExecutionAborted", _error(ended["error"], ended["cause"])
        case _:
            return "ExecutionFailed", _error(ended["error"], ended["cause"])


def event_of(kind: str, told: tuple[Json, ...], region: str) -> tuple[str, Details | None]:
    """Give the type and the details of an event inside an execution."""
    if kind == ledger.EXECUTION_ENDED:
        return ended_event(told[0])
    if kind in _OF_STATES:
        make = _OF_STATES[kind]
        return type(told[0]).__name__ + kind, make(*told)
    if kind in _OTHERS:
        return kind, _OTHERS[kind](*told)
    return kind, _task(kind, told, region)


def _entered(state: State, data: Json) -> Details:
    return {"name": state.name, "input": compact(data), "inputDetails": _WHOLE}


def _exited(state: State, output: Json, assigned: Mapping[str, Json]) -> Details:
    told: Details = {"name": state.name, **_output(output)}
    if assigned:
        told["assignedVariables"] = {name: compact(value) for name, value in assigned.items()}
        told["assignedVariablesDetails"] = _WHOLE
    return told


def _started(state: State, length: int | None = None) -> Details | None:
    del state
    return None if length is None else {"length": length}


def _nothing(*told: Json) -> None:
    del told


def _evaluation(state: str, error: str, cause: str, location: str | None) -> Details:
    told = {"error": error, "cause": cause, "location": location, "state": state}
    return {name: value for name, value in told.items() if value is not None}


def _iteration(state: Map, index: int) -> Details:
    return {"name": state.name, "index": index}


def _output(output: Json) -> Details:
    return {"output": compact(output), "outputDetails": _WHOLE}


def _error(error: str | None, cause: str | None) -> Details:
    """Name what there is: a Fail state may give neither, and a timeout has no cause."""
    return {name: text for name, text in (("error", error), ("cause", cause)) if text}


_OF_STATES: dict[str, Callable[..., Details | None]] = {
    ledger.STATE_ENTERED: _entered,
    ledger.STATE_EXITED: _exited,
    ledger.STATE_STARTED: _started,
    ledger.STATE_SUCCEEDED: _nothing,
    ledger.STATE_FAILED: _nothing,
    ledger.STATE_ABORTED: _nothing,
}
_OTHERS: dict[str, Callable[..., Details | None]] = {
    ledger.EVALUATION_FAILED: _evaluation,
    ledger.ITERATION_STARTED: _iteration,
    ledger.ITERATION_SUCCEEDED: _iteration,
    ledger.ITERATION_FAILED: _iteration,
    ledger.ITERATION_ABORTED: _iteration,
    ledger.MAP_RUN_STARTED: lambda arn: {"mapRunArn": arn},
    ledger.MAP_RUN_REDRIVEN: lambda arn, count: {"mapRunArn": arn, "redriveCount": count},
    ledger.MAP_RUN_SUCCEEDED: _nothing,
    ledger.MAP_RUN_FAILED: _error,
    ledger.EXECUTION_ABORTED: dict,
    ledger.EXECUTION_REDRIVEN: lambda count: {"redriveCount": count},
}


def _task(kind: str, told: tuple[Json, ...], region: str) -> Details | None:
    request, manner, *rest = told
    if kind == manner.scheduled:
        return _scheduled(request, manner, region)
    called = {"resourceType": manner.service, "resource": manner.action}
    named = called if manner.family == "Task" else {}
    if kind == manner.started:
        return None if manner.family == "LambdaFunction" else named
    if kind in {manner.succeeded, task_notes.SUBMITTED}:
        return named | ({} if rest[0] is None and manner.waits else _output(rest[0]))
    return named | _error(*rest)


def _scheduled(request: TaskRequest, manner: Manner, region: str) -> Details:
    arguments = compact(request.arguments)
    told: Details
    if manner.family == "Task":
        told = {
            "resourceType": manner.service,
            "resource": manner.action,
            "region": region,
            "parameters": arguments,
        }
    else:
        told = {"resource": manner.action, "input": arguments, "inputDetails": _WHOLE}
    if request.timeout_s is not None:
        told["timeoutInSeconds"] = request.timeout_s
    if request.heartbeat_s is not None and manner.family != "LambdaFunction":
        told["heartbeatInSeconds"] = request.heartbeat_s
    if isinstance(request.credentials, dict) and manner.family != "Activity":
        told["taskCredentials"] = {"roleArn": request.credentials.get("RoleArn", "")}
    return told
