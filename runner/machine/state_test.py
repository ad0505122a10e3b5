"""Tests one state alone, as AWS's TestState does: its data after every field, and where it leads.

In: a definition (of one state, or of a machine and the state's name), its input, and what stands
for the world (state_mocks.py).  Out: a `StateResult`.  The state is run by the interpreter's own
parts; what would reach outside is answered with the mock, and no time passes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from runner.machine.definition import Map, Parallel, Task
from runner.machine.failures import ReportedError, StateError, matches
from runner.machine.parse import parse_definition, parse_state
from runner.machine.retries import delay_s
from runner.machine.shaping import check_size, give_error
from runner.machine.state_contexts import check_context, retry_count
from runner.machine.state_mocks import (
    AnyResult,
    StateTestRefused,
    check_mock,
    check_task_alone,
)
from runner.machine.state_work import enter, run_alone, run_mocked
from runner.machine.templates import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random
    from typing import Any

    from runner.machine.definition import Flow, State
    from runner.machine.fibers import Visit
    from runner.machine.flows import Step
    from runner.machine.ports import Clock
    from runner.machine.state_mocks import Mock, ResultModels
    from runner.machine.templates import Undefined
    from runner.model.ports import Json

NAMELESS = "StateName"
"""What AWS calls a state that is tested without a machine."""


class InspectionLevel(StrEnum):
    """How much a result tells beside the output."""

    INFO = "INFO"
    DEBUG = "DEBUG"
    """Also the data after each field."""
    TRACE = "TRACE"
    """The same; AWS adds the requests of HTTP tasks, which a mock never makes."""


class TestStatus(StrEnum):
    """How a test ended."""

    __test__ = False  # not a class of tests

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    RETRIABLE = "RETRIABLE"
    """The state failed, and a retrier would try it again."""
    CAUGHT_ERROR = "CAUGHT_ERROR"
    """The state failed, and a catcher took the error."""


class StateConfiguration(NamedTuple):
    """What happened before, or inside, the state under test."""

    retries: int | None = None
    """Retries so far of the retrier that takes the error; None: what the context says, or 0."""
    error_caused_by: str | None = None
    """The state inside the Map or Parallel from which the mocked error comes."""
    failed_iterations: int = 0
    """Iterations of the Map that failed."""
    reader_data: str | None = None
    """What the ItemReader of the Map reads."""


@dataclass(frozen=True, slots=True)
class StateTest:
    """One test of one state."""

    definition: bytes | str | Mapping[str, Any]
    data: Json = field(default_factory=dict)
    state_name: str | None = None
    """Which state of the definition; None: the definition is the state."""
    mock: Mock | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    context: Mapping[str, Json] | None = None
    level: InspectionLevel = InspectionLevel.INFO
    configuration: StateConfiguration = StateConfiguration()
    role_arn: str | None = None
    reveal_secrets: bool = False


@dataclass(frozen=True, slots=True)
class StateResult:
    """How a state behaved."""

    status: TestStatus
    output: Json | Undefined = UNDEFINED
    error: str | None = None
    cause: str | None = None
    next_state: str | None = None
    inspection: Mapping[str, Json] = field(default_factory=dict)
    """`inspectionData` in AWS's shape, with values instead of JSON texts."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The state under test, and the Map and Parallel states around it, the nearest first."""

    name: str
    state: State
    around: tuple[Map | Parallel, ...] = ()

    def is_item(self) -> bool:
        """Tell whether the state handles an item of a Map."""
        return bool(self.around) and isinstance(self.around[0], Map)


def run_state_test(
    test: StateTest, *, clock: Clock, random: Random, models: ResultModels | None = None
) -> StateResult:
    """Test a state.

    Raises InvalidDefinition for a definition that AWS refuses, and StateTestRefused for a test
    that its TestState refuses.
    """
    found = _find(test)
    check_mock(found.state, test.mock, AnyResult() if models is None else models)
    _check_call(test, found)
    count = test.configuration.retries
    attempt = retry_count(test.context) if count is None else count
    visit = enter(
        found.name,
        test,
        clock=clock,
        random=random,
        item={"Index": 0, "Value": test.data} if found.is_item() else None,
    )
    stages: dict[str, Json] = {}
    try:
        step = _run(found.state, visit, test, attempt, stages)
    except StateError as error:
        told = _reported(error, visit)
        result = _handle(told, (found.state, *found.around), visit, test, attempt)
    else:
        result = _succeeded(step, test)
    return _inspected(result, test, stages)


def _find(test: StateTest) -> _Found:
    if test.state_name is None:
        return _Found(NAMELESS, parse_state(test.definition, NAMELESS))
    flow = parse_definition(test.definition).flow
    for found in _states(flow, ()):
        if found.name == test.state_name:
            return found
    told = "State not found in definition"
    raise StateTestRefused(told)


def _states(flow: Flow, around: tuple[Map | Parallel, ...]) -> Iterator[_Found]:
    for name, state in flow.states.items():
        yield _Found(name, state, around)
        if isinstance(state, Map):
            yield from _states(state.processor, (state, *around))
        elif isinstance(state, Parallel):
            for branch in state.branches:
                yield from _states(branch, (state, *around))


def _check_call(test: StateTest, found: _Found) -> None:
    if test.reveal_secrets and test.mock is not None:
        told = "TestState does not support RevealSecrets when a mock is specified."
        raise StateTestRefused(told)
    if test.mock is None and isinstance(found.state, Task):
        check_task_alone(test.role_arn)
    if test.context is not None:
        if test.mock is None:
            told = "A Context object can only be specified when a mock is specified."
            raise StateTestRefused(told)
        check_context(test.context, found.state)


def _run(
    state: State, visit: Visit, test: StateTest, attempt: int, stages: dict[str, Json]
) -> Step:
    if isinstance(state, Task | Map | Parallel):
        assert test.mock is not None  # noqa: S101  (checked)
        visit.retries = True
        visit.attempt = attempt
        step = run_mocked(state, visit, test, test.mock, stages)
    else:
        step = run_alone(state, visit, test.data, stages)
    if step[1] is not test.data:
        check_size(step[1], state.name)
    return step


def _reported(error: StateError, visit: Visit) -> ReportedError:
    if isinstance(error, ReportedError):
        return error
    return ReportedError(error.error, visit.told(error.cause))


def _succeeded(step: Step, test: StateTest) -> StateResult:
    next_state, output, assigned = step
    variables = {**test.variables, **assigned}
    return StateResult(
        TestStatus.SUCCEEDED,
        output=output,
        next_state=next_state,
        inspection={"variables": variables} if variables else {},
    )


def _handle(
    failed: ReportedError,
    states: tuple[State, ...],
    visit: Visit,
    test: StateTest,
    attempt: int,
) -> StateResult:
    """Find who takes the error: the state's retriers and catchers, then those of the states around it."""
    details: dict[str, Json] = {}
    for state in states:
        if not isinstance(state, Task | Map | Parallel):
            continue
        result = _retried(state, failed, visit, attempt, details)
        if result is None:
            result = _caught(state, failed, visit, test, details)
        if result is not None:
            return result
    return _failed(TestStatus.FAILED, failed, details)


def _failed(status: TestStatus, failed: ReportedError, details: Mapping[str, Json]) -> StateResult:
    told = {"errorDetails": dict(details)} if details else {}
    return StateResult(status, error=failed.error, cause=failed.cause, inspection=told)


def _retried(
    state: Task | Map | Parallel,
    failed: ReportedError,
    visit: Visit,
    attempt: int,
    details: dict[str, Json],
) -> StateResult | None:
    for index, retrier in enumerate(state.retry):
        if not matches(failed.error, retrier.errors):
            continue
        details["retryIndex"] = index
        if attempt >= retrier.max_attempts:
            return None
        seconds = delay_s(retrier, attempt + 1, visit.random)
        details["retryBackoffIntervalSeconds"] = int(seconds)
        return _failed(TestStatus.RETRIABLE, failed, details)
    return None


def _caught(
    state: Task | Map | Parallel,
    failed: ReportedError,
    visit: Visit,
    test: StateTest,
    details: dict[str, Json],
) -> StateResult | None:
    for index, catcher in enumerate(state.catch):
        if not matches(failed.error, catcher.errors):
            continue
        try:
            output, assigned = give_error(catcher.io, visit.env(test.data), test.data, failed)
        except StateError as error:
            return _failed(TestStatus.FAILED, _reported(error, visit), details)
        step = (catcher.next, output, assigned)
        caught = _succeeded(step, test)
        details["catchIndex"] = index
        return StateResult(
            TestStatus.CAUGHT_ERROR,
            output=output,
            error=failed.error,
            cause=failed.cause,
            next_state=catcher.next,
            inspection={**caught.inspection, "errorDetails": dict(details)},
        )
    return None


def _inspected(result: StateResult, test: StateTest, stages: Mapping[str, Json]) -> StateResult:
    shown: dict[str, Json] = {}
    if test.level is not InspectionLevel.INFO:
        shown = {"input": test.data, **stages, **result.inspection}
    return StateResult(
        result.status, result.output, result.error, result.cause, result.next_state, shown
    )
