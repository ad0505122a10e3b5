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
from runner.machine.failures import QUERY, RUNTIME, ReportedError, StateError, takes
from runner.machine.faults import Crash, Meanwhile, When
from runner.machine.fibers import BeginAgain, FlowRun, Frame, Park, Sleep, Visit
from runner.machine.ledger import EVALUATION_FAILED, STATE_ABORTED, STATE_EXITED, STATE_FAILED
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


def run_flow(frame: Frame, flow: Flow, data: Json) -> FlowRun:
    """Run a flow from its first state."""
    shared = frame.shared
    faulty = bool(shared.faults.faults)
    name: str | None = flow.start
    again: Visit | None = None
    while name is not None:
        state = flow.states[name]
        visit = frame.enter(state, data) if again is None else again
        again = None
        if faulty:
            _strike(state, visit, When.BEFORE)
        try:
            name, output, assigned = yield from run_state(state, visit, data)
            if output is not data:
                shaping.check_size(output, state.name)
        except (StateError, RecursionError) as error:
            failed = _reported(error, visit)
            _tell_left(state, frame, failed)
            if visit.key not in shared.redrives.live:
                if failed is error:
                    raise
                raise failed from error
            again = yield from _park(visit, failed)
            continue
        except BeginAgain:
            visit.begin_again()
            again = visit
            continue
        data = output
        _exit(state, visit, data, assigned)
        if faulty:
            _strike(state, visit, When.AFTER)
    return data


def _park(visit: Visit, failed: ReportedError) -> Generator[Request, Json, Visit]:
    """Stand still until the redrive, which the journal tells of; then the state begins again."""
    try:
        yield Park(visit, failed)
    except BeginAgain:
        visit.begin_again()
    return visit


def _tell_left(state: State, frame: Frame, failed: ReportedError) -> None:
    """Tell that a failure ends the flow: in a branch, AWS says that its task was aborted."""
    if frame.is_branch and isinstance(state, Task) and failed.error != RUNTIME:
        frame.add_aside(STATE_ABORTED, (state,))


def _exit(state: State, visit: Visit, output: Json, assigned: Mapping[str, Json]) -> None:
    frame = visit.frame
    shared = frame.shared
    told = {"output": output, "assigned": assigned} if assigned else {"output": output}
    shared.recorder.emit(EventKind.STATE_EXITED, visit.key, visit.state, told)
    frame.inside = None
    ledger = shared.ledger
    event_id = ledger.count + 1
    if event_id < ledger.quiet_below:
        ledger.count = event_id
    else:
        ledger.add(STATE_EXITED, frame.last, (state, output, assigned))
    frame.last = event_id
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
    yield from _sleep(visit, visit.place, until)
    return (state.next, *shaping.give_input(state.io, env))


def _sleep(visit: Visit, key: str, until: object) -> Generator[Request, Json, None]:
    from datetime import datetime  # noqa: PLC0415

    recorder = visit.frame.shared.recorder
    asked = until.isoformat() if isinstance(until, datetime) else str(until)
    event = recorder.emit(EventKind.TIMER_SET, key, visit.state, {"until": asked})
    yield Sleep(visit, key, visit.state, datetime.fromisoformat(event.data["until"]))


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

    visit.retries = True
    while True:
        env = visit.env(raw)
        try:
            shaping.take_input(state.io, env)
            result = yield from do_work(state, visit, env)
            return (state.next, *shaping.give_result(state.io, visit.env_again(env), raw, result))
        except StateError as error:
            failed = _reported(error, visit)
        if not (yield from _tried_again(state.retry, visit, failed)):
            return _gave_up(state, visit, raw, failed)


def _reported(error: StateError | RecursionError, visit: Visit) -> ReportedError:
    if isinstance(error, ReportedError):
        return error
    if isinstance(error, RecursionError):
        error = shaping.too_deep()
    failed = ReportedError(error.error, visit.told(error.cause))
    if error.error == QUERY:
        frame = visit.frame
        told = (visit.state, failed.error, failed.cause, error.location)
        frame.last = frame.shared.ledger.add_quietly(EVALUATION_FAILED, frame.last, told)
    return failed


def _gave_up(state: Task | Parallel | Map, visit: Visit, raw: Json, failed: ReportedError) -> Step:
    """Let a catcher take the failure; the history tells of both, also when the catcher fails."""
    frame = visit.frame
    before = frame.last
    _tell_failed(state, frame, failed)
    try:
        return _caught(state.catch, visit, raw, failed)
    except ReportedError:
        raise
    except StateError as error:
        frame.last = before
        again = _reported(error, visit)
        _tell_failed(state, frame, again)
        raise again from error


def _tell_failed(state: Task | Parallel | Map, frame: Frame, failed: ReportedError) -> None:
    if not isinstance(state, Task) and failed.error != RUNTIME:
        frame.last = frame.shared.ledger.add_quietly(STATE_FAILED, frame.last, (state,))


def _tried_again(
    retriers: tuple[Retrier, ...], visit: Visit, failed: ReportedError
) -> Generator[Request, Json, bool]:
    for index, retrier in enumerate(retriers):
        if not takes(retrier.errors, failed):
            continue
        used = visit.used.get(index, 0)
        if used >= retrier.max_attempts:
            return False
        visit.used[index] = used + 1
        seconds = delay_s(retrier, used + 1, visit.random)
        yield from _sleep(visit, f"{visit.attempt_key}~retry", visit.after(seconds))
        visit.attempt += 1
        visit.map_run = None
        return True
    return False


def _caught(catchers: tuple[Catcher, ...], visit: Visit, raw: Json, failed: ReportedError) -> Step:
    for catcher in catchers:
        if takes(catcher.errors, failed):
            env = visit.env(raw)
            return (catcher.next, *shaping.give_error(catcher.io, env, raw, failed))
    raise failed
