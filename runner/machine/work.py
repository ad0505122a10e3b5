"""The work of the states that may fail: calls of tasks, branches, iterations over items."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from runner.machine import shaping
from runner.machine.chance import uuid_of
from runner.machine.definition import Map, Parallel, Task
from runner.machine.events import EventKind
from runner.machine.fibers import CallTask, FlowRun, Frame, Spawn
from runner.machine.flows import run_flow
from runner.machine.numbers import whole_number
from runner.machine.ports import TaskRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from runner.machine.definition import Flow
    from runner.machine.fibers import Request, Visit
    from runner.machine.templates import Env
    from runner.model.ports import Json

_TOKEN_SUFFIX = ".waitForTaskToken"  # noqa: S105  (the end of a resource's name)


def do_work(state: Task | Parallel | Map, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    """Do the work of a state; `env.input` is the effective input."""
    match state:
        case Task():
            return _call(state, visit, env)
        case Parallel():
            return _branch(state, visit, env)
        case Map():
            from runner.machine.maps import iterate  # noqa: PLC0415  (not every definition has one)

            return iterate(state, visit, env)
        case _:
            assert_never(state)


def _call(state: Task, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    shared = visit.frame.shared
    if state.resource.endswith(_TOKEN_SUFFIX):
        visit.token = uuid_of(visit.random())
    arguments = shaping.make_arguments(state.io, env)
    shaping.check_size(arguments, state.resource)
    request = TaskRequest(
        key=f"{visit.key}.{visit.attempt}",
        state=state.name,
        resource=state.resource,
        arguments=arguments,
        attempt=visit.attempt,
        timeout_s=whole_number(state.timeout_s, env, least=1),
        heartbeat_s=whole_number(state.heartbeat_s, env, least=1),
        context=visit.context(),
        repeated=shared.recorder.replaying(),
        credentials=None if state.credentials is None else state.credentials.evaluate(env),
    )
    told = {"resource": state.resource, "arguments": arguments}
    shared.recorder.emit(EventKind.TASK_SCHEDULED, request.key, state.name, told)
    shared.history += 3  # AWS writes scheduled, started, and how it ended
    result = yield CallTask(request)
    shaping.check_size(result, state.resource)
    return result


def _branch(state: Parallel, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    data = shaping.make_arguments(state.io, env)
    frame = visit.frame
    frame.shared.history += 1

    def start(index: int, flow: Flow) -> Callable[[], FlowRun]:
        prefix = f"{visit.key}.{visit.attempt}[{index}]/"
        return lambda: run_flow(_inner(frame, prefix), flow, data)

    branches = enumerate(state.branches)
    result = yield Spawn(tuple(start(index, flow) for index, flow in branches))
    frame.shared.history += 1
    return result


def _inner(frame: Frame, prefix: str) -> Frame:
    return Frame(frame.shared, prefix, frame.variables, frame.item)
