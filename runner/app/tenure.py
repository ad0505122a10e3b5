"""Commands that change a table hold its lease meanwhile, exactly as runs do (SEMANTICS 7).

In: an environment and a table.  Out: the owner, while the lease is held.  On this machine the
command is an execution of its own with a lock, so that whoever meets its lease can tell whether it
is at work.  On AWS nobody could tell: there the lease is renewed as long as it is held, and lasts a
little longer than that, as the lease of an execution that has ended does.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, RunFailed
from runner.keeper.faults import LeaseHeld, LeaseLost
from runner.keeper.lease import Leases, Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.app.places import Places

_RENEWALS = 5
"""Times that a lease is renewed in the time for which it lasts without."""


@contextmanager
def holding(
    places: Places, table: str, *, verb: str, every_s: float | None = None
) -> Iterator[Owner]:
    """Hold the lease of `database.table` (physical); RunFailed names who holds it instead.

    `every_s` says how often it is renewed, if not a few times in its life.
    """
    leases = Leases(places.storage(), places.is_running, places.now, grace_s=places.grace_s)
    with places.working(verb, table) as execution:
        owner = Owner(execution, 0, 1)
        try:
            leases.take(table, owner, stage="")
        except LeaseHeld as error:
            raise busy(table, str(error)) from error
        try:
            with _renewed(leases, table, owner, every_s=every_s or places.grace_s / _RENEWALS):
                yield owner
        finally:
            leases.release(table, owner)


@contextmanager
def _renewed(leases: Leases, table: str, owner: Owner, *, every_s: float) -> Iterator[None]:
    """Renew the lease meanwhile, where it ends by itself; RunFailed if it was lost."""
    if not every_s:
        yield
        return
    ended = threading.Event()
    lost: list[LeaseLost] = []

    def renew() -> None:
        while not ended.wait(every_s):
            try:
                leases.renew(table, owner)
            except LeaseLost as error:
                lost.append(error)
                return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if lost:
        raise busy(table, str(lost[0]))


def busy(table: str, found: str) -> RunFailed:
    """Say that a table cannot be changed now."""
    advice = "wait until that run has ended, or stop it"
    return RunFailed(
        [Fault(Place(table), "table-busy", found, "a table that nobody is writing", advice)]
    )
