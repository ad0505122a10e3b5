"""Executions that an execution starts: `states:startExecution`, `.sync`, `.sync:2`, right here.

In: a task that names a machine, and its input.  Out: what the machine's execution came to, in the
shape of DescribeExecution (with `.sync:2` its JSON is parsed), or States.TaskFailed with it as the
cause; without `.sync`, only that it began.  A child has a folder and a journal below its run's;
asked for again, it goes on where its journal ends.

    .runner/runs/<run>/machine.<machine>.asl.json
    .runner/runs/<run>/children/<machine>/<name>/{run.json, journal.sqlite, end.json}
    .runner/runs/<run>/children/<machine>/<name>/alone   nobody waits for its end
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.local.journal import open_journal
from runner.local.runs import ARN_PREFIX, RunStatus, open_child, reopen_child
from runner.machine import ExecutionContext, NoAnswerYet, parse_definition, run
from runner.machine.calls import may_repeat
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator
    from random import Random

    from runner.local.runs import Run, RunHandle
    from runner.machine import (
        Abort,
        Clock,
        Event,
        FaultPlan,
        Outcome,
        TaskRequest,
        TaskService,
    )
    from runner.model.ports import Json

_RESOURCE = re.compile(r"arn:aws[a-z-]*:states:[^:]*:[^:]*:states:startExecution(.*)\Z")
_PATIENCE_S = 5.0
_TICK_S = 0.2
_ALONE = "alone"
_KINDS = ("", ".sync", ".sync:2")
_NAME = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,79}\Z")


@dataclass(frozen=True, slots=True)
class Ports:
    """What the run's own execution has as well."""

    clock: Clock
    random: Random
    faults: FaultPlan
    observer: Callable[[Event], None]
    """Hears events of all children, on their threads."""
    crash: Callable[[], None]
    abort: Abort | None
    begun: Callable[[Run, Callable[[Event], None]], Callable[[Event], None]] | None = None
    """Makes the observer of a child that begins; without it, all children have `observer`."""
    ended: Callable[[Run], None] | None = None
    """Hears of each child that ended, on its thread."""


@dataclass(frozen=True, slots=True)
class _Either:
    """Set when the run is to stop, or nobody waits for this child any more."""

    run: Abort | None
    child: Abort

    def is_set(self) -> bool:
        return self.child.is_set() or (self.run is not None and self.run.is_set())


class Executions:
    """A service that starts executions itself and leaves all else to another."""

    def __init__(self, run: Run, service: TaskService, ports: Ports) -> None:
        """Take the run whose machines may be started, and what serves all other tasks."""
        self._run = run
        self._service = service
        self._ports = ports
        self._within: TaskService = self
        self._active: set[str] = set()
        self._changed = threading.Condition()
        self._problems: list[BaseException] = []

    def serve_children(self, service: TaskService) -> None:
        """Have the tasks of children served by another service, which leads here in the end."""
        self._within = service

    def call(self, request: TaskRequest) -> Json:
        """Do one task's work."""
        match = _RESOURCE.match(request.resource)
        if match is None:
            return self._service.call(request)
        if match[1] not in _KINDS:
            known = "startExecution, startExecution.sync and startExecution.sync:2 are"
            found = f"states:startExecution{match[1]} is not known locally; {known}"
            raise ServiceError("States.Runtime", found)
        return self._start(request, match[1])

    def go_on(self) -> None:
        """Continue the children that nobody waits for and that a killed process left behind."""
        for mark in sorted(self._run.folder.glob(f"children/*/*/{_ALONE}")):
            if not (mark.parent / "end.json").exists():
                arn = mark.read_text("utf-8")
                machine = arn.rpartition(":")[2]
                self._begin(machine, mark.parent.name, arn)

    def finish(self) -> None:
        """Wait for the children that nobody else waits for; raises what broke one of them."""
        with self._changed:
            while self._active and not self._problems:
                self._changed.wait(_TICK_S)
                if self._ports.abort is not None and self._ports.abort.is_set():
                    return
        if self._problems:
            raise self._problems[0]

    def may_repeat(self, request: TaskRequest) -> bool:
        """Say yes of executions: one is named by its parent's call, so it goes on."""
        return _RESOURCE.match(request.resource) is not None or may_repeat(self._service, request)

    def close(self) -> None:
        """Let children end that nobody waits for any more: they do at their next step.

        A statement may take longer than anybody who stops a run waits; it is left to itself.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._active, _PATIENCE_S)

    def _start(self, request: TaskRequest, kind: str) -> Json:
        arguments = request.arguments if isinstance(request.arguments, dict) else {}
        arn = str(arguments.get("StateMachineArn", ""))
        machine = arn.rpartition(":")[2]
        starter = request.context["Execution"]["Id"]
        digest = hashlib.sha256(f"{starter}/{request.key}".encode()).hexdigest()
        name = str(arguments.get("Name") or digest[:32])
        if not _NAME.match(name):
            raise ServiceError("StepFunctions.InvalidNameException", f"Invalid Name: '{name}'")
        definition = self._definition(machine, arn)
        execution = f"{ARN_PREFIX}execution:{machine}:{name}"
        if not kind:
            handle = self._open(machine, name, arguments)
            (handle.run.folder / _ALONE).write_text(arn, "utf-8")
            self._begin(machine, name, arn)
            return {"ExecutionArn": execution, "StartDate": _millis(handle.run.started_at)}
        if not self._claim(execution):
            raise _exists(execution)
        try:
            handle = self._open(machine, name, arguments)
            started = _millis(handle.run.started_at)
            request.submitted({"ExecutionArn": execution, "StartDate": started})
            told = self._execute(handle, definition, abort=request.stop, arn=arn)
        finally:
            self._release(execution)
        if kind == ".sync":
            told = _as_text(told)
        if told["Status"] != RunStatus.SUCCEEDED:
            raise ServiceError("States.TaskFailed", json.dumps(told, ensure_ascii=False))
        return told

    def _open(self, machine: str, name: str, arguments: Json) -> RunHandle:
        given, now = _input_of(arguments), self._ports.clock.now
        handle = open_child(self._run, machine, name, execution_input=given, now=now)
        if handle is None:
            raise _exists(f"{ARN_PREFIX}execution:{machine}:{name}")
        return handle

    def _begin(self, machine: str, name: str, arn: str) -> None:
        """Execute a child on a thread of its own, unless it is at work."""
        execution = f"{ARN_PREFIX}execution:{machine}:{name}"
        if not self._claim(execution):
            return
        child = reopen_child(self._run, machine, name, now=self._ports.clock.now)
        definition = self._definition(machine, arn)

        def work() -> None:
            try:
                self._execute(child, definition, abort=None, arn=arn)
            except NoAnswerYet:
                return
            except BaseException as problem:  # noqa: BLE001 - `finish` raises it
                self._problems.append(problem)
            finally:
                self._release(execution)

        threading.Thread(target=work, daemon=True, name=f"execution {name}").start()

    def _claim(self, execution: str) -> bool:
        """Let one caller execute it at a time."""
        with self._changed:
            if execution in self._active:
                return False
            self._active.add(execution)
            return True

    def _release(self, execution: str) -> None:
        with self._changed:
            self._active.remove(execution)
            self._changed.notify_all()

    def _definition(self, machine: str, arn: str) -> bytes:
        found = self._run.machine(machine) if _NAME.match(machine) else None
        if found is None:
            text = f"State Machine Does Not Exist: '{arn}'"
            raise ServiceError("StepFunctions.StateMachineDoesNotExistException", text)
        return found

    def _execute(
        self, handle: RunHandle, definition: bytes, *, abort: Abort | None, arn: str
    ) -> dict[str, Json]:
        child, ports = handle.run, self._ports
        observer = ports.observer
        if ports.begun is not None:
            observer = ports.begun(child, observer)
        journal = open_journal(child.journal)
        try:
            outcome = run(
                parse_definition(definition),
                child.input,
                context=ExecutionContext(
                    execution_id=child.arn,
                    execution_name=child.name,
                    state_machine_id=arn,
                    state_machine_name=child.workflow,
                    start_time=child.started_at,
                ),
                service=self._within,
                clock=ports.clock,
                journal=journal,
                random=ports.random,
                faults=ports.faults,
                observer=observer,
                crash=ports.crash,
                abort=ports.abort if abort is None else _Either(ports.abort, abort),
            )
        finally:
            journal.close()
        status = RunStatus(outcome.status.value)
        error, cause = outcome.error or "", outcome.cause or ""
        handle.finish(status, error=error, cause=cause, output=outcome.output)
        if ports.ended is not None:
            ports.ended(child)
        if status is RunStatus.ABORTED:
            raise NoAnswerYet
        return _described(child, outcome, arn)


def child_events(run: Run, machines: Collection[str] | None = None) -> Iterator[Event]:
    """Give what a run's children, of these machines or all, wrote down, one after the other."""
    for path in sorted(run.folder.glob("children/*/*/journal.sqlite")):
        if machines is not None and path.parent.parent.name not in machines:
            continue
        journal = open_journal(path)
        try:
            yield from journal.events()
        finally:
            journal.close()


def _exists(execution: str) -> ServiceError:
    text = f"Execution Already Exists: '{execution}'"
    return ServiceError("StepFunctions.ExecutionAlreadyExistsException", text)


def _input_of(arguments: Json) -> Json:
    """Give the child's input: JSON as text, or the value itself."""
    given = arguments.get("Input", {})
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError as error:
        told = f"Invalid State Machine Execution Input: '{error}'"
        raise ServiceError("StepFunctions.InvalidExecutionInputException", told) from error


def _as_text(told: dict[str, Json]) -> dict[str, Json]:
    """Turn input and output into text, as `.sync` gives them."""
    texts = {
        name: json.dumps(told[name], separators=(",", ":"), ensure_ascii=False)
        for name in ("Input", "Output")
        if name in told
    }
    return told | texts


def _described(child: Run, outcome: Outcome, arn: str) -> dict[str, Any]:
    """Tell of an ended execution as the `.sync:2` integration does: input and output parsed."""
    told: dict[str, Any] = {
        "ExecutionArn": child.arn,
        "Input": child.input,
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StartDate": _millis(child.started_at),
        "StateMachineArn": arn,
        "Status": outcome.status.value,
        "StopDate": _millis(outcome.ended),
    }
    if outcome.error is not None:
        return told | {"Error": outcome.error, "Cause": outcome.cause or ""}
    return told | {"Output": outcome.output, "OutputDetails": {"Included": True}}


def _millis(when: dt.datetime) -> int:
    return int(when.timestamp() * 1000)
