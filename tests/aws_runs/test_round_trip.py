"""Our history of an execution, read as AWS's is read, tells what its journal tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from runner.aws.history import History
from runner.machine import EventKind, parse_definition
from runner.machine.history import history
from tests.machine.forked_histories import CASES
from tests.machine.histories import CONTEXT, played

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.machine import Event
    from tests.machine.histories import Case

APART = ("EvaluationFailed", "MapRun")
"""Told by histories only: the journal of our own needs no event for them."""
TIMERS = (EventKind.TIMER_SET, EventKind.TIMER_FIRED, EventKind.TASK_SUBMITTED)


def read(case: Case) -> list[Event]:
    """Read our history through boto3, as if AWS had sent it."""
    found = history(parse_definition(case.definition), played(case))
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("stepfunctions", region_name="us-east-1", **keys)
    with Stubber(client) as stubber:
        stubber.add_response("get_execution_history", {"events": [e.to_boto() for e in found]})
        return list(History(client, CONTEXT.execution_id).read())


def told(events: Iterable[Event]) -> list[tuple[str, str, object]]:
    """Say what people follow: what happened where, and what came of it.

    A call that is waited for is told twice, when it is scheduled and when it has begun.
    """
    lines: list[tuple[str, str, object]] = []
    for event in events:
        if event.kind in TIMERS:
            continue
        data = event.data
        failure = (data["error"] or "", data["cause"] or "") if "error" in data else None
        line = (event.kind.value, event.state, data.get("result", failure))
        if not (lines and line == lines[-1] and event.kind is EventKind.TASK_SCHEDULED):
            lines.append(line)
    return lines


@pytest.mark.parametrize(
    "name", [n for n, c in CASES.items() if not any(a in c.lines for a in APART)]
)
def test_a_history_read_back_is_the_journal(name: str) -> None:
    case = CASES[name]
    back, ours = told(read(case)), told(played(case))
    *began, (kind, state, _) = back
    assert began == ours[:-1]
    assert (kind, state) == ours[-1][:2]
