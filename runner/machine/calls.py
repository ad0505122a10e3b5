"""Calls of services: where faults are injected, and the threads that calls run on.

In: task requests.  Out: answers, put on a queue that the scheduler reads, from worker threads or
(one call, nothing else to wait for) from the scheduler's own thread.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

from runner.machine.failures import TIMEOUT
from runner.machine.faults import (
    Crash,
    Fail,
    Meanwhile,
    Throttle,
    TimeOut,
    Unknown,
    When,
    throttled,
    unknown,
)
from runner.machine.ports import NoAnswerYet, RepeatableService
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine.faults import FaultPlan
    from runner.machine.ports import TaskRequest, TaskService
    from runner.model.ports import Json


class Succeeded(NamedTuple):
    """The call gave a result."""

    key: str
    result: Json


class Refused(NamedTuple):
    """The call failed."""

    key: str
    error: str
    cause: str | None


class Submitted(NamedTuple):
    """The call began work that is still waited for."""

    key: str
    output: Json


class Silent(NamedTuple):
    """The call ended without an answer; only a timeout ends the task."""

    key: str


class Broken(NamedTuple):
    """The call raised what no service may raise: a defect, an interrupt, a simulated crash."""

    key: str
    problem: BaseException


Answer: TypeAlias = Succeeded | Refused | Silent | Broken
"""What ends a call."""


_LOST = (
    "No answer: the process that made this call ended before one came, and the service does not"
    " say that the call may be made again."
)


def may_repeat(service: TaskService, request: TaskRequest) -> bool:
    """Tell whether a service says that a call may be made again."""
    return isinstance(service, RepeatableService) and service.may_repeat(request)


class Caller:
    """Calls a service, with injected faults; safe on any thread."""

    def __init__(self, service: TaskService, faults: FaultPlan, crash: Callable[[], None]) -> None:
        """Take the service, the plan, and what makes the process die."""
        self._service = service
        self._faults = faults
        self._crash = crash

    def call(self, request: TaskRequest) -> Answer:
        """Do the call and give its answer; exceptions other than a service's pass through."""
        if request.repeated and not may_repeat(self._service, request):
            return Refused(request.key, unknown(request.resource), _LOST)
        return self._injected(request, When.BEFORE) or self._effect(request)

    def _effect(self, request: TaskRequest) -> Answer:
        try:
            result = self._service.call(request)
        except ServiceError as error:
            answer: Answer = Refused(request.key, error.error, error.cause)
        except NoAnswerYet:
            answer = Silent(request.key)
        else:
            answer = Succeeded(request.key, result)
        return self._injected(request, When.AFTER) or answer

    def _injected(self, request: TaskRequest, when: When) -> Answer | None:
        if not self._faults.faults:
            return None
        place = request.key.rpartition(".")[0]
        action = self._faults.of_call(place, request.state, attempt=request.attempt, when=when)
        match action:
            case None:
                return None
            case Crash():
                self._crash()
            case Meanwhile():
                action.act()
            case _:
                return Refused(request.key, *_named(action, request.resource))
        return None


def _named(action: Fail | TimeOut | Throttle | Unknown, resource: str) -> tuple[str, str]:
    """Give the error and cause of a call that is to fail."""
    match action:
        case Fail():
            return action.error, action.cause
        case TimeOut():
            return TIMEOUT, ""
        case Throttle():
            return throttled(resource), "Rate exceeded (injected fault)"
        case Unknown():
            return unknown(resource), "no answer (injected fault)"
        case _:
            assert_never(action)


class Workers:
    """Threads that make calls; they start when needed and die with the process."""

    def __init__(self, caller: Caller, most: int) -> None:
        """Take what makes a call and the most threads to use."""
        self._caller = caller
        self._most = most
        self._waiting: deque[TaskRequest] = deque()
        self._answers: deque[Answer | Submitted] = deque()
        self._work = threading.Semaphore(0)
        self._started = 0
        self.arrived = threading.Event()
        """Set whenever an answer arrives."""

    def submit(self, request: TaskRequest) -> None:
        """Have a call made by the next free thread."""
        self._waiting.append(request)
        if self._started < self._most:
            self._started += 1
            threading.Thread(target=self._serve, daemon=True, name="task").start()
        self._work.release()

    def call_here(self, request: TaskRequest) -> None:
        """Make a call on this thread."""
        self._answers.append(self._caller.call(request))

    def report(self, key: str, output: Json) -> None:
        """Take what answered a call whose work goes on; on any thread."""
        self._answers.append(Submitted(key, output))
        self.arrived.set()

    def take(self) -> Answer | Submitted | None:
        """Give the next answer, if one is there."""
        if self._answers:
            return self._answers.popleft()
        self.arrived.clear()
        return self._answers.popleft() if self._answers else None

    def close(self) -> None:
        """Let the threads end when their present calls do."""
        self._waiting.clear()
        for _ in range(self._started):
            self._work.release()

    def _serve(self) -> None:
        while True:
            self._work.acquire()
            try:
                request = self._waiting.popleft()
            except IndexError:
                return
            try:
                answer = self._caller.call(request)
            except BaseException as problem:  # noqa: BLE001  (raised again by the scheduler)
                answer = Broken(request.key, problem)
            self._answers.append(answer)
            self.arrived.set()
