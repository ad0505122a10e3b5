"""Following an execution of the machines that are ours: backfills and loads by hand.

In: what was begun, who listens.  Out: the same `RunResult` as of any run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.app.cloud_run import CloudHooks, attach
from runner.app.deployed import Deployed

if TYPE_CHECKING:
    from runner.app.begun import Begun, Listeners
    from runner.app.cloud import Cloud
    from runner.app.run import RunResult


def follow_begun(cloud: Cloud, begun: Begun, listeners: Listeners) -> RunResult:
    """Follow an execution until it ends, or until the stopper stops it with its statements."""
    deployed = Deployed(cloud)
    hooks = CloudHooks(
        tell=listeners.tell,
        say=listeners.say,
        stopper=listeners.stopper,
        planned=listeners.planned,
    )
    return attach(deployed, deployed.find(begun.arn), hooks=hooks)
