"""What the interpreter asks of the world: a service for tasks, a clock, a flag to stop.

Floor 1 has no clock and no randomness of its own; `VirtualClock` is simulated time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.model.ports import Json, ServiceError


class ExecutionContext(NamedTuple):
    """What the context object says about the execution and its state machine."""

    execution_id: str
    execution_name: str
    state_machine_id: str
    state_machine_name: str
    role_arn: str = ""
    start_time: datetime | None = None
    """When it started, in UTC; None means the time of the first event."""
    redrive_count: int = 0


def _unheard(output: Json) -> None:
    del output


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """One call of a task's resource."""

    key: str
    """Unique and stable: the same call has it again after a replay (`Each#1[3]/Load#1.0`)."""
    state: str
    resource: str
    arguments: Json
    attempt: int
    """Retries so far, 0 for the first call."""
    timeout_s: float | None
    heartbeat_s: float | None
    context: Mapping[str, Json]
    """The context object at the time of the call."""
    credentials: Json = None
    token: str | None = None
    """What ends the task through `Callbacks`: of `.waitForTaskToken` tasks and activities."""
    repeated: bool = False
    """The journal has this call without an end: its effect may exist already.

    Only a `RepeatableService` that says so gets such a call; otherwise the task fails with
    `<Service>.SdkClientException`, as when a connection breaks, and the definition decides.
    """
    submitted: Callable[[Json], None] = field(default=_unheard, compare=False, repr=False)
    """A service of `.sync` or `.waitForTaskToken` gives what answered the call that only began the
    work (`{"QueryExecutionId": ...}`), as soon as it knows; the history shows it."""
    stop: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)
    """Set when nobody waits for the answer any more (timeout, abort, a failed sibling)."""


class NoAnswerYet(Exception):
    """Raised by a service whose answer will not come from this call: only a timeout ends it."""


class AnswerLater(Exception):
    """Raised by a service whose answer is known and comes later, by the execution's clock."""

    def __init__(
        self,
        answer: Json,
        *,
        after_s: float | None,
        error: ServiceError | None = None,
        heartbeats: tuple[float, ...] = (),
    ) -> None:
        """Take the result, or the error that comes in its place.

        `after_s` counts from now; None means never.  `heartbeats` are the instants, in seconds
        from now, at which the worker says that it is still at it.
        """
        super().__init__()
        self.answer = answer
        self.after_s = after_s
        self.error = error
        self.heartbeats = heartbeats


class TaskService(Protocol):
    """Does the work of tasks."""

    def call(self, request: TaskRequest) -> Json:
        """Do it and give the raw result; raises runner.model.ports.ServiceError."""
        ...


@runtime_checkable
class RepeatableService(TaskService, Protocol):
    """A service that knows which of its calls may be made again when their outcome is unknown."""

    def may_repeat(self, request: TaskRequest) -> bool:
        """Tell whether a second call finds or gives what the first did (a token, a plain read)."""
        ...


class Clock(Protocol):
    """Time, as the interpreter sees it."""

    def now(self) -> datetime:
        """Give the present instant, in UTC."""
        ...

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        """Return when `until` has come, when `arrived` is set, or earlier (it is called again).

        `busy` says that calls are under way which will set `arrived`.  A real clock returns at
        least a few times a second, so that an abort is seen.
        """
        ...


class Abort(Protocol):
    """A flag that asks the execution to stop; threading.Event is one."""

    def is_set(self) -> bool:
        """Tell whether to stop."""
        ...


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class VirtualClock:
    """Simulated time: it jumps to the next timer when nothing is running."""

    def __init__(self, start: datetime = _EPOCH) -> None:
        """Begin at the given instant (UTC)."""
        self._now = start

    def now(self) -> datetime:
        """Give the simulated instant."""
        return self._now

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        """Wait for running calls in real time; otherwise jump."""
        if busy:
            arrived.wait(0.05)
        elif until is not None and until > self._now:
            self._now = until


class Status(StrEnum):
    """How an execution ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class Outcome(NamedTuple):
    """The end of an execution."""

    status: Status
    output: Json
    """The output, None unless it succeeded."""
    error: str | None
    cause: str | None
    started: datetime
    ended: datetime
