"""The run of a flow: state after state, each with its input, work, retriers, catchers, output.

In: a `Flow`, its input, and the `Frame` it runs in.  Out: a generator that yields requests
(fibers.py) and returns the flow's output, or raises StateError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from runner.machine import shaping
from runner.machine.definition import (
    Choice,
    Fail,
    JsonataIo,
    Map,
    Parallel,
    Pass,
    Succeed,
    Task,
    Wait,
)
from runner.machine.events import EventKind
from runner.machine.failures import RUNTIME, ReportedError, StateError, matches
from runner.machine.faults import Crash, Meanwhile, When
from runner.machine.fibers import FlowRun, Frame, Sleep, Visit
from runner.machine.retries import delay_s
from runner.machine.templates import Template
from runner.machine.waits import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from runner.machine.definition import Catcher, Flow, Retrier, State
    from runner.machine.fibers import Request
    from runner.machine.templates import Env
    from runner.model.ports import Json

Step = tuple["str | None", "Json", "Mapping[str, Json]"]
"""Where to go (None: the flow ends), the output, and the variables to assign."""

_NOWHERE = "Failed to transition out of the state. The state does not point to a next state."
_FULL = "The execution reached the maximum number of history events ({})."


def run_flow(frame: Frame, flow: Flow, data: Json) -> FlowRun:
    """Run a flow from its first state."""
    shared = frame.shared
    faulty = bool(shared.faults.faults)
    name: str | None = flow.start
    while name is not None:
        state = flow.states[name]
        visit = frame.enter(name, data)
        if faulty:
            _strike(state, visit, When.BEFORE)
        try:
            name, output, assigned = yield from run_state(state, visit, data)
            if output is not data:
                shaping.check_size(output, state.name)
        except ReportedError:
            raise
        except StateError as error:
            raise ReportedError(error.error, visit.told(error.cause)) from error
        data = output
        _exit(visit, data, assigned)
        if faulty:
            _strike(state, visit, When.AFTER)
    return data


def _exit(visit: Visit, output: Json, assigned: Mapping[str, Json]) -> None:
    frame = visit.frame
    shared = frame.shared
    told = {"output": output, "assigned": assigned} if assigned else {"output": output}
    shared.recorder.emit(EventKind.STATE_EXITED, visit.key, visit.state, told)
    shared.history += 1
    if shared.history_limit is not None and shared.history >= shared.history_limit:
        raise ReportedError(RUNTIME, _FULL.format(shared.history_limit))
    if assigned:
        frame.variables = {**frame.variables, **assigned}


def _strike(state: State, visit: Visit, when: When) -> None:
    shared = visit.frame.shared
    if isinstance(state, Task):
        return
    match shared.faults.of_transition(visit.key, visit.state, when=when):
        case Crash():
            shared.crash()
        case Meanwhile(act):
            act()


def run_state(state: State, visit: Visit, raw: Json) -> Generator[Request, Json, Step]:
    """Run one state that was entered; gives where to go, the output and the assignments."""
    match state:
        case Pass():
            return _run_pass(state, visit, raw)
        case Choice():
            return _run_choice(state, visit, raw)
        case Task() | Parallel() | Map():
            return (yield from _run_with_care(state, visit, raw))
        case Wait():
            return (yield from _run_wait(state, visit, raw))
        case Succeed():
            env = visit.env(raw)
            shaping.take_input(state.io, env)
            return (None, *shaping.give_input(state.io, env))
        case Fail():
            raise _fail(state, visit, raw)
        case _:
            assert_never(state)


def _run_pass(state: Pass, visit: Visit, raw: Json) -> Step:
    env = visit.env(raw)
    shaping.take_input(state.io, env)
    if state.result is not None:
        result = state.result.evaluate(env)
    else:
        result = shaping.make_arguments(state.io, env)
    if isinstance(state.io, JsonataIo):
        return (state.next, *shaping.give_input(state.io, env))
    return (state.next, *shaping.give_result(state.io, env, raw, result))


def _run_choice(state: Choice, visit: Visit, raw: Json) -> Step:
    env = visit.env(raw)
    shaping.take_input(state.io, env)
    for branch in state.branches:
        if isinstance(branch.condition, Template):
            holds = branch.condition.evaluate(env)
            if not isinstance(holds, bool):
                raise shaping.unexpected_type(branch.condition, holds, "boolean")
        else:
            holds = branch.condition.holds(env)
        if holds:
            io = shaping.branch_io(state.io, branch.io)
            return (branch.next, *shaping.give_input(io, env))
    if state.default is None:
        raise StateError(RUNTIME, _NOWHERE)
    return (state.default, *shaping.give_input(state.io, env))


def _run_wait(state: Wait, visit: Visit, raw: Json) -> Generator[Request, Json, Step]:
    env = visit.env(raw)
    shaping.take_input(state.io, env)
    until = wait_until(state, env, visit.entered)
    yield from _sleep(visit, visit.key, until)
    return (state.next, *shaping.give_input(state.io, env))


def _sleep(visit: Visit, key: str, until: object) -> Generator[Request, Json, None]:
    from datetime import datetime  # noqa: PLC0415

    recorder = visit.frame.shared.recorder
    asked = until.isoformat() if isinstance(until, datetime) else str(until)
    event = recorder.emit(EventKind.TIMER_SET, key, visit.state, {"until": asked})
    yield Sleep(key, visit.state, datetime.fromisoformat(event.data["until"]))


def _fail(state: Fail, visit: Visit, raw: Json) -> ReportedError:
    env = visit.env(raw)
    error = _text(state.error, env)
    cause = _text(state.cause, env)
    return ReportedError(error, cause)


def _text(template: Template | None, env: Env) -> str | None:
    if template is None:
        return None
    value = template.evaluate(env)
    if not isinstance(value, str):
        raise shaping.not_text(template, value)
    return value


def _run_with_care(
    state: Task | Parallel | Map, visit: Visit, raw: Json
) -> Generator[Request, Json, Step]:
    """Do the work of a state that may fail, with its retriers and catchers."""
    from runner.machine.work import do_work  # noqa: PLC0415  (it needs run_flow)

    used = [0] * len(state.retry)
    visit.retries = True
    while True:
        env = visit.env(raw)
        try:
            shaping.take_input(state.io, env)
            result = yield from do_work(state, visit, env)
            return (state.next, *shaping.give_result(state.io, visit.env_again(env), raw, result))
        except StateError as error:
            failed = _reported(error, visit)
        if not (yield from _tried_again(state.retry, used, visit, failed)):
            return _caught(state.catch, visit, raw, failed)


def _reported(error: StateError, visit: Visit) -> ReportedError:
    if isinstance(error, ReportedError):
        return error
    return ReportedError(error.error, visit.told(error.cause))


def _tried_again(
    retriers: tuple[Retrier, ...], used: list[int], visit: Visit, failed: ReportedError
) -> Generator[Request, Json, bool]:
    for index, retrier in enumerate(retriers):
        if not matches(failed.error, retrier.errors):
            continue
        if used[index] >= retrier.max_attempts:
            return False
        used[index] += 1
        seconds = delay_s(retrier, used[index], visit.random)
        key = f"{visit.key}.{visit.attempt}~retry"
        yield from _sleep(visit, key, visit.after(seconds))
        visit.attempt += 1
        return True
    return False


def _caught(catchers: tuple[Catcher, ...], visit: Visit, raw: Json, failed: ReportedError) -> Step:
    for catcher in catchers:
        if matches(failed.error, catcher.errors):
            env = visit.env(raw)
            return (catcher.next, *shaping.give_error(catcher.io, env, raw, failed))
    raise failed
