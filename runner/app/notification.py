"""What is told when an execution ends: the event that EventBridge would send of it.

In: a run and how it ended.  Out: the event as a value, and its subject.  On AWS a rule on ended
executions sends the same to a topic or to a function (SEMANTICS 35): nothing of it is in the
definition.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.local.runs import Run, RunEnd

LOCAL_ACCOUNT = "000000000000"
LOCAL_REGION = "local"
_MOST_BYTES = 248 * 1024
"""Input or output of this size is left out of the event."""


def subject_of(run: Run, end: RunEnd) -> str:
    """Write the message's subject: `daily failed`, `daily timed out`."""
    return f"{run.workflow} {end.status.value.lower().replace('_', ' ')}"


def ended_event(run: Run, end: RunEnd) -> dict[str, Any]:
    """Make the event of a run's end; the same end gives the same event.

    Fields: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    given, given_details = _told(run.input)
    succeeded = end.status.value == "SUCCEEDED"
    output, output_details = _told(end.output) if succeeded else (None, None)
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run.arn}/{end.at.isoformat()}")),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": LOCAL_ACCOUNT,
        "time": end.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": LOCAL_REGION,
        "resources": [run.arn],
        "detail": {
            "executionArn": run.arn,
            "stateMachineArn": run.arn.rpartition(":")[0].replace(":execution:", ":stateMachine:"),
            "name": run.name,
            "status": end.status.value,
            "startDate": _milliseconds(run.started_at),
            "stopDate": _milliseconds(end.at),
            "input": given,
            "inputDetails": given_details,
            "output": output,
            "outputDetails": output_details,
            "error": end.error or None,
            "cause": end.cause or None,
        },
    }


def _told(value: object) -> tuple[str | None, dict[str, bool]]:
    """Write a value as EventBridge tells it: as text, unless it is too large."""
    text = json.dumps(value, ensure_ascii=False)
    fits = len(json.dumps(text).encode()) <= _MOST_BYTES
    return text if fits else None, {"included": fits}


def _milliseconds(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
