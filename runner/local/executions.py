"""Executions that an execution starts: `states:startExecution.sync:2` on this machine.

In: a task that names a machine, and its input.  Out: what the machine's execution came to, in the
shape of DescribeExecution with parsed JSON, or States.TaskFailed with it as the cause.  A child
has a folder and a journal below its run's; asked for again, it goes on where its journal ends.

    .runner/runs/<run>/machine.<machine>.asl.json
    .runner/runs/<run>/children/<machine>/<name>/{run.json, journal.sqlite, end.json}
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.local.journal import open_journal
from runner.local.runs import ARN_PREFIX, RunStatus, open_child
from runner.machine import ExecutionContext, NoAnswerYet, parse_definition, run
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
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
        self._active: set[str] = set()
        self._changed = threading.Condition()

    def call(self, request: TaskRequest) -> Json:
        """Do one task's work."""
        match = _RESOURCE.match(request.resource)
        if match is None:
            return self._service.call(request)
        if match[1] != ".sync:2":
            known = "startExecution.sync:2 is"
            found = f"states:startExecution{match[1]} is not known locally; {known}"
            raise ServiceError("States.Runtime", found)
        return self._start(request)

    def close(self) -> None:
        """Let children end that nobody waits for any more: they do at their next step.

        A statement may take longer than anybody who stops a run waits; it is left to itself.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._active, _PATIENCE_S)

    def _start(self, request: TaskRequest) -> Json:
        arguments = request.arguments
        arn = str(arguments["StateMachineArn"])
        machine = arn.rpartition(":")[2]
        digest = hashlib.sha256(f"{self._run.name}/{request.key}".encode()).hexdigest()
        name = str(arguments.get("Name") or digest[:32])
        if not _NAME.match(name):
            raise ServiceError("StepFunctions.InvalidNameException", f"Invalid Name: '{name}'")
        definition = self._definition(machine, arn)
        execution = f"{ARN_PREFIX}execution:{machine}:{name}"
        with self._changed:
            if execution in self._active:
                raise _exists(execution)
            self._active.add(execution)
        try:
            handle = open_child(
                self._run,
                machine,
                name,
                execution_input=arguments.get("Input", {}),
                now=self._ports.clock.now,
            )
            if handle is None:
                raise _exists(execution)
            return self._execute(handle, definition, request, arn)
        finally:
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
        self, handle: RunHandle, definition: bytes, request: TaskRequest, arn: str
    ) -> Json:
        child, ports = handle.run, self._ports
        begun = {"ExecutionArn": child.arn, "StartDate": _millis(child.started_at)}
        request.submitted(begun)
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
                service=self,
                clock=ports.clock,
                journal=journal,
                random=ports.random,
                faults=ports.faults,
                observer=ports.observer,
                crash=ports.crash,
                abort=_Either(ports.abort, request.stop),
            )
        finally:
            journal.close()
        status = RunStatus(outcome.status.value)
        error, cause = outcome.error or "", outcome.cause or ""
        handle.finish(status, error=error, cause=cause, output=outcome.output)
        if status is RunStatus.ABORTED:
            raise NoAnswerYet
        told = _described(child, outcome, arn)
        if status is not RunStatus.SUCCEEDED:
            raise ServiceError("States.TaskFailed", json.dumps(told, ensure_ascii=False))
        return told


def child_events(run: Run) -> Iterator[Event]:
    """Give what the children of a run wrote down so far, one child after the other."""
    for path in sorted(run.folder.glob("children/*/*/journal.sqlite")):
        journal = open_journal(path)
        try:
            yield from journal.events()
        finally:
            journal.close()


def _exists(execution: str) -> ServiceError:
    text = f"Execution Already Exists: '{execution}'"
    return ServiceError("StepFunctions.ExecutionAlreadyExistsException", text)


def _described(child: Run, outcome: Outcome, arn: str) -> dict[str, Any]:
    """Tell of an ended execution as the `.sync:2` integration does: input and output as JSON."""
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
