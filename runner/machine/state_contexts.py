"""The context object of a state under test: that of an execution that could be, or a given one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Task
from runner.machine.state_mocks import StateTestRefused
from runner.machine.task_notes import WAITING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.machine.definition import State
    from runner.model.ports import Json

_MACHINE = "StateMachine"
_EXECUTION = "TestState"
_ARN = "arn:aws:states:us-east-1:123456789012"
_NO_TASK = (
    "Context object contains 'Task' when state is not a Task state with a '.sync' or"
    " '.waitForTaskToken' service integration pattern"
)


def make_execution(data: Json, role_arn: str | None, started: str) -> dict[str, Json]:
    """Make what the context object says about the execution: TestState runs an EXPRESS one."""
    return {
        "Execution": {
            "Id": f"{_ARN}:express:{_MACHINE}:{_EXECUTION}",
            "Input": data,
            "Name": _EXECUTION,
            "RoleArn": role_arn or "",
            "StartTime": started,
        },
        "StateMachine": {"Id": f"{_ARN}:stateMachine:{_MACHINE}", "Name": _MACHINE},
    }


def check_context(context: Json, state: State) -> None:
    """Refuse a context object that the state cannot have."""
    if not isinstance(context, dict):
        raise _invalid("Context object is not a JSON object")
    takes_token = isinstance(state, Task) and state.resource.endswith(WAITING)
    if "Task" in context and not takes_token:
        raise _invalid(_NO_TASK)


def _invalid(why: str) -> StateTestRefused:
    return StateTestRefused(f"Invalid Context object provided: {why}")


def retry_count(context: Mapping[str, Json] | None) -> int:
    """Give the retries that a context object tells of."""
    state = (context or {}).get("State")
    count = state.get("RetryCount") if isinstance(state, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else 0
