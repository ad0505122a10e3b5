"""What flows wait for: calls of services, timers, and what ends them.

In: calls and timers of flows, by key.  Out: flows that can go on, put at the end of the line that
they share with the scheduler: one completion at a time, from the journal while it lasts, else from
the workers, from whoever holds a task's token, and from the clock.
"""

from __future__ import annotations

import heapq
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from runner.machine.calls import Beat, Broken, Late, Refused, Settled, Silent, Submitted, Succeeded
from runner.machine.events import EventKind
from runner.machine.failures import TIMEOUT, MissedHeartbeat, ReportedError, StateError
from runner.machine.fields import LONGEST_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from runner.machine.callbacks import Callbacks
    from runner.machine.calls import Answer, Workers
    from runner.machine.events import Event
    from runner.machine.fibers import BeginAgain
    from runner.machine.groups import Fiber, Group
    from runner.machine.ports import Abort, Clock, TaskRequest
    from runner.machine.recorder import Recorder
    from runner.machine.task_notes import TaskNotes
    from runner.model.ports import Json

    Line = deque[tuple[Fiber | Group, Json, StateError | BeginAgain | None]]


class Aborted(Exception):
    """Somebody asked the execution to stop."""

    def __init__(self, not_called: list[str]) -> None:
        """Take the calls that were written down and not made."""
        self.not_called = not_called
        super().__init__()


class TimedOut(Exception):
    """The machine's TimeoutSeconds are over."""


class _Call:
    """A task call that has not ended."""

    __slots__ = (
        "began",
        "deadline",
        "due",
        "fiber",
        "flying",
        "late",
        "notes",
        "request",
        "submitted",
    )

    def __init__(self, fiber: Fiber, request: TaskRequest, notes: TaskNotes | None) -> None:
        self.fiber = fiber
        self.request = request
        self.notes = notes
        self.flying = False
        self.began: datetime | None = None
        self.deadline: datetime | None = None
        self.due: datetime | None = None
        """When the answer, or the call itself, that was put off is due."""
        self.late: Late | None = None
        self.submitted = False
        """Whether the call began work that is waited for; with a token it is not made again."""

    def missed_heartbeat(self) -> bool:
        """Tell whether the deadline is that of a heartbeat, not of the whole task."""
        limit, beat = self.request.timeout_s, self.request.heartbeat_s
        if beat is None or self.deadline is None or self.began is None:
            return False
        return limit is None or self.deadline < self.began + timedelta(seconds=limit)


def _reported(told: Mapping[str, Json]) -> ReportedError:
    """Make the error of a task from what the journal says."""
    kind = MissedHeartbeat if told.get("heartbeat") else ReportedError
    return kind(told["error"], told["cause"])


class Halted(Exception):
    """All that happened before a redrive has been replayed."""


class Waiting:
    """Everything that the flows of one execution wait for."""

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        workers: Workers,
        *,
        ready: Line,
        most_calls: int,
        abort: Abort | None,
        timeout_s: float | None,
        callbacks: Callbacks | None,
    ) -> None:
        """Take the ports and the line; `timeout_s` is the machine's, from now on."""
        self._recorder = recorder
        self._clock = clock
        self._workers = workers
        self._ready = ready
        self._most_calls = most_calls
        self._abort = abort
        self._timeout_s = timeout_s
        self._callbacks = callbacks
        self._deadline: datetime | None = None
        self._calls: dict[str, _Call] = {}
        self._queue: deque[str] = deque()
        self._begun: list[_Call] = []
        self._flying = 0
        self._sleepers: dict[str, Fiber] = {}
        self._deadlines: list[tuple[datetime, int, str]] = []
        self._sequence = 0

    def call(self, fiber: Fiber, request: TaskRequest, notes: TaskNotes | None) -> None:
        """Have a call made when all flows wait."""
        key = request.key
        fiber.key = key
        self._calls[key] = call = _Call(fiber, request, notes)
        self._queue.append(key)
        if notes is not None:
            self._begun.append(call)

    def sleep(self, fiber: Fiber, key: str, state: str, until: datetime) -> None:
        """Let a flow sleep until an instant."""
        fiber.key, fiber.state = key, state
        self._sleepers[key] = fiber
        self._remember(until, key)

    def drop(self, fiber: Fiber) -> None:
        """Let go of what a flow waits for: it will not go on."""
        self._sleepers.pop(fiber.key, None)
        call = self._calls.get(fiber.key)
        if call is not None and call.fiber is fiber:
            self._forget(call)

    def not_called(self) -> list[str]:
        """Give the calls that were written down and not made."""
        return [key for key, call in self._calls.items() if not call.flying]

    def clear(self) -> None:
        """Let go of everything; the machine's time begins anew."""
        for call in tuple(self._calls.values()):
            self._forget(call)
        self._queue.clear()
        self._sleepers.clear()
        self._deadlines.clear()
        self._deadline = None

    def complete(self) -> None:
        """Wait until a flow can go on; raises Halted, Aborted or TimedOut."""
        if self._begun and not self._tell_started():
            return
        event = self._recorder.next_completion()
        if event is not None:
            if event.kind is EventKind.EXECUTION_ENDED:
                raise Halted
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
        for call in begun:
            if call.notes is None or self._calls.get(call.request.key) is not call:
                continue
            try:
                call.notes.started()
            except StateError as full:
                self._forget(call)
                self._ready.append((call.fiber, None, full))
        return not self._ready

    def _submitted(self, call: _Call, output: Json) -> None:
        call.submitted = True
        if call.notes is None:
            return
        try:
            call.notes.submitted(output)
        except StateError as full:
            self._forget(call)
            self._ready.append((call.fiber, None, full))

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
            self._ready.append((call.fiber, None, _reported(event.data)))

    def _check_ends(self) -> None:
        if self._abort is not None and self._abort.is_set():
            raise Aborted(self.not_called())
        if self._timeout_s is None:
            return
        now = self._clock.now()
        if self._deadline is None:
            self._deadline = now + timedelta(seconds=self._timeout_s)
        if now >= self._deadline:
            raise TimedOut

    def _start_calls(self) -> None:
        alone = len(self._queue) == 1 and not self._flying and not self._sleepers
        alone = alone and self._timeout_s is None
        while self._queue and self._flying < self._most_calls:
            call = self._calls.get(self._queue.popleft())
            if call is None or call.flying:
                continue
            self._open_token(call)
            if call.began is None:
                self._set_deadline(call)
            if call.submitted and call.request.token is not None:
                self._await_forever(call)
                continue
            call.flying = True
            self._flying += 1
            if alone and call.deadline is None:
                self._workers.call_here(call.request)
            else:
                self._workers.submit(call.request)

    def _open_token(self, call: _Call) -> None:
        request = call.request
        if self._callbacks is not None and request.token is not None:
            self._callbacks.open(request.token, request.key, self._workers.deliver)

    def _set_deadline(self, call: _Call) -> None:
        call.began = self._clock.now()
        limits = [s for s in (call.request.timeout_s, call.request.heartbeat_s) if s is not None]
        if limits:
            call.deadline = call.began + timedelta(seconds=min(limits))
            self._remember(call.deadline, call.request.key)

    def _remember(self, when: datetime, key: str) -> None:
        self._sequence += 1
        heapq.heappush(self._deadlines, (when, self._sequence, key))

    def _live(self) -> bool:
        """Take one answer or one due timer; tell whether a flow can go on."""
        due = self._due()
        answer = self._workers.take()
        if isinstance(answer, (Submitted, Settled, Beat)):
            return self._heard(answer)
        if answer is not None and (answer.key != due or isinstance(answer, Broken)):
            return self._answered(answer)
        if due is None:
            return False
        when, _, _ = heapq.heappop(self._deadlines)
        if answer is not None:  # it comes with its task's deadline: too late
            self._landed()
        if due in self._calls and when == self._calls[due].due:
            return self._put_on(self._calls[due])
        fiber = self._sleepers.pop(due, None)
        if fiber is not None:
            self._recorder.emit(EventKind.TIMER_FIRED, due, fiber.state, {})
            self._ready.append((fiber, None, None))
            return True
        return self._time_out(self._calls[due])

    def _heard(self, notice: Submitted | Settled | Beat) -> bool:
        """Hear of a call from somebody else than who made it."""
        if isinstance(notice, Submitted):
            return self._reported(notice)
        if isinstance(notice, Settled):
            call = self._calls.get(notice.answer.key)
            return call is not None and self._settled(call, notice.answer)
        call = self._calls.get(notice.key)
        if call is not None and call.request.heartbeat_s is not None:
            self._beat(call, call.request.heartbeat_s)
        return False

    def _beat(self, call: _Call, heartbeat_s: float) -> None:
        limits = [self._clock.now() + timedelta(seconds=heartbeat_s)]
        if call.began is not None and call.request.timeout_s is not None:
            limits.append(call.began + timedelta(seconds=call.request.timeout_s))
        call.deadline = min(limits)
        self._remember(call.deadline, call.request.key)

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

    def _due(self) -> str | None:
        """Give the key whose deadline has come first, if any; drop the deadlines of the gone."""
        while self._deadlines:
            when, _, key = self._deadlines[0]
            call = self._calls.get(key)
            if key in self._sleepers or (call and when in (call.deadline, call.due)):
                return key if when <= self._clock.now() else None
            heapq.heappop(self._deadlines)
        return None

    def _time_out(self, call: _Call) -> bool:
        request = call.request
        told: dict[str, Json] = {"error": TIMEOUT, "cause": ""}
        if call.missed_heartbeat():
            told["heartbeat"] = True
        self._recorder.emit(EventKind.TASK_TIMED_OUT, request.key, request.state, told)
        self._forget(call)
        self._ready.append((call.fiber, None, _reported(told)))
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
        if isinstance(answer, Late):
            self._put_off(call, answer)
            return False
        return self._settled(call, answer)

    def _put_off(self, call: _Call, late: Late) -> None:
        """Remember an answer, or a call, that is due later; heartbeats move the deadline."""
        now = self._clock.now()
        if late.after_s is None:
            self._await_forever(call)
        else:
            call.due, call.late = now + timedelta(seconds=late.after_s), late
            self._remember(call.due, call.request.key)
        beat_s = call.request.heartbeat_s
        if beat_s is None or not late.heartbeats:
            return
        gap = timedelta(seconds=beat_s)
        last = call.began or now
        for beat in sorted(now + timedelta(seconds=after) for after in late.heartbeats):
            if beat - last > gap or (call.due is not None and beat >= call.due):
                break
            last = beat
        limits = [last + gap]
        if call.request.timeout_s is not None:
            limits.append((call.began or now) + timedelta(seconds=call.request.timeout_s))
        call.deadline = min(limits)
        self._remember(call.deadline, call.request.key)

    def _put_on(self, call: _Call) -> bool:
        """Give the answer that is due now, or make the call."""
        late, call.late, call.due = call.late, None, None
        if late is not None and late.answer is not None:
            return self._settled(call, late.answer)
        call.flying = False
        self._queue.append(call.request.key)
        self._start_calls()
        return False

    def _settled(self, call: _Call, answer: Succeeded | Refused | Silent) -> bool:
        if isinstance(answer, Silent):
            self._await_forever(call)
            if call.request.token is None or call.submitted:
                return False
            return self._reported(Submitted(call.request.key, None))
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
        """Set the deadline of a task whose definition names none (Step Functions guide)."""
        if call.deadline is None:
            call.deadline = self._clock.now() + timedelta(seconds=LONGEST_S)
            self._remember(call.deadline, call.request.key)

    def _refused(self, call: _Call, answer: Refused) -> None:
        request = call.request
        told = {"error": answer.error, "cause": answer.cause}
        self._recorder.emit(EventKind.TASK_FAILED, request.key, request.state, told)
        self._ready.append((call.fiber, None, ReportedError(answer.error, answer.cause)))

    def _forget(self, call: _Call) -> None:
        del self._calls[call.request.key]
        call.request.stop.set()
        if self._callbacks is not None and call.request.token is not None:
            self._callbacks.close(call.request.token)

    def _wait(self) -> None:
        until = self._deadlines[0][0] if self._deadlines else None
        if self._deadline is not None and (until is None or self._deadline < until):
            until = self._deadline
        busy = self._flying > 0
        self._clock.wait(until, self._workers.arrived, busy=busy)
