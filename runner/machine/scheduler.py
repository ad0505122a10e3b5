"""Runs flows side by side, deterministically: what happens depends on the answers' order only.

In: the first flow's generator.  Out: its output, or StateError, or one of the two ends that no
state can catch (`Aborted`, `TimedOut`).  Flows run until all of them wait; then one completion is
taken (waiting.py).  Whenever all flows wait, what happened is written down; only then are calls
made.  Where the journal tells of a redrive, what was open begins again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, assert_never

from runner.machine.failures import StateError
from runner.machine.fibers import BeginAgain, CallTask, Failed, Park, Sleep, Spawn
from runner.machine.groups import Fiber, Group
from runner.machine.waiting import Halted, Waiting

if TYPE_CHECKING:
    from runner.machine.callbacks import Callbacks
    from runner.machine.calls import Workers
    from runner.machine.fibers import FlowRun, Request, Shared
    from runner.machine.ports import Abort, Clock
    from runner.machine.recorder import Recorder
    from runner.machine.waiting import Line
    from runner.model.ports import Json


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
        shared: Shared,
        callbacks: Callbacks | None = None,
    ) -> None:
        """Take the ports; `timeout_s` is the machine's, from now on."""
        self._shared = shared
        self._recorder = recorder
        self._ready: Line = deque()
        self._waiting = Waiting(
            recorder,
            clock,
            workers,
            ready=self._ready,
            most_calls=most_calls,
            abort=abort,
            timeout_s=timeout_s,
            callbacks=callbacks,
        )

    def run(self, flow: FlowRun) -> Json:
        """Run a flow to its end."""
        root = Fiber(flow, None, 0)
        self._ready.append((root, None, None))
        try:
            while True:
                try:
                    self._go_on()
                except Halted:
                    self._redrive(root)
        except _Ended as ended:
            return ended.value
        finally:
            self._cancel(root)

    def _go_on(self) -> None:
        """Run until the end, or until the end that a redrive undid."""
        while True:
            while self._ready:
                fiber, value, error = self._ready.popleft()
                if not fiber.alive:
                    continue
                if isinstance(fiber, Group):
                    self._begin_child(fiber)
                elif isinstance(error, _Stuck):
                    self._give_up(fiber, error.failure)
                else:
                    self._step(fiber, value, error)
            self._waiting.complete()

    # -- flows ------------------------------------------------------------------------------

    def _step(self, fiber: Fiber, value: Json, error: StateError | BeginAgain | None) -> None:
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

    def _take(self, fiber: Fiber, request: Request) -> None:
        fiber.visit = request.visit
        match request:
            case CallTask():
                self._waiting.call(fiber, request.request, request.notes)
            case Sleep():
                self._waiting.sleep(fiber, request.key, request.state, request.until)
            case Spawn():
                self._begin_children(fiber, request)
            case Park():
                self._park(fiber, request.error)
            case _:
                assert_never(request)

    def _begin_children(self, parent: Fiber, spawn: Spawn) -> None:
        group = Group(parent, spawn)
        if not spawn.starts:
            self._ready.append((parent, [], None))
            return
        parent.group = group
        self._ready.append((group, None, None))

    def _begin_child(self, group: Group) -> None:
        """Run the next child up to where it waits.

        Who stood in the line with it is next, as if all of them had been put there one by one.
        """
        index = group.next
        group.next += 1
        child = Fiber(group.spawn.starts[index](), group, index)
        group.fibers[index] = child
        if group.next < group.opening:
            self._ready.appendleft((group, None, None))
        self._step(child, None, None)

    def _finished(self, fiber: Fiber, result: Json) -> None:
        group = fiber.owner
        if group is None:
            raise _Ended(result)
        group.results[fiber.index] = result
        self._next_child(group, fiber)

    def _failed(self, fiber: Fiber, error: StateError) -> None:
        group = fiber.owner
        if group is None:
            raise error
        if group.spawn.within in self._shared.redrives.live:
            self._park(fiber, error)
            return
        spawn = group.spawn
        group.failed += spawn.weight(fiber.index)
        if spawn.tolerance.exceeded(group.failed, spawn.weight_of_all()):
            del group.fibers[fiber.index]
            if spawn.fork is not None:
                spawn.fork.cut(error)
            self._cancel_children(group)
            group.parent.group = None
            self._ready.append((group.parent, None, spawn.failure(error)))
            return
        group.results[fiber.index] = Failed(error.error, error.cause)
        self._next_child(group, fiber)

    def _next_child(self, group: Group, ended: Fiber) -> None:
        del group.fibers[ended.index]
        group.left -= 1
        if group.promised < len(group.spawn.starts):
            group.promised += 1
            self._ready.append((group, None, None))
        elif not group.left:
            group.parent.group = None
            self._ready.append((group.parent, group.results, None))

    def _cancel_children(self, group: Group) -> None:
        group.alive = False
        for child in tuple(group.fibers.values()):
            self._cancel(child)
        group.fibers.clear()

    def _cancel(self, fiber: Fiber) -> None:
        if fiber.group is not None:
            self._cancel_children(fiber.group)
        fiber.alive = False
        self._waiting.drop(fiber)
        fiber.run.close()

    # -- redrives ---------------------------------------------------------------------------

    def _park(self, fiber: Fiber, error: StateError) -> None:
        """Keep a fiber that failed for good; what its failure did to the others happens again."""
        fiber.alive = False
        group = fiber.owner
        if group is None:
            raise Halted
        group.parked[fiber.index] = fiber
        del group.fibers[fiber.index]
        if group.spawn.fork is not None:
            group.spawn.fork.stuck(fiber.index, error)
            group.spawn.fork.cut(error)
        self._freeze(group)
        self._ready.append((group.parent, None, _Stuck(error)))

    def _give_up(self, fiber: Fiber, error: StateError) -> None:
        """Keep a fiber whose children failed for good."""
        if fiber.group is not None and fiber.group.spawn.fork is not None:
            fiber.group.spawn.fork.gave_up(error)
        self._park(fiber, error)

    def _freeze(self, group: Group) -> None:
        group.alive = False
        for child in group.fibers.values():
            child.alive = False
            if child.group is not None:
                self._freeze(child.group)

    def _redrive(self, root: Fiber) -> None:
        """Begin again every state that was open when the execution ended."""
        self._ready.clear()
        self._waiting.clear()
        again: list[Fiber] = []
        groups: list[Group] = []
        self._thaw(root, again, groups)
        previous = 0 if root.visit is None else root.visit.frame.tail
        visits = [fiber.visit for fiber in again if fiber.visit is not None]
        self._shared.pass_redrive(previous, visits)
        for group in groups:
            group.spawn.visit.redriven()
            if group.spawn.fork is not None:
                group.spawn.fork.goes_on()
            if group.next < group.promised:
                group.opening = group.promised
                self._ready.append((group, None, None))
        for fiber in again:
            self._ready.append((fiber, None, None if fiber.visit is None else BeginAgain()))

    def _thaw(self, fiber: Fiber, again: list[Fiber], groups: list[Group]) -> None:
        """Bring a fiber and all below it back to life, and collect which of them begin again.

        A distributed Map begins again itself: its Map Run knows which children succeeded.
        """
        fiber.alive = True
        group = fiber.group
        if group is not None and group.spawn.fork is None:
            self._cancel_children(group)
            fiber.group = group = None
        if group is None:
            fiber.renew()
            again.append(fiber)
            return
        group.thaw()
        groups.append(group)
        for index in sorted(group.fibers):
            self._thaw(group.fibers[index], again, groups)


class _Stuck(StateError):
    """The children failed for good: what a parent gets that is to be parked."""

    def __init__(self, failure: StateError) -> None:
        self.failure = failure
        super().__init__(failure.error, failure.cause)


class _Ended(Exception):
    def __init__(self, value: Json) -> None:
        self.value = value
        super().__init__()
