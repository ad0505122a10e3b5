"""A distributed Map: a Map Run, whose iterations are executions of their own.

A child execution has its own context object, variables and history; it sees of the outer one only
its input.  What became of each child is counted, and told by an event when the run ends.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from runner.machine import shaping
from runner.machine.events import EventKind
from runner.machine.failures import DATA_LIMIT, RUNTIME, StateError
from runner.machine.fibers import Frame, Spawn, Tolerance
from runner.machine.flows import run_flow
from runner.machine.items import STATE_DATA, given_items, select_item
from runner.machine.ledger import (
    MAP_RUN_FAILED,
    MAP_RUN_REDRIVEN,
    MAP_RUN_STARTED,
    MAP_RUN_SUCCEEDED,
    STATE_STARTED,
    STATE_SUCCEEDED,
)
from runner.machine.map_runs import Child, ChildStatus, MapRun, failed_child
from runner.machine.numbers import percentage_of, whole_number
from runner.machine.result_files import Results, keeps_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from runner.machine.definition import Distributed, Map
    from runner.machine.fibers import FlowRun, Request, Visit
    from runner.machine.items import Items
    from runner.machine.templates import Env
    from runner.model.ports import Json

MOST_CHILDREN = 10_000
"""Child executions at a time; MaxConcurrency may only lower it (Step Functions guide)."""


class _Limits(NamedTuple):
    concurrency: int
    tolerance: Tolerance

    def told(self) -> dict[str, Json]:
        return {
            "maxConcurrency": self.concurrency,
            "toleratedFailureCount": self.tolerance.count,
            "toleratedFailurePercentage": self.tolerance.percentage,
        }


class _Attempt(NamedTuple):
    """One attempt of a Map."""

    state: Map
    distributed: Distributed
    visit: Visit
    env: Env

    def emit(self, kind: EventKind, told: dict[str, Json]) -> None:
        recorder = self.visit.frame.shared.recorder
        recorder.emit(kind, self.visit.attempt_key, self.state.name, told)


def run_map(
    state: Map, distributed: Distributed, visit: Visit, env: Env, *, limit: int
) -> Generator[Request, Json, Json]:
    """Run a Map's children, at most `limit` at a time (0: as many as may); gives the result."""
    attempt = _Attempt(state, distributed, visit, env)
    run = visit.map_run
    given = None if run is not None or distributed.reader is not None else _given(state, env)
    limits = _Limits(limit, _tolerance(state, env))
    if run is None:
        run = MapRun(distributed, visit, keeps_ends=keeps_ends(distributed.writer, env))
        visit.map_run = run
        _tell_started(attempt, run, 0 if given is None else len(given.values))
    else:
        _tell_redriven(attempt, run)
    attempt.emit(EventKind.MAP_RUN_STARTED, {"mapRunArn": run.arn, **limits.told()})
    try:
        if not run.taken:
            items = (yield from _read(attempt)) if given is None else given
            run.take(*_inputs(attempt, items))
        result = yield from _run_children(attempt, run, limits)
    except StateError as error:
        ended = {**run.told("FAILED"), "error": error.error, "cause": error.cause}
        attempt.emit(EventKind.MAP_RUN_ENDED, ended)
        _tell_failed(attempt, error)
        raise
    attempt.emit(EventKind.MAP_RUN_ENDED, run.told("SUCCEEDED"))
    frame = visit.frame
    frame.last = frame.shared.ledger.add(MAP_RUN_SUCCEEDED, frame.last)
    frame.add_aside(STATE_SUCCEEDED, (state,))
    return result


def _tell_started(attempt: _Attempt, run: MapRun, length: int) -> None:
    frame = attempt.visit.frame
    ledger = frame.shared.ledger
    frame.last = ledger.add(STATE_STARTED, frame.last, (attempt.state, length))
    frame.last = ledger.add(MAP_RUN_STARTED, frame.last, (run.arn,))


def _tell_redriven(attempt: _Attempt, run: MapRun) -> None:
    """Go on with a Map Run: only its children that did not succeed run again."""
    frame = attempt.visit.frame
    run.redrive()
    told = (run.arn, run.redrives)
    frame.last = frame.shared.ledger.add(MAP_RUN_REDRIVEN, frame.last, told)


def _tell_failed(attempt: _Attempt, error: StateError) -> None:
    """Forget the Map Run after States.DataLimitExceeded: at a redrive, all runs again.

    (Step Functions guide, "Redriving Map Runs".)
    """
    if error.error == DATA_LIMIT:
        attempt.visit.map_run = None
    if error.error != RUNTIME:
        frame = attempt.visit.frame
        told = (error.error, error.cause)
        frame.last = frame.shared.ledger.add_quietly(MAP_RUN_FAILED, frame.last, told)


def _given(state: Map, env: Env) -> Items:
    return given_items(state, env, pairs=True)._replace(sources=STATE_DATA)


def _read(attempt: _Attempt) -> Generator[Request, Json, Items]:
    from runner.machine.readers import read_items  # noqa: PLC0415  (not every Map reads S3)

    assert attempt.distributed.reader is not None  # noqa: S101  (the caller has looked)
    return (yield from read_items(attempt.distributed.reader, attempt.visit, attempt.env))


def _tolerance(state: Map, env: Env) -> Tolerance:
    count = whole_number(state.tolerated_count, env, least=0) or 0
    return Tolerance(count, percentage_of(state.tolerated_percentage, env), named=True)


def _inputs(attempt: _Attempt, items: Items) -> tuple[Sequence[Json], Sequence[int]]:
    """Make the children's inputs; with batches, also how many items each holds."""
    state, batcher = attempt.state, attempt.distributed.batcher
    selected: Sequence[Json] = items.values
    if state.selector is not None or items.keys is not None:
        visit, data = attempt.visit, attempt.env.input
        selected = [select_item(state, visit, data, items, n) for n in range(len(items.values))]
    if batcher is None:
        return selected, ()
    from runner.machine.batches import batch_items  # noqa: PLC0415  (seldom used)

    return batch_items(batcher, selected, attempt.env)


def _run_children(
    attempt: _Attempt, run: MapRun, limits: _Limits
) -> Generator[Request, Json, Json]:
    results = Results(attempt.distributed.writer, run, attempt.visit, attempt.env)
    starts = _Children(attempt, run)
    most = min(limits.concurrency or MOST_CHILDREN, MOST_CHILDREN)
    try:
        outputs = yield _spawn(attempt, starts, most, limits.tolerance)
    except StateError:
        yield from results.write(())
        raise
    return (yield from results.write(outputs))


def _spawn(attempt: _Attempt, starts: _Children, most: int, tolerance: Tolerance) -> Spawn:
    sizes = starts.run.sizes
    return Spawn(attempt.visit, starts.within, starts, most, tolerance, sizes)


class _Children:
    """The child executions, made when their turns come."""

    def __init__(self, attempt: _Attempt, run: MapRun) -> None:
        self._state = attempt.state
        self._visit = attempt.visit
        self.run = run
        self.within = attempt.visit.attempt_key
        limit = attempt.visit.frame.shared.ledger.limit
        self._history_limit = None if attempt.distributed.express else limit

    def __len__(self) -> int:
        return len(self.run.inputs)

    def __getitem__(self, index: int, /) -> Callable[[], FlowRun]:
        return lambda: self._execute(index)

    def _execute(self, index: int) -> FlowRun:
        run = self.run
        if run.succeeded(index):
            return run.outputs[index]
        outer = self._visit.frame.shared
        recorder = outer.recorder
        started = recorder.time
        execution = partial(run.context, index, started)
        shared = outer.of_child(execution, history_limit=self._history_limit)
        frame = Frame(shared, f"{self.within}[{index}]/", {})
        try:
            value = run.inputs[index]
            shaping.check_size(value, self._state.name)
            output = yield from run_flow(frame, self._state.processor, value)
        except StateError as error:
            run.end(index, failed_child(started, recorder.time, error))
            raise
        except GeneratorExit:
            run.end(index, Child(started, recorder.time, ChildStatus.ABORTED))
            raise
        run.end(index, Child(started, recorder.time, ChildStatus.SUCCEEDED, output))
        run.outputs[index] = output
        return output
