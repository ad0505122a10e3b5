"""How an execution, a definition or a journal goes wrong.

`StateError` travels inside the interpreter, from where a state fails to the retrier or catcher
that takes it; the others reach the caller of `parse_definition`, `run` and `redrive`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault, Place, ProjectError, RunFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.machine.refusals import Refusal

RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"
QUERY = "States.QueryEvaluationError"
TIMEOUT = "States.Timeout"
HEARTBEAT = "States.HeartbeatTimeout"
TASK_FAILED = "States.TaskFailed"
ALL = "States.ALL"
TOLERANCE = "States.ExceedToleratedFailureThreshold"
READ_FAILED = "States.ItemReaderFailed"
WRITE_FAILED = "States.ResultWriterFailed"

_NEVER_ANY = frozenset({RUNTIME, DATA_LIMIT})
"""Errors that States.ALL and States.TaskFailed do not take."""


class StateError(Exception):
    """A state failed; the names are those that retriers and catchers compare."""

    def __init__(
        self, error: str | None, cause: str | None = None, location: str | None = None
    ) -> None:
        """Take the error's name and its cause; a service may give neither.

        `location` is the field whose expression failed (`Output/n`).
        """
        self.error = error
        self.cause = cause
        self.location = location
        super().__init__(f"{error}: {cause}")


class ReportedError(StateError):
    """An error whose cause is complete: it came from a task, a Fail state or a child."""


class MissedHeartbeat(ReportedError):
    """A task whose worker gave no sign in time.

    AWS reports it as States.Timeout; retriers and catchers may say States.HeartbeatTimeout too.
    """


def takes(names: tuple[str, ...], failed: StateError) -> bool:
    """Tell whether one of the ErrorEquals names takes a failure."""
    if isinstance(failed, MissedHeartbeat) and HEARTBEAT in names:
        return True
    return matches(failed.error, names)


def matches(error: str | None, names: tuple[str, ...]) -> bool:
    """Tell whether one of the ErrorEquals names takes this error.

    >>> names = ("States.TaskFailed",)
    >>> matches("Athena.X", names), matches("States.Timeout", names)
    (True, False)
    >>> matches("States.Runtime", ("States.ALL",))
    False
    """
    if error == RUNTIME:
        return False
    if error in names:
        return True
    if error in _NEVER_ANY:
        return False
    if ALL in names:
        return True
    timed_out = error in {TIMEOUT, HEARTBEAT}
    if error == HEARTBEAT and TIMEOUT in names:
        return True
    return TASK_FAILED in names and not timed_out


class InvalidDefinition(ProjectError):
    """A definition that AWS would refuse; every fault's place is a JSON pointer into it."""

    def __init__(
        self,
        faults: Iterable[Fault] = (),
        *,
        summary: str = "",
        refusals: Iterable[Refusal] = (),
    ) -> None:
        """Take the faults, and what AWS would say in the order in which it would."""
        self.refusals = tuple(refusals)
        super().__init__(faults, summary=summary)


class NotRedrivable(ProjectError):
    """An execution that cannot be redriven."""


class JournalMismatch(RunFailed):
    """A journal belongs to another definition or input, or does not replay."""


def definition_fault(place: Place | str, found: str, expected: str, code: str) -> Fault:
    """Make the fault of one place of a definition: a pointer, or a line of its file."""
    return Fault(
        place=Place(place or "/") if isinstance(place, str) else place,
        code=code,
        found=found,
        expected=expected,
        advice="compare the state with the Amazon States Language specification",
    )


def mismatch(code: str, found: str, expected: str) -> JournalMismatch:
    """Make the error for a journal that cannot be continued."""
    advice = "start a new execution; this journal cannot be continued"
    fault = Fault(Place("journal"), code=code, found=found, expected=expected, advice=advice)
    return JournalMismatch([fault])
