"""What rules look at: the loaded tables, with the places of what users wrote.

In: values that loading made.  Out: `Scene` and `Subject`, handed to every rule; rules read nothing
else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from runner.errors import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runner.errors import Fault
    from runner.model.names import TableName
    from runner.model.places import Places
    from runner.model.project import PersonalStep, Table


@dataclass(frozen=True, slots=True)
class Subject:
    """One table."""

    table: Table
    places: Places
    """Of the header's keys; a key is there when the user wrote it."""
    partition_count: int | None
    """All partitions that the projection describes; None when they grow with time."""
    writers: int
    """Most partitions x buckets that one period can have in one statement."""
    place_of_read: Callable[[TableName], Place]
    """Where the SQL names an input."""

    def wrote(self, *path: str | int) -> bool:
        """Tell whether the user wrote a key."""
        return path in self.places.keys

    @property
    def outputs(self) -> frozenset[str] | None:
        """Name the output columns; None when they are not known before a run."""
        names = frozenset(column.name for column in self.table.columns)
        unknown = not names or any(name.endswith("*") for name in names)
        return None if unknown else names


@dataclass(frozen=True, slots=True)
class Scene:
    """All tables of the project."""

    subjects: tuple[Subject, ...]
    timed: Mapping[TableName, tuple[str, ...]]
    """Time columns of every table that has some."""
    loader: Literal["native", "embulk"] = "native"
    """Of the environment, for loads that name none."""
    marts: Mapping[str, str] = field(default_factory=dict)
    """The environment's marts: name and kind of server."""
    retried: Mapping[TableName, str] = field(default_factory=dict)
    """Tables that a step with retriers of its own loads, and how a fault names that step."""
    pii_databases: tuple[str, ...] | None = None
    """Databases that may hold personal data unmasked; None means all."""
    place_of_step: Callable[[PersonalStep], Place] = lambda step: Place(step.file)
    """Where the SQL of a table reads the step before."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for in every table."""

    code: str
    severity: Literal["error", "warning"]
    explanation: str
    """Why it matters; the reference page is made of it."""
    find: Callable[[Subject, Scene], Iterable[Fault]]
