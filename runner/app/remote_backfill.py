"""Carrying out a backfill on AWS: its plan into the lake, the deployed machine started.

In: a plan.  Out: what came of it, or that it runs.  The executions of a backfill are numbered by
name, and Step Functions starts a name once: two processes that ask at the same time get the same
execution, or one of them is told that it is taken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.app.backfill_claims import busy, going_on, nothing_left
from runner.app.bundle import every_table
from runner.app.cloud_run import start
from runner.app.deployed import Deployed
from runner.app.remote_start import check_deployed, whole_days
from runner.aws.executions import NameTaken
from runner.model.names import BACKFILL

if TYPE_CHECKING:
    from runner.app.backfill_run import Order
    from runner.app.cloud_run import CloudHooks
    from runner.app.remote_places import Remote
    from runner.app.run import RunResult


def execute_on_aws(
    order: Order, remote: Remote, *, hooks: CloudHooks, detach: bool = False
) -> RunResult:
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
    first, last = whole_days(plan["start"], plan["end"], plan["grain"])
    name = f"{BACKFILL}-{plan['name']}-{len(runs) + 1}"
    given = {"start": first, "end": last, "only": only, "backfill": plan["name"]}
    hooks = replace(hooks, planned=partitions_of(remote.bundle, plan, only))
    deployed = Deployed(remote.cloud)
    workflow = every_table(remote.bundle, BACKFILL)
    try:
        return start(deployed, workflow, (name, given), hooks=hooks, detach=detach)
    except NameTaken:
        raise busy(plan["name"], name) from None
