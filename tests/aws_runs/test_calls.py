"""Every call that is made of Step Functions, Athena and CloudWatch, answered by a Stubber."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from runner.aws.executions import Executions
from runner.aws.logs import Group
from runner.errors import CloudRefused
from runner.plan.links import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:flights-prod-daily"
ARN = "arn:aws:states:eu-west-1:123456789012:execution:flights-prod-daily:run-1"
WHEN = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
CONSOLE = Console("eu-west-1", "123456789012")


class Clients:
    """A session whose clients answer what was scripted."""

    def __init__(self) -> None:
        keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self._clients: dict[str, Any] = {
            name: boto3.client(name, region_name="eu-west-1", **keys)
            for name in ("stepfunctions", "athena", "logs")
        }
        self.stubs = {name: Stubber(client) for name, client in self._clients.items()}

    def client(self, service: str) -> Any:  # noqa: ANN401 - as Session's
        return self._clients[service]

    @contextmanager
    def active(self) -> Iterator[None]:
        for stub in self.stubs.values():
            stub.activate()
        yield
        for name, stub in self.stubs.items():
            stub.assert_no_pending_responses()
            self._clients[name].close()


@pytest.fixture
def clients() -> Iterator[Clients]:
    made = Clients()
    with made.active():
        yield made


@pytest.fixture
def executions(clients: Clients) -> Executions:
    return Executions(clients, CONSOLE)  # type: ignore[arg-type] # it gives clients too


def test_start(executions: Executions, clients: Clients) -> None:
    clients.stubs["stepfunctions"].add_response(
        "start_execution",
        {"executionArn": ARN, "startDate": WHEN},
        {"stateMachineArn": MACHINE, "name": "run-1", "input": '{"start": "2013-01-01"}'},
    )
    assert executions.start("flights-prod-daily", "run-1", {"start": "2013-01-01"}) == ARN


def test_start_of_what_is_not_deployed(executions: Executions, clients: Clients) -> None:
    clients.stubs["stepfunctions"].add_client_error("start_execution", "StateMachineDoesNotExist")
    with pytest.raises(CloudRefused) as caught:
        executions.start("flights-prod-daily", "run-1", {})
    assert [fault.code for fault in caught.value.faults] == ["not-deployed"]


def described(**more: object) -> dict[str, Any]:
    base = {
        "executionArn": ARN,
        "stateMachineArn": MACHINE,
        "name": "run-1",
        "status": "ABORTED",
        "startDate": WHEN,
        "stopDate": WHEN + dt.timedelta(minutes=3),
        "input": '{"start": "2013-01-01"}',
        "error": "Runner.Stopped",
        "cause": "c",
    }
    return {**base, **more}


def test_describe(executions: Executions, clients: Clients) -> None:
    answer = described(redriveCount=2, redriveStatus="REDRIVABLE")
    stub = clients.stubs["stepfunctions"]
    stub.add_response("describe_execution", answer, {"executionArn": ARN})
    found = executions.describe(ARN)
    assert found is not None
    assert (found.machine, found.name, found.status) == ("flights-prod-daily", "run-1", "ABORTED")
    assert found.input == {"start": "2013-01-01"}
    assert (found.redrives, found.not_redrivable, found.going_on) == (2, "", False)
    assert found.stopped == WHEN + dt.timedelta(minutes=3)
    reason = "Execution redrivable period exceeded"
    answer = described(redriveStatus="NOT_REDRIVABLE", redriveStatusReason=reason, input="no")
    stub.add_response("describe_execution", answer, {"executionArn": ARN})
    found = executions.describe(ARN)
    assert found is not None
    assert (found.not_redrivable, found.input) == (reason, {})
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
    assert executions.describe(ARN) is None
    stub.add_client_error("describe_execution", "AccessDeniedException", "no")
    with pytest.raises(CloudRefused, match="describe the execution"):
        executions.describe(ARN)


def test_stop(executions: Executions, clients: Clients) -> None:
    stub = clients.stubs["stepfunctions"]
    asked = {"executionArn": ARN, "error": "Runner.Stopped", "cause": "why"}
    stub.add_response("stop_execution", {"stopDate": WHEN}, asked)
    executions.stop(ARN, "why")
    stub.add_client_error("stop_execution", "ExecutionDoesNotExist")
    executions.stop(ARN, "why")


def test_redrive(executions: Executions, clients: Clients) -> None:
    stub = clients.stubs["stepfunctions"]
    asked = {"executionArn": ARN, "clientToken": "t"}
    stub.add_response("redrive_execution", {"redriveDate": WHEN}, asked)
    executions.redrive(ARN, "t")
    stub.add_client_error("redrive_execution", "ExecutionNotRedrivable", "too old")
    with pytest.raises(CloudRefused, match="run-1: too old"):
        executions.redrive(ARN, "t")


def test_list(executions: Executions, clients: Clients) -> None:
    stub = clients.stubs["stepfunctions"]
    one = {"executionArn": ARN, "stateMachineArn": MACHINE, "name": "run-1", "startDate": WHEN}
    page = {"executions": [{**one, "status": "RUNNING"}], "nextToken": "more"}
    asked = {"stateMachineArn": MACHINE, "maxResults": 100, "statusFilter": "RUNNING"}
    stub.add_response("list_executions", page, asked)
    found = executions.list("flights-prod-daily", "RUNNING")
    assert next(found).name == "run-1"
    stub.add_response("list_executions", {"executions": []}, {**asked, "nextToken": "more"})
    assert list(found) == []
    stub.add_client_error("list_executions", "StateMachineDoesNotExist")
    assert list(executions.list("flights-prod-daily")) == []


def test_definition(executions: Executions, clients: Clients) -> None:
    stub = clients.stubs["stepfunctions"]
    answer = {
        "stateMachineArn": MACHINE,
        "name": "flights-prod-daily",
        "definition": "{}",
        "roleArn": "arn:aws:iam::123456789012:role/x",
        "type": "STANDARD",
        "creationDate": WHEN,
    }
    stub.add_response("describe_state_machine", answer, {"stateMachineArn": MACHINE})
    assert executions.definition("flights-prod-daily") == "{}"
    stub.add_client_error("describe_state_machine", "StateMachineDoesNotExist")
    assert executions.definition("flights-prod-daily") is None


def test_stop_of_a_statement(executions: Executions, clients: Clients) -> None:
    stub = clients.stubs["athena"]
    stub.add_response("stop_query_execution", {}, {"QueryExecutionId": "q-1"})
    assert executions.stop_query("q-1") is True
    stub.add_client_error("stop_query_execution", "InvalidRequestException", "ended")
    assert executions.stop_query("q-1") is False
    stub.add_client_error("stop_query_execution", "AccessDeniedException", "no")
    with pytest.raises(CloudRefused, match="stop the statement q-1"):
        executions.stop_query("q-1")


def line(number: int, second: int) -> dict[str, Any]:
    millis = int((WHEN + dt.timedelta(seconds=second)).timestamp() * 1000)
    return {"eventId": f"e{number}", "timestamp": millis, "message": f"m{number}\n"}


def test_logs_are_read_on_from_the_newest_line(clients: Clients) -> None:
    stub = clients.stubs["logs"]
    group = Group(clients, "/aws/lambda/x", WHEN, "ERROR")  # type: ignore[arg-type] # as above
    since = int(WHEN.timestamp() * 1000)
    asked = {"logGroupName": "/aws/lambda/x", "filterPattern": "ERROR"}
    first = {**asked, "startTime": since}
    page = {"events": [line(1, 1)], "nextToken": "more"}
    stub.add_response("filter_log_events", page, first)
    stub.add_response("filter_log_events", {"events": [line(2, 5)]}, {**first, "nextToken": "more"})
    assert [one.message for one in group.read()] == ["m1", "m2"]
    later = {**asked, "startTime": since + 5000}
    stub.add_response("filter_log_events", {"events": [line(2, 5), line(3, 5)]}, later)
    assert [one.message for one in group.read()] == ["m3"]


def test_a_log_group_may_be_missing(clients: Clients) -> None:
    stub = clients.stubs["logs"]
    group = Group(clients, "/aws/lambda/x", WHEN)  # type: ignore[arg-type] # as above
    stub.add_client_error("filter_log_events", "ResourceNotFoundException")
    assert list(group.read()) == []
    assert group.missing
    stub.add_response("filter_log_events", {"events": []}, {"logGroupName": ANY, "startTime": ANY})
    assert list(group.read()) == []
    assert not group.missing
    stub.add_client_error("filter_log_events", "AccessDeniedException", "no")
    with pytest.raises(CloudRefused, match="read the log group /aws/lambda/x"):
        list(group.read())


def test_a_history_is_read_page_by_page(executions: Executions, clients: Clients) -> None:
    asked = {"executionArn": ARN, "maxResults": 1000, "includeExecutionData": True}
    events = [{"timestamp": WHEN, "type": "ExecutionStarted", "id": n} for n in (1, 2)]
    stub = clients.stubs["stepfunctions"]
    stub.add_response(
        "get_execution_history", {"events": events[:1], "nextToken": "more"}, dict(asked)
    )
    stub.add_response(
        "get_execution_history", {"events": events[1:]}, asked | {"nextToken": "more"}
    )
    assert [event["id"] for event in executions.events(ARN)] == [1, 2]
