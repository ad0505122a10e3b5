"""What is told when a run fails: the event that EventBridge would send of the execution.

In: a run and how it ended.  Out: the event as a value, and its subject.  On AWS a rule on failed
executions sends the same to the same topic (SEMANTICS 35): nothing of it is in the definition.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    from runner.local.runs import Run, RunEnd

LOCAL_ACCOUNT = "000000000000"
LOCAL_REGION = "local"


def subject_of(run: Run, end: RunEnd) -> str:
    """Write the message's subject: `daily failed`, `daily timed out`."""
    return f"{run.workflow} {end.status.value.lower().replace('_', ' ')}"


def failure_event(run: Run, end: RunEnd) -> dict[str, Any]:
    """Make the event of a run's end.

    Fields: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    return {
        "version": "0",
        "id": run.name,
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": LOCAL_ACCOUNT,
        "time": end.at.isoformat(timespec="seconds"),
        "region": LOCAL_REGION,
        "resources": [run.arn],
        "detail": {
            "executionArn": run.arn,
            "stateMachineArn": run.arn.rpartition(":")[0].replace(":execution:", ":stateMachine:"),
            "name": run.name,
            "status": end.status.value,
            "startDate": _milliseconds(run.started_at),
            "stopDate": _milliseconds(end.at),
            "input": json.dumps(run.input),
            "output": None,
            "error": end.error or None,
            "cause": end.cause or None,
        },
    }


def _milliseconds(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
