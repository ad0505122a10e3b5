"""The work of the states that may fail: calls of tasks, branches, iterations over items."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

from runner.machine import shaping
from runner.machine.chance import uuid_of
from runner.machine.definition import Map, Parallel, Task
from runner.machine.events import EventKind
from runner.machine.failures import RUNTIME, ReportedError, StateError
from runner.machine.fibers import CallTask, Failed, FlowRun, Frame, Spawn, Tolerance
from runner.machine.flows import run_flow
from runner.machine.items import make_inputs, make_items, select_item
from runner.machine.ledger import (
    ITERATION_STARTED,
    ITERATION_SUCCEEDED,
    MAP_RUN_FAILED,
    MAP_RUN_STARTED,
    MAP_RUN_SUCCEEDED,
    STATE_SUCCEEDED,
    Fork,
)
from runner.machine.numbers import percentage_of, whole_number
from runner.machine.ports import TaskRequest
from runner.machine.task_notes import TaskNotes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from runner.machine.definition import Flow
    from runner.machine.fibers import Request, Visit
    from runner.machine.templates import Env
    from runner.model.ports import Json

_ACTIVITY = ":activity:"
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
        visit.token = _token_of(visit)
    arguments = shaping.make_arguments(state.io, env)
    shaping.check_size(arguments, state.resource)
    key = visit.attempt_key
    request = TaskRequest(
        key=key,
        state=state.name,
        resource=state.resource,
        arguments=arguments,
        attempt=visit.attempt,
        timeout_s=whole_number(state.timeout_s, env, least=1),
        heartbeat_s=whole_number(state.heartbeat_s, env, least=1),
        context=visit.context(),
        repeated=shared.recorder.replaying(),
        credentials=None if state.credentials is None else state.credentials.evaluate(env),
        token=_token_of(visit) if _ACTIVITY in state.resource else visit.token,
        submitted=partial(shared.report, key),
    )
    told = {"resource": state.resource, "arguments": arguments}
    shared.recorder.emit(EventKind.TASK_SCHEDULED, request.key, state.name, told)
    notes = TaskNotes(visit.frame, request)
    notes.scheduled()
    try:
        result = yield CallTask(visit, request, notes)
        shaping.check_size(result, state.resource)
    except StateError as error:
        notes.failed(error)
        raise
    notes.succeeded(result)
    return result


def _token_of(visit: Visit) -> str:
    return uuid_of(visit.random())


def _branch(state: Parallel, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    data = shaping.make_arguments(state.io, env)
    fork = Fork(visit, state)

    def start(index: int, flow: Flow) -> Callable[[], FlowRun]:
        return lambda: _run_branch(fork, visit, (index, flow), data)

    starts = tuple(start(index, flow) for index, flow in enumerate(state.branches))
    return (yield from _spawn(state, visit, fork, Spawn(visit, fork.within, starts, fork=fork)))


def _run_branch(fork: Fork, visit: Visit, branch: tuple[int, Flow], data: Json) -> FlowRun:
    (index, flow), outer = branch, visit.frame
    prefix = f"{fork.within}[{index}]/"
    frame = Frame(outer.shared, prefix, outer.variables, outer.item, after=fork.start)
    fork.began(index, frame)
    try:
        result = yield from run_flow(frame, flow, data)
    except StateError as error:
        fork.broke(index, error)
        raise
    fork.ended(index, frame.last)
    return result


def _spawn(
    state: Parallel | Map, visit: Visit, fork: Fork, spawn: Spawn
) -> Generator[Request, Json, Json]:
    """Run branches or iterations, and take the chain of events on where they ended."""
    frame = visit.frame
    try:
        result = yield spawn
    except StateError:
        frame.last = fork.failed
        raise
    frame.last = fork.end
    frame.add_aside(STATE_SUCCEEDED, (state,))
    return result


def _iterate(state: Map, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    distributed = state.distributed
    reads = distributed is not None and distributed.reader is not None
    items = () if reads else (yield from make_items(state, visit, env))
    limit = whole_number(state.max_concurrency, env, least=0) or 0
    fork = Fork(visit, state, (len(items),))
    if distributed is not None:
        return (yield from _run_map(state, visit, env, items=items, limit=limit))
    _tolerance(state, env)
    data = env.input

    def start(index: int, item: Mapping[str, Json]) -> Callable[[], FlowRun]:
        return lambda: _run_item(fork, state, visit, (data, index, item), fork.free)

    starts = tuple(start(index, item) for index, item in enumerate(items))
    spawn = Spawn(visit, fork.within, starts, limit, fork=fork)
    return (yield from _spawn(state, visit, fork, spawn))


def _run_item(
    fork: Fork,
    state: Map,
    visit: Visit,
    one: tuple[Json, int, Mapping[str, Json]],
    after: int,
) -> FlowRun:
    """Run one iteration; a selector that fails fails the Map before the iteration begins."""
    data, index, item = one
    outer = visit.frame
    ledger = outer.shared.ledger
    value = select_item(state, visit, data, item)
    prefix = f"{fork.within}[{index}]/"
    began = ledger.add(ITERATION_STARTED, after, (state, index))
    frame = Frame(outer.shared, prefix, outer.variables, item, after=began)
    fork.began(index, frame)
    try:
        result = yield from run_flow(frame, state.processor, value)
    except StateError as error:
        fork.broke(index, error)
        raise
    fork.ended(index, ledger.add(ITERATION_SUCCEEDED, frame.last, (state, index)))
    return result


def _run_map(
    state: Map, visit: Visit, env: Env, *, items: Sequence[Mapping[str, Json]], limit: int
) -> Generator[Request, Json, Json]:
    """Run a distributed Map: its children are executions of their own, with their own events."""
    from runner.machine.distributed import map_run_arn  # noqa: PLC0415  (seldom used)

    frame, ledger = visit.frame, visit.frame.shared.ledger
    arn = map_run_arn(state, visit)
    frame.last = ledger.add(MAP_RUN_STARTED, frame.last, (arn,))
    try:
        result = yield from _run_children(state, visit, env, (arn, items, limit))
    except StateError as error:
        if error.error != RUNTIME:
            told = (error.error, error.cause)
            frame.last = ledger.add_quietly(MAP_RUN_FAILED, frame.last, told)
        raise
    frame.last = ledger.add(MAP_RUN_SUCCEEDED, frame.last)
    frame.add_aside(STATE_SUCCEEDED, (state,))
    return result


def _run_children(
    state: Map, visit: Visit, env: Env, run: tuple[str, Sequence[Mapping[str, Json]], int]
) -> Generator[Request, Json, Json]:
    from runner.machine.distributed import write_results  # noqa: PLC0415  (seldom used)

    (arn, items, limit), distributed = run, state.distributed
    assert distributed is not None  # noqa: S101  (for the type checker)
    data = env.input
    if distributed.reader is not None:
        items = yield from make_items(state, visit, env)
    inputs = make_inputs(state, visit, env, items)
    tolerance = _tolerance(state, env)

    within = visit.attempt_key

    def start(index: int, item: Mapping[str, Json]) -> Callable[[], FlowRun]:
        return lambda: _run_child(state, visit, data, f"{within}[{index}]/", item)

    starts = tuple(start(index, item) for index, item in enumerate(inputs))
    result = yield Spawn(visit, within, starts, limit, tolerance)
    results = [_told(one) for one in result]
    return (yield from write_results(distributed, visit, env, results, arn))


def _run_child(
    state: Map, visit: Visit, data: Json, prefix: str, item: Mapping[str, Json]
) -> FlowRun:
    frame = Frame(visit.frame.shared.of_child(), prefix, {}, item)
    if state.distributed is not None and state.distributed.batcher is not None:
        value = item["Value"]
    else:
        try:
            value = select_item(state, visit, data, item)
        except StateError as error:
            raise ReportedError(error.error, visit.told(error.cause)) from error
    return (yield from run_flow(frame, state.processor, value))


def _told(result: Json) -> Json:
    if isinstance(result, Failed):
        return {"Error": result.error, "Cause": result.cause}
    return result


def _tolerance(state: Map, env: Env) -> Tolerance:
    count = whole_number(state.tolerated_count, env, least=0) or 0
    percentage = percentage_of(state.tolerated_percentage, env)
    return Tolerance() if state.distributed is None else Tolerance(count, percentage, named=True)
