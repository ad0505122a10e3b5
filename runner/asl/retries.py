"""Retriers that every step of a kind has: only what is safe to do again in place (SEMANTICS 6).

Error names are those of `docs/reference/errors.md`: throttling and unknown outcomes of a
submission.  A query that ran and failed is never retried in place; its table's catcher decides.
"""

from __future__ import annotations

from typing import Any

from runner.asl.flow import retrier

KEEPER = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
)
_ATHENA = (
    "Athena.TooManyRequestsException",
    "Athena.ThrottlingException",
    "Athena.InternalServerException",
    "Athena.SdkClientException",
)
_GLUE = (
    "Glue.ThrottlingException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.SdkClientException",
)
_S3 = (
    "S3.S3Exception",
    "S3.SlowDownException",
    "S3.InternalErrorException",
    "S3.SdkClientException",
    "States.Timeout",
)
ECS = (
    "ECS.AmazonECSException",
    "ECS.ServerException",
    "ECS.ThrottlingException",
    "ECS.SdkClientException",
)
ECS_REFUSED = ("ECS.ThrottlingException",)
"""Those after which no task can have started."""

_JOBS = (
    "Glue.ConcurrentRunsExceededException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.ThrottlingException",
)
"""Those after which no run of a job can have started: a start has no token."""
_BUILDS = (
    "CodeBuild.AccountLimitExceededException",
    "CodeBuild.CodeBuildException",
    "CodeBuild.SdkClientException",
)
_RDS = ("Rds.RdsException", "Rds.SdkClientException", "States.Timeout")
"""Throttling is no error of the model: the SDK's general one says it, as it says other refusals."""
_EXECUTIONS = (
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.ThrottlingException",
    "StepFunctions.AWSStepFunctionsException",
    "StepFunctions.SdkClientException",
)


def athena() -> list[dict[str, Any]]:
    """Retry a submission that was throttled or whose outcome is unknown (same token)."""
    return [retrier(_ATHENA, interval_s=5, attempts=10)]


def athena_call() -> list[dict[str, Any]]:
    """Retry a call of Athena that waits for nothing: a time-out is an unknown outcome as well."""
    return [retrier((*_ATHENA, "States.Timeout"), interval_s=5, attempts=10)]


def s3() -> list[dict[str, Any]]:
    """Retry a look at an object that was throttled or went wrong on the way."""
    return [retrier(_S3, interval_s=2, attempts=6)]


def glue() -> list[dict[str, Any]]:
    """Retry a catalogue call that was throttled or whose outcome is unknown."""
    return [retrier(_GLUE, interval_s=2, attempts=6)]


def jobs() -> list[dict[str, Any]]:
    """Wait for room: a job of Glue runs so often at once, and no more."""
    return [retrier(_JOBS, interval_s=15, attempts=20, max_delay_s=300)]


def builds() -> list[dict[str, Any]]:
    """Retry the start of a build, which has a token, so that a repeat starts no second one."""
    return [retrier(_BUILDS, interval_s=5, attempts=6)]


def rds() -> list[dict[str, Any]]:
    """Retry a call of RDS; an export has a name of its own, so that a repeat starts no second."""
    return [retrier(_RDS, interval_s=5, attempts=6)]


def keeper() -> list[dict[str, Any]]:
    """Retry a call of the keeper: every operation of it may be repeated."""
    return [retrier(KEEPER, interval_s=2, attempts=6)]


def executions() -> list[dict[str, Any]]:
    """Retry a start of an execution: it has a name, so that a repeat starts no second one."""
    return [retrier(_EXECUTIONS, interval_s=5, attempts=10)]


def keeper_waiting(lease_wait_s: int, every_s: int = 15) -> list[dict[str, Any]]:
    """Retry like `keeper`, and wait for a lease that another run holds (SEMANTICS 7)."""
    attempts = max(1, lease_wait_s // every_s)
    lease = {
        "ErrorEquals": ["LeaseHeld"],
        "IntervalSeconds": every_s,
        "MaxAttempts": attempts,
        "BackoffRate": 1.0,
    }
    return [lease, *keeper()]
