"""An operation of CloudFormation, followed until it is over, and what a person wishes meanwhile.

In: a stack on which an operation has begun, and a `Watcher`.  Out: `Followed`: how it ended, and
what failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from runner.errors import CloudRefused

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

    from runner.app.cloud import Cloud
    from runner.aws.stack_events import Cause
    from runner.model.stacks import StackEvent

LEFT = "LEFT"
"""Of an operation that goes on while nobody waits for it any more."""


class Wish(Enum):
    """What the person who waits wants."""

    GO_ON = "go on"
    CANCEL = "cancel"
    LEAVE = "leave"


class Watcher(Protocol):
    """Who is told what happens, and waits between two looks."""

    def note(self, text: str) -> None:
        """Say something."""
        ...

    def event(self, event: StackEvent) -> None:
        """Show an event."""
        ...

    def wait(self) -> Wish:
        """Wait until the next look; give what is wished by then."""
        ...


class _Left(Exception):
    """The person does not wait any longer."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How an operation ended."""

    status: str
    """Of the stack; `LEFT` when nobody waited for the end."""
    causes: tuple[Cause, ...]
    """What failed by itself, the first first."""


def follow_operation(
    cloud: Cloud, stack_id: str, watcher: Watcher, *, after: str, cancels: bool
) -> Followed:
    """Show the events after `after` until the operation is over; `cancels` if it can be."""
    from runner.aws.stack_events import causes_of, follow  # noqa: PLC0415 - boto3 is for aws only

    client: CloudFormationClient = cloud.session.client("cloudformation")
    pause = _Pause(client, stack_id, watcher, cancels=cancels)
    events: list[StackEvent] = []
    try:
        for event in follow(client, stack_id, after=after, pause=pause):
            watcher.event(event)
            events.append(event)
    except _Left:
        return Followed(LEFT, causes_of(events))
    return Followed(_status(client, stack_id, events), causes_of(events))


def _status(client: CloudFormationClient, stack_id: str, events: list[StackEvent]) -> str:
    from runner.aws.stacks import describe  # noqa: PLC0415 - as above

    ends = [event.status for event in events if event.ends]
    if ends:
        return ends[-1]
    state = describe(client, stack_id)
    return state.status if state else "DELETE_COMPLETE"


class _Pause:
    """Waits, and does what is wished: cancels the update once, or leaves."""

    def __init__(
        self, client: CloudFormationClient, stack_id: str, watcher: Watcher, *, cancels: bool
    ) -> None:
        self._client = client
        self._stack_id = stack_id
        self._watcher = watcher
        self._cancels = cancels
        self._cancelled = False

    def __call__(self) -> None:
        wish = self._watcher.wait()
        if wish is Wish.LEAVE:
            raise _Left
        if wish is Wish.CANCEL and not self._cancelled:
            self._cancelled = True
            self._cancel()

    def _cancel(self) -> None:
        from runner.aws.stacks import cancel_update  # noqa: PLC0415 - as above

        if not self._cancels:
            self._watcher.note("only an update can be cancelled: this goes on to its end")
            return
        try:
            cancel_update(self._client, self._stack_id)
        except CloudRefused as refused:
            self._watcher.note(f"it cannot be cancelled any more: {refused.faults[0].found}")
        else:
            self._watcher.note("the update is cancelled and is being rolled back")
