"""Which service answers a task: by what its resource is, or what it calls.

In: patterns with a service each, and who answers all other tasks.  Out: a task service.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from runner.machine.calls import may_repeat
from runner.machine.mocks import names_of

if TYPE_CHECKING:
    from runner.machine import TaskRequest, TaskService
    from runner.model.ports import Json

_CALLBACK = ".waitForTaskToken"


class Routes:
    """Leads each task to the first service whose pattern fits (`function:pay`, `s3:*`)."""

    def __init__(self, routes: tuple[tuple[str, TaskService], ...], otherwise: TaskService) -> None:
        """Take the services by pattern, and the last resort."""
        self._routes = routes
        self._otherwise = otherwise

    def call(self, request: TaskRequest) -> Json:
        """Have one task answered."""
        return self._leads_to(request).call(request)

    def may_repeat(self, request: TaskRequest) -> bool:
        """Say what the service says that answers the task."""
        return may_repeat(self._leads_to(request), request)

    def _leads_to(self, request: TaskRequest) -> TaskService:
        """Find who answers a task; nothing here can answer by a task token."""
        names = names_of(request.resource, request.arguments)
        if not request.resource.endswith(_CALLBACK):
            for pattern, service in self._routes:
                if any(fnmatchcase(name, pattern) for name in names):
                    return service
        return self._otherwise
