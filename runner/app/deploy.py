"""`deploy`: make an environment on AWS what its project says, by one change set.

In: an environment, what it is to become, who watches.  Out: `Deployed`.  Nothing but the template
is stored before the question is answered; what is deployed before stays deployed if it fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from runner.app import stack_changes
from runner.app.guards import is_protected, refuse_checkout, refuse_unconfirmed
from runner.app.stack_following import LEFT, Watcher, follow_operation
from runner.model.stacks import GOOD_ENDS, Output, ResourceChange

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

    from runner.app.cloud import Cloud
    from runner.app.desired import Desired
    from runner.app.stack_changes import Pending
    from runner.aws.stack_events import Cause
    from runner.model.stacks import ChangeSet

NO_CHANGES = "NO_CHANGES"
DECLINED = "DECLINED"
STORED = "STORED"
"""The stack is as it should be; artifacts that were missing are stored again."""
MEANINGS = {
    NO_CHANGES: "nothing has changed since the last deploy",
    DECLINED: "nothing was changed",
    STORED: "the stack is as it should be; what was missing is stored again",
    LEFT: "the deploy goes on at AWS",
    "CREATE_COMPLETE": "deployed for the first time",
    "UPDATE_COMPLETE": "deployed",
    "ROLLBACK_COMPLETE": "the first deploy failed and was rolled back; the next one removes the "
    "empty stack first",
    "ROLLBACK_FAILED": "the first deploy failed, and what it had made could not all be removed; "
    "the next one tries that again",
    "UPDATE_ROLLBACK_COMPLETE": "the deploy failed and was rolled back: what was deployed before "
    "is deployed still",
    "UPDATE_ROLLBACK_FAILED": "the deploy failed, and so did the rollback: mend what the causes "
    "name, continue the rollback (`aws cloudformation continue-update-rollback`), deploy again",
    "DELETE_COMPLETE": "the stack is gone",
    "DELETE_FAILED": "not everything could be deleted: mend what the causes name, and try again",
}
"""What the ways in which a stack's operation ends mean."""


class DeployWatcher(Watcher, Protocol):
    """Who watches a deploy, and decides."""

    def agreed(self, pending: Pending) -> bool:
        """Show what would change, and ask."""
        ...

    def began(self, stack_id: str) -> None:
        """Say that the stack is being changed from now on."""
        ...

    def stored(self, uploaded: tuple[str, ...], kept: int) -> None:
        """Say what was uploaded, and how many artifacts were there already."""
        ...


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """How to deploy."""

    confirm: str | None = None
    """The environment's name, given beforehand."""
    can_ask: bool = False
    """Whether somebody can answer."""
    any_checkout: bool = False
    """Whether a protected environment may be deployed from any files."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """How a deploy ended."""

    stack: str
    stack_id: str
    status: str
    changes: tuple[ResourceChange, ...]
    uploaded: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    causes: tuple[Cause, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Tell whether the environment is what the project says."""
        return self.status in GOOD_ENDS | {NO_CHANGES, STORED}

    @property
    def meaning(self) -> str:
        """Say what the status means."""
        return MEANINGS.get(self.status, self.status)


def deploy(
    cloud: Cloud, desired: Desired, request: DeployRequest, *, watcher: DeployWatcher
) -> Deployed:
    """Guard, compute the changes, ask, upload, carry out and follow.

    Raises UsageError for what a guard refuses, CloudRefused for what AWS refuses.
    """
    refuse_unconfirmed(cloud, confirm=request.confirm, can_ask=request.can_ask)
    if is_protected(cloud) and not request.any_checkout:
        state = stack_changes.deployed_stack(cloud)
        refuse_checkout(cloud, stack_changes.deployed_commit(cloud, state))
    pending = stack_changes.compute(cloud, desired, pause=lambda: _wait(watcher))
    if pending.nothing:
        return _ended(pending, NO_CHANGES)
    try:
        if not watcher.agreed(pending):
            stack_changes.put_away(cloud, pending)
            return _ended(pending, DECLINED)
        uploaded = _upload(cloud, desired, watcher)
    except BaseException:
        stack_changes.put_away(cloud, pending)
        raise
    return _carry_out(cloud, desired, pending, uploaded=uploaded, watcher=watcher)


def _wait(watcher: Watcher) -> None:
    watcher.wait()


def _upload(cloud: Cloud, desired: Desired, watcher: DeployWatcher) -> tuple[str, ...]:
    from runner.aws.artifacts import store  # noqa: PLC0415 - boto3 is for aws environments only

    artifacts = [stack_changes.template_artifact(desired), *desired.artifacts]
    done = store(cloud.session.client("s3"), artifacts, kms_key=desired.facts.keys.data)
    watcher.stored(done.uploaded, len(done.kept))
    return done.uploaded


def _carry_out(
    cloud: Cloud,
    desired: Desired,
    pending: Pending,
    *,
    uploaded: tuple[str, ...],
    watcher: DeployWatcher,
) -> Deployed:
    change_set = pending.change_set
    if change_set is None:
        failed = _remove(cloud, pending, watcher)
        if failed is not None:
            return failed
        change_set = stack_changes.make_change_set(
            cloud, desired, creates=True, pause=lambda: _wait(watcher)
        )
    if change_set.empty:
        return _ended(pending, STORED, uploaded=uploaded)
    return _execute(cloud, pending, change_set, uploaded=uploaded, watcher=watcher)


def _remove(cloud: Cloud, pending: Pending, watcher: DeployWatcher) -> Deployed | None:
    """Delete what a failed first deploy left; gives how that failed, or None."""
    from runner.aws.stack_events import newest_event  # noqa: PLC0415 - as above
    from runner.aws.stacks import delete  # noqa: PLC0415

    state = pending.state
    if state is None:
        return None
    client: CloudFormationClient = cloud.session.client("cloudformation")
    watcher.note(f"removing the stack that a failed deploy left ({state.status})")
    after = newest_event(client, state.id)
    delete(client, state.id)
    watcher.began(state.id)
    ended = follow_operation(cloud, state.id, watcher, after=after, cancels=False)
    if ended.status == "DELETE_COMPLETE":
        return None
    return Deployed(state.name, state.id, ended.status, pending.changes, causes=ended.causes)


def _execute(
    cloud: Cloud,
    pending: Pending,
    change_set: ChangeSet,
    *,
    uploaded: tuple[str, ...],
    watcher: DeployWatcher,
) -> Deployed:
    from runner.aws.stack_events import newest_event  # noqa: PLC0415 - as above
    from runner.aws.stacks import describe, execute  # noqa: PLC0415

    client: CloudFormationClient = cloud.session.client("cloudformation")
    after = newest_event(client, change_set.stack_id)
    execute(client, change_set)
    watcher.began(change_set.stack_id)
    ended = follow_operation(
        cloud, change_set.stack_id, watcher, after=after, cancels=not change_set.creates
    )
    state = describe(client, change_set.stack_id) if ended.status in GOOD_ENDS else None
    return Deployed(
        stack=pending.stack,
        stack_id=change_set.stack_id,
        status=ended.status,
        changes=change_set.changes,
        uploaded=uploaded,
        outputs=state.outputs if state else (),
        causes=ended.causes,
    )


def _ended(pending: Pending, status: str, *, uploaded: tuple[str, ...] = ()) -> Deployed:
    stack_id = pending.state.id if pending.state else ""
    outputs = pending.state.outputs if pending.state else ()
    return Deployed(pending.stack, stack_id, status, pending.changes, uploaded, outputs)
