"""Runs any state machine on this machine: with mocks, faults, and time under control.

In: a `MachineRequest` (a definition and its input are enough).  Out: a `MachineResult`; a failed
execution is a result, not an exception.  No project is needed.

    from runner.app.machine_run import MachineRequest, run_machine

    result = run_machine(MachineRequest(Path("pay.asl.json"), {"id": 7}))
"""

from __future__ import annotations

import random
import re
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from sqlite3 import DatabaseError
from typing import TYPE_CHECKING, Any, TypeVar

from runner.app.faults import Strikes, describe, state_types, strange_faults
from runner.app.machine_definition import Machine, read_machine
from runner.app.machine_failure import explain
from runner.app.machine_request import UNSET, Hooks, MachineRequest, MachineResult, Unset
from runner.app.machine_services import Wiring, handlers, open_services
from runner.app.machine_time import make_clock, start_of
from runner.app.machine_trace import Trace
from runner.app.stopping import Stopper
from runner.errors import Fault, Place, ProjectError, RunnerError, UsageError
from runner.machine import Crash, ExecutionContext, FaultPlan, SimulatedCrash, redrive, run
from runner.machine.chance import uuid_of
from runner.machine.execution import HISTORY_LIMIT
from runner.machine.failures import JournalMismatch
from runner.machine.mocks import Mocks
from runner.machine.shaping import MAX_PAYLOAD_BYTES, compact

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.machine_services import Services
    from runner.app.machine_trace import Step
    from runner.local.journal import SqliteJournal
    from runner.machine import Definition, Event, InjectedFault, Outcome

    T = TypeVar("T")

__all__ = ["UNSET", "Hooks", "MachineRequest", "MachineResult", "run_machine"]

Json = Any

_ARN = "arn:aws:states:local:000000000000"
_EXPRESS_S = 300
_NAME = re.compile(r"[0-9A-Za-z_-]{1,80}\Z")
_EXECUTION_NAME = re.compile(r"""[^\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}\Z""")
"""Names that StartExecution takes (API reference)."""
_NO_HOOKS = Hooks()


def run_machine(request: MachineRequest, hooks: Hooks = _NO_HOOKS) -> MachineResult:
    """Run a state machine, or continue an execution from its journal.

    Raises ProjectError and UsageError for what is wrong with files and options, all at once, and
    UsageError for a task that nothing answers: its journal can be continued with a better mock.
    """
    scene = _prepare(request)
    with ExitStack() as closing:
        stage = _open(request, hooks, scene, closing)
        try:
            outcome = stage.execute()
        except JournalMismatch as error:
            place = Place(str(request.journal))
            raise UsageError([replace(fault, place=place) for fault in error.faults]) from error
        return stage.result(outcome)


# --- what was asked for -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the files say."""

    machine: Machine
    machines: dict[str, Machine]
    mocks: Mocks
    strikes: Strikes


class _Faults:
    """Collects what is wrong with several files."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self._worst: type[RunnerError] = UsageError

    def trying(self, read: Callable[[], T]) -> T | None:
        """Read something; its faults are kept."""
        try:
            return read()
        except (ProjectError, UsageError) as error:
            self._worst = ProjectError if isinstance(error, ProjectError) else self._worst
            self.found += error.faults
            return None

    def check(self) -> None:
        """Raise what was found."""
        if self.found:
            raise self._worst(self.found)


def _prepare(request: MachineRequest) -> _Scene:
    faults = _Faults()
    machine = faults.trying(lambda: read_machine(request.definition, express=request.express))
    machines: dict[str, Machine] = {}
    for name, source in request.machines.items():
        child = faults.trying(lambda: read_machine(source, name=name))  # noqa: B023 - called at once
        if child is not None:
            machines[name] = child
    mocks = faults.trying(lambda: _mocks(request))
    faults.found += handlers(request.lambdas)[1] if request.lambdas else []
    faults.trying(lambda: make_clock(request.time, start_of(request.context, ())))
    faults.found += _strange_names(request)
    strikes = _strikes(request)
    if machine is not None and mocks is not None and len(machines) == len(request.machines):
        sources = [one.source for one in (machine, *machines.values())]
        states = [found for source in sources for found in state_types(source)]
        names = [name for name, _ in states]
        faults.found += _strange_stops(request, names)
        faults.found += (*strange_faults(strikes.plan, states), *_strange_mocks(mocks, names))
    faults.found += (
        *_strange_journal(request),
        *_strange_folder(request),
        *_strange_start(request),
    )
    faults.check()
    assert machine is not None  # noqa: S101 - else there were faults
    assert mocks is not None  # noqa: S101
    return _Scene(machine, machines, mocks, strikes)


def _mocks(request: MachineRequest) -> Mocks:
    if isinstance(request.mocks, Mocks):
        return request.mocks
    if request.mocks is None:
        return Mocks({}, {})
    from runner.project.mocks_file import read_mocks  # noqa: PLC0415 - only with a file

    return read_mocks(request.mocks, test_case=request.test_case)


def _strikes(request: MachineRequest) -> Strikes:
    given = request.faults
    if isinstance(given, Strikes):
        return given
    return Strikes(given.faults, given.struck) if given is not None else Strikes(())


def _strange_mocks(mocks: Mocks, names: list[str]) -> list[Fault]:
    from runner.model.nearest import suggestion  # noqa: PLC0415 - difflib, seldom used

    return [
        Fault(
            mock.place,
            "unknown-state",
            name,
            "a state of the definition",
            suggestion(name, names, otherwise="see the states of the definition"),
        )
        for name, mock in mocks.states.items()
        if name not in names
    ]


def _strange_stops(request: MachineRequest, names: list[str]) -> list[Fault]:
    from runner.model.nearest import suggestion  # noqa: PLC0415 - difflib, seldom used

    return [
        Fault(
            Place("--break"),
            "unknown-state",
            name,
            "a state of the definition",
            suggestion(name, names, otherwise="see the states of the definition"),
        )
        for name in request.stops
        if not any(fnmatchcase(one, name) for one in names)
    ]


def _strange_names(request: MachineRequest) -> list[Fault]:
    expected = "at most 80 letters, digits, - and _, as in the machine's ARN"
    return [
        Fault(Place("--machine"), "bad-name", repr(name), expected, "correct the name")
        for name in request.machines
        if _NAME.match(name) is None
    ]


def _strange_folder(request: MachineRequest) -> list[Fault]:
    if request.s3 is None or request.s3.is_dir():
        return []
    expected = "a folder with a folder for each bucket"
    return [Fault(Place("--s3"), "no-folder", str(request.s3), expected, "name one that is there")]


def _strange_journal(request: MachineRequest) -> list[Fault]:
    option = "--redrive" if request.redrive else "--resume"
    if not (request.resume or request.redrive):
        return []
    if request.resume and request.redrive:
        expected = "--resume for what was stopped, --redrive for what ended badly"
        return [Fault(Place(option), "bad-option", "--resume --redrive", expected, "give one")]
    if request.journal is None:
        found, expected = f"{option} without --journal", "the journal that is continued"
        return [Fault(Place(option), "no-journal", found, expected, "add --journal FILE")]
    if not request.journal.is_file():
        found, expected = f"{request.journal}, which is not there", "the journal of an execution"
        advice = "name it, or start an execution without " + option
        return [Fault(Place("--journal"), "no-journal", found, expected, advice)]
    if request.redrive and request.express:
        expected = "a STANDARD machine, as on AWS"
        advice = "start a new execution"
        return [Fault(Place(option), "redrive-express", "--express", expected, advice)]
    return []


def _strange_start(request: MachineRequest) -> list[Fault]:
    """Find what StartExecution would refuse."""
    faults: list[Fault] = []
    if request.name and _EXECUTION_NAME.match(request.name) is None:
        expected = "1 to 80 characters without blanks, brackets and wildcards, as AWS takes"
        place, found = Place("--name"), repr(request.name)
        faults.append(Fault(place, "bad-name", found, expected, "correct it"))
    if isinstance(request.input, Unset):
        return faults
    size = len(compact(request.input).encode("utf-8", "surrogatepass"))
    if size > MAX_PAYLOAD_BYTES:
        expected = f"at most {MAX_PAYLOAD_BYTES} bytes, as AWS takes"
        advice = "put the data into a file and let the machine read it"
        faults.append(Fault(Place("--input"), "input-size", f"{size} bytes", expected, advice))
    return faults


# --- the execution ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything that an execution needs."""

    request: MachineRequest
    scene: _Scene
    wiring: Wiring
    services: Services
    context: ExecutionContext
    data: Json
    journal: SqliteJournal[Event] | None
    trace: Trace
    events: list[Event]

    def execute(self) -> Outcome:
        """Run it, and what it started without waiting, to the end."""
        request, wiring = self.request, self.wiring
        self.services.begin()
        outcome = run(
            _limited(self.scene.machine.definition, express=request.express),
            self.data,
            service=self.services.mocks,
            clock=wiring.clock,
            context=self.context,
            random=wiring.random,
            journal=self.journal,
            observer=self._observe,
            faults=wiring.faults,
            crash=wiring.crash,
            abort=wiring.stopper,
            max_workers=request.calls or self.services.calls,
            history_limit=None if request.express else HISTORY_LIMIT,
        )
        self.services.finish()
        return outcome

    def _observe(self, event: Event) -> None:
        self.events.append(event)
        if self.wiring.step is not None:
            for step in self.trace.steps(event):
                self.wiring.step(step, self.trace)

    def result(self, outcome: Outcome) -> MachineResult:
        """Tell how it ended."""
        trace = self.trace
        failed = outcome.status.value in {"FAILED", "TIMED_OUT"}
        if failed and self.wiring.step is None:
            trace = Trace(self.scene.machine.source)
            trace.follow(self.events)
        cause = outcome.error, outcome.cause
        return MachineResult(
            name=self.context.execution_name,
            arn=self.context.execution_id,
            machine_arn=self.context.state_machine_id,
            status=outcome.status.value,
            input=self.data,
            output=outcome.output,
            error=outcome.error,
            cause=outcome.cause,
            started=outcome.started,
            ended=outcome.ended,
            reasons=explain(trace, *cause) if failed else (),
            definition=self.scene.machine.definition,
            express=self.request.express,
            events=tuple(self.events),
            unused_mocks=tuple(map(str, self.services.mocks.unused())),
            unstruck_faults=self.scene.strikes.unstruck(),
        )


def _limited(definition: Definition, *, express: bool) -> Definition:
    """End an EXPRESS execution after five minutes, as AWS does (Step Functions quotas)."""
    if not express:
        return definition
    timeout_s = min(definition.timeout_s or _EXPRESS_S, _EXPRESS_S)
    return definition._replace(timeout_s=timeout_s)


def _open(request: MachineRequest, hooks: Hooks, scene: _Scene, closing: ExitStack) -> _Stage:
    journal = _open_journal(request, closing)
    told = _told(request, journal)
    chance = random.SystemRandom() if request.seed is None else random.Random(request.seed)  # noqa: S311
    context = _context(request, scene.machine.name, chance, told)
    wiring = Wiring(
        clock=make_clock(request.time, start_of(request.context, told)),
        random=chance,
        faults=_plan(scene.strikes, journal),
        crash=hooks.crash or _crash,
        stopper=hooks.stopper or Stopper(),
        step=_one_at_a_time(hooks.step) if hooks.step is not None else None,
        folder=_folder(request, closing),
    )
    services = open_services(request, scene.mocks, wiring, machines=scene.machines, context=context)
    closing.callback(services.close)
    services.mocks.remember(told)
    trace = Trace(scene.machine.source)
    trace.follow(told)
    data = _input(request, told)
    return _Stage(
        request, scene, wiring, services, context, data, journal, trace, events=list(told)
    )


def _told(request: MachineRequest, journal: SqliteJournal[Event] | None) -> tuple[Event, ...]:
    """Give what the journal holds; a redrive is one event more."""
    if journal is None:
        return ()
    told = tuple(journal.events())
    if not request.redrive:
        return told
    clock = make_clock(request.time, start_of(request.context, told))
    return (*told, redrive(journal, clock))


def _crash() -> None:
    raise SimulatedCrash


def _one_at_a_time(step: Callable[[Step, Trace], None]) -> Callable[[Step, Trace], None]:
    lock = threading.Lock()  # children tell of their steps on threads of their own

    def told(one: Step, trace: Trace) -> None:
        with lock:
            step(one, trace)

    return told


def _open_journal(request: MachineRequest, closing: ExitStack) -> SqliteJournal[Event] | None:
    if request.journal is None:
        return None
    from runner.local.journal import open_journal  # noqa: PLC0415 - only with a journal

    path = request.journal
    release = _held(path)
    if release is None:
        found, expected = f"{path}, which another process writes", "a journal of its own"
        advice = "wait for the other, or name another file"
        raise UsageError([Fault(Place("--journal"), "journal-busy", found, expected, advice)])
    closing.callback(release)
    try:
        journal = open_journal(path)
    except DatabaseError as error:
        raise _unreadable(path, error) from error
    closing.callback(journal.close)
    if not (request.resume or request.redrive) and next(iter(journal.events()), None) is not None:
        found, expected = f"{path}, which holds an execution", "a new file"
        advice = "continue it with --resume or --redrive, or name another file"
        raise UsageError([Fault(Place("--journal"), "journal-exists", found, expected, advice)])
    return journal


def _held(path: Path) -> Callable[[], None] | None:
    from runner.local.journal import hold  # noqa: PLC0415 - only with a journal

    try:
        return hold(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UsageError:
    expected = "a new file, or the journal of an execution"
    found = f"{path}: {error}"
    return UsageError(
        [Fault(Place("--journal"), "no-journal", found, expected, "name another file")]
    )


def _folder(request: MachineRequest, closing: ExitStack) -> Path:
    """Give a folder for child executions and logs: beside the journal, or for this time only."""
    if request.journal is not None:
        return request.journal.with_name(f"{request.journal.name}.children")
    if not request.lambdas and not request.machines:
        return Path()
    return Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="runner-machine-")))


def _plan(strikes: Strikes, journal: SqliteJournal[Event] | None) -> FaultPlan:
    """Give the faults that are left; a crash strikes once in the life of a journal."""
    plan = strikes.plan
    if journal is None:
        return plan
    noted = set(journal.notes())
    before = {fault for fault in plan.faults if _noted(fault) in noted}
    for fault in before:
        strikes.struck(fault)

    def struck(fault: InjectedFault) -> None:
        if _noted(fault) not in noted:
            noted.add(_noted(fault))
            journal.note(_noted(fault))
        strikes.struck(fault)

    left = (f for f in plan.faults if f not in before or not isinstance(f.action, Crash))
    return FaultPlan(tuple(left), struck)


def _noted(fault: InjectedFault) -> str:
    return f"struck {describe(fault)}"


def _input(request: MachineRequest, told: tuple[Event, ...]) -> Json:
    if not isinstance(request.input, Unset):
        return request.input
    return told[0].data["input"] if told else {}


def _context(
    request: MachineRequest, machine: str, chance: random.Random, told: tuple[Event, ...]
) -> ExecutionContext:
    """Say who the execution is; one that is continued stays who it was."""
    if told:
        begun = told[0].data["context"]
        execution, state_machine = begun["Execution"], begun["StateMachine"]
    else:
        execution = request.context.get("Execution") or {}
        state_machine = request.context.get("StateMachine") or {}
    name = execution.get("Name") or request.name or uuid_of(chance)
    machine = state_machine.get("Name") or machine
    return ExecutionContext(
        execution_id=execution.get("Id") or f"{_ARN}:execution:{machine}:{name}",
        execution_name=name,
        state_machine_id=state_machine.get("Id") or f"{_ARN}:stateMachine:{machine}",
        state_machine_name=machine,
        role_arn=execution.get("RoleArn") or "arn:aws:iam::000000000000:role/local",
    )
