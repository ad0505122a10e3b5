"""Cryptic errors as people met them, and what to do about each.

Messages are from Athena's troubleshooting pages, from ECS's stopped-task errors, and from issues
of other tools: dbt-athena, metaflow, PyAthena's users, aws-sdk-pandas, awslabs.
"""

from __future__ import annotations

import json

import pytest

from runner.keeper.causes import (
    CATALOGUE,
    EXHAUSTED,
    INTERRUPTED,
    PASSING,
    PERMISSION,
    REFUSED,
    THROTTLED,
    USER,
)
from runner.keeper.diagnose import explain


def statement(reason: str, state: str = "FAILED") -> tuple[str, str]:
    execution = {"QueryExecutionId": "q", "Status": {"State": state, "StateChangeReason": reason}}
    return "States.TaskFailed", json.dumps({"QueryExecution": execution})


def task(reason: str, code: str = "TaskFailedToStart") -> tuple[str, str]:
    stopped = {"TaskArn": "arn:aws:ecs:task", "StopCode": code, "StoppedReason": reason}
    return "States.TaskFailed", json.dumps(stopped)


REFUSING = "Athena.InvalidRequestException"
HOPELESS = [
    (
        statement(
            "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for "
            "partitions/buckets"
        ),
        USER,
        "fewer partitions x buckets",
    ),
    (
        statement(
            "ICEBERG_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions"
        ),
        USER,
        "fewer partitions x buckets",
    ),
    (
        statement("Query exhausted resources at this scale factor"),
        EXHAUSTED,
        "Narrow the window or split the query",
    ),
    (
        statement(
            "CONSTRAINT_VIOLATION: For the injected projected partition column tenant, the WHERE "
            "clause must contain only static equality conditions"
        ),
        USER,
        "Filter an injected partition column by equality",
    ),
    (
        statement(
            "HIVE_METASTORE_ERROR: com.facebook.presto.spi.PrestoException: Database cannot "
            "be a link"
        ),
        USER,
        "read the database that it links to",
    ),
    (
        statement("INVALID_TABLE_PROPERTY: projection.dt.range is invalid"),
        USER,
        "Correct the table's properties",
    ),
    (
        (REFUSING, 'Only one sql statement is allowed. Got: DROP TABLE IF EXISTS "t"; create'),
        REFUSED,
        "write one statement",
    ),
    (
        (
            REFUSING,
            (
                "1 validation error detected: Value at 'queryString' failed to satisfy constraint: "
                "Member must have length less than or equal to 262144"
            ),
        ),
        REFUSED,
        "262,144 bytes",
    ),
    (
        (
            REFUSING,
            (
                "The Create Table As Select query failed because it was submitted with an "
                "'external_location' property to an Athena Workgroup that enforces a centralized "
                "output location for all queries."
            ),
        ),
        REFUSED,
        "let the workgroup not override",
    ),
    (
        (
            "ECS.InvalidParameterException",
            (
                "Container Overrides length must be at most 8192 (Service: AmazonECS; Status Code: "
                "400)"
            ),
        ),
        REFUSED,
        "put it into S3 and pass its address",
    ),
    (
        statement(
            "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            "MetaException(message:Insufficient Lake Formation permission(s): Required Create "
            "Database on Catalog (Service: AmazonDataCatalog; Status Code: 400; Error Code: "
            "AccessDeniedException))"
        ),
        PERMISSION,
        "Grant the role in Lake Formation",
    ),
    (
        statement("Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)"),
        PERMISSION,
        "Give the role the permission",
    ),
    (
        statement(
            "Permission denied on S3: User: arn:aws:sts::1:assumed-role/x is not authorized to "
            "perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/2"
        ),
        PERMISSION,
        "let the key's policy allow it",
    ),
    (
        statement("Bytes scanned limit was exceeded", "CANCELLED"),
        EXHAUSTED,
        "the workgroup's limit",
    ),
    (
        (
            "States.DataLimitExceeded",
            (
                "The state/task 'Members' returned a result with a size exceeding the maximum "
                "number of bytes service limit."
            ),
        ),
        USER,
        "256 KiB",
    ),
    (
        (
            "States.Runtime",
            "The execution reached the maximum number of history events (25000).",
        ),
        EXHAUSTED,
        "runner backfill",
    ),
    (("States.Timeout", ""), EXHAUSTED, "`timeout:`"),
    (
        task(
            "CannotPullContainerError: ref pull has been retried 1 time(s): failed to pull and "
            "unpack image: failed to resolve reference: unexpected status code 403 Forbidden"
        ),
        REFUSED,
        "Push the image",
    ),
    (
        task(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution "
            "resource retrieval failed: unable to retrieve ecr registry auth: service call has "
            "been retried 3 time(s): RequestError: send request failed"
        ),
        REFUSED,
        "execution role",
    ),
    (
        (
            "ECS.ClusterNotFoundException",
            "Cluster not found. (Service: AmazonECS; Error Code: ClusterNotFoundException)",
        ),
        REFUSED,
        "Deploy the environment",
    ),
    (
        ("States.TaskFailed", "Secrets Manager can't find the specified secret."),
        USER,
        "`secret:`",
    ),
    (
        ("Glue.GlueEncryptionException", "GlueEncryptionException: cannot decrypt"),
        PERMISSION,
        "kms:Decrypt",
    ),
    (
        (
            "Lambda.ResourceNotFoundException",
            "Function not found: arn:aws:lambda:eu-west-1:1:function:flights-prod-keeper",
        ),
        REFUSED,
        "Deploy the environment",
    ),
]
OFTEN_PASSING = [
    (
        statement(
            "HIVE_PATH_ALREADY_EXISTS: Target directory for table 'marts.t' already exists: "
            "s3://lake/x/. You may need to manually clean the data at location"
        ),
        PASSING,
        "something else that writes there",
    ),
    (
        statement("ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: marts.t"),
        CATALOGUE,
        "Another writer changed the table",
    ),
    (
        statement("ICEBERG_FILESYSTEM_ERROR: Cannot create a table on a non-empty location"),
        PASSING,
        "let nothing else write or delete files",
    ),
    (
        statement("HIVE_CURSOR_ERROR: Failed to read Parquet file: s3://lake/x.parquet"),
        PASSING,
        "removed or changed while it was read",
    ),
    (
        statement("HIVE_CANNOT_OPEN_SPLIT: Please reduce your request rate. (SlowDown)"),
        THROTTLED,
        "removed or changed|S3 asked for less",
    ),
    (
        (
            "Athena.TooManyRequestsException",
            "TooManyRequestsException: You have exceeded the limit",
        ),
        THROTTLED,
        "lower `concurrency`",
    ),
    (statement("GENERIC_INTERNAL_ERROR: null"), PASSING, "naming the query's id"),
    (task("Capacity is unavailable at this time. Please try again later"), PASSING, "other zones"),
    (task("Your Spot Task was interrupted.", "SpotInterruption"), PASSING, "run it again"),
    (
        ("Runtime.ExitError", '{"errorMessage": "RequestId: 1 Error: Runtime exited"}'),
        PASSING,
        "give it more",
    ),
]


@pytest.mark.parametrize(("failure", "kind", "advice"), HOPELESS)
def test_what_comes_again_fails_at_once_with_what_to_do(
    failure: tuple[str, str], kind: str, advice: str
) -> None:
    found = explain(*failure)
    assert (found.kind, found.retry, found.later) == (kind, False, "")
    assert advice in found.advice


@pytest.mark.parametrize(("failure", "kind", "later"), OFTEN_PASSING)
def test_what_often_passes_is_tried_again_and_says_what_to_do_if_it_does_not(
    failure: tuple[str, str], kind: str, later: str
) -> None:
    found = explain(*failure)
    assert (found.kind, found.retry, found.advice) == (kind, True, "")
    assert any(text in found.later for text in later.split("|"))


def test_an_execution_inside_another_is_explained_by_its_own_error() -> None:
    child = {
        "ExecutionArn": "arn:aws:states:eu-west-1:1:execution:flights-prod-daily-tables-1-1:run-1",
        "Status": "FAILED",
        "Error": "States.Timeout",
        "Cause": "",
    }
    found = explain("States.TaskFailed", json.dumps(child))
    assert (found.kind, found.message) == (EXHAUSTED, "execution run-1: States.Timeout")


def test_a_statement_that_somebody_cancelled() -> None:
    found = explain(*statement("Query cancelled by user", "CANCELLED"))
    assert (found.kind, found.advice) == (INTERRUPTED, "Somebody cancelled the query.")
