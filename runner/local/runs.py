"""The runs of this machine: a folder each, and who is still at work.

    .runner/runs/<run>/run.json                 workflow, input, when it started
    .runner/runs/<run>/definition.asl.json      the definition that it executes
    .runner/runs/<run>/journal.sqlite           written by the journal
    .runner/runs/<run>/lock                     held (flock) by the process that executes it
    .runner/runs/<run>/end.json                 how it ended
    .runner/runs/<run>/machine.<name>.asl.json  machines that the run starts as well
    .runner/runs/<run>/children/<machine>/<name>/   their executions; they run while the run does

A lock dies with its process, so the state of a run is known without a server: a run without an
end whose lock is free was killed, and counts as ABORTED.  Works across processes.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import time
from dataclasses import dataclass
from enum import StrEnum
from glob import escape
from typing import TYPE_CHECKING, Self

from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

ARN_PREFIX = "arn:aws:states:local:000000000000:"
_CHILDREN = "children"
_LOCK_PATIENCE_S = 2.0
_LOCK_PAUSE_S = 0.01


class RunStatus(StrEnum):
    """States of an execution, as Step Functions names them."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class RunBusy(Exception):
    """Another process executes this run."""


class ExecutionDoesNotExist(ServiceError):
    """No run has this ARN; shaped like boto3's client error of the same code."""

    def __init__(self, arn: str) -> None:
        self.response = {
            "Error": {
                "Code": "ExecutionDoesNotExist",
                "Message": f"Execution Does Not Exist: '{arn}'",
            }
        }
        super().__init__("Sfn.ExecutionDoesNotExistException", f"Execution Does Not Exist: '{arn}'")


@dataclass(frozen=True, slots=True)
class Run:
    """One run as its folder tells it."""

    name: str
    workflow: str
    input: Json
    started_at: dt.datetime
    folder: Path

    @property
    def arn(self) -> str:
        """Give the execution's ARN."""
        return f"{ARN_PREFIX}execution:{self.workflow}:{self.name}"

    @property
    def journal(self) -> Path:
        """Give the path of the journal."""
        return self.folder / "journal.sqlite"

    @property
    def definition(self) -> bytes:
        """Read the definition that this run executes; a child's lies beside that of its run."""
        above = self.folder.parents[1]
        if above.name == _CHILDREN:
            return (above.parent / _machine_file(self.workflow)).read_bytes()
        return (self.folder / "definition.asl.json").read_bytes()

    def machine(self, name: str) -> bytes | None:
        """Read the definition of a machine that this run may start; None when there is none."""
        try:
            return (self.folder / _machine_file(name)).read_bytes()
        except FileNotFoundError:
            return None


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended; `error` and `cause` are empty after a success."""

    status: RunStatus
    at: dt.datetime
    error: str = ""
    cause: str = ""
    output: Json = None


class RunHandle:
    """The right to execute a run: its lock, held until `close` or the end of the process."""

    def __init__(self, run: Run, descriptor: int, *, now: Callable[[], dt.datetime]) -> None:
        """Take the locked descriptor over."""
        self.run = run
        self._descriptor = descriptor
        self._now = now

    def finish(
        self, status: RunStatus, *, error: str = "", cause: str = "", output: Json = None
    ) -> None:
        """Write how the run ended; the lock stays held until `close`."""
        end = {
            "status": status.value,
            "at": self._now().isoformat(),
            "error": error,
            "cause": cause,
            "output": output,
        }
        _write(self.run.folder / "end.json", json.dumps(end, ensure_ascii=False).encode())

    def close(self) -> None:
        """Let go of the lock; closing twice is allowed."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        """Give the handle itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the lock."""
        self.close()


class RunRegistry:
    """All runs below one folder."""

    def __init__(self, folder: Path, *, now: Callable[[], dt.datetime]) -> None:
        """Take the folder that holds the runs (`.runner/runs`) and the clock (aware, UTC)."""
        self._folder = folder
        self._now = now

    def create(
        self,
        name: str,
        *,
        workflow: str,
        execution_input: Json,
        definition: bytes,
        machines: Mapping[str, bytes] | None = None,
    ) -> RunHandle:
        """Make the run's folder and take its lock; FileExistsError when the name is taken.

        `machines` are definitions, by name, of machines that the run may start.  The folder appears
        whole and locked, so no reader ever sees a young run as dead.
        """
        draft = self._folder / f".{name}.{os.getpid()}"
        draft.mkdir(parents=True)
        started_at = self._now()
        _write_about(draft, workflow, execution_input, started_at)
        _write(draft / "definition.asl.json", definition)
        for machine, text in (machines or {}).items():
            _write(draft / _machine_file(machine), text)
        descriptor = os.open(draft / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        folder = self._folder / name
        try:
            draft.rename(folder)
        except OSError as exc:
            os.close(descriptor)
            _remove(draft)
            raise FileExistsError(f"a run named {name} exists") from exc
        run = Run(name, workflow, execution_input, started_at, folder)
        return RunHandle(run, descriptor, now=self._now)

    def reopen(self, name: str) -> RunHandle:
        """Take the lock of an ended or killed run to continue it; RunBusy while it is running."""
        run = self.get(name)
        descriptor = os.open(run.folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock(descriptor):
            os.close(descriptor)
            raise RunBusy(f"run {name} is being executed by another process")
        (run.folder / "end.json").unlink(missing_ok=True)
        return RunHandle(run, descriptor, now=self._now)

    def get(self, name: str) -> Run:
        """Read one run; KeyError when there is none of that name."""
        return _read(self._folder / name)

    def runs(self) -> tuple[Run, ...]:
        """Give every run, the newest first."""
        if not self._folder.is_dir():
            return ()
        names = [item.name for item in self._folder.iterdir() if not item.name.startswith(".")]
        found = [self.get(name) for name in names if (self._folder / name / "run.json").exists()]
        return tuple(sorted(found, key=lambda run: (run.started_at, run.name), reverse=True))

    def end(self, name: str) -> RunEnd | None:
        """Read how a run ended; None while it runs and after it was killed."""
        return _end_of(self.get(name))

    @staticmethod
    def end_of(run: Run) -> RunEnd | None:
        """Read how a run, or a child of one, ended; None while it runs and after it was killed."""
        return _end_of(run)

    def status(self, name: str) -> RunStatus:
        """Tell the state of a run; KeyError when there is none of that name."""
        return _status_of(self.get(name))

    def describe_execution(self, *, executionArn: str) -> Mapping[str, Json]:  # noqa: N803
        """Answer as boto3's Step Functions client does; ExecutionDoesNotExist for others' ARNs."""
        try:
            workflow, name = _parse_arn(executionArn)
            run = self._find(workflow, name)
        except (KeyError, ValueError):
            raise ExecutionDoesNotExist(executionArn) from None
        answer: dict[str, Json] = {
            "executionArn": executionArn,
            "stateMachineArn": f"{ARN_PREFIX}stateMachine:{workflow}",
            "name": name,
            "status": _status_of(run).value,
            "startDate": run.started_at,
            "input": json.dumps(run.input),
        }
        end = _end_of(run)
        if end is not None and answer["status"] != RunStatus.RUNNING:
            answer["stopDate"] = end.at
            if end.status is RunStatus.SUCCEEDED:
                answer["output"] = json.dumps(end.output)
            else:
                answer |= {"error": end.error, "cause": end.cause}
        return answer

    def by_arn(self, arn: str) -> Run:
        """Read a run, or a child of one, by its execution's ARN; KeyError when there is none."""
        try:
            workflow, name = _parse_arn(arn)
        except ValueError:
            raise KeyError(arn) from None
        return self._find(workflow, name)

    def _find(self, workflow: str, name: str) -> Run:
        """Find a run, or a child of one; KeyError when there is none."""
        folder = self._folder / name
        if (folder / "run.json").exists():
            run = _read(folder)
            if run.workflow == workflow:
                return run
        place = f"*/{_CHILDREN}/{escape(workflow)}/{escape(name)}"
        for found in self._folder.glob(place):
            return _read(found)
        raise KeyError(name)


def open_child(
    run: Run, machine: str, name: str, *, execution_input: Json, now: Callable[[], dt.datetime]
) -> RunHandle | None:
    """Begin or continue a child of a run that this process executes; its lock is the run's.

    None when there is one of that name with another input.
    """
    folder = run.folder / _CHILDREN / machine / name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "run.json").exists():
        _write_about(folder, machine, execution_input, now())
    child = _read(folder)
    if child.input != execution_input:
        return None
    (folder / "end.json").unlink(missing_ok=True)
    return RunHandle(child, -1, now=now)


def reopen_child(run: Run, machine: str, name: str, *, now: Callable[[], dt.datetime]) -> RunHandle:
    """Continue a child that was begun; its lock is the run's."""
    return RunHandle(_read(run.folder / _CHILDREN / machine / name), -1, now=now)


def _machine_file(name: str) -> str:
    return f"machine.{name}.asl.json"


def _write_about(folder: Path, workflow: str, execution_input: Json, at: dt.datetime) -> None:
    about = {"workflow": workflow, "input": execution_input, "at": at.isoformat()}
    _write(folder / "run.json", json.dumps(about, ensure_ascii=False).encode())


def _read(folder: Path) -> Run:
    try:
        about = json.loads((folder / "run.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise KeyError(folder.name) from None
    at = dt.datetime.fromisoformat(about["at"])
    return Run(folder.name, about["workflow"], about["input"], at, folder)


def _end_of(run: Run) -> RunEnd | None:
    try:
        body = json.loads((run.folder / "end.json").read_bytes())
    except FileNotFoundError:
        return None
    return RunEnd(
        RunStatus(body["status"]),
        dt.datetime.fromisoformat(body["at"]),
        body["error"],
        body["cause"],
        body["output"],
    )


def _status_of(run: Run) -> RunStatus:
    """Tell the state of a run; that of a child without an end is its run's."""
    above = run.folder.parents[1]
    if above.name == _CHILDREN:
        end = _end_of(run)
        running = end is None and _is_locked(above.parent / "lock")
    else:
        running = _is_locked(run.folder / "lock")
        end = None if running else _end_of(run)
    if running:
        return RunStatus.RUNNING
    return RunStatus.ABORTED if end is None else end.status


def _parse_arn(arn: str) -> tuple[str, str]:
    """Split an execution's ARN into workflow and run.

    >>> _parse_arn("arn:aws:states:local:000000000000:execution:daily:r1")
    ('daily', 'r1')
    """
    kind, workflow, name = arn.removeprefix(ARN_PREFIX).split(":")
    if kind != "execution" or not arn.startswith(ARN_PREFIX) or "/" in name or name[:1] == ".":
        raise ValueError(arn)
    return workflow, name


def _lock(descriptor: int) -> bool:
    """Take the lock, waiting out readers that try it for an instant."""
    until = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_LOCK_PAUSE_S)
        else:
            return True


def _is_locked(path: Path) -> bool:
    """Tell whether a process holds the run; shared, so that readers do not see one another."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(body)
    draft.replace(path)


def _remove(folder: Path) -> None:
    for item in folder.iterdir():
        item.unlink()
    folder.rmdir()
