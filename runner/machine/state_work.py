"""Runs the state under test, its mock instead of its work, and keeps its data after each field.

In: a bench.  Out: the step that the interpreter would take; StateError passes through, with the
stages up to the failure kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine import shaping
from runner.machine.definition import JsonPathIo, Map, Parallel, Pass, Task
from runner.machine.failures import ReportedError, StateError
from runner.machine.fibers import CallTask
from runner.machine.flows import run_state
from runner.machine.state_iterations import iterate
from runner.machine.state_mocks import MockedError
from runner.machine.state_stages import after_result, watch
from runner.machine.work import do_work

if TYPE_CHECKING:
    from runner.machine.definition import State
    from runner.machine.flows import Step
    from runner.machine.state_bench import Bench
    from runner.machine.state_mocks import Mock
    from runner.machine.templates import Env
    from runner.model.ports import Json


def run_alone(state: State, bench: Bench) -> Step:
    """Run a state that calls nothing; a Wait ends at once."""
    raw = bench.test.data
    if isinstance(state.io, JsonPathIo):
        _keep_input(state, bench)
    work = run_state(watch(state, bench.seen), bench.visit, raw)
    try:
        while True:
            next(work)
    except StopIteration as ended:
        step: Step = ended.value
    finally:
        if bench.seen.get("parameters"):
            bench.stages["afterParameters"] = bench.last("parameters")
    if isinstance(state, Pass):
        _keep_pass(state, bench)
    return step


def _keep_input(state: State, bench: Bench) -> None:
    if isinstance(state, Pass) and state.result is not None:
        return  # AWS shows no input of a Pass that has a Result
    env = bench.env()
    try:
        shaping.take_input(state.io, env)
    except StateError:
        return  # the run of the state finds the same
    bench.stages["afterInputPath"] = env.input


def _keep_pass(state: Pass, bench: Bench) -> None:
    if not isinstance(state.io, JsonPathIo):
        return
    stages = bench.stages
    result: Json
    if state.result is not None:
        result = state.result.source
    else:
        result = stages.setdefault("afterParameters", stages["afterInputPath"])
    stages.update(after_result(state.io, bench.test.data, result, bench.seen))


def run_mocked(state: Task | Map | Parallel, bench: Bench, mock: Mock) -> Step:
    """Run a state whose work is mocked."""
    watched = watch(state, bench.seen)
    env = bench.env()
    shaping.take_input(state.io, env)
    is_path = isinstance(state.io, JsonPathIo)
    if is_path and isinstance(state, Task | Map):
        bench.stages["afterInputPath"] = env.input
    if isinstance(watched, Map):
        iterate(watched, bench, env)
    elif isinstance(watched, Task):
        asked = next(do_work(watched, bench.visit, env))
        assert isinstance(asked, CallTask)  # noqa: S101  (a Task asks for its call only)
        bench.stages["afterParameters" if is_path else "afterArguments"] = asked.request.arguments
    else:
        shaping.make_arguments(watched.io, env)
    if isinstance(mock, MockedError):
        raise ReportedError(mock.error, mock.cause)
    return _take_result(watched, bench, bench.visit.env_again(env), mock.value)


def _take_result(state: State, bench: Bench, env: Env, result: Json) -> Step:
    assert isinstance(state, Task | Map | Parallel)  # noqa: S101  (the others have no mock)
    if isinstance(state, Task):
        shaping.check_size(result, state.resource)
        bench.stages["result"] = result
    raw = bench.test.data
    try:
        output, assigned = shaping.give_result(state.io, env, raw, result)
    except StateError:
        if bench.seen.get("result_selector"):
            bench.stages["afterResultSelector"] = bench.last("result_selector")
        raise
    bench.stages.update(after_result(state.io, raw, result, bench.seen))
    return state.next, output, assigned
