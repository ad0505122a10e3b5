"""Lambda on this machine: the user's functions in warm processes of their own.

In: the arguments of `lambda:invoke`.  Out: {ExecutedVersion, Payload, StatusCode, ...}, or a
ServiceError whose name is the handler's exception, as Step Functions reports it.  Functions of
ours (the keeper) run in this process, through the same door and with the same JSON in between.

What a function's `requirements.txt` names is in a folder beside its own, where it was installed for
this machine; everything else that it imports comes from the Python that runs `runner`.
"""

from __future__ import annotations

import json
import re
import select
import subprocess
import sys
import threading
import time
import traceback
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    InProcess = Callable[[dict[str, Any], object], Any]

DEFAULT_TIMEOUT_S = 900.0
"""Lambda's own limit."""
_WORKER = Path(__file__).with_name("lambda_worker.py")
_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[^:]*:[^:]*:function:([^:]+)(?::(.+))?\Z")


class Function(NamedTuple):
    """A function that runs in its own process."""

    folder: Path
    timeout_s: float = DEFAULT_TIMEOUT_S
    memory_mib: int = 1024
    """What it is told; nothing limits it here."""
    environment: Mapping[str, str] = MappingProxyType({})
    packages: Path | None = None
    """Where its dependencies are installed."""
    handler: str = "handler.handler"
    """Module and function, as in Lambda's own setting."""
    reaches: bool = False
    """Whether it may call other services: its AWS clients are then led to those of this machine."""


@dataclass(slots=True)
class LocalContext:
    """Lambda's context object for functions of this process."""

    function_name: str
    aws_request_id: str
    until: float
    function_version: str = "$LATEST"

    def get_remaining_time_in_millis(self) -> int:
        """Give the time left; nothing stops a function of this process when it is over."""
        return max(0, int((self.until - time.monotonic()) * 1000))


@dataclass(slots=True, eq=False)
class _Worker:
    """One process; `busy` while it serves an invocation."""

    process: subprocess.Popen[bytes]
    buffer: bytearray = field(default_factory=bytearray)

    def ask(self, request: Mapping[str, Json], *, timeout_s: float) -> Json:
        """Send a line, wait for a line; TimeoutError, or EOFError when the process died."""
        assert self.process.stdin is not None  # noqa: S101 - opened as a pipe
        line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except BrokenPipeError as exc:
            raise EOFError from exc
        return json.loads(self._line(time.monotonic() + timeout_s))

    def _line(self, until: float) -> bytes:
        assert self.process.stdout is not None  # noqa: S101 - opened as a pipe
        descriptor = self.process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while (end := self.buffer.find(b"\n")) < 0:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise TimeoutError
            chunk = self.process.stdout.read1(1 << 20)  # type: ignore[attr-defined]  # buffered
            if not chunk:
                raise EOFError
            self.buffer += chunk
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 1]
        return line

    def stop(self) -> int:
        """End the process; gives its exit status, its own if it had died before."""
        self.process.poll()
        self.process.kill()
        status = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                _close_quietly(pipe)
        return status


class Lambdas:
    """The functions of one environment."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        in_process: Mapping[str, InProcess],
        logs: Path,
        environ: Mapping[str, str],
        endpoint: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        """Take functions by name, ours by name, the folder of logs, and what they inherit.

        `endpoint` gives the variables that lead clients to the services of this machine.
        """
        self._endpoint = endpoint
        self._functions = functions
        self._in_process = in_process
        self._logs = logs
        self._environ = {key: value for key, value in environ.items() if key[:6] != "PYTHON"}
        self._idle: dict[str, list[_Worker]] = {}
        self._busy: list[_Worker] = []
        self._lock = threading.Lock()

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve `invoke`; anything else is refused by name."""
        if action != "invoke":
            raise ServiceError("States.Runtime", f"lambda:{action} is not known locally; invoke is")
        kind = arguments.get("InvocationType", "RequestResponse")
        if kind != "RequestResponse":
            raise ServiceError("States.Runtime", f"InvocationType {kind} is not known locally")
        name, version = _function_name(str(arguments.get("FunctionName", "")))
        payload = arguments.get("Payload", {})
        result = self._invoke(name, payload)
        return {
            "ExecutedVersion": arguments.get("Qualifier", version),
            "Payload": result,
            "StatusCode": 200,
            "SdkHttpMetadata": {"HttpStatusCode": 200},
        }

    def ask(self, name: str, payload: Json) -> Json:
        """Call a function by its name and give its answer; ServiceError for its exception."""
        return self._invoke(name, payload)

    def warm(self, names: Iterable[str]) -> None:
        """Start one process for each of these functions, without waiting for them."""
        for name in names:
            if name in self._functions and not self._idle.get(name):
                self._give_back(name, self._start(name))

    def close(self) -> None:
        """End every process, also those at work: nobody waits for them any more."""
        with self._lock:
            workers = [worker for idle in self._idle.values() for worker in idle]
            workers += self._busy
            self._idle.clear()
            self._busy.clear()
        for worker in workers:
            worker.stop()

    def _invoke(self, name: str, payload: Json) -> Json:
        if name in self._in_process:
            return _call(self._in_process[name], name, payload)
        function = self._functions.get(name)
        if function is None:
            known = ", ".join(sorted({*self._functions, *self._in_process})) or "none"
            raise ServiceError(
                "Lambda.ResourceNotFoundException",
                f"Function not found: {name}; functions here: {known}",
            )
        request = {"id": str(uuid.uuid4()), "payload": payload, "timeout_s": function.timeout_s}
        worker = self._take(name)
        try:
            reply = worker.ask(request, timeout_s=function.timeout_s)
        except TimeoutError:
            self._discard(worker)
            raise _timed_out(request["id"], function.timeout_s) from None
        except (EOFError, ValueError):
            raise _died(request["id"], self._discard(worker)) from None
        except BaseException:
            self._discard(worker)
            raise
        self._give_back(name, worker)
        if "error" in reply:
            raise ServiceError(reply["error"]["errorType"], json.dumps(reply["error"]))
        return reply["ok"]

    def _take(self, name: str) -> _Worker:
        with self._lock:
            idle = self._idle.get(name)
            worker = idle.pop() if idle else None
        if worker is not None and worker.process.poll() is not None:
            worker.stop()
            worker = None
        if worker is None:
            worker = self._start(name)
        with self._lock:
            self._busy.append(worker)
        return worker

    def _give_back(self, name: str, worker: _Worker) -> None:
        with self._lock:
            if worker in self._busy:
                self._busy.remove(worker)
            self._idle.setdefault(name, []).append(worker)

    def _discard(self, worker: _Worker) -> int:
        with self._lock:
            if worker in self._busy:
                self._busy.remove(worker)
        return worker.stop()

    def _start(self, name: str) -> _Worker:
        self._logs.mkdir(parents=True, exist_ok=True)
        function = self._functions[name]
        command = [sys.executable, "-I", "-S", "-u", str(_WORKER), str(function.folder), name]
        if function.packages is not None:
            command.append(str(function.packages))
        there = self._endpoint() if function.reaches and self._endpoint is not None else {}
        if there:  # its clients sign with its name, so that their endpoint knows who it is
            there = {**there, "AWS_ACCESS_KEY_ID": name}
        environ = self._environ | {
            **there,
            **function.environment,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "_HANDLER": function.handler,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mib),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with (self._logs / f"{name.replace('/', '_')}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environ,
                cwd=function.folder,
                process_group=0,  # Ctrl-C at the terminal stops the run, not the function
            )
        return _Worker(process)


def problem_of(error: ServiceError) -> str:
    """Say in a line which exception a function raised.

    >>> problem_of(ServiceError("KeyError", '{"errorMessage": "no id"}'))
    'KeyError: no id'
    """
    try:
        message = str(json.loads(error.cause)["errorMessage"])
    except (ValueError, TypeError, KeyError):
        message = error.cause
    return f"{error.error}: {message}"


def _function_name(text: str) -> tuple[str, str]:
    """Read a function's name or ARN; gives name and version.

    >>> _function_name("arn:aws:lambda:local:000000000000:function:report:live")
    ('report', 'live')
    >>> _function_name("report")
    ('report', '$LATEST')
    >>> _function_name("report:live")
    ('report', 'live')
    """
    match = _ARN.match(text)
    name, version = text.partition(":")[::2] if match is None else match.groups()
    return name, version or "$LATEST"


def _call(function: InProcess, name: str, payload: Json) -> Json:
    """Run a function of ours as Lambda would: JSON in, JSON out, errors by class name."""
    context = LocalContext(name, str(uuid.uuid4()), time.monotonic() + DEFAULT_TIMEOUT_S)
    try:
        result = function(json.loads(json.dumps(payload)), context)
    except Exception as error:
        document = {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "stackTrace": traceback.format_tb(error.__traceback__)[1:],
        }
        raise ServiceError(type(error).__name__, json.dumps(document)) from error
    return json.loads(json.dumps(result))


def _timed_out(request: str, timeout_s: float) -> ServiceError:
    message = f"RequestId: {request} Error: Task timed out after {timeout_s:.2f} seconds"
    document = {"errorMessage": message, "errorType": "Sandbox.Timedout"}
    return ServiceError("Sandbox.Timedout", json.dumps(document))


def _died(request: str, status: int) -> ServiceError:
    how = f"signal: {-status}" if status < 0 else f"exit status {status}"
    message = f"RequestId: {request} Error: Runtime exited with error: {how}"
    return ServiceError(
        "Lambda.Unknown", json.dumps({"errorMessage": message, "errorType": "Runtime.ExitError"})
    )


def _close_quietly(pipe: Any) -> None:  # noqa: ANN401 - a pipe of either direction
    try:
        pipe.close()
    except BrokenPipeError:
        return
