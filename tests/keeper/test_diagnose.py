"""Why something failed, in plain words, and whether to try again (SEMANTICS 6; pains 10, 18)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.keeper.diagnose import explain
from runner.keeper.faults import LeaseLost
from tests.support.lake import ARN, Lake, Turn, insert_spec


def query(reason: str | None, state: str = "FAILED", **error: object) -> dict[str, Any]:
    status: dict[str, Any] = {"State": state, "AthenaError": error}
    if reason is not None:
        status["StateChangeReason"] = reason
    return {"QueryExecutionId": "q", "Query": "SELECT 1 -- Access Denied", "Status": status}


def failed(reason: str | None, state: str = "FAILED", **error: object) -> tuple[str, str]:
    return "States.TaskFailed", json.dumps(query(reason, state, **error))


def thrown(kind: str, message: str) -> tuple[str, str]:
    cause = {"errorMessage": message, "errorType": kind, "stackTrace": []}
    return kind, json.dumps(cause)


HOPELESS = [
    (failed("SYNTAX_ERROR: line 3:8: mismatched input"), "Correct the SQL"),
    (failed("COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"), "Correct the column"),
    (failed("TABLE_NOT_FOUND: line 1:15: Table 'a.b' does not exist"), "Make the table first"),
    (failed("TYPE_MISMATCH: line 1:1: Insert query has mismatched types"), "CAST the column"),
    (failed("HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100"), "Write fewer partitions"),
    (failed("ICEBERG_TOO_MANY_OPEN_PARTITIONS: Exceeded 100"), "Write fewer partitions"),
    (failed("MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target"), "rows share their keys"),
    (failed("Query exhausted resources at this scale factor"), "Narrow the window or split"),
    (failed("Query timeout"), "Narrow the window"),
    (failed("Bytes scanned limit was exceeded", "CANCELLED"), "Narrow the window"),
    (failed("Query cancelled by user", "CANCELLED"), "Somebody cancelled"),
    (failed(None, "CANCELLED"), "Somebody cancelled"),
    (failed("Access Denied (Service: Amazon S3; Status Code: 403)"), "Give the role"),
    (failed("HIVE_METASTORE_ERROR: Invalid range of projected column dt"), "projection"),
    (failed("CONSTRAINT_VIOLATION: Injected projected partition column"), "by equality"),
    (failed("Something new", ErrorType=1110), "Make the table first"),
    (failed("FAILED: ParseException line 3:4 mismatched input 'more'", ErrorType=1003), "line"),
    (failed("FAILED: SemanticException Table t does not exist", ErrorType=1003), "as Athena says"),
    (
        failed("FAILED: Execution Error, return code 1. Unable to alter", ErrorType=1003),
        "as Athena",
    ),
    (failed("Schema is broken", ErrorType=1004), "columns"),
    (failed("Queries of that kind", ErrorType=1202), "in a way that Athena supports"),
    (failed("VIEW_IS_STALE: line 1:15: View 'v' is stale", ErrorType=1107), "the view again"),
    (failed(None, ErrorType=1501, ErrorMessage="No lakeformation grant"), "Give the role"),
    (("States.Timeout", ""), "Narrow the window"),
    (("States.DataLimitExceeded", ""), "256 KiB"),
    (("States.QueryEvaluationError", "x"), "please report"),
    (("Athena.InvalidRequestException", "Only one sql statement is allowed"), "refused"),
    (("Glue.AccessDeniedException", "User: x is not authorized to perform: glue:"), "the role"),
    (thrown("TestsFailed", "marts.daily: unique: dt: 2 offending"), "runner preview"),
    (thrown("RowsOutsideWindow", "x"), "{{ start }}"),
    (thrown("SchemaChanged", "x"), "--full-refresh"),
    (thrown("LeaseHeld", "x"), "other run"),
    (thrown("StorageError", "objects cannot be deleted: k: AccessDenied x"), "Give the role"),
]
PASSING = [
    failed("GENERIC_INTERNAL_ERROR: try again"),
    failed("HIVE_PATH_ALREADY_EXISTS: Target directory exists"),
    failed("HIVE_METASTORE_ERROR: Rate exceeded (Service: AWSGlue; ThrottlingException)"),
    failed("HIVE_CANNOT_OPEN_SPLIT: Please reduce your request rate. (SlowDown)"),
    failed(None),
    failed("ICEBERG_COMMIT_ERROR: Failed to commit", ErrorType=233),
    failed("FAILED: Execution Error. ConcurrentModificationException", ErrorType=1003),
    failed("FAILED: MetaException(message:InternalServiceException)", ErrorType=1003),
    failed("FAILED: SemanticException Rate exceeded (ThrottlingException)", ErrorType=1003),
    failed("FAILED: something that the status calls passing", ErrorType=1003, Retryable=True),
    thrown("LeaseLost", "the lease is held by arn:b"),
    thrown("PromotionFailed", "x"),
    thrown("ClientError", "An error occurred (NoSuchKey) when calling CopyObject"),
    thrown("Sandbox.Timedout", "Task timed out after 900.00 seconds"),
    ("Lambda.TooManyRequestsException", "Rate Exceeded."),
    ("Glue.ConcurrentModificationException", "Update table failed due to concurrent"),
    ("States.TaskFailed", ""),
]


@pytest.mark.parametrize(("failure", "advice"), HOPELESS)
def test_semantics_6_hopeless_failures_fail_at_once_with_advice(
    failure: tuple[str, str], advice: str
) -> None:
    found = explain(*failure)
    assert not found.retry
    assert advice in found.advice


@pytest.mark.parametrize("failure", PASSING)
def test_semantics_6_other_failures_are_tried_again(failure: tuple[str, str]) -> None:
    found = explain(*failure)
    assert found.retry
    assert found.advice == ""
    assert found.message


TASK = {
    "TaskArn": "arn:aws:ecs:task",
    "StopCode": "EssentialContainerExited",
    "StoppedReason": "Essential container in task exited",
    "Containers": [
        {"Name": "load", "ExitCode": 1},
        {"Name": "side", "ExitCode": 0},
        {"Reason": "OutOfMemoryError: Container killed due to memory usage"},
    ],
}


@pytest.mark.parametrize(
    ("error", "cause", "message"),
    [
        (*failed("SYNTAX_ERROR: x"), "SYNTAX_ERROR: x"),
        (
            "States.TaskFailed",
            json.dumps({"QueryExecution": query("SYNTAX_ERROR: outer key")}),
            "SYNTAX_ERROR: outer key",
        ),
        (*failed(None, ErrorMessage="the message"), "the message"),
        (*failed(None), "the query is FAILED"),
        ("States.TaskFailed", '{"Status": {"State": "FAILED"}}', "the query is FAILED"),
        (*thrown("TestsFailed", "marts.daily: 2"), "TestsFailed: marts.daily: 2"),
        (
            "States.TaskFailed",
            json.dumps(TASK),
            "Essential container in task exited; load: exit status 1; container: OutOfMemoryError",
        ),
        ("States.TaskFailed", '{"StopCode": "SpotInterruption", "Containers": null}', "SpotInterr"),
        ("States.TaskFailed", '{"Containers": []}', "the task stopped"),
        ("Some.Error", "plain words", "Some.Error: plain words"),
        ("Some.Error", "[1, 2]", "Some.Error: [1, 2]"),
        ("Some.Error", "", "Some.Error"),
        ("Some.Error", '{"Status": "no query"}', 'Some.Error: {"Status": "no query"}'),
        (
            "States.TaskFailed",
            '{"Query": "SELECT", "Status": {"StateChangeReason": "TYPE_MISMATCH: \\"a\\"", "Cut',
            'States.TaskFailed: TYPE_MISMATCH: "a"',
        ),
    ],
)
def test_messages_are_those_of_whoever_failed(error: str, cause: str, message: str) -> None:
    assert explain(error, cause).message.startswith(message)


def test_long_messages_are_cut_after_they_were_understood() -> None:
    found = explain(*failed("x" * 1000 + " Access Denied"))
    assert not found.retry
    assert len(found.message) == 600
    assert found.message.endswith("...")


def diagnose(lake: Lake, attempt: int, error: str, cause: str = "") -> dict[str, Any]:
    return Turn(lake, insert_spec(), attempt=attempt).call(
        "diagnose",
        error=error,
        cause=cause,
        max_attempts=3,
        interval=10,
        backoff=2.0,
        max_delay=15,
    )


@pytest.mark.parametrize(("attempt", "wait"), [(1, 10), (2, 15)])
def test_a_passing_failure_waits_longer_each_time_and_keeps_the_lease(
    lake: Lake, attempt: int, wait: int
) -> None:
    Turn(lake, insert_spec(), attempt=attempt).prepare()
    assert diagnose(lake, attempt, *failed("GENERIC_INTERNAL_ERROR")) == {
        "retry": True,
        "split": 1,
        "wait": wait,
        "kind": "passing",
        "message": "GENERIC_INTERNAL_ERROR",
        "advice": "It is tried again from a new stage.",
    }
    assert len(lake.keys("_runner/leases/")) == 1


@pytest.mark.parametrize(
    ("attempt", "error", "advice"),
    [
        (3, "States.TaskFailed", "When the cause is gone, continue with `runner redrive`."),
        (1, "WindowTooLarge", "Run `runner backfill` for a window of this size."),
    ],
)
def test_a_final_failure_gives_the_lease_back(
    lake: Lake, attempt: int, error: str, advice: str
) -> None:
    Turn(lake, insert_spec(), attempt=attempt).prepare()
    found = diagnose(lake, attempt, error)
    assert (found["retry"], found["advice"]) == (False, advice)
    assert lake.keys("_runner/leases/") == []


def test_a_final_failure_spares_the_lease_of_another_execution(lake: Lake) -> None:
    lake.running.add(ARN + "other")
    Turn(lake, insert_spec(), execution=ARN + "other").prepare()
    diagnose(lake, 1, "LeaseHeld")
    assert len(lake.keys("_runner/leases/")) == 1
    with pytest.raises(LeaseLost):
        Turn(lake, insert_spec()).call("publish", chunk={"start": "x", "end": "x"})


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (("States.TaskFailed", json.dumps(TASK)), "Give the task more memory"),
        (("Boom", "x"), "When the cause is gone, continue with `runner redrive`."),
    ],
)
def test_other_steps_are_explained_without_a_promise_to_try_again(
    lake: Lake, failure: tuple[str, str], advice: str
) -> None:
    event = {"error": failure[0], "cause": failure[1]}
    found = Turn(lake, insert_spec()).call("explain", **event)
    assert sorted(found) == ["advice", "message"]
    assert advice in found["advice"]


def test_what_was_only_interrupted_is_tried_again_at_once() -> None:
    reason = "GENERIC_INTERNAL_ERROR: the process that ran the query is gone"
    cause = json.dumps({"Status": {"State": "FAILED", "StateChangeReason": reason}})
    found = explain("States.TaskFailed", cause)
    assert (found.retry, found.at_once) == (True, True)
    assert not explain("States.TaskFailed", "something else").at_once
