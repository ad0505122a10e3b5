"""The runs of this machine: a folder each, and who is still at work.

    .runner/runs/<run>/run.json                 workflow, input, when it started
    .runner/runs/<run>/definition.asl.json      the definition that it executes
    .runner/runs/<run>/journal.sqlite           written by the journal
    .runner/runs/<run>/lock                     held (flock) by the process that executes it
    .runner/runs/<run>/end.json                 how it ended

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
from typing import TYPE_CHECKING, Self

from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

ARN_PREFIX = "arn:aws:states:local:000000000000:"
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
        """Read the definition that this run executes."""
        return (self.folder / "definition.asl.json").read_bytes()


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
        self, name: str, *, workflow: str, execution_input: Json, definition: bytes
    ) -> RunHandle:
        """Make the run's folder and take its lock; FileExistsError when the name is taken.

        The folder appears whole and locked, so no reader ever sees a young run as dead.
        """
        draft = self._folder / f".{name}.{os.getpid()}"
        draft.mkdir(parents=True)
        started_at = self._now()
        about = {"workflow": workflow, "input": execution_input, "at": started_at.isoformat()}
        _write(draft / "run.json", json.dumps(about, ensure_ascii=False).encode())
        _write(draft / "definition.asl.json", definition)
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
        folder = self._folder / name
        try:
            about = json.loads((folder / "run.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(name) from None
        at = dt.datetime.fromisoformat(about["at"])
        return Run(name, about["workflow"], about["input"], at, folder)

    def runs(self) -> tuple[Run, ...]:
        """Give every run, the newest first."""
        if not self._folder.is_dir():
            return ()
        names = [item.name for item in self._folder.iterdir() if not item.name.startswith(".")]
        found = [self.get(name) for name in names if (self._folder / name / "run.json").exists()]
        return tuple(sorted(found, key=lambda run: (run.started_at, run.name), reverse=True))

    def end(self, name: str) -> RunEnd | None:
        """Read how a run ended; None while it runs and after it was killed."""
        try:
            body = json.loads((self.get(name).folder / "end.json").read_bytes())
        except FileNotFoundError:
            return None
        return RunEnd(
            RunStatus(body["status"]),
            dt.datetime.fromisoformat(body["at"]),
            body["error"],
            body["cause"],
            body["output"],
        )

    def status(self, name: str) -> RunStatus:
        """Tell the state of a run; KeyError when there is none of that name."""
        run = self.get(name)
        if _is_locked(run.folder / "lock"):
            return RunStatus.RUNNING
        end = self.end(name)
        return RunStatus.ABORTED if end is None else end.status

    def describe_execution(self, *, executionArn: str) -> Mapping[str, Json]:  # noqa: N803
        """Answer as boto3's Step Functions client does; ExecutionDoesNotExist for others' ARNs."""
        try:
            workflow, name = _parse_arn(executionArn)
            run = self.get(name)
        except (KeyError, ValueError):
            raise ExecutionDoesNotExist(executionArn) from None
        if run.workflow != workflow:
            raise ExecutionDoesNotExist(executionArn)
        answer: dict[str, Json] = {
            "executionArn": executionArn,
            "stateMachineArn": f"{ARN_PREFIX}stateMachine:{workflow}",
            "name": name,
            "status": self.status(name).value,
            "startDate": run.started_at,
            "input": json.dumps(run.input),
        }
        end = self.end(name)
        if end is not None and answer["status"] != RunStatus.RUNNING:
            answer["stopDate"] = end.at
            if end.status is RunStatus.SUCCEEDED:
                answer["output"] = json.dumps(end.output)
            else:
                answer |= {"error": end.error, "cause": end.cause}
        return answer


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
