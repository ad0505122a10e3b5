"""Who answers the tasks of a machine that runs alone: mocks, handlers, executions, a folder.

In: what was asked for, and the ports of the execution.  Out: one service, and what puts its
parts away.  Mocks go first; what nobody answers ends the run with what to write into the mocks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.app.machine_trace import Trace
from runner.app.stopping import Interruptible, Stopper
from runner.errors import Fault, Place
from runner.local.routes import Routes
from runner.machine.mocks import Mocks, MockService, Unanswered
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from random import Random

    from runner.app.machine_definition import Machine
    from runner.app.machine_request import MachineRequest
    from runner.app.machine_trace import Step
    from runner.local.executions import Executions
    from runner.local.lambdas import Function
    from runner.local.runs import Run
    from runner.machine import Clock, Event, ExecutionContext, FaultPlan, TaskService
    from runner.model.ports import Service

Json = Any

_CALLS = 8


@dataclass(frozen=True, slots=True)
class Wiring:
    """The ports of the execution, which its children share, and where files may be put."""

    clock: Clock
    random: Random
    faults: FaultPlan
    crash: Callable[[], None]
    stopper: Stopper
    step: Callable[[Step, Trace], None] | None
    folder: Path


@dataclass(slots=True)
class Services:
    """Open services."""

    mocks: MockService
    calls: int
    """Most calls at once."""
    executions: Executions | None = None
    closers: list[Callable[[], None]] = field(default_factory=list)

    def begin(self) -> None:
        """Continue the children that a killed process left behind."""
        if self.executions is not None:
            self.executions.go_on()

    def finish(self) -> None:
        """Wait for the children that nobody waited for."""
        if self.executions is not None:
            self.executions.finish()

    def close(self) -> None:
        """Put everything away."""
        for close in self.closers:
            close()


def open_services(
    request: MachineRequest,
    mocks: Mocks,
    wiring: Wiring,
    *,
    machines: Mapping[str, Machine],
    context: ExecutionContext,
) -> Services:
    """Open the services that a request names; the mocks answer before any of them."""
    last: TaskService = request.service or Unanswered(mocks.file)
    routes: list[tuple[str, TaskService]] = []
    closers: list[Callable[[], None]] = []
    if request.lambdas or request.s3 is not None:
        routes += _local(request, wiring, closers)
    executions = None
    if machines:
        executions = _executions(machines, wiring, context, last)
        routes += [(f"machine:{name}", executions) for name in machines]
        closers.append(executions.close)
    service = MockService(mocks, Routes(tuple(routes), last))
    if executions is not None:
        executions.serve_children(service)
    mocked = not routes and request.service is None
    return Services(service, 1 if mocked else _CALLS, executions, closers)


def handlers(words: Mapping[str, str]) -> tuple[dict[str, Function], list[Fault]]:
    """Find the handlers that are named; gives those that are there and faults for the others."""
    from runner.local.lambdas import Function  # noqa: PLC0415 - only with functions

    found: dict[str, Function] = {}
    faults: list[Fault] = []
    for name, text in words.items():
        file, colon, function = text.rpartition(":")
        path = Path(file if colon else text)
        path = path / "handler.py" if path.is_dir() else path
        if path.suffix != ".py" or not path.is_file():
            expected = "a Python file, for example pay/handler.py or pay/app.py:main"
            advice = "name a file that is there"
            fault = Fault(Place("--lambda"), "no-handler", f"{name}={text}", expected, advice)
            faults.append(fault)
        handler = f"{path.stem}.{function if colon else 'handler'}"
        found[name] = Function(path.parent.resolve(), handler=handler)
    return found, faults


def _local(
    request: MachineRequest, wiring: Wiring, closers: list[Callable[[], None]]
) -> Iterable[tuple[str, TaskService]]:
    from runner.local.lambdas import Lambdas  # noqa: PLC0415 - only when used
    from runner.local.map_objects import MapObjects  # noqa: PLC0415
    from runner.local.s3 import FolderS3  # noqa: PLC0415
    from runner.local.s3_service import call_s3  # noqa: PLC0415
    from runner.local.services import LocalServices  # noqa: PLC0415

    services: dict[str, Service] = {}
    patterns: list[str] = []
    if request.s3 is not None:
        s3, folder = FolderS3(request.s3), request.s3
        services["s3"] = _buckets_of(folder, MapObjects(s3))
        services["aws-sdk:s3"] = _buckets_of(
            folder, lambda action, arguments: call_s3(s3, action, arguments)
        )
        patterns += [f"{name}:*" for name in services]
    if request.lambdas:
        logs = wiring.folder / "logs"
        lambdas = Lambdas(
            handlers(request.lambdas)[0], in_process={}, logs=logs, environ=os.environ
        )
        services["lambda"] = lambdas
        closers.append(lambdas.close)
        patterns += [f"function:{name}" for name in request.lambdas]
    local = Interruptible(LocalServices(services), wiring.stopper, keeper="")
    return [(pattern, local) for pattern in patterns]


def _buckets_of(folder: Path, service: Service) -> Service:
    """Refuse buckets that are not there; the folder of a project makes its own."""

    def serve(action: str, arguments: Mapping[str, Json]) -> Json:
        bucket = arguments.get("Bucket")
        if isinstance(bucket, str) and not (folder / bucket).is_dir():
            told = "The specified bucket does not exist (Service: S3, Status Code: 404)"
            raise ServiceError("S3.NoSuchBucketException", told)
        return service(action, arguments)

    return serve


def _executions(
    machines: Mapping[str, Machine], wiring: Wiring, context: ExecutionContext, last: TaskService
) -> Executions:
    import json  # noqa: PLC0415 - only with other machines

    from runner.local.executions import Executions, Ports  # noqa: PLC0415
    from runner.local.runs import Run  # noqa: PLC0415

    wiring.folder.mkdir(parents=True, exist_ok=True)
    for name, machine in machines.items():
        text = json.dumps(machine.source, ensure_ascii=False)
        (wiring.folder / f"machine.{name}.asl.json").write_text(text, "utf-8")
    run = Run(
        context.execution_name,
        context.state_machine_name,
        None,
        wiring.clock.now(),
        wiring.folder,
    )
    ports = Ports(
        clock=wiring.clock,
        random=wiring.random,
        faults=wiring.faults,
        observer=_ignore,
        crash=wiring.crash,
        abort=wiring.stopper,
        begun=_follower(machines, wiring),
    )
    return Executions(run, last, ports)


def _follower(
    machines: Mapping[str, Machine], wiring: Wiring
) -> Callable[[Run, Callable[[Event], None]], Callable[[Event], None]]:
    """Make what follows each child, so that its steps are told with its name."""

    def begun(child: Run, _: Callable[[Event], None]) -> Callable[[Event], None]:
        from runner.local.journal import open_journal  # noqa: PLC0415 - only with other machines

        trace = Trace(machines[child.workflow].source, f"{child.workflow}/{child.name}")
        journal = open_journal(child.journal)
        try:
            trace.follow(journal.events())
        finally:
            journal.close()

        def observe(event: Event) -> None:
            for step in trace.steps(event):
                if wiring.step is not None:
                    wiring.step(step, trace)

        return observe

    return begun


def _ignore(event: Event) -> None:
    del event
