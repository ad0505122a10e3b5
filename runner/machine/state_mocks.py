"""What a test of one state is given instead of the world: a mocked result, or a mocked error.

In: the state and its mock.  Out: nothing, or the refusal that AWS's TestState gives, in its words.
Whether a result could come from its service is asked of `ResultModels`, a port.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from runner.errors import Fault, Place, UsageError
from runner.machine.definition import Map, Parallel, Task
from runner.machine.task_notes import WAITING, is_activity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.machine.definition import State
    from runner.model.ports import Json

VALIDATION = "ValidationException"
INVALID = "InvalidDefinition"

_NO_FLOWS = (
    "TestState API does not support Map or Parallel states. Supported state types include:"
    " [Task, Wait, Pass, Succeed, Fail, Choice]"
)
_NO_PATTERNS = "TestState API does not support '.sync' or '.waitForTaskToken' integration patterns."
_NO_ACTIVITY = "TestState API does not support Activity tasks."
_NO_ROLE = "RoleArn must be specified when testing a Task state"
_NO_SERVICES = "A Task can be tested with a mock only: give a result or an error."


class FieldValidation(StrEnum):
    """How strictly a mocked result is compared with the response of its service."""

    STRICT = "STRICT"
    """Required fields must be there, and fields that are there must fit."""
    PRESENT = "PRESENT"
    """Fields that are there must fit."""
    NONE = "NONE"
    """Nothing is compared."""


class MockedResult(NamedTuple):
    """The work of the state gives this result."""

    value: Json
    validation: FieldValidation = FieldValidation.STRICT


class MockedError(NamedTuple):
    """The work of the state fails with this error."""

    error: str
    cause: str | None = None


Mock: TypeAlias = MockedResult | MockedError


class ResultModels(Protocol):
    """Knows what the services that tasks call can answer."""

    def problem(self, resource: str, result: Json, *, strict: bool) -> str | None:
        """Tell in AWS's words what makes a result impossible for a task's resource.

        `strict` asks for the required fields too.  None: nothing is wrong, or nobody knows.
        """
        ...


class AnyResult:
    """Knows of no service: every result passes."""

    def problem(self, resource: str, result: Json, *, strict: bool) -> str | None:  # noqa: ARG002
        """Find nothing wrong."""
        return None


class StateTestRefused(UsageError):
    """A test that AWS's TestState refuses to run."""

    def __init__(self, message: str, code: str = VALIDATION) -> None:
        """Take AWS's text and the name of its exception."""
        self.message = message
        self.code = code
        fault = Fault(
            place=Place("the test"),
            code="state-test-refused",
            found=message,
            expected="a test that AWS's TestState would run",
            advice="change the mock, the context or the configuration of the test",
        )
        super().__init__([fault])


def read_mock(source: Mapping[str, Json]) -> Mock:
    """Read a mock as the API has it: `result` (JSON text) or `errorOutput`."""
    import json  # noqa: PLC0415  (only for the API's form)

    given = {"result", "errorOutput"} & source.keys()
    if len(given) != 1:
        told = "A test mock should have only one of the following fields: [result, errorOutput]."
        raise StateTestRefused(told)
    if "errorOutput" in source:
        return _read_error(source["errorOutput"])
    try:
        value = json.loads(source["result"])
    except (TypeError, ValueError) as error:
        told = "Mocked result must be valid JSON"
        raise StateTestRefused(told) from error
    return MockedResult(value, FieldValidation(source.get("fieldValidationMode", "STRICT")))


def _read_error(source: Mapping[str, Json]) -> MockedError:
    if not source.get("error"):
        told = "An error was not specified in the mocked error output."
        raise StateTestRefused(told)
    return MockedError(source["error"], source.get("cause"))


def check_mock(state: State, mock: Mock | None, models: ResultModels) -> None:
    """Refuse a mock that the state cannot have, or a state that cannot go without one."""
    if mock is None:
        _check_unmocked(state)
        return
    if not isinstance(state, Task | Map | Parallel):
        told = f"State type '{type(state).__name__}' is not supported when a mock is specified"
        raise StateTestRefused(told)
    if isinstance(mock, MockedError):
        return
    if isinstance(state, Task):
        _check_result(state, mock, models)
    elif isinstance(state, Map):
        _check_items(state, mock.value)
    else:
        _check_branches(state, mock.value)


def _check_unmocked(state: State) -> None:
    if isinstance(state, Map | Parallel):
        raise StateTestRefused(_NO_FLOWS, INVALID)
    if not isinstance(state, Task):
        return
    if is_activity(state.resource):
        raise StateTestRefused(_NO_ACTIVITY, INVALID)
    if state.resource.endswith(WAITING):
        raise StateTestRefused(_NO_PATTERNS, INVALID)


def check_task_alone(role_arn: str | None) -> None:
    """Refuse a Task without a mock: AWS wants a role for it, and here is no AWS to call."""
    raise StateTestRefused(_NO_ROLE if role_arn is None else _NO_SERVICES)


def _check_result(state: Task, mock: MockedResult, models: ResultModels) -> None:
    if mock.validation is FieldValidation.NONE:
        return
    strict = mock.validation is FieldValidation.STRICT
    problem = models.problem(state.resource, mock.value, strict=strict)
    if problem is not None:
        told = f"Mock result schema validation error: {problem}"
        raise StateTestRefused(told)


def _check_items(state: Map, value: Json) -> None:
    writer = None if state.distributed is None else state.distributed.writer
    written = writer is not None and bool(writer.resource)
    if written and not isinstance(value, dict):
        told = "Mocked result must be a JSON object."
        raise StateTestRefused(told)
    if not written and not isinstance(value, list):
        told = "Mocked result must be an array."
        raise StateTestRefused(told)


def _check_branches(state: Parallel, value: Json) -> None:
    if not isinstance(value, list):
        told = "Mocked result must be an array."
        raise StateTestRefused(told)
    if len(value) != len(state.branches):
        told = "Mocked result must contain the same number of items as number of Parallel branches."
        raise StateTestRefused(told)
