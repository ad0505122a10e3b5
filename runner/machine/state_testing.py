"""Tests one state alone, as AWS's TestState does: its data after every field, and where it leads.

In: a `StateTest` (a definition of one state, or of a machine and the state's name; its input; what
stands for the world).  Out: a `StateResult`.  The state is run by the interpreter's own parts;
what would reach outside is answered with the mock, and no time passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from runner.machine.definition import Map, Parallel, Task
from runner.machine.failures import ReportedError, StateError, matches
from runner.machine.retries import delay_s
from runner.machine.shaping import check_size, give_error
from runner.machine.state_bench import enter
from runner.machine.state_contexts import check_context, retry_count
from runner.machine.state_mocks import (
    AnyResult,
    StateTestRefused,
    check_mock,
    check_task_alone,
)
from runner.machine.state_places import find_place
from runner.machine.state_test import InspectionLevel, StateResult, TestStatus
from runner.machine.state_work import run_alone, run_mocked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from runner.machine.definition import State
    from runner.machine.flows import Step
    from runner.machine.ports import Clock
    from runner.machine.state_bench import Bench
    from runner.machine.state_mocks import ResultModels
    from runner.machine.state_places import StatePlace
    from runner.machine.state_test import StateTest
    from runner.model.ports import Json

_Worker: TypeAlias = Task | Map | Parallel


def run_state_test(
    test: StateTest, *, clock: Clock, random: Random, models: ResultModels | None = None
) -> StateResult:
    """Test a state.

    Raises InvalidDefinition for a definition that AWS refuses, and StateTestRefused for a test
    that its TestState refuses.  Without `models`, no result is compared with its service.
    """
    place = find_place(test)
    check_mock(place.state, test.mock, AnyResult() if models is None else models)
    _check_call(test, place)
    bench = enter(place, test, clock=clock, random=random)
    try:
        result = _succeeded(_run(place.state, bench), test)
    except StateError as error:
        result = _handle(_reported(error, bench), (place.state, *place.around), bench)
    return _inspected(result, bench)


def _check_call(test: StateTest, place: StatePlace) -> None:
    if test.reveal_secrets and test.mock is not None:
        told = "TestState does not support RevealSecrets when a mock is specified."
        raise StateTestRefused(told)
    if test.mock is None and isinstance(place.state, Task):
        check_task_alone(test.role_arn)
    if test.context is not None:
        if test.mock is None:
            told = "A Context object can only be specified when a mock is specified."
            raise StateTestRefused(told)
        check_context(test.context, place.state)


def _run(state: State, bench: Bench) -> Step:
    if isinstance(state, _Worker):
        assert bench.test.mock is not None  # noqa: S101  (checked)
        bench.visit.retries = True
        bench.visit.attempt = _retries(bench.test)
        step = run_mocked(state, bench, bench.test.mock)
    else:
        step = run_alone(state, bench)
    if step[1] is not bench.test.data:
        check_size(step[1], state.name)
    return step


def _retries(test: StateTest) -> int:
    given = test.configuration.retries
    return retry_count(test.context) if given is None else given


def _reported(error: StateError, bench: Bench) -> ReportedError:
    if isinstance(error, ReportedError):
        return error
    return ReportedError(error.error, bench.visit.told(error.cause))


def _succeeded(step: Step, test: StateTest) -> StateResult:
    next_state, output, assigned = step
    return StateResult(
        TestStatus.SUCCEEDED,
        output=output,
        next_state=next_state,
        inspection=_variables(test, assigned),
    )


def _variables(test: StateTest, assigned: Mapping[str, Json]) -> dict[str, Json]:
    variables = {**test.variables, **assigned}
    return {"variables": variables} if variables else {}


def _handle(failed: ReportedError, states: tuple[State, ...], bench: Bench) -> StateResult:
    """Find who takes the error: the state's own retriers and catchers, or those around it."""
    details: dict[str, Json] = {}
    for state in states:
        if not isinstance(state, _Worker):
            continue
        details = {}
        result = _retried(state, failed, bench, details) or _caught(state, failed, bench, details)
        if result is not None:
            return result
    return _failed(TestStatus.FAILED, failed, bench.test, details)


def _failed(
    status: TestStatus, failed: ReportedError, test: StateTest, details: Mapping[str, Json]
) -> StateResult:
    told = _variables(test, {})
    if details:
        told["errorDetails"] = details
    return StateResult(status, error=failed.error, cause=failed.cause, inspection=told)


def _retried(
    state: _Worker, failed: ReportedError, bench: Bench, details: dict[str, Json]
) -> StateResult | None:
    attempt = _retries(bench.test)
    for index, retrier in enumerate(state.retry):
        if not matches(failed.error, retrier.errors):
            continue
        details["retryIndex"] = index
        if attempt >= retrier.max_attempts:
            return None
        seconds = delay_s(retrier, attempt + 1, bench.visit.random)
        details["retryBackoffIntervalSeconds"] = int(seconds)
        return _failed(TestStatus.RETRIABLE, failed, bench.test, details)
    return None


def _caught(
    state: _Worker, failed: ReportedError, bench: Bench, details: dict[str, Json]
) -> StateResult | None:
    test = bench.test
    for index, catcher in enumerate(state.catch):
        if not matches(failed.error, catcher.errors):
            continue
        try:
            output, assigned = give_error(catcher.io, bench.env(), test.data, failed)
        except StateError as error:
            return _failed(TestStatus.FAILED, _reported(error, bench), test, details)
        details["catchIndex"] = index
        return StateResult(
            TestStatus.CAUGHT_ERROR,
            output=output,
            error=failed.error,
            cause=failed.cause,
            next_state=catcher.next,
            inspection={**_variables(test, assigned), "errorDetails": details},
        )
    return None


def _inspected(result: StateResult, bench: Bench) -> StateResult:
    test = bench.test
    shown: dict[str, Json] = {}
    if test.level is not InspectionLevel.INFO:
        shown = {"input": test.data, **bench.stages, **result.inspection}
    return StateResult(
        result.status, result.output, result.error, result.cause, result.next_state, shown
    )
