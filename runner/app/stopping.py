"""Stopping a run from outside, by Ctrl-C or by a thread, so that it can be resumed.

The interpreter looks at the flag between its steps.  A call that it makes on its own thread keeps
it from looking; a user's function may keep it for minutes, so that such a call is left at once:
its answer counts as never come, and the Retry of the definition decides whether a resumed run
calls the function again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.machine.ports import TaskRequest, TaskService
    from runner.model.ports import Json


class _Left(KeyboardInterrupt):
    """Raised in the thread that waits for a user's function."""


class Stopper:
    """The flag; give it to `run` and call `stop` from a signal handler or another thread."""

    def __init__(self) -> None:
        """Begin unset."""
        self._asked = threading.Event()
        self._waiting: int | None = None
        self.left = ""
        """What to say to whoever leaves a run that goes on elsewhere; empty for one that is here.
        """

    def is_set(self) -> bool:
        """Tell whether to stop."""
        return self._asked.is_set()

    def stop(self) -> None:
        """Ask to stop; in the thread that waits for a user's function, leave the call as well."""
        self._asked.set()
        if self._waiting == threading.get_ident():
            raise _Left

    def wait_for(self, service: TaskService, request: TaskRequest) -> Json:
        """Make a call that `stop` may leave; raises NoAnswerYet then."""
        from runner.machine.ports import NoAnswerYet  # noqa: PLC0415 - loaded by then

        try:
            self._waiting = threading.get_ident()
            return service.call(request)
        except _Left:
            raise NoAnswerYet from None
        finally:
            self._waiting = None


@dataclass(frozen=True, slots=True)
class Interruptible:
    """A service whose calls of users' functions can be left; all others take milliseconds."""

    service: TaskService
    stopper: Stopper
    keeper: str
    """Name of our own function, which is never left halfway."""

    def call(self, request: TaskRequest) -> Json:
        """Do one task's work."""
        if threading.current_thread() is threading.main_thread() and self._is_users(request):
            return self.stopper.wait_for(self.service, request)
        return self.service.call(request)

    def may_repeat(self, request: TaskRequest) -> bool:
        """Say what the service says."""
        from runner.machine.calls import may_repeat  # noqa: PLC0415 - loaded by then

        return may_repeat(self.service, request)

    def _is_users(self, request: TaskRequest) -> bool:
        if not request.resource.endswith(":lambda:invoke"):
            return False
        arguments = request.arguments
        name = arguments.get("FunctionName") if isinstance(arguments, dict) else None
        return name != self.keeper
