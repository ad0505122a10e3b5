"""How a workflow ended, in words that say what to do."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.notification import ended_event
from runner.functions.notify import handler as function
from runner.functions.notify.causes import Reason, explain
from runner.functions.notify.delivery import read_targets
from runner.functions.notify.message import link
from runner.local.runs import Run, RunEnd, RunStatus
from runner.machine.query import compile_query
from tests.machine.test_quick import env
from tests.support.definitions import compiled
from tests.support.stand_ins import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stand_ins import StandIn

ARN = "arn:aws:states:eu-west-1:123456789012:execution:shop-prod-daily:run-7"
LOOK = (
    "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1"
    f"#/v2/executions/details/{ARN}"
)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    for name in ("TOPIC_ARN", "SECRET_ARN", "TELL", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-prod-builtin-notify")
    with served(lambda _: (200, "ok")) as stand_in:
        monkeypatch.setenv("WEBHOOK_URL", stand_in.url)
        forget()
        yield stand_in
        forget()


def forget() -> None:
    read_targets.cache_clear()
    function.names.cache_clear()


def tell(event: dict[str, Any], hook: StandIn) -> list[str]:
    """Give the lines of what the webhook got; none if it got nothing."""
    before = len(hook.requests)
    function.handler(event, None)
    wire = read_targets().wire
    assert wire is not None
    wire.close()
    return [
        line for one in hook.requests[before:] for line in json.loads(one.body)["text"].splitlines()
    ]


def ended(status: str = "FAILED", **detail: Any) -> dict[str, Any]:  # noqa: ANN401 - EventBridge's
    """Write EventBridge's event, with the fields that its documentation shows."""
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2024-05-06T03:10:00Z",
        "region": "eu-west-1",
        "resources": [ARN],
        "detail": {
            "executionArn": ARN,
            "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-prod-daily",
            "name": "run-7",
            "status": status,
            "input": '{"start": "2024-05-05", "end": "2024-05-05"}',
            "inputDetails": {"included": True},
            "output": None,
            "error": None,
            "cause": None,
            **detail,
        },
    }


def test_failed_steps_are_told_one_by_one(hook: StandIn) -> None:
    cause = (
        "raw.clicks failed: COLUMN_NOT_FOUND: line 3:8; see the file; marts.daily failed: "
        "tests failed: unique(dt); staging.clicks skipped (upstream failed); loads skipped "
        "(upstream failed)"
    )
    assert tell(ended(error="Runner.StepsFailed", cause=cause), hook) == [
        "daily failed (2024-05-05)",
        "Workflow: daily, environment prod, failed",
        "Window: 2024-05-05",
        "Execution: run-7",
        "",
        "Why:",
        "  raw.clicks: COLUMN_NOT_FOUND: line 3:8; see the file",
        "  marts.daily: tests failed: unique(dt)",
        "  skipped, for they read what failed: staging.clicks, loads",
        "",
        f"Look: {LOOK}",
        "Ask more: runner executions run-7 --env prod",
        (
            "When the cause is gone: runner redrive run-7 --env prod"
            "  (it writes what failed or was skipped, in the same window)"
        ),
    ]


@pytest.mark.parametrize(
    ("status", "error", "cause", "expected"),
    [
        ("TIMED_OUT", "States.Timeout", "", ("", "it took longer than it may")),
        ("ABORTED", "", "", ("", "somebody stopped it")),
        ("ABORTED", "", "wrong day", ("", "somebody stopped it: wrong day")),
        ("FAILED", "", "", ("", "nothing more is known")),
        (
            "FAILED",
            "InvalidInput",
            '{"errorMessage": "no such date: 2024-02-30", "errorType": "InvalidInput"}',
            ("", "InvalidInput: no such date: 2024-02-30"),
        ),
        (
            "FAILED",
            "States.Runtime",
            (
                "An error occurred while executing the state 'begin' (entered at the event id #2). "
                "The JSONPath '$.x' could not be found"
            ),
            (
                "begin",
                (
                    "the definition met a value that it cannot work with: "
                    "The JSONPath '$.x' could not be found"
                ),
            ),
        ),
        (
            "FAILED",
            "States.TaskFailed",
            json.dumps({"Error": "E", "Cause": json.dumps({"errorMessage": "deep down"})}),
            ("", "States.TaskFailed: deep down"),
        ),
        (
            "FAILED",
            "States.TaskFailed",
            '{"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": "no table"}}}',
            ("", "States.TaskFailed: no table"),
        ),
        ("FAILED", "E", "{not json", ("", "E: {not json")),
        ("FAILED", "E", '{"a": 1}', ("", 'E: {"a": 1}')),
    ],
)
def test_other_ends_are_put_into_plain_words(
    status: str, error: str, cause: str, expected: tuple[str, str]
) -> None:
    assert explain(status, error, cause).reasons == (Reason(*expected),)


def test_what_a_definition_says_is_what_is_read() -> None:
    """The cause is computed by the definition's own expression."""
    results = [
        {"name": "raw.a", "status": "succeeded"},
        {"name": "raw.b", "status": "failed", "message": 'no; {"x": 1}'},
        {"name": "marts.c", "status": "skipped"},
        {"name": "report", "status": "failed", "message": "late (upstream failed)"},
        {"name": "marts.d", "status": "skipped"},
    ]
    pause = {"pause": {"type": "wait", "duration": "1s"}}
    written = json.loads(compiled(steps=pause))["States"]["failed"]["Cause"]
    scope = env()
    scope.variables = {"results": results}
    cause = compile_query(written.removeprefix("{%").removesuffix("%}").strip())(scope)
    found = explain("FAILED", "Runner.StepsFailed", str(cause))
    assert found.reasons == (
        Reason("raw.b", 'no; {"x": 1}'),
        Reason("report", "late (upstream failed)"),
    )
    assert found.skipped == ("marts.c", "marts.d")


def test_no_cause_stops_a_message() -> None:
    random = Random(11)  # noqa: S311 - the same each time
    pieces = [
        "a failed: ",
        "; ",
        "b skipped (upstream failed)",
        '{"Cause": "',
        "{",
        '"}',
        "ü\n",
        "[",
    ]
    for _ in range(300):
        cause = "".join(random.choices(pieces, k=random.randrange(9)))
        for error in ("Runner.StepsFailed", "E", ""):
            assert explain("FAILED", error, cause).reasons
    assert explain("FAILED", "E", '{"Cause":' * 50_000).reasons


def test_ends_that_aws_can_continue_say_so(hook: StandIn) -> None:
    lines = tell(ended("TIMED_OUT", input='{"scheduled_time": "2024-05-06T03:00:00Z"}'), hook)
    assert lines[:3] == [
        "daily timed out (the window of its schedule at 2024-05-06T03:00:00Z)",
        "Workflow: daily, environment prod, timed out",
        "Window: the window of its schedule at 2024-05-06T03:00:00Z",
    ]
    assert lines[-1] == (
        "When the cause is gone: runner redrive run-7 --env prod  (it goes on where it ended)"
    )


def test_the_event_may_come_through_a_topic_and_without_its_input(hook: StandIn) -> None:
    event = ended("ABORTED", input=None, inputDetails={"included": False})
    lines = tell({"Records": [{"Sns": {"Message": json.dumps(event)}}]}, hook)
    assert lines[0] == "daily aborted"
    assert not any(line.startswith("Window") for line in lines)


def test_the_event_of_a_local_run_is_the_same(hook: StandIn) -> None:
    at = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)
    window = {"start": "2024-05-05", "end": "2024-05-05"}
    run = Run("r1", "daily", window, at, Path("none"))
    lines = tell(ended_event(run, RunEnd(RunStatus.FAILED, at, "E", "no rows")), hook)
    assert lines[0] == "daily failed (2024-05-05)"
    assert "  E: no rows" in lines
    assert not any(line.startswith("Look") for line in lines)


def test_a_step_reports_what_was_done(hook: StandIn) -> None:
    results = [
        {"kind": "table", "status": "succeeded", "name": "marts.a", "result": {"rows": 1234}},
        {"kind": "load", "status": "succeeded", "name": "marts.a", "result": None},
        {"kind": "lambda", "status": "succeeded", "name": "report", "value": {"text": "all\nwell"}},
    ]
    event = {"workflow": "daily", "step": "tell", "start": "2024-05-05", "end": "2024-05-06"}
    assert tell({**event, "results": results, "text": "Good morning."}, hook) == [
        "daily done (2024-05-05 to 2024-05-06)",
        "Good morning.",
        "",
        "Workflow: daily, environment prod",
        "Window: 2024-05-05 to 2024-05-06",
        "",
        "  table   succeeded  marts.a  1,234 rows",
        "  load    succeeded  marts.a",
        "  lambda  succeeded  report",
        "    all",
        "    well",
    ]
    assert tell({**event, "subject": "Mine"}, hook)[0] == "Mine"


def test_a_step_tells_what_failed(hook: StandIn) -> None:
    results = [
        {"kind": "table", "status": "failed", "name": "raw.a", "error": "E", "message": "no.",
         "advice": "Mend it."},
        {"kind": "load", "status": "skipped", "name": "marts.a"},
    ]  # fmt: skip
    lines = tell({"workflow": "daily", "results": results}, hook)
    assert lines[0] == "daily failed"
    assert "  raw.a: no. Mend it." in lines
    assert "  skipped, for they read what failed: marts.a" in lines
    assert lines[-1] == "When the cause is gone: runner redrive --env prod"


def test_what_went_well_need_not_be_told(hook: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELL", "failures")
    assert tell(ended("SUCCEEDED"), hook) == []
    assert tell({"workflow": "daily", "results": []}, hook) == []
    assert tell(ended(), hook)[0] == "daily failed (2024-05-05)"
    monkeypatch.setenv("TELL", "sometimes")
    with pytest.raises(ValueError, match="TELL is 'sometimes'; expected always or failures"):
        tell(ended(), hook)


@pytest.mark.parametrize(
    ("own", "said", "expected"),
    [
        ("shop-prod-builtin-notify", "", ("shop-prod", "prod")),
        ("my-shop-dev-tell_people", "", ("my-shop-dev", "dev")),
        ("my-shop-dev-tell-people", "dev", ("my-shop-dev", "dev")),
        ("", "", ("", "prod")),
        ("", "stage", ("", "stage")),
    ],
)
@pytest.mark.usefixtures("hook")
def test_the_environment_is_found_in_the_functions_name(
    own: str, said: str, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", own)
    monkeypatch.setenv("ENVIRONMENT", said)
    assert function.names() == expected


def test_other_partitions_have_consoles_of_their_own() -> None:
    assert link(ARN.replace("aws:states:eu-west-1", "aws-cn:states:cn-north-1")).startswith(
        "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#"
    )


@pytest.mark.parametrize("event", [{}, {"a": 1}, {"Records": [{"Sns": {"Message": "hello"}}]}])
@pytest.mark.usefixtures("hook")
def test_other_events_are_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="found "):
        function.handler(event, None)
