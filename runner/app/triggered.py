"""Which window an event gives a workflow, worked out as the deployed workflow does it.

In: a compiled workflow, an object's URI or the time of an event.  Out: the window.  The keeper's
own `begin` decides, told what the definition tells it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.errors import Fault, Place, UsageError
from runner.keeper.begin import begin
from runner.keeper.faults import KeeperError

if TYPE_CHECKING:
    from datetime import datetime

    from runner.app.bundle import WorkflowFacts


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, as somebody tells of it on the command line."""

    object: str = ""
    """URI of the object that arrived; empty for another event."""
    time: str = ""
    """ISO 8601 with a zone; empty for now."""
    trigger: str = ""
    """Name of the trigger; empty where only one fits."""


def input_of(workflow: WorkflowFacts, happened: Happened, *, now: datetime) -> dict[str, Any]:
    """Give the input that the event starts an execution with; UsageError if it starts none."""
    bucket, _, key = happened.object.removeprefix("s3://").partition("/")
    fitting = [
        one
        for one in workflow.triggers
        if (not happened.trigger or one["name"] == happened.trigger) and _fits(one, bucket, key)
    ]
    if len(fitting) != 1:
        raise _no_trigger(workflow, happened, [one["name"] for one in fitting])
    given = {"scheduled_time": happened.time or now.isoformat(), "trigger": fitting[0]["name"]}
    return {**given, "key": key} if fitting[0].get("period") else given


def _fits(trigger: dict[str, Any], bucket: str, key: str) -> bool:
    """Tell whether the event may be one of the trigger's; of other events nothing is known."""
    if trigger["type"] != "object":
        return not bucket
    if not bucket:
        return trigger["period"] is None
    begins = key.startswith(trigger["prefix"]) and key.endswith(trigger["suffix"])
    return bool(trigger["bucket"] == bucket and begins)


def window_of(workflow: WorkflowFacts, given: dict[str, Any]) -> tuple[str, str]:
    """Give start and end for an execution's input; UsageError where the execution would fail."""
    states = json.loads(workflow.definition)["States"]
    told = states["begin"]["Arguments"]["Payload"]
    try:
        window = begin({**told, "input": given})["window"]
    except KeeperError as error:
        fault = Fault(
            Place("--object" if "key" in given else "--event-time"),
            "bad-window",
            str(error),
            f"an event whose window is clear (trigger {given['trigger']})",
            f"see `triggers:` in {workflow.file}",
        )
        raise UsageError([fault]) from error
    return window["start"], window["end"]


def _no_trigger(workflow: WorkflowFacts, happened: Happened, fitting: list[str]) -> UsageError:
    names = [one["name"] for one in workflow.triggers]
    what = happened.object or happened.trigger or "an event"
    fault = Fault(
        Place("--object" if happened.object else "--trigger"),
        "unknown-trigger",
        f"{what}, which fits {' and '.join(fitting) or 'no trigger'} of {workflow.name}",
        f"one of its triggers: {', '.join(names)}" if names else "a workflow with `triggers:`",
        "name one with --trigger" if fitting else f"see `triggers:` in {workflow.file}",
    )
    return UsageError([fault])
