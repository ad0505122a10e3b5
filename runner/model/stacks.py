"""CloudFormation stacks as values: their state, changes to them, their events, their drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

REVIEW = "REVIEW_IN_PROGRESS"
"""Of a stack that has nothing but change sets: no resource was ever made."""
FAILED_CREATES = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
"""Of a stack whose first deploy failed; CloudFormation never updates one."""
UNDELETED = "DELETE_FAILED"
STUCK = frozenset({"UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"})
"""Of a stack that can be neither updated nor left as it is."""
GOOD_ENDS = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"})
STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class Output:
    """A value that a stack gives away."""

    key: str
    value: str
    export: str = ""
    """The name under which other stacks of the Region import it; empty when they cannot."""


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as it is."""

    id: str
    """ARN; it names this stack even when it is deleted and another has its name."""
    name: str
    status: str
    reason: str = ""
    outputs: tuple[Output, ...] = ()
    termination_protection: bool = False

    @property
    def busy(self) -> bool:
        """Tell whether an operation is going on."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW

    @property
    def to_be_removed(self) -> bool:
        """Tell whether it must be deleted before anything can be deployed under its name."""
        return self.status in FAILED_CREATES or self.status == UNDELETED


@dataclass(frozen=True, slots=True)
class StackResource:
    """A resource of a stack."""

    logical_id: str
    type: str
    physical_id: str
    status: str

    @property
    def there(self) -> bool:
        """Tell whether it exists and belongs to the stack."""
        return bool(self.physical_id) and not self.status.startswith("DELETE_")


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a change set does to one resource."""

    action: str
    """`Add`, `Modify`, `Remove`, `Import` or `Dynamic` (known when it is carried out only)."""
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: str = ""
    """Of a modification: `True`, `False` or `Conditional`; replacing makes a new one and then
    deletes the old."""
    properties: tuple[str, ...] = ()
    """What of it changes: names of properties, or `Tags`, `Metadata` and the like."""
    policy: str = ""
    """What happens to what was there: `Delete`, `Retain`, `Snapshot`, ...; empty for `Delete`."""

    @property
    def destroys(self) -> bool:
        """Tell whether something that exists may be gone afterwards."""
        if self.policy.endswith("Retain"):
            return False
        return self.action == "Remove" or self.replacement in {"True", "Conditional"}


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change that CloudFormation has computed and not carried out."""

    id: str
    stack_id: str
    creates: bool
    """Whether the stack does not exist so far."""
    changes: tuple[ResourceChange, ...]
    empty: bool = False
    """Whether there is nothing to carry out; without changes of resources there may still be
    another output or tag."""


@dataclass(frozen=True, slots=True)
class StackEvent:
    """Something that happened to a resource, or to the stack itself."""

    id: str
    at: datetime
    logical_id: str
    type: str
    status: str
    reason: str = ""
    physical_id: str = ""
    of_stack: bool = False
    """Whether it is about the whole stack."""

    @property
    def ends(self) -> bool:
        """Tell whether the operation is over with it."""
        return self.of_stack and not self.status.endswith("_IN_PROGRESS")

    @property
    def failed(self) -> bool:
        """Tell whether something did not succeed."""
        return self.status.endswith("_FAILED")


@dataclass(frozen=True, slots=True)
class Difference:
    """A property that is not as it was deployed."""

    path: str
    expected: str
    actual: str
    kind: str
    """`ADD`, `REMOVE` or `NOT_EQUAL`."""


@dataclass(frozen=True, slots=True)
class Drifted:
    """A resource that somebody changed or deleted beside the stack."""

    logical_id: str
    type: str
    physical_id: str
    status: str
    """`MODIFIED` or `DELETED`."""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """What drift detection found."""

    stack: str
    drifted: tuple[Drifted, ...]
    in_sync: int
    """Resources that are as they were deployed."""
    unchecked: int
    """Resources of which CloudFormation cannot tell."""
    incomplete: str = ""
    """Why some resources could not be looked at; empty when all could."""
