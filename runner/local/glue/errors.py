"""Refusals of the catalogue, named as Glue names them."""

from __future__ import annotations

import uuid
from typing import Any


class GlueError(Exception):
    """A refusal of Glue, with the `response` that botocore's ClientError carries."""

    def __init__(self, code: str, message: str, *, operation: str = "") -> None:
        """Take Glue's exception name (`EntityNotFoundException`) and message."""
        self.code = code
        self.message = message
        self.operation_name = operation
        self.response: dict[str, Any] = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": str(uuid.uuid4())},
        }
        super().__init__(code, message)

    def __str__(self) -> str:
        """Write it as botocore does."""
        return (
            f"An error occurred ({self.code}) when calling the {self.operation_name} operation: "
            f"{self.message}"
        )

    def cause(self) -> str:
        """Write the message as Step Functions' Cause does."""
        request = self.response["ResponseMetadata"]["RequestId"]
        return f"{self.message} (Service: Glue, Status Code: 400, Request ID: {request})"

    def detail(self) -> dict[str, str]:
        """Give the `ErrorDetail` that stands in the `Errors` of a batch."""
        return {"ErrorCode": self.code, "ErrorMessage": self.message}


def not_found(message: str) -> GlueError:
    """Make the refusal of a missing database, table or partition."""
    return GlueError("EntityNotFoundException", message)


def already_exists(message: str) -> GlueError:
    """Make the refusal of something that is already there."""
    return GlueError("AlreadyExistsException", message)


def invalid(message: str) -> GlueError:
    """Make the refusal of a request that Glue itself finds wrong."""
    return GlueError("InvalidInputException", message)


def malformed(violations: list[str]) -> GlueError:
    """Make the refusal of a request that breaks the service model's limits."""
    count = len(violations)
    start = f"{count} validation error{'s' if count > 1 else ''} detected: "
    return GlueError("ValidationException", start + "; ".join(violations))


def limit_exceeded(message: str) -> GlueError:
    """Make the refusal of more than Glue keeps."""
    return GlueError("ResourceNumberLimitExceededException", message)


def modified_concurrently() -> GlueError:
    """Make the refusal of a stale VersionId."""
    return GlueError(
        "ConcurrentModificationException",
        "Update table failed due to concurrent modifications.",
    )
