"""Commands that change a table hold its lease meanwhile, exactly as runs do (SEMANTICS 7).

In: a local environment and a table.  Out: the owner, while the lease is held.  The command is an
execution of its own with a lock, so that whoever meets its lease can tell whether it is at work.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, RunFailed
from runner.keeper.faults import LeaseHeld
from runner.keeper.lease import Leases, Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.app.local_places import Local

COMMAND = "runner-"
"""How the machine of such an execution begins; no workflow's can."""
_SUFFIX_BYTES = 3


@contextmanager
def holding(local: Local, table: str, *, verb: str) -> Iterator[Owner]:
    """Hold the lease of `database.table` (physical); RunFailed names who holds it instead."""
    name = f"{local.now():%Y%m%dT%H%M%S}-{secrets.token_hex(_SUFFIX_BYTES)}"
    handle = local.commands.create(
        name, workflow=f"{COMMAND}{verb}", execution_input={"table": table}, definition=b"{}"
    )
    leases = Leases(local.storage(), local.is_running, local.now, grace_s=0.0)
    owner = Owner(handle.run.arn, 0, 1)
    try:
        with handle:
            try:
                leases.take(table, owner, stage="")
            except LeaseHeld as error:
                raise busy(table, str(error)) from error
            try:
                yield owner
            finally:
                leases.release(table, owner)
    finally:
        shutil.rmtree(handle.run.folder, ignore_errors=True)


def busy(table: str, found: str) -> RunFailed:
    """Say that a table cannot be changed now."""
    advice = "wait until that run has ended, or stop it"
    return RunFailed(
        [Fault(Place(table), "table-busy", found, "a table that nobody is writing", advice)]
    )
