"""Runs flows side by side, deterministically: what happens depends on the answers' order only.

In: the first flow's generator.  Out: its output, or StateError, or one of the two ends that no
state can catch (`Aborted`, `TimedOut`).  Flows run until all of them wait; then one completion is
taken, from the journal while it lasts, else from the workers and the clock.  Whenever all flows
wait, what happened is written down; only then are calls made.
"""

from __future__ import annotations

import heapq
from collections import deque
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, assert_never

from runner.machine.calls import Broken, Refused, Silent, Submitted, Succeeded
from runner.machine.events import EventKind
from runner.machine.failures import TIMEOUT, ReportedError, StateError
from runner.machine.fibers import CallTask, Failed, Sleep, Spawn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from runner.machine.calls import Answer, Workers
    from runner.machine.events import Event
    from runner.machine.fibers import FlowRun, Request
    from runner.machine.ports import Abort, Clock, TaskRequest
    from runner.machine.recorder import Recorder
    from runner.machine.task_notes import TaskNotes
    from runner.model.ports import Json


_DEFAULT_TIMEOUT_S = 99_999_999
"""A task's TimeoutSeconds when the definition gives none (Step Functions guide)."""


class Aborted(Exception):
    """Somebody asked the execution to stop."""


class TimedOut(Exception):
    """The machine's TimeoutSeconds are over."""


class _Fiber:
    """A running flow and what it waits for."""

    __slots__ = ("alive", "group", "index", "key", "owner", "run", "state")

    def __init__(self, run: FlowRun, owner: _Group | None, index: int) -> None:
        self.run = run
        self.owner = owner
        self.index = index
        self.group: _Group | None = None
        self.key = ""
        self.state = ""
        self.alive = True


class _Group:
    """The children of a fiber."""

    __slots__ = ("failed", "fibers", "next", "parent", "results", "spawn")

    def __init__(self, parent: _Fiber, spawn: Spawn) -> None:
        self.parent = parent
        self.spawn = spawn
        self.results: list[Json] = [None] * len(spawn.starts)
        self.fibers: dict[int, _Fiber] = {}
        self.next = 0
        self.failed = 0


class _Call:
    """A task call that has not ended."""

    __slots__ = ("deadline", "fiber", "flying", "notes", "request")

    def __init__(self, fiber: _Fiber, request: TaskRequest, notes: TaskNotes | None) -> None:
        self.fiber = fiber
        self.request = request
        self.notes = notes
        self.flying = False
        self.deadline: datetime | None = None


class Scheduler:
    """The flows of one execution."""

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        workers: Workers,
        *,
        most_calls: int,
        abort: Abort | None,
        timeout_s: float | None,
    ) -> None:
        """Take the ports; `timeout_s` is the machine's, from now on."""
        self._recorder = recorder
        self._clock = clock
        self._workers = workers
        self._most_calls = most_calls
        self._abort = abort
        self._timeout_s = timeout_s
        self._deadline: datetime | None = None
        self._ready: deque[tuple[_Fiber, Json, StateError | None]] = deque()
        self._calls: dict[str, _Call] = {}
        self._queue: deque[str] = deque()
        self._begun: list[tuple[_Call, TaskNotes]] = []
        self._flying = 0
        self._sleepers: dict[str, _Fiber] = {}
        self._deadlines: list[tuple[datetime, int, str]] = []
        self._sequence = 0

    def run(self, flow: FlowRun) -> Json:
        """Run a flow to its end."""
        root = _Fiber(flow, None, 0)
        self._ready.append((root, None, None))
        try:
            while True:
                while self._ready:
                    fiber, value, error = self._ready.popleft()
                    if fiber.alive:
                        self._step(fiber, value, error)
                self._complete()
        except _Ended as ended:
            return ended.value
        finally:
            self._cancel(root)

    # -- flows ------------------------------------------------------------------------------

    def _step(self, fiber: _Fiber, value: Json, error: StateError | None) -> None:
        try:
            request = fiber.run.send(value) if error is None else fiber.run.throw(error)
        except StopIteration as stop:
            fiber.alive = False
            self._finished(fiber, stop.value)
        except StateError as failure:
            fiber.alive = False
            self._failed(fiber, failure)
        else:
            self._take(fiber, request)

    def _take(self, fiber: _Fiber, request: Request) -> None:
        match request:
            case CallTask():
                self._begin_call(fiber, request.request, request.notes)
            case Sleep():
                fiber.key, fiber.state = request.key, request.state
                self._sleepers[request.key] = fiber
                self._remember(request.until, request.key)
            case Spawn():
                self._begin_children(fiber, request)
            case _:
                assert_never(request)

    def _begin_call(self, fiber: _Fiber, request: TaskRequest, notes: TaskNotes | None) -> None:
        key = request.key
        fiber.key = key
        self._calls[key] = call = _Call(fiber, request, notes)
        self._queue.append(key)
        if notes is not None:
            self._begun.append((call, notes))

    def _begin_children(self, parent: _Fiber, spawn: Spawn) -> None:
        group = _Group(parent, spawn)
        if not spawn.starts:
            self._ready.append((parent, [], None))
            return
        parent.group = group
        at_once = min(spawn.limit or len(spawn.starts), len(spawn.starts))
        for _ in range(at_once):
            self._begin_child(group)

    def _begin_child(self, group: _Group) -> None:
        index = group.next
        group.next += 1
        child = _Fiber(group.spawn.starts[index](), group, index)
        group.fibers[index] = child
        self._ready.append((child, None, None))

    def _finished(self, fiber: _Fiber, result: Json) -> None:
        group = fiber.owner
        if group is None:
            raise _Ended(result)
        group.results[fiber.index] = result
        self._next_child(group, fiber)

    def _failed(self, fiber: _Fiber, error: StateError) -> None:
        group = fiber.owner
        if group is None:
            raise error
        group.failed += 1
        if group.spawn.tolerance.exceeded(group.failed, len(group.spawn.starts)):
            del group.fibers[fiber.index]
            if group.spawn.cut is not None:
                group.spawn.cut(error)
            self._cancel_children(group)
            group.parent.group = None
            self._ready.append((group.parent, None, group.spawn.failure(error)))
            return
        group.results[fiber.index] = Failed(error.error, error.cause)
        self._next_child(group, fiber)

    def _next_child(self, group: _Group, ended: _Fiber) -> None:
        del group.fibers[ended.index]
        if group.next < len(group.spawn.starts):
            self._begin_child(group)
        elif not group.fibers:
            group.parent.group = None
            self._ready.append((group.parent, group.results, None))

    def _cancel_children(self, group: _Group) -> None:
        for child in tuple(group.fibers.values()):
            self._cancel(child)
        group.fibers.clear()

    def _cancel(self, fiber: _Fiber) -> None:
        if fiber.group is not None:
            self._cancel_children(fiber.group)
        fiber.alive = False
        self._sleepers.pop(fiber.key, None)
        call = self._calls.get(fiber.key)
        if call is not None and call.fiber is fiber:
            self._forget(call)
        fiber.run.close()

    # -- completions ------------------------------------------------------------------------

    def _complete(self) -> None:
        if self._begun and not self._tell_started():
            return
        event = self._recorder.next_completion()
        if event is not None:
            self._replay(event)
            return
        self._recorder.write()
        self._check_ends()
        self._start_calls()
        while not self._live():
            self._wait()
            self._check_ends()

    def _tell_started(self) -> bool:
        """Tell that new calls start; gives whether no flow can go on yet."""
        begun, self._begun = self._begun, []
        for call, notes in begun:
            if self._calls.get(call.request.key) is call:
                self._note(call, notes.started)
        return not self._ready

    def _note(self, call: _Call, tell: Callable[[], None]) -> None:
        """Tell the history of a call; one without room for it ends the task."""
        try:
            tell()
        except StateError as full:
            self._forget(call)
            self._ready.append((call.fiber, None, full))

    def _submitted(self, call: _Call, output: Json) -> None:
        if call.notes is not None:  # pragma: no branch - the other calls cannot report
            self._note(call, partial(call.notes.submitted, output))

    def _replay(self, event: Event) -> None:
        if event.kind is EventKind.TIMER_FIRED:
            self._ready.append((self._sleepers.pop(event.key), None, None))
            return
        call = self._calls[event.key]
        if event.kind is EventKind.TASK_SUBMITTED:
            self._submitted(call, event.data["output"])
            return
        self._forget(call)
        if event.kind is EventKind.TASK_SUCCEEDED:
            self._ready.append((call.fiber, event.data["result"], None))
        else:
            error = ReportedError(event.data["error"], event.data["cause"])
            self._ready.append((call.fiber, None, error))

    def _check_ends(self) -> None:
        if self._abort is not None and self._abort.is_set():
            raise Aborted
        if self._timeout_s is None:
            return
        now = self._clock.now()
        if self._deadline is None:
            self._deadline = now + timedelta(seconds=self._timeout_s)
        if now >= self._deadline:
            raise TimedOut

    def _start_calls(self) -> None:
        alone = len(self._queue) == 1 and not self._flying and not self._sleepers
        while self._queue and self._flying < self._most_calls:
            call = self._calls.get(self._queue.popleft())
            if call is None or call.flying:
                continue
            call.flying = True
            self._flying += 1
            self._set_deadline(call)
            if alone:
                self._workers.call_here(call.request)
            else:
                self._workers.submit(call.request)

    def _set_deadline(self, call: _Call) -> None:
        limits = [s for s in (call.request.timeout_s, call.request.heartbeat_s) if s is not None]
        if limits:
            call.deadline = self._clock.now() + timedelta(seconds=min(limits))
            self._remember(call.deadline, call.request.key)

    def _remember(self, when: datetime, key: str) -> None:
        self._sequence += 1
        heapq.heappush(self._deadlines, (when, self._sequence, key))

    def _live(self) -> bool:
        """Take one answer or one due timer; tell whether a flow can go on."""
        due = self._due()
        answer = self._workers.take()
        if isinstance(answer, Submitted):
            return self._reported(answer)
        if answer is not None and (due is None or not self._is_late(answer, due)):
            return self._answered(answer)
        if due is None:
            return False
        heapq.heappop(self._deadlines)
        if answer is not None:
            self._landed()
        fiber = self._sleepers.pop(due, None)
        if fiber is not None:
            self._recorder.emit(EventKind.TIMER_FIRED, due, fiber.state, {})
            self._ready.append((fiber, None, None))
            return True
        return self._time_out(self._calls[due])

    def _reported(self, answer: Submitted) -> bool:
        """Write down that a call goes on elsewhere; one such event at a time, as in a replay."""
        call = self._calls.get(answer.key)
        if call is None:
            return False
        told: Json = {"output": answer.output}
        request = call.request
        self._recorder.emit(EventKind.TASK_SUBMITTED, request.key, request.state, told)
        self._submitted(call, answer.output)
        return True

    def _is_late(self, answer: Answer, due: str) -> bool:
        return answer.key == due

    def _due(self) -> str | None:
        """Give the key whose deadline has come first, if any; drop the deadlines of the gone."""
        while self._deadlines:
            when, _, key = self._deadlines[0]
            if key in self._sleepers or key in self._calls:
                return key if when <= self._clock.now() else None
            heapq.heappop(self._deadlines)
        return None

    def _time_out(self, call: _Call) -> bool:
        request = call.request
        told = {"error": TIMEOUT, "cause": ""}
        self._recorder.emit(EventKind.TASK_TIMED_OUT, request.key, request.state, told)
        self._forget(call)
        self._ready.append((call.fiber, None, ReportedError(TIMEOUT, "")))
        return True

    def _landed(self) -> None:
        self._flying -= 1
        self._start_calls()

    def _answered(self, answer: Answer) -> bool:
        if isinstance(answer, Broken):
            raise answer.problem
        self._landed()
        call = self._calls.get(answer.key)
        if call is None:
            return False
        if isinstance(answer, Silent):
            self._await_forever(call)
            return False
        self._forget(call)
        request = call.request
        if isinstance(answer, Succeeded):
            told: Json = {"result": answer.result}
            self._recorder.emit(EventKind.TASK_SUCCEEDED, request.key, request.state, told)
            self._ready.append((call.fiber, answer.result, None))
        else:
            self._refused(call, answer)
        return True

    def _await_forever(self, call: _Call) -> None:
        if call.deadline is None:
            call.deadline = self._clock.now() + timedelta(seconds=_DEFAULT_TIMEOUT_S)
            self._remember(call.deadline, call.request.key)

    def _refused(self, call: _Call, answer: Refused) -> None:
        request = call.request
        told = {"error": answer.error, "cause": answer.cause}
        self._recorder.emit(EventKind.TASK_FAILED, request.key, request.state, told)
        self._ready.append((call.fiber, None, ReportedError(answer.error, answer.cause)))

    def _forget(self, call: _Call) -> None:
        del self._calls[call.request.key]
        call.request.stop.set()

    def _wait(self) -> None:
        until = self._deadlines[0][0] if self._deadlines else None
        if self._deadline is not None and (until is None or self._deadline < until):
            until = self._deadline
        busy = self._flying > 0
        self._clock.wait(until, self._workers.arrived, busy=busy)


class _Ended(Exception):
    def __init__(self, value: Json) -> None:
        self.value = value
        super().__init__()
