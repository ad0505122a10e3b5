"""One lease per table: who may write it now (SEMANTICS 7).

An object `_runner/leases/<database>/<table>.json`, created with If-None-Match.  It is taken over
only when its owner is not running any more and the longest life of this function has passed, by
If-Match, so that two who try at once cannot both succeed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .faults import LeaseHeld, LeaseLost
from .storage import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from .storage import Storage


@dataclass(frozen=True)
class Owner:
    """An execution (its ARN) and its redrive."""

    execution: str
    redrive: int


@dataclass(frozen=True)
class Leases:
    """The leases of one lake."""

    storage: Storage
    is_running: Callable[[str], bool]
    """Tells whether an execution, by its ARN, is still running."""
    now: Callable[[], dt.datetime]
    grace_s: float
    """Longest life of one call of this function, in seconds."""

    def key(self, table: str) -> str:
        """Give the lease's key for `database.table` (physical name)."""
        database, _, name = table.partition(".")
        return f"{self.storage.prefix}_runner/leases/{database}/{name}.json"

    def take(self, table: str, owner: Owner, *, stage: str) -> None:
        """Take the lease, keep it, or take it over; LeaseHeld when its owner is at work."""
        key, value = self.key(table), self._value(owner, stage)
        try:
            self.storage.create_json(key, value)
        except Conflict:
            self._take_over(table, owner, value)

    def _take_over(self, table: str, owner: Owner, value: dict[str, object]) -> None:
        key = self.key(table)
        found = self.storage.read_json(key)
        if found is None:
            raise LeaseHeld(f"the lease on {table} is changing hands")
        lease, etag = found
        if lease["execution"] != owner.execution:
            self._refuse_living(table, lease)
        try:
            self.storage.replace_json(key, value, etag=etag)
        except Conflict:
            raise LeaseHeld(f"the lease on {table} is changing hands") from None

    def _refuse_living(self, table: str, lease: dict[str, str]) -> None:
        if self.is_running(lease["execution"]):
            raise LeaseHeld(f"{table} is being written by {lease['execution']}")
        age = (self.now() - dt.datetime.fromisoformat(lease["at"])).total_seconds()
        if age < self.grace_s:
            raise LeaseHeld(
                f"{table} was being written by {lease['execution']}, which ended; "
                f"its last call may still be at work for {self.grace_s - age:.0f} s"
            )

    def check(self, table: str, owner: Owner) -> None:
        """Make sure that the lease is still ours; LeaseLost when it is not."""
        found = self.storage.read_json(self.key(table))
        if found is None or found[0]["execution"] != owner.execution:
            holder = found[0]["execution"] if found else "nobody"
            raise LeaseLost(f"the lease on {table} is held by {holder}, not by this execution")

    def release(self, table: str, owner: Owner) -> None:
        """Give the lease back; nothing happens when it is not ours (any more)."""
        key = self.key(table)
        found = self.storage.read_json(key)
        if found is not None and found[0]["execution"] == owner.execution:
            self.storage.delete_if(key, etag=found[1])

    def _value(self, owner: Owner, stage: str) -> dict[str, object]:
        return {
            "execution": owner.execution,
            "redrive": owner.redrive,
            "stage": stage,
            "at": self.now().isoformat(),
        }
