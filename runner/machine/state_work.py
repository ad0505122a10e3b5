"""Runs one state with its mock instead of its work, and keeps its data after every field.

In: a state that was entered, its test, and a dictionary for the stages.  Out: the step that the
interpreter would take; StateError passes through, with the stages up to the failure kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.machine import shaping
from runner.machine.definition import JsonPathIo, Map, Pass, Task
from runner.machine.events import EventKind, MemoryJournal
from runner.machine.failures import ReportedError, StateError
from runner.machine.faults import FaultPlan
from runner.machine.fibers import CallTask, Frame, Shared, iso_millis
from runner.machine.flows import run_state
from runner.machine.recorder import Recorder
from runner.machine.state_contexts import GivenVisit, make_execution
from runner.machine.state_iterations import iterate
from runner.machine.state_mocks import MockedError
from runner.machine.state_stages import after_result, watch
from runner.machine.work import do_work

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from runner.machine.definition import Parallel, State
    from runner.machine.fibers import Visit
    from runner.machine.flows import Step
    from runner.machine.ports import Clock
    from runner.machine.state_mocks import Mock
    from runner.machine.state_stages import Seen
    from runner.machine.state_test import StateTest
    from runner.machine.templates import Env
    from runner.model.ports import Json

    Stages = dict[str, Json]


def enter(
    name: str,
    test: StateTest,
    *,
    clock: Clock,
    random: Random,
    item: Mapping[str, Json] | None,
) -> Visit:
    """Enter the state under test."""
    recorder = Recorder(MemoryJournal(), clock, None)
    shared = Shared(
        recorder,
        clock,
        execution=make_execution(test.data, test.role_arn, iso_millis(recorder.time)),
        seed=f"{random.getrandbits(64):016x}",
        faults=FaultPlan(),
        crash=_no_crash,
        history_limit=None,
    )
    frame = Frame(shared, "", test.variables, item)
    event = recorder.emit(EventKind.STATE_ENTERED, f"{name}#1", name, {"input": test.data})
    shared.history += 1
    return GivenVisit(frame, event, shared.history, test.context)


def _no_crash() -> None:
    """Stand for the crash of a process: no fault is injected here."""


def run_alone(state: State, visit: Visit, raw: Json, stages: Stages) -> Step:
    """Run a state that calls nothing; a Wait ends at once."""
    seen: Seen = {}
    if isinstance(state.io, JsonPathIo):
        _keep_input(state, visit, raw, stages)
    work = run_state(watch(state, seen), visit, raw)
    try:
        while True:
            next(work)
    except StopIteration as ended:
        step: Step = ended.value
    finally:
        if "parameters" in seen:
            stages["afterParameters"] = seen["parameters"][-1]
    if isinstance(state, Pass):
        _keep_pass(state, raw, stages)
    return step


def _keep_input(state: State, visit: Visit, raw: Json, stages: Stages) -> None:
    if isinstance(state, Pass) and state.result is not None:
        return
    env = visit.env(raw)
    try:
        shaping.take_input(state.io, env)
    except StateError:
        return  # the run of the state finds the same
    stages["afterInputPath"] = env.input


def _keep_pass(state: Pass, raw: Json, stages: Stages) -> None:
    if not isinstance(state.io, JsonPathIo):
        return
    if state.result is not None:
        result = state.result.source
    else:
        result = stages.setdefault("afterParameters", stages["afterInputPath"])
    stages.update(after_result(state.io, raw, result, {}))


def run_mocked(
    state: Task | Map | Parallel, visit: Visit, test: StateTest, mock: Mock, stages: Stages
) -> Step:
    """Run a state whose work is mocked."""
    seen: Seen = {}
    watched: Any = watch(state, seen)
    env = visit.env(test.data)
    shaping.take_input(state.io, env)
    is_path = isinstance(state.io, JsonPathIo)
    if is_path and isinstance(state, Task | Map):
        stages["afterInputPath"] = env.input
    if isinstance(watched, Map):
        iterate(watched, visit, env, test, stages, seen)
    else:
        asked = next(do_work(watched, visit, env))
        if isinstance(asked, CallTask):
            stages["afterParameters" if is_path else "afterArguments"] = asked.request.arguments
    return _take_mock(watched, visit.env_again(env), test.data, mock, stages, seen)


def _take_mock(
    state: Any,
    env: Env,
    raw: Json,
    mock: Mock,
    stages: Stages,
    seen: Seen,  # noqa: ANN401
) -> Step:
    if isinstance(mock, MockedError):
        raise ReportedError(mock.error, mock.cause)
    if isinstance(state, Task):
        shaping.check_size(mock.value, state.resource)
        stages["result"] = mock.value
    try:
        output, assigned = shaping.give_result(state.io, env, raw, mock.value)
    except StateError:
        if seen.get("result_selector"):
            stages["afterResultSelector"] = seen["result_selector"][-1]
        raise
    stages.update(after_result(state.io, raw, mock.value, seen))
    return state.next, output, assigned
