"""How a task shows in AWS's history: which events, by the kind of its resource."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from runner.machine.failures import HEARTBEAT, TIMEOUT

if TYPE_CHECKING:
    from runner.machine.failures import StateError
    from runner.machine.fibers import Frame
    from runner.machine.ports import TaskRequest
    from runner.model.ports import Json

SUBMITTED = "TaskSubmitted"
SUBMIT_FAILED = "TaskSubmitFailed"
_LAMBDA, _ACTIVITY, _TASK = "LambdaFunction", "Activity", "Task"
_FIELDS = 6
"""Colons of `arn:aws:<service>:<region>:<account>:`, and one more before an activity's name."""
WAITING = (".sync", ".sync:2", ".waitForTaskToken")
"""How the resources end whose call only begins what is waited for."""


class Manner(NamedTuple):
    """What kind of task a resource makes, and the names of its events."""

    family: str
    """LambdaFunction, Activity or Task."""
    service: str
    """AWS's `resourceType`: `athena`, `aws-sdk:glue`."""
    action: str
    """AWS's `resource`: `startQueryExecution.sync`; the whole ARN of a function or activity."""
    waits: bool
    """Whether the call only begins what is waited for: AWS tells of its answer too."""
    scheduled: str
    started: str
    succeeded: str
    failed: str
    timed_out: str


@lru_cache(maxsize=512)
def manner_of(resource: str) -> Manner:
    """Tell how AWS shows the tasks of a resource.

    >>> manner_of("arn:aws:states:::aws-sdk:glue:getTable")[:4]
    ('Task', 'aws-sdk:glue', 'getTable', False)
    >>> manner_of("arn:aws:states:::states:startExecution.sync:2")[:4]
    ('Task', 'states', 'startExecution.sync:2', True)
    >>> manner_of("arn:aws:lambda:us-east-1:1:function:f").scheduled
    'LambdaFunctionScheduled'
    """
    parts = resource.split(":")
    family, service, action = _TASK, resource, resource
    if len(parts) > _FIELDS and parts[2] == "lambda":
        family = _LAMBDA
    elif len(parts) > _FIELDS and parts[2] == "states" and parts[5] == "activity":
        family = _ACTIVITY
    elif len(parts) > _FIELDS and parts[2] == "states":
        words = 2 if parts[5] == "aws-sdk" else 1
        service, action = ":".join(parts[5 : 5 + words]), ":".join(parts[5 + words :])
    ends = ("Scheduled", "Started", "Succeeded", "Failed", "TimedOut")
    waits = family == _TASK and action.endswith(WAITING)
    return Manner(family, service, action, waits, *(family + end for end in ends))


def is_activity(resource: str) -> bool:
    """Tell whether a resource is an activity, which workers answer by its token.

    >>> is_activity("arn:aws:states:us-east-1:123456789012:activity:pack")
    True
    >>> is_activity("arn:aws:lambda:us-east-1:123456789012:function:activity:live")
    False
    """
    return manner_of(resource).family == _ACTIVITY


class TaskNotes:
    """Numbers the events of one call of a task."""

    __slots__ = ("_frame", "_ledger", "_manner", "_started", "_submitted", "request")

    def __init__(self, frame: Frame, request: TaskRequest) -> None:
        """Take where the call is made."""
        self._frame = frame
        self._ledger = frame.shared.ledger
        self._manner = manner_of(request.resource)
        self._started = False
        self._submitted = False
        self.request = request

    def scheduled(self) -> None:
        """Tell that the call is to be made."""
        self._add(self._manner.scheduled)

    def started(self) -> None:
        """Tell that the call is made; that of an activity is when a worker takes it."""
        if self._manner.family != _ACTIVITY:
            self._start()

    def _start(self) -> None:
        self._started = True
        self._add(self._manner.started)

    def submitted(self, output: Json) -> None:
        """Tell what answered the call that only began the work; None when that is not known."""
        if self._manner.waits and not self._submitted:
            self._submitted = True
            self._add(SUBMITTED, output)

    def succeeded(self, result: Json) -> None:
        """Tell the task's result."""
        self._worked()
        self._add(self._manner.succeeded, result)

    def failed(self, error: StateError) -> None:
        """Tell how the task failed."""
        manner = self._manner
        kind = manner.failed
        if error.error in {TIMEOUT, HEARTBEAT}:
            kind = manner.timed_out
            if manner.family != _ACTIVITY or self.request.heartbeat_s is not None:
                self._worked()
        elif manner.waits and not self._submitted and _is_refusal(error.error):
            kind = SUBMIT_FAILED
        else:
            self._worked()
        self._frame.last = self._ledger.add_quietly(
            kind, self._frame.last, (self.request, manner, error.error, error.cause)
        )

    def _worked(self) -> None:
        """Tell what must have happened before the end, if nobody told it when it did."""
        if not self._started:
            self._start()
        if self._manner.waits:
            self.submitted(None)

    def _add(self, kind: str, *told: Json) -> None:
        frame = self._frame
        frame.last = self._ledger.add(kind, frame.last, (self.request, self._manner, *told))


def _is_refusal(error: str | None) -> bool:
    """Tell whether an error is a service's own: what did not begin fails with such a name.

    >>> _is_refusal("Athena.TooManyRequestsException"), _is_refusal("States.TaskFailed")
    (True, False)
    """
    service, dot, _ = (error or "").partition(".")
    return bool(dot) and (service != "States" or error == "States.Runtime")
