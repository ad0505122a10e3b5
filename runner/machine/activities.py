"""Activities: tasks that workers of any kind ask for (GetActivityTask) and answer by token.

In: calls of activity ARNs from the interpreter, questions for work from workers.  Out: work, in
the order of the calls; its answer comes through `Callbacks`.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from runner.machine.ports import NoAnswerYet
from runner.machine.task_notes import is_activity

if TYPE_CHECKING:
    from runner.machine.ports import TaskRequest
    from runner.model.ports import Json


class Work(NamedTuple):
    """One task for a worker."""

    token: str
    input: Json


class Activities:
    """The work that waits for workers, by activity ARN."""

    def __init__(self) -> None:
        """Begin without work."""
        self._work: dict[str, deque[tuple[TaskRequest, Work]]] = {}
        self._changed = threading.Condition()

    @staticmethod
    def serves(resource: str) -> bool:
        """Tell whether a resource is an activity."""
        return is_activity(resource)

    def call(self, request: TaskRequest) -> Json:
        """Keep a task for a worker; raises NoAnswerYet, for its answer comes by its token."""
        assert request.token is not None  # noqa: S101  (the interpreter gives activities one)
        with self._changed:
            line = self._work.setdefault(request.resource, deque())
            line.append((request, Work(request.token, request.arguments)))
            self._changed.notify()
        raise NoAnswerYet

    def may_repeat(self, request: TaskRequest) -> bool:
        """Say yes: work that nobody answered is offered again, with the same token."""
        del request
        return True

    def take(self, activity: str, wait_s: float = 60.0) -> Work | None:
        """Give the next task of an activity; None when none comes within so many real seconds.

        A task whose execution does not wait for it any more is left out.  AWS waits 60 s.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waits(activity), wait_s)
            return self._work[activity].popleft()[1] if self._waits(activity) else None

    def _waits(self, activity: str) -> bool:
        line = self._work.get(activity)
        while line and line[0][0].stop.is_set():
            line.popleft()
        return bool(line)
