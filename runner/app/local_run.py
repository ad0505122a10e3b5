"""One execution on this machine: the interpreter, the journal, the local services.

In: a compiled bundle, a workflow and its input, or the name of a run to continue.  Out: a
`RunResult`.  Nothing here parses or renders: the definition's bytes are all there is to execute.
"""

from __future__ import annotations

import gc
import os
import random
import secrets
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.app.compiled import find_workflow
from runner.app.function_calls import tell_ended
from runner.app.local_places import Local, open_places
from runner.app.progress import Tracker
from runner.app.results import Gatherer, located
from runner.app.stopping import Interruptible
from runner.errors import Fault, Place, UsageError
from runner.keeper.core import Keeper
from runner.keeper.diagnose import explain
from runner.keeper.handler import dispatch
from runner.model.names import BACKFILL, deployed_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.app.progress import Progress
    from runner.app.run import RunRequest, RunResult
    from runner.app.stopping import Stopper
    from runner.local.lambdas import Function
    from runner.local.runs import Run, RunHandle
    from runner.machine import Event, Outcome
    from runner.machine.ports import TaskService

_SUFFIX_BYTES = 3
_FOREVER_S = 1e9
_MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who hears of a run while it goes on."""

    tell: Callable[[Progress], None] | None
    started: Callable[[str, str, str], None] | None
    stopper: Stopper | None = None
    """Used by whoever wants the run to stop; it can be continued."""
    planned: int = 0
    """Partitions that a backfill is to publish."""
    say: Callable[[str], None] | None = None
    """Hears of preparations that take a while."""


def execute(
    request: RunRequest,
    bundle: Bundle,
    workflow: WorkflowFacts | None,
    given: dict[str, Any] | None,
    *,
    clock: Callable[[], datetime],
    hooks: Hooks,
    name: str = "",
) -> RunResult:
    """Start a run of `workflow` with the input `given`, or continue the one that is named.

    `name` is what a new run is called, if that is not to be made up.
    """
    from runner.app.local_functions import workflow_functions  # noqa: PLC0415 - floors stay lazy

    local = open_places(request.root, bundle, now=clock)
    functions = None
    if workflow is None or given is None:
        handle, workflow = _reopen(local, request.resume or "last")
    else:
        functions = workflow_functions(request.root, bundle, workflow, hooks.say)
        made_up = f"{workflow.name}-{clock():%Y%m%dT%H%M%S}-{secrets.token_hex(_SUFFIX_BYTES)}"
        handle = local.runs.create(
            name or made_up,
            workflow=workflow.name,
            execution_input=given,
            definition=workflow.definition.encode(),
            machines=machines_of(bundle, workflow),
        )
    ended: list[Run] = []
    with handle:
        for one in (workflow, *bundle.run_by(workflow)):
            local.put_assets(one.all_assets)
        if functions is None:
            functions = workflow_functions(request.root, bundle, workflow, hooks.say)
        result = _go(request, _Scene(local, workflow, functions, ended), handle, hooks)
    tell_ended(local, (*ended, handle.run), hooks.say)
    return result


def machines_of(bundle: Bundle, workflow: WorkflowFacts) -> dict[str, bytes]:
    """Give the machines that executions of a workflow may start, by their deployed names."""
    found = {child.machine: child.definition for child in workflow.children}
    for other in bundle.run_by(workflow):
        found[deployed_name(bundle.prefix, other.name)] = other.definition
        found |= {child.machine: child.definition for child in other.children}
    return {name: text.encode() for name, text in found.items()}


@dataclass(frozen=True, slots=True)
class _Scene:
    """Where a run takes place."""

    local: Local
    workflow: WorkflowFacts
    functions: Mapping[str, Function]
    ended: list[Run]
    """Executions of other workflows, which ended within this one."""


def _reopen(local: Local, name: str) -> tuple[RunHandle, WorkflowFacts]:
    from runner.local.runs import RunBusy, RunStatus  # noqa: PLC0415 - floors stay lazy

    stopped = {
        run.name: run.workflow
        for run in local.runs.runs()
        if run.workflow != BACKFILL and local.runs.status(run.name) is RunStatus.ABORTED
    }
    name = next(iter(stopped), name) if name == "last" else name
    if name in stopped:
        workflow = find_workflow(local.bundle, stopped[name])
        try:
            return local.runs.reopen(name), workflow
        except RunBusy:
            del stopped[name]
    listed = ", ".join(list(stopped)[:_MOST_LISTED])
    expected = f"a run that was stopped: {listed}" if stopped else "a run that was stopped"
    found = "no run was stopped" if name == "last" else name
    advice = "see `runner status`; a run that ended is repeated with `runner run WORKFLOW`"
    if name.startswith(f"{BACKFILL}-"):
        advice = "a backfill is continued by its name: runner backfill --name NAME"
    raise UsageError([Fault(Place("--resume"), "not-resumable", found, expected, advice)])


def _go(request: RunRequest, scene: _Scene, handle: RunHandle, hooks: Hooks) -> RunResult:
    from runner import machine  # noqa: PLC0415 - the interpreter loads only for a run
    from runner.local.executions import Executions, Ports, child_events  # noqa: PLC0415
    from runner.local.journal import SqliteJournal  # noqa: PLC0415

    run, local, workflow = handle.run, scene.local, scene.workflow
    tracker = Tracker(workflow, hooks.tell or _ignore, hooks.planned)
    gatherer = Gatherer(workflow, local.bundle)
    if hooks.started:
        hooks.started(run.name, workflow.name, f"{run.input['start']}..{run.input['end']}")
    journal = SqliteJournal(run.journal, machine.Event.from_json)
    services = local.services(keeper=_keeper(local), functions=scene.functions)
    local.make_databases(services)
    gc.freeze()
    gc.enable()
    observing = threading.Lock()

    def observe(event: Event) -> None:
        with observing:  # children tell of theirs on threads of their own
            tracker.observe(event)
            gatherer.observe(event)

    own = {child.machine for child in workflow.children}
    others = {deployed_name(local.bundle.prefix, one.name) for one in local.bundle.run_by(workflow)}

    def ended(child: Run) -> None:
        if child.workflow in others:
            scene.ended.append(child)

    def begun(child: Run, hear: Callable[[Event], None]) -> Callable[[Event], None]:
        """Hear nothing of other workflows: their tables and steps are not this one's."""
        return hear if child.workflow in own else _ignore_event

    ports = Ports(
        clock=local.clock,
        random=random.SystemRandom(),
        faults=request.faults or machine.FaultPlan(),
        observer=observe,
        crash=_die,
        abort=hooks.stopper,
        begun=begun,
        ended=ended,
    )
    executions = Executions(run, _stoppable(services, local, hooks.stopper), ports)
    try:
        for event in (*journal.events(), *child_events(run, own)):
            observe(event)
        outcome = machine.run(
            machine.parse_definition(run.definition),
            run.input,
            context=machine.ExecutionContext(
                execution_id=run.arn,
                execution_name=run.name,
                state_machine_id=run.arn.rpartition(":")[0].replace("execution", "stateMachine"),
                state_machine_name=run.workflow,
                start_time=run.started_at,
            ),
            service=executions,
            clock=ports.clock,
            journal=journal,
            random=ports.random,
            faults=ports.faults,
            observer=ports.observer,
            crash=ports.crash,
            abort=ports.abort,
        )
        for called in services.settle(hooks.stopper.is_set if hooks.stopper else None):
            if hooks.say is not None:
                hooks.say(str(called))
    finally:
        executions.close()
        journal.close()
        if hooks.stopper is None or not hooks.stopper.is_set():
            services.close()
        # Statements that a stopped run leaves behind end with the process, or are what the
        # resumed run finds by their tokens: closing under them would fail them for good.
    return _ended(request, local, handle, outcome=outcome, gatherer=gatherer)


def _ended(
    request: RunRequest, local: Local, handle: RunHandle, *, outcome: Outcome, gatherer: Gatherer
) -> RunResult:
    from runner.app.run import RunResult  # noqa: PLC0415 - it imports this module late too
    from runner.local.runs import RunStatus  # noqa: PLC0415

    status = RunStatus(outcome.status.value)
    error, cause = outcome.error or "", outcome.cause or ""
    handle.finish(status, error=error, cause=cause, output=outcome.output)
    if status is not RunStatus.SUCCEEDED:
        local.notify_failure(handle.run)
    found = explain(error, cause)
    return RunResult(
        run=handle.run.name,
        workflow=handle.run.workflow,
        status=status.value,
        start=handle.run.input["start"],
        end=handle.run.input["end"],
        ended=located(
            local.root, local.bundle, gatherer.ended(), variables=dict(request.variables)
        ),
        error=error,
        cause=cause,
        message=found.message,
        advice=found.advice,
        environment=request.environment,
        seconds=(outcome.ended - outcome.started).total_seconds(),
        marts=local.marts(),
        backfill=str(handle.run.input.get("backfill", "")),
    )


def _stoppable(services: TaskService, local: Local, stopper: Stopper | None) -> TaskService:
    """Let calls of users' functions be left when the run is stopped."""
    if stopper is None:
        return services
    return Interruptible(services, stopper, keeper=f"{local.bundle.prefix}-keeper")


def _keeper(local: Local) -> Callable[[dict[str, Any], object], Any]:
    """Serve the keeper in this process: the same dispatch that Lambda calls."""
    keeper = Keeper(
        storage=local.storage(),
        is_running=local.is_running,
        now=local.now,
        remaining_s=lambda: _FOREVER_S,
        grace_s=0.0,
    )
    return lambda event, _context: dispatch(keeper, event)


def _ignore(progress: Progress) -> None:
    del progress


def _ignore_event(event: Event) -> None:
    del event


def _die() -> None:
    """Crash as a machine does: no clean-up, no exit handlers."""
    os.kill(os.getpid(), signal.SIGKILL)
