"""Task tokens: answers that come from outside, by whoever holds a task's token.

In: SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat (Step Functions API), from any thread.  Out:
the ends of tasks that wait for a token (`.waitForTaskToken`, activities).  One object may serve
several executions; a token is known from when its task is called until the task ends.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from runner.machine.calls import Beat, Refused, Settled, Succeeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine.calls import Notice
    from runner.model.ports import Json

    Deliver = Callable[[Notice], None]


class TaskDoesNotExist(LookupError):
    """No task ever had this token."""


class TaskTimedOut(LookupError):
    """The task with this token has ended: answered before, timed out, or stopped."""


class Callbacks:
    """The tasks that wait for somebody with their token."""

    def __init__(self) -> None:
        """Begin without tasks."""
        self._open: dict[str, tuple[str, Deliver]] = {}
        self._closed: set[str] = set()
        self._lock = threading.Lock()

    def succeed(self, token: str, output: Json) -> None:
        """End a task well; raises TaskDoesNotExist or TaskTimedOut."""
        key, deliver = self._take(token)
        deliver(Settled(Succeeded(key, output)))

    def fail(self, token: str, error: str | None = None, cause: str | None = None) -> None:
        """Fail a task; raises TaskDoesNotExist or TaskTimedOut."""
        key, deliver = self._take(token)
        deliver(Settled(Refused(key, error, cause)))

    def beat(self, token: str) -> None:
        """Say that a task's work goes on; raises TaskDoesNotExist or TaskTimedOut."""
        with self._lock:
            key, deliver = self._find(token)
        deliver(Beat(key))

    def open(self, token: str, key: str, deliver: Deliver) -> None:
        """Take answers for a token from now on; the interpreter calls this."""
        with self._lock:
            self._open[token] = key, deliver
            self._closed.discard(token)

    def close(self, token: str) -> None:
        """Take no answers for a token any more; the interpreter calls this."""
        with self._lock:
            if self._open.pop(token, None) is not None:
                self._closed.add(token)

    def _take(self, token: str) -> tuple[str, Deliver]:
        with self._lock:
            found = self._find(token)
            del self._open[token]
            self._closed.add(token)
            return found

    def _find(self, token: str) -> tuple[str, Deliver]:
        found = self._open.get(token)
        if found is not None:
            return found
        raise (TaskTimedOut if token in self._closed else TaskDoesNotExist)(token)
