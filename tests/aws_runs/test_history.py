"""GetExecutionHistory as events: nothing twice, states found, children followed, cuts survived."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from runner.aws.history import Histories, History
from runner.errors import CloudRefused
from runner.machine import Event, EventKind
from tests.support.histories import Written, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_stepfunctions import SFNClient

ARN = "arn:aws:states:us-east-1:123456789012:execution:flights-prod-daily:run-1"
ERRORS = boto3.client("stepfunctions", region_name="us-east-1").exceptions
CHILD = "arn:aws:states:us-east-1:123456789012:execution:flights-prod-daily-tables-1-1:run-1"


@contextmanager
def answering() -> Iterator[tuple[SFNClient, Stubber]]:
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client: SFNClient = boto3.client("stepfunctions", region_name="us-east-1", **keys)
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()
    client.close()


def page(stubber: Stubber, answer: dict[str, Any], token: str = "", arn: str = ARN) -> None:
    asked: dict[str, Any] = {"executionArn": arn, "maxResults": 500, "includeExecutionData": True}
    if token:
        asked["nextToken"] = token
    stubber.add_response("get_execution_history", answer, asked)


def told(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind.value, event.state) for event in events]


def test_a_task_is_told_with_the_name_of_its_state() -> None:
    written = Written()
    written.start({"start": "2013-01-01"})
    written.keeper("begin", {"selected": ["a.b"]})
    written.end("Succeeded", output="{}")
    with answering() as (client, stubber):
        page(stubber, pages(written.events, 500)[0])
        history = History(client, ARN)
        events = list(history.read())
    assert told(events) == [
        ("execution_started", ""),
        ("state_entered", "begin"),
        ("task_scheduled", "begin"),
        ("task_succeeded", "begin"),
        ("state_exited", "begin"),
        ("execution_ended", ""),
    ]
    assert events[0].data == {"input": {"start": "2013-01-01"}}
    assert events[3].data["result"]["Payload"] == {"selected": ["a.b"]}
    assert events[3].data["resource"] == "lambda:invoke"
    assert events[3].time.isoformat() == "2026-11-24T08:00:05+00:00"
    assert events[5].data["status"] == "SUCCEEDED"
    assert history.ended


def test_branches_of_a_parallel_state_are_told_apart() -> None:
    """The event before a task's is another branch's; only previousEventId knows."""
    written = Written()
    written.start({})
    written.enter("wave", "Parallel")
    fork = written.add("ParallelStateStarted")
    one = written.enter("a.x insert", previous=fork)
    two = written.enter("a.y insert", previous=fork)
    kind: dict[str, Any] = {"resourceType": "athena", "resource": "startQueryExecution.sync"}
    first = written.add("TaskScheduled", one, **kind, region="r", parameters="{}")
    written.add("TaskScheduled", two, **kind, region="r", parameters="{}")
    written.add("TaskFailed", first, **kind, error="States.TaskFailed", cause="no")
    with answering() as (client, stubber):
        page(stubber, pages(written.events, 500)[0])
        events = list(History(client, ARN).read())
    assert told(events)[-3:] == [
        ("task_scheduled", "a.x insert"),
        ("task_scheduled", "a.y insert"),
        ("task_failed", "a.x insert"),
    ]
    assert events[-1].data["cause"] == "no"


def test_following_reads_only_the_page_that_was_not_full() -> None:
    written = Written()
    written.start({})
    for name in ("a", "b", "c", "d"):
        written.enter(name, "Pass")
    before, after = pages(written.events[:3], 2), pages(written.events, 2)
    with answering() as (client, stubber):
        page(stubber, before[0])
        page(stubber, before[1], "page-2")
        history = History(client, ARN)
        assert [event.state for event in history.read()] == ["", "a", "b"]
        page(stubber, after[1], "page-2")
        page(stubber, after[2], "page-3")
        assert [event.state for event in history.read()] == ["c", "d"]
        page(stubber, after[2], "page-3")
        assert list(history.read()) == []


@given(
    size=st.integers(1, 7),
    grown=st.lists(st.integers(0, 9), min_size=1, max_size=8),
)
def test_every_event_is_told_once_and_in_order(size: int, grown: list[int]) -> None:
    """However a history is cut into pages, and however it grows between two reads."""
    written = Written()
    written.start({})
    for number in range(sum(grown)):
        written.enter(f"s{number}", "Pass")

    class Paged:
        """The one call, over what can be seen so far."""

        shown = 1
        exceptions = ERRORS

        def get_execution_history(self, *, nextToken: str = "0", **_: object) -> dict[str, Any]:  # noqa: N803
            first = int(nextToken)
            events = written.events[: self.shown][first : first + size]
            more = {"nextToken": str(first + size)} if len(events) == size else {}
            return {"events": events, **more}

    client = Paged()
    history = History(client, ARN)  # type: ignore[arg-type] # the one call of it that is made
    seen = [event.state for event in history.read()]
    for more in grown:
        client.shown += more
        seen += [event.state for event in history.read()]
    assert seen == ["", *(f"s{number}" for number in range(sum(grown)))]


def test_a_token_that_expired_means_to_skip_what_is_known() -> None:
    written = Written()
    written.start({})
    for name in ("a", "b", "c"):
        written.enter(name, "Pass")
    with answering() as (client, stubber):
        page(stubber, pages(written.events[:3], 2)[0])
        page(stubber, pages(written.events[:3], 2)[1], "page-2")
        history = History(client, ARN)
        assert len(list(history.read())) == 3
        stubber.add_client_error("get_execution_history", "InvalidToken")
        page(stubber, pages(written.events, 500)[0])
        assert [event.state for event in history.read()] == ["c"]


def test_an_execution_that_is_not_seen_everywhere_yet_has_no_events() -> None:
    with answering() as (client, stubber):
        stubber.add_client_error("get_execution_history", "ExecutionDoesNotExist")
        assert list(History(client, ARN).read()) == []


def test_a_refusal_is_said_with_what_was_wanted() -> None:
    with answering() as (client, stubber):
        stubber.add_client_error("get_execution_history", "AccessDeniedException", "no")
        with pytest.raises(CloudRefused, match="read the history of the execution"):
            list(History(client, ARN).read())


def test_a_payload_that_was_cut_is_no_payload() -> None:
    written = Written()
    written.start({})
    written.called("begin", "lambda", "invoke")
    written.answered("begin", "lambda", "invoke", '{"Payload": {"selected": ["a.')
    with answering() as (client, stubber):
        page(stubber, pages(written.events, 500)[0])
        events = list(History(client, ARN).read())
    (answer,) = [event for event in events if event.kind is EventKind.TASK_SUCCEEDED]
    assert answer.data["result"] is None


@pytest.mark.parametrize(
    ("kind", "what", "details"),
    [
        ("TaskTimedOut", "task_timed_out", {"error": "States.Timeout"}),
        ("TaskSubmitFailed", "task_failed", {"error": "Athena.TooManyRequestsException"}),
        ("TaskStartFailed", "task_failed", {"error": "X"}),
        ("LambdaFunctionFailed", "task_failed", {"error": "ValueError"}),
        ("LambdaFunctionTimedOut", "task_timed_out", {"error": "States.Timeout"}),
    ],
)
def test_every_way_to_fail_is_told(kind: str, what: str, details: dict[str, str]) -> None:
    written = Written()
    written.start({})
    written.enter("a.x insert")
    called: dict[str, Any] = (
        {} if kind.startswith("Lambda") else {"resourceType": "athena", "resource": "x"}
    )
    written.add(kind, **(called | details))
    with answering() as (client, stubber):
        page(stubber, pages(written.events, 500)[0])
        last = list(History(client, ARN).read())[-1]
    assert (last.kind.value, last.state, last.data["error"]) == (
        what,
        "a.x insert",
        details["error"],
    )


def test_an_expression_that_fails_is_told_of_its_own_state() -> None:
    written = Written()
    written.start({})
    written.enter("a.x insert")
    details: dict[str, Any] = {
        "error": "States.QueryEvaluationError",
        "cause": "c",
        "location": "Arguments",
    }
    written.add("EvaluationFailed", **details, state="a.x insert")
    with answering() as (client, stubber):
        page(stubber, pages(written.events, 500)[0])
        last = list(History(client, ARN).read())[-1]
    assert (last.kind, last.state) == (EventKind.TASK_FAILED, "a.x insert")


def test_a_redriven_execution_goes_on() -> None:
    written = Written()
    written.start({})
    written.end("Aborted", error="Runner.Stopped", cause="c")
    with answering() as (client, stubber):
        page(stubber, pages(written.events, 500)[0])
        history = History(client, ARN)
        (_, end) = history.read()
        assert (history.ended, end.data["status"]) == (True, "ABORTED")
        written.add("ExecutionRedriven", redriveCount=1)
        page(stubber, pages(written.events, 500)[0])
        (again,) = history.read()
        assert (history.ended, again.kind) == (False, EventKind.EXECUTION_RESUMED)


def test_executions_that_it_starts_are_read_as_well() -> None:
    parent, child = Written(), Written()
    parent.start({})
    parent.called("tables wave 1 part 1 execute", "states", "startExecution.sync:2")
    started = json.dumps({"ExecutionArn": CHILD, "StartDate": 1764000000000})
    kind: dict[str, Any] = {"resourceType": "states", "resource": "startExecution.sync:2"}
    parent.add("TaskSubmitted", **kind, output=started)
    child.began = parent.events[-1]["timestamp"]
    child.start({})
    child.enter("staging.flights fail", "Pass")
    child.end("Failed", error="E", cause="C")
    parent.add("TaskFailed", **kind, error="States.TaskFailed", cause="{}")
    parent.events[-1]["timestamp"] += dt.timedelta(seconds=9)  # once the child had ended
    with answering() as (client, stubber):
        page(stubber, pages(parent.events, 500)[0])
        page(stubber, pages(child.events, 500)[0], arn=CHILD)
        both = Histories(History(client, ARN))
        events = both.read()
        assert both.children == (CHILD,)
        assert not both.ended
        states = [event.state for event in events if event.kind is not EventKind.EXECUTION_ENDED]
        assert states[-2:] == ["staging.flights fail", "tables wave 1 part 1 execute"]
        assert both.open == 1  # the child has ended and is not read again
        page(stubber, pages(parent.events, 500)[0])
        assert both.read() == []


def test_executions_of_other_machines_are_left_alone() -> None:
    other = CHILD.replace("-daily-tables-1-1", "-daily_report")
    written = Written()
    written.start({})
    written.called("other call", "states", "startExecution.sync:2")
    kind: dict[str, Any] = {"resourceType": "states", "resource": "startExecution.sync:2"}
    written.add("TaskSubmitted", **kind, output=json.dumps({"ExecutionArn": other}))
    with answering() as (client, stubber):
        page(stubber, pages(written.events, 500)[0])
        both = Histories(History(client, ARN), frozenset())
        both.read()
        assert both.children == ()
