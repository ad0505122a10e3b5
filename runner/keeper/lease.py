"""One lease per table: who may write it now (SEMANTICS 7).

An object `_runner/leases/<database>/<table>.json`, created with If-None-Match.  It is taken over
only when its owner is not running any more and the longest life of this function has passed since
the owner's last call, by If-Match, so that two who try at once cannot both succeed.

An owner is an attempt, not just an execution: a later attempt of the same execution takes the
lease from an earlier one at once, and a call of the earlier one that is still at work (its Map
failed, its answer was lost) finds at its next check that it may not go on.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .faults import LeaseHeld, LeaseLost
from .storage import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from .storage import Storage

_TRIES = 20
"""Chunks of one attempt renew their lease beside each other; one wins each round."""


@dataclass(frozen=True)
class Owner:
    """An execution (its ARN), its redrive, and the attempt at the table."""

    execution: str
    redrive: int
    attempt: int


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

    def take(
        self, table: str, owner: Owner, *, stage: str, window: tuple[str, str] = ("", "")
    ) -> None:
        """Take the lease, keep it, or take it over; LeaseHeld when its owner is at work."""
        key, value = self.key(table), self._value(owner, stage, window)
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
        elif _turn(lease) > (owner.redrive, owner.attempt):
            raise LeaseLost(f"a later attempt of this execution is writing {table}")
        try:
            self.storage.replace_json(key, value, etag=etag)
        except Conflict:
            raise LeaseHeld(f"the lease on {table} is changing hands") from None

    def _refuse_living(self, table: str, lease: dict[str, Any]) -> None:
        if self.is_running(lease["execution"]):
            raise LeaseHeld(f"{table} is being written by {lease['execution']}")
        age = (self.now() - dt.datetime.fromisoformat(lease["at"])).total_seconds()
        if age < self.grace_s:
            raise LeaseHeld(
                f"{table} was being written by {lease['execution']}, which ended; "
                f"its last call may still be at work for {self.grace_s - age:.0f} s"
            )

    def check(self, table: str, owner: Owner) -> tuple[dict[str, Any], str]:
        """Make sure that the lease is still ours, LeaseLost when not; gives it and its etag."""
        found = self.storage.read_json(self.key(table))
        if found is None:
            raise LeaseLost(f"the lease on {table} is held by nobody, not by this attempt")
        lease = found[0]
        mine = lease["execution"] == owner.execution
        if not mine or _turn(lease) != (owner.redrive, owner.attempt):
            holder = "a later attempt of this execution" if mine else lease["execution"]
            raise LeaseLost(f"the lease on {table} is held by {holder}")
        return found

    def renew(self, table: str, owner: Owner) -> None:
        """Check the lease and note that a call begins, which may live for `grace_s`."""
        for _ in range(_TRIES):
            lease, etag = self.check(table, owner)
            value = {**lease, "at": self.now().isoformat()}
            try:
                self.storage.replace_json(self.key(table), value, etag=etag)
            except Conflict:
                continue
            return
        raise LeaseLost(f"the lease on {table} is changing hands")

    def release(self, table: str, owner: Owner) -> None:
        """Give the lease back; nothing happens when it is not our execution's (any more)."""
        key = self.key(table)
        found = self.storage.read_json(key)
        if found is not None and found[0]["execution"] == owner.execution:
            self.storage.delete_if(key, etag=found[1])

    def _value(self, owner: Owner, stage: str, window: tuple[str, str]) -> dict[str, object]:
        return {
            "execution": owner.execution,
            "redrive": owner.redrive,
            "attempt": owner.attempt,
            "stage": stage,
            "start": window[0],
            "end": window[1],
            "at": self.now().isoformat(),
        }


def _turn(lease: dict[str, Any]) -> tuple[int, int]:
    return int(lease["redrive"]), int(lease["attempt"])
