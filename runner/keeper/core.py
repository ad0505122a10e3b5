"""What every operation of the keeper works with: the lake, the leases, the clock, the execution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import spec as specs
from .lease import Leases, Owner
from .spec import Spec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from .storage import Storage


@dataclass(frozen=True)
class Keeper:
    """The world of one call."""

    storage: Storage
    is_running: Callable[[str], bool]
    now: Callable[[], dt.datetime]
    remaining_s: Callable[[], float]
    """Seconds that this call may still take."""
    grace_s: float = 900.0
    catalog: Any = None
    """A client like boto3's Glue client, for the one operation that needs it (`gc`)."""
    states: Any = None
    athena: Any = None
    """Clients like boto3's for Step Functions and Athena, for `stop_statements` alone."""

    @property
    def leases(self) -> Leases:
        """Give the leases of the lake."""
        return Leases(self.storage, self.is_running, self.now, self.grace_s)


@dataclass(frozen=True)
class Attempt:
    """One attempt of one execution to write one table."""

    spec: Spec
    execution: str
    redrive: int
    number: int

    @classmethod
    def read(cls, event: dict[str, Any]) -> Attempt:
        """Take the fields that every table operation carries."""
        table = event["table"]
        return cls(
            Spec.read(table),
            table["execution"],
            int(table.get("redrive") or 0),
            int(event.get("attempt") or 1),
        )

    @property
    def owner(self) -> Owner:
        """Name who writes, for the lease."""
        return Owner(self.execution, self.redrive, self.number)

    @property
    def run(self) -> str:
        """Name this attempt inside record keys."""
        return f"{specs.run_name(self.execution)}.{self.redrive}.{self.number}"

    @property
    def siblings(self) -> str:
        """Give what the names of all attempts of this execution begin with."""
        return f"{self.run.rpartition('.')[0]}."

    def record(self, start: str, end: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Make the body of a record of this attempt."""
        return {
            "table": self.spec.name,
            "start": start,
            "end": end,
            "grain": self.spec.grain,
            "time": [list(pair) for pair in self.spec.time],
            "execution": self.execution,
            "run": self.run,
            "fingerprint": self.spec.fingerprint,
            "partitions": list(self.spec.partitions),
            **more,
        }

    @property
    def tag(self) -> str:
        """Name the stage tables of this attempt."""
        return specs.tag(self.spec, self.execution, self.redrive, self.number)

    def stage(self, storage: Storage) -> str:
        """Give the key prefix that only this attempt writes to (SEMANTICS 1)."""
        where = f"{self.spec.database}/{self.spec.table}/{specs.run_name(self.execution)}"
        return f"{storage.prefix}_runner/stage/{where}/{self.redrive}/{self.number}/"
