"""The work of the states that may fail: calls of tasks, branches, iterations over items."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from runner.machine import shaping
from runner.machine.chance import uuid_of
from runner.machine.definition import Map, Parallel, Task
from runner.machine.events import EventKind
from runner.machine.failures import ReportedError, StateError
from runner.machine.fibers import CallTask, Failed, FlowRun, Frame, Spawn, Tolerance
from runner.machine.flows import run_flow
from runner.machine.items import make_inputs, make_items, select_item
from runner.machine.numbers import percentage_of, whole_number
from runner.machine.ports import TaskRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

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
            return _iterate(state, visit, env)
        case _:
            assert_never(state)


def _call(state: Task, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    shared = visit.frame.shared
    if state.resource.endswith(_TOKEN_SUFFIX):
        visit.token = uuid_of(visit.random())
    arguments = shaping.make_arguments(state.io, env)
    shaping.check_size(arguments, state.resource)
    request = TaskRequest(
        key=visit.attempt_key,
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
    result = yield CallTask(visit, request)
    shaping.check_size(result, state.resource)
    return result


def _branch(state: Parallel, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    data = shaping.make_arguments(state.io, env)
    frame = visit.frame
    frame.shared.history += 1

    within = visit.attempt_key

    def start(index: int, flow: Flow) -> Callable[[], FlowRun]:
        prefix = f"{within}[{index}]/"
        return lambda: run_flow(_inner(frame, prefix), flow, data)

    branches = enumerate(state.branches)
    result = yield Spawn(visit, within, tuple(start(index, flow) for index, flow in branches))
    frame.shared.history += 1
    return result


def _inner(frame: Frame, prefix: str) -> Frame:
    return Frame(frame.shared, prefix, frame.variables, frame.item)


def _iterate(state: Map, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    data = env.input
    items = yield from make_items(state, visit, env)
    inputs = make_inputs(state, visit, env, items)
    limit = whole_number(state.max_concurrency, env, least=0) or 0
    tolerance = _tolerance(state, env)
    visit.frame.shared.history += 1

    within = visit.attempt_key

    def start(index: int, item: Mapping[str, Json]) -> Callable[[], FlowRun]:
        return lambda: _run_item(state, visit, data, f"{within}[{index}]/", item)

    starts = tuple(start(index, item) for index, item in enumerate(inputs))
    result = yield Spawn(visit, within, starts, limit, tolerance)
    visit.frame.shared.history += 1
    if state.distributed is None:
        return result
    results = [_told(one) for one in result]
    from runner.machine.distributed import write_results  # noqa: PLC0415  (seldom used)

    return (yield from write_results(state.distributed, visit, env, results))


def _told(result: Json) -> Json:
    if isinstance(result, Failed):
        return {"Error": result.error, "Cause": result.cause}
    return result


def _tolerance(state: Map, env: Env) -> Tolerance:
    count = whole_number(state.tolerated_count, env, least=0) or 0
    percentage = percentage_of(state.tolerated_percentage, env)
    return Tolerance() if state.distributed is None else Tolerance(count, percentage, named=True)


def _run_item(
    state: Map, visit: Visit, data: Json, prefix: str, item: Mapping[str, Json]
) -> FlowRun:
    outer = visit.frame
    outer.shared.history += 1
    distributed = state.distributed
    if distributed is not None:
        inner = Frame(outer.shared.of_child(), prefix, {}, item)
    else:
        inner = Frame(outer.shared, prefix, outer.variables, item)
    if distributed is not None and distributed.batcher is not None:
        value = item["Value"]
    else:
        try:
            value = select_item(state, visit, data, item)
        except StateError as error:
            raise ReportedError(error.error, visit.told(error.cause)) from error
    result = yield from run_flow(inner, state.processor, value)
    outer.shared.history += 1
    return result
