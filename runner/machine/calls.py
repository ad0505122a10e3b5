"""Calls of services: where faults are injected, and the threads that calls run on.

In: task requests.  Out: answers, put on a queue that the scheduler reads, from worker threads or
(one call without a time limit, nothing else to wait for) from the scheduler's own thread.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

from runner.machine.failures import TIMEOUT
from runner.machine.faults import (
    Crash,
    Delay,
    Fail,
    Hang,
    Meanwhile,
    Throttle,
    TimeOut,
    Unknown,
    When,
    throttled,
    unknown,
)
from runner.machine.ports import AnswerLater, NoAnswerYet, RepeatableService
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
    error: str | None
    cause: str | None


class Submitted(NamedTuple):
    """The call began work that is still waited for."""

    key: str
    output: Json


class Silent(NamedTuple):
    """The call ended without an answer; only a timeout ends the task."""

    key: str


class Late(NamedTuple):
    """The call's answer comes later, by the execution's clock."""

    key: str
    after_s: float | None
    """Seconds from now; None: never."""
    answer: Succeeded | Refused | Silent | None
    """None: the call is to be made then."""
    heartbeats: tuple[float, ...] = ()


class Settled(NamedTuple):
    """Whoever holds the task's token answers; the call itself may be over or not."""

    answer: Succeeded | Refused


class Beat(NamedTuple):
    """Whoever holds the task's token says that its work goes on."""

    key: str


class Broken(NamedTuple):
    """The call raised what no service may raise: a defect, an interrupt, a simulated crash."""

    key: str
    problem: BaseException


Answer: TypeAlias = Succeeded | Refused | Silent | Late | Broken
"""What ends a call."""
Notice: TypeAlias = Answer | Submitted | Settled | Beat
"""What the scheduler hears of calls."""


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
        self._put_off: set[str] = set()
        """Calls that were delayed before their effect: the next time they are made."""

    def call(self, request: TaskRequest) -> Answer:
        """Do the call and give its answer; exceptions other than a service's pass through."""
        if request.repeated and not may_repeat(self._service, request):
            return Refused(request.key, unknown(request.resource), _LOST)
        if not self._faults.faults:
            return self._effect(request)
        if request.key in self._put_off:
            self._put_off.remove(request.key)
            return self._late(request)
        return self._injected(request, When.BEFORE) or self._late(request)

    def _late(self, request: TaskRequest) -> Answer:
        answer = self._effect(request)
        injected = self._injected(request, When.AFTER)
        if isinstance(injected, Late):
            return _later(answer, injected)
        return injected or answer

    def _effect(self, request: TaskRequest) -> Answer:
        try:
            return Succeeded(request.key, self._service.call(request))
        except ServiceError as error:
            return Refused(request.key, error.error, error.cause)
        except NoAnswerYet:
            return Silent(request.key)
        except AnswerLater as later:
            return Late(request.key, later.after_s, _announced(request, later), later.heartbeats)

    def _injected(self, request: TaskRequest, when: When) -> Answer | None:
        place = request.key.rpartition(".")[0]
        action = self._faults.of_call(place, request.state, attempt=request.attempt, when=when)
        match action:
            case None:
                return None
            case Crash():
                self._crash()
            case Meanwhile():
                action.act()
            case Hang():
                return Silent(request.key)
            case Delay():
                if when is When.BEFORE:
                    self._put_off.add(request.key)
                return Late(request.key, action.seconds, None)
            case _:
                return Refused(request.key, *_named(action, request.resource))
        return None


def _announced(request: TaskRequest, later: AnswerLater) -> Succeeded | Refused | Silent:
    """Give the answer that a service knows already."""
    if later.after_s is None:
        return Silent(request.key)
    if later.error is not None:
        return Refused(request.key, later.error.error, later.error.cause)
    return Succeeded(request.key, later.answer)


def _later(answer: Answer, delay: Late) -> Answer:
    """Put an answer off by a delay."""
    match answer:
        case Succeeded() | Refused():
            return delay._replace(answer=answer)
        case Late(after_s=float() | int() as after_s):
            return answer._replace(after_s=after_s + (delay.after_s or 0))
        case _:
            return answer


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
        self._answers: deque[Notice] = deque()
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
        self.deliver(Submitted(key, output))

    def deliver(self, notice: Notice) -> None:
        """Take what somebody else tells of a call; on any thread."""
        self._answers.append(notice)
        self.arrived.set()

    def take(self) -> Notice | None:
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
