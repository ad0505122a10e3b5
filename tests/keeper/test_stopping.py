"""Statements that a stopped execution left behind are found by its history and stopped."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from runner.keeper.core import Keeper
from runner.keeper.handler import dispatch
from runner.keeper.stopping import stop_statements

if TYPE_CHECKING:
    from tests.support.lake import Lake

PARENT = "arn:aws:states:eu-west-1:123456789012:execution:shop-prod-daily:run-1"
CHILD = "arn:aws:states:eu-west-1:123456789012:execution:shop-prod-daily-tables-1-1:run-1"
RUN = "arn:aws:states:eu-west-1:123456789012:mapRun:shop-prod-daily/abc:def"
CHUNK = "arn:aws:states:eu-west-1:123456789012:execution:shop-prod-daily/abc:1"
WHEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Account:
    """Two of boto3's clients that answer as they are told, and only in that order."""

    def __init__(self) -> None:
        session = boto3.Session("x", "x", region_name="eu-west-1")
        self.states = session.client("stepfunctions")
        self.athena = session.client("athena")
        self.stubs = (Stubber(self.states), Stubber(self.athena))

    def ended(self, arn: str = PARENT, status: str = "ABORTED") -> None:
        answer = {
            "executionArn": arn,
            "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
            "status": status,
            "startDate": WHEN,
        }
        self.stubs[0].add_response("describe_execution", answer, {"executionArn": arn})

    def history(
        self,
        *events: dict[str, Any],
        arn: str = PARENT,
        token: str = "",
        more: str = "",
    ) -> None:
        numbered = [
            {"id": n, "timestamp": WHEN, **event} for n, event in enumerate(events, start=1)
        ]
        answer = {"events": numbered, **({"nextToken": more} if more else {})}
        asked = {"executionArn": arn, "maxResults": 1000, **({"nextToken": token} if token else {})}
        self.stubs[0].add_response("get_execution_history", answer, asked)

    def looked(self, asked: list[str], **found: str) -> None:
        answer = {
            "QueryExecutions": [
                {"QueryExecutionId": one, "Status": {"State": state}}
                for one, state in found.items()
            ]
        }
        expected = {"QueryExecutionIds": asked}
        self.stubs[1].add_response("batch_get_query_execution", answer, expected)

    def stops(self, identity: str) -> None:
        self.stubs[1].add_response("stop_query_execution", {}, {"QueryExecutionId": identity})

    def stop(self) -> list[str]:
        for stub in self.stubs:
            stub.activate()
        stopped = stop_statements(self.states, self.athena, PARENT)["stopped"]
        for stub in self.stubs:
            stub.assert_no_pending_responses()
        return list(stopped)


@pytest.fixture
def account() -> Account:
    return Account()


def answered(resource: str, output: Any, kind: str = "athena") -> dict[str, Any]:  # noqa: ANN401
    details = {"resourceType": kind, "resource": resource}
    text = output if isinstance(output, str) else json.dumps(output)
    return {"type": "TaskSucceeded", "taskSucceededEventDetails": {**details, "output": text}}


def begun(identity: str) -> dict[str, Any]:
    return answered("startQueryExecution", {"QueryExecutionId": identity})


def seen(identity: str, state: str) -> dict[str, Any]:
    execution = {"QueryExecutionId": identity, "Status": {"State": state}}
    return answered("getQueryExecution", {"QueryExecution": execution})


def test_what_was_begun_and_goes_on_is_stopped(account: Account) -> None:
    account.ended()
    account.history(
        {"type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}},
        begun("q1"),
        begun("q2"),
        begun("q3"),
        seen("q1", "SUCCEEDED"),
        seen("q2", "RUNNING"),
        seen("q3", "QUEUED"),
    )
    account.looked(["q2", "q3"], q2="RUNNING", q3="SUCCEEDED")
    account.stops("q2")
    assert account.stop() == ["q2"]


def test_asking_again_stops_nothing_more(account: Account) -> None:
    account.ended()
    account.history(begun("q1"))
    account.looked(["q1"], q1="CANCELLED")
    assert account.stop() == []


def test_a_history_of_many_pages_and_many_statements(account: Account) -> None:
    names = [f"q{n}" for n in range(120)]
    account.ended(status="TIMED_OUT")
    account.history(*map(begun, names[:70]), more="page 2")
    account.history(*map(begun, names[70:]), token="page 2")
    for first in (0, 50, 100):
        batch = names[first : first + 50]
        account.looked(batch, **dict.fromkeys(batch, "SUCCEEDED" if first else "QUEUED"))
    for name in names[:50]:
        account.stops(name)
    assert account.stop() == names[:50]


def test_executions_that_it_started_are_looked_at_unless_they_go_on(account: Account) -> None:
    submitted = {
        "type": "TaskSubmitted",
        "taskSubmittedEventDetails": {
            "resourceType": "states",
            "resource": "startExecution.sync:2",
            "output": json.dumps({"ExecutionArn": CHILD}),
        },
    }
    chunks = {"type": "MapRunStarted", "mapRunStartedEventDetails": {"mapRunArn": RUN}}
    account.ended()
    account.history(submitted, chunks)
    listed = {
        "executionArn": CHUNK,
        "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
        "name": "1",
        "status": "ABORTED",
        "startDate": WHEN,
    }
    asked = {"mapRunArn": RUN, "maxResults": 1000}
    account.stubs[0].add_response("list_executions", {"executions": [listed]}, asked)
    account.ended(CHILD, "RUNNING")
    account.ended(CHUNK)
    account.history(begun("q9"), arn=CHUNK)
    account.looked(["q9"], q9="RUNNING")
    account.stops("q9")
    assert account.stop() == ["q9"]


def test_an_execution_that_was_redriven_keeps_its_statements(account: Account) -> None:
    account.ended(status="RUNNING")
    assert account.stop() == []


def test_a_statement_that_ends_meanwhile_is_no_failure(account: Account) -> None:
    account.ended()
    account.history(begun("q1"), begun("q2"))
    account.looked(["q1", "q2"], q1="RUNNING", q2="RUNNING")
    account.stubs[1].add_client_error("stop_query_execution", "InvalidRequestException")
    account.stops("q2")
    assert account.stop() == ["q2"]


def test_outputs_that_tell_nothing_are_passed_over(account: Account) -> None:
    """Step Functions cuts long ones; statements of `.sync` are its own affair."""
    waited = {"QueryExecution": {"QueryExecutionId": "q5", "Status": {"State": "RUNNING"}}}
    account.ended()
    account.history(
        answered("startQueryExecution", '{"QueryExecutionId": "q'),
        answered("startQueryExecution.sync", waited),
        answered("invoke", ["a list"], kind="lambda"),
        answered("getQueryExecution", {}),
    )
    assert account.stop() == []


def test_the_function_serves_it(account: Account, lake: Lake) -> None:
    account.ended(status="RUNNING")
    account.stubs[0].activate()
    keeper = Keeper(
        storage=lake.storage,
        is_running=lambda _execution: False,
        now=lambda: WHEN,
        remaining_s=lambda: 1e9,
        states=account.states,
        athena=account.athena,
    )
    found = dispatch(keeper, {"op": "stop_statements", "execution": PARENT})
    assert found == {"stopped": []}
