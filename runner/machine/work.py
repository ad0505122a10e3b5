"""The work of the states that may fail: calls of tasks, and branches; maps.py has iterations."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

from runner.machine import shaping
from runner.machine.chance import uuid_of
from runner.machine.definition import Map, Parallel, Task
from runner.machine.events import EventKind
from runner.machine.failures import StateError
from runner.machine.fibers import CallTask, FlowRun, Frame, Spawn
from runner.machine.fields import LONGEST_S
from runner.machine.flows import run_flow
from runner.machine.ledger import Fork
from runner.machine.numbers import whole_number
from runner.machine.ports import TaskRequest
from runner.machine.task_notes import TaskNotes, is_activity

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from runner.machine.definition import Flow
    from runner.machine.fibers import Request, Visit
    from runner.machine.templates import Env, Template
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
        timeout_s=_seconds(state.timeout_s, env),
        heartbeat_s=_seconds(state.heartbeat_s, env),
        context=visit.context(),
        repeated=shared.recorder.was_made(key),
        credentials=None if state.credentials is None else state.credentials.evaluate(env),
        token=_token_of(visit) if is_activity(state.resource) else visit.token,
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


def _seconds(template: Template | None, env: Env) -> int | None:
    """Evaluate a timeout; none is longer than the longest that a definition may name."""
    seconds = whole_number(template, env, least=1)
    return None if seconds is None else min(seconds, LONGEST_S)


def _token_of(visit: Visit) -> str:
    return uuid_of(visit.random())


def _branch(state: Parallel, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    data = shaping.make_arguments(state.io, env)
    fork = Fork(visit, state)

    def start(index: int, flow: Flow) -> Callable[[], FlowRun]:
        return lambda: _run_branch(fork, visit, (index, flow), data)

    starts = tuple(start(index, flow) for index, flow in enumerate(state.branches))
    return (yield from fork.spawn(Spawn(visit, fork.within, starts, fork=fork)))


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
