"""One execution from start, or from where its journal ends, to its outcome.

In: a definition, the input, and the ports (service, clock, journal, chance).  Out: an `Outcome`.
A journal with events is replayed: recorded task results are given again, nothing recorded is
called or written twice, and the execution goes on where the journal ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.calls import Caller, Workers
from runner.machine.events import EventKind, MemoryJournal
from runner.machine.failures import StateError, mismatch
from runner.machine.faults import FaultPlan
from runner.machine.fibers import Frame, Shared, iso_millis
from runner.machine.flows import run_flow
from runner.machine.ledger import Ledger
from runner.machine.ports import Outcome, Status
from runner.machine.recorder import Recorder
from runner.machine.redrive import Redrives
from runner.machine.scheduler import Scheduler
from runner.machine.shaping import compact
from runner.machine.waiting import Aborted, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from runner.machine.callbacks import Callbacks
    from runner.machine.definition import Definition
    from runner.machine.events import Event, Journal
    from runner.machine.ports import Abort, Clock, ExecutionContext, TaskService
    from runner.model.ports import Json

HISTORY_LIMIT = 25_000
"""Events in the history of one STANDARD execution (quotas, Step Functions guide)."""


class SimulatedCrash(BaseException):
    """What an injected crash raises when `run` was given no crash port."""


def run(
    definition: Definition,
    data: Json,
    *,
    service: TaskService,
    clock: Clock,
    context: ExecutionContext,
    random: Random,
    journal: Journal | None = None,
    observer: Callable[[Event], None] | None = None,
    faults: FaultPlan = FaultPlan(),  # noqa: B008  (frozen)
    crash: Callable[[], None] | None = None,
    abort: Abort | None = None,
    callbacks: Callbacks | None = None,
    max_workers: int = 8,
    history_limit: int | None = HISTORY_LIMIT,
) -> Outcome:
    """Run an execution to its end, or continue the one that the journal holds.

    `random` gives the seed of a new execution and is not used otherwise.  The observer sees every
    new event, none of those that are replayed.  `callbacks` answer tasks by their tokens.  Raises
    JournalMismatch when the journal belongs to another definition or input; whatever else a
    service raises than ServiceError passes through and leaves the journal as it is.
    """
    recorder = Recorder(MemoryJournal() if journal is None else journal, clock, observer)
    ended = _recorded_end(recorder)
    started = _start(recorder, definition, data, context, random)
    if ended is not None:
        return _outcome(started, ended)
    crash = _raise_crash if crash is None else crash
    ledger = Ledger(history_limit)
    recorder.paused = ledger.resumed
    workers = Workers(Caller(service, faults, crash), max_workers)
    shared = Shared(
        recorder,
        clock,
        execution=dict(started.data["context"]),
        seed=started.data["seed"],
        faults=faults,
        crash=crash,
        redrives=Redrives(recorder.recorded()),
        ledger=ledger,
        report=workers.report,
    )
    scheduler = Scheduler(
        recorder,
        clock,
        workers,
        most_calls=max_workers,
        abort=abort,
        timeout_s=definition.timeout_s,
        shared=shared,
        callbacks=callbacks,
    )
    try:
        told = _end_of(scheduler, run_flow(Frame(shared, "", {}), definition.flow, data))
    finally:
        workers.close()
    ended = recorder.emit(EventKind.EXECUTION_ENDED, "", "", told)
    recorder.write()
    return _outcome(started, ended)


def _raise_crash() -> None:
    raise SimulatedCrash


def _end_of(scheduler: Scheduler, flow: Json) -> dict[str, Json]:
    status, output, error, cause = Status.SUCCEEDED, None, None, None
    try:
        output = scheduler.run(flow)
    except StateError as failure:
        status, error, cause = Status.FAILED, failure.error, failure.cause
    except TimedOut:
        status, error, cause = Status.TIMED_OUT, "States.Timeout", None
    except Aborted as aborted:
        ended = {"status": Status.ABORTED.value, "output": None, "error": None, "cause": None}
        return ended | {"not_called": aborted.not_called}
    return {"status": status.value, "output": output, "error": error, "cause": cause}


def _outcome(started: Event, ended: Event) -> Outcome:
    told = ended.data
    return Outcome(
        status=Status(told["status"]),
        output=told["output"],
        error=told["error"],
        cause=told["cause"],
        started=started.time,
        ended=ended.time,
    )


def _recorded_end(recorder: Recorder) -> Event | None:
    last = recorder.last()
    return last if last is not None and last.kind is EventKind.EXECUTION_ENDED else None


def _start(
    recorder: Recorder,
    definition: Definition,
    data: Json,
    context: ExecutionContext,
    random: Random,
) -> Event:
    first = recorder.first()
    if first is not None:
        _check_same(first.data, definition, data)
        return recorder.emit(EventKind.EXECUTION_STARTED, "", "", {})
    told = {
        "definition": definition.digest,
        "input": data,
        "seed": f"{random.getrandbits(64):016x}",
        "context": _context_object(context, data, iso_millis(context.start_time or recorder.time)),
    }
    return recorder.emit(EventKind.EXECUTION_STARTED, "", "", told)


def _check_same(recorded: Mapping[str, Json], definition: Definition, data: Json) -> None:
    if recorded["definition"] != definition.digest:
        raise mismatch(
            "journal-definition",
            found=f"a journal of definition {recorded['definition'][:12]}",
            expected=f"one of definition {definition.digest[:12]}",
        )
    if recorded["input"] != data:
        raise mismatch(
            "journal-input",
            found=f"a journal of an execution with the input {compact(recorded['input'])[:200]}",
            expected=f"the input {compact(data)[:200]}",
        )


def _context_object(context: ExecutionContext, data: Json, started: str) -> dict[str, Json]:
    return {
        "Execution": {
            "Id": context.execution_id,
            "Input": data,
            "Name": context.execution_name,
            "RoleArn": context.role_arn,
            "StartTime": started,
            "RedriveCount": context.redrive_count,
        },
        "StateMachine": {"Id": context.state_machine_id, "Name": context.state_machine_name},
    }
