"""Carrying out a backfill on AWS: its plan into the lake, the deployed machine started.

In: a plan.  Out: a `Begun`, or what came of it when it is followed.  The executions of a backfill
are numbered by name, and Step Functions starts a name once: two processes that ask at the same
time get the same execution, or one of them is told that it is taken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.app.backfill_claims import busy, going_on, nothing_left
from runner.app.remote_start import begin, check_deployed, whole_days
from runner.aws.executions import NameTaken
from runner.model.names import BACKFILL

if TYPE_CHECKING:
    from runner.app.backfill_run import Order
    from runner.app.begun import Begun, Follow, Listeners
    from runner.app.remote_places import Remote
    from runner.app.run import RunResult


def execute_on_aws(
    order: Order, remote: Remote, *, listeners: Listeners, follow: Follow | None = None
) -> Begun | RunResult:
    """Write the plan, or find the one of that name, and start what is left of it.

    UsageError while another execution carries out the same one, and when what is deployed would
    not write what was planned.
    """
    from runner.app.backfill_run import left, partitions_of, stored  # noqa: PLC0415 - it calls us

    storage = remote.storage()
    with remote.refusals("store the plan in the lake"):
        plan = stored(storage, order.plan)
    with remote.refusals("see who carries out the backfill"):
        runs = remote.backfill_runs(plan["name"])
    at_work = going_on(runs)
    if at_work:
        raise busy(plan["name"], at_work)
    if any(status == "SUCCEEDED" for _, status in runs):
        return nothing_left(plan, environment=order.environment, marts=())
    with remote.refusals("read the lake's records"):
        only = left(order, storage, remote.bundle, plan)
    told = {one["name"]: one["fingerprint"] for one in plan["tables"].values()}
    check_deployed(remote, BACKFILL, {name: told[name] for name in only})
    start, end = whole_days(plan["start"], plan["end"], plan["grain"])
    name = f"{BACKFILL}-{plan['name']}-{len(runs) + 1}"
    try:
        return begin(
            remote,
            BACKFILL,
            name,
            {"start": start, "end": end, "only": only, "backfill": plan["name"]},
            follow=follow,
            listeners=replace(listeners, planned=partitions_of(remote.bundle, plan, only)),
        )
    except NameTaken:
        raise busy(plan["name"], name) from None
