"""The record of an execution, as GetQueryExecution gives it: made, ended, failed.

In: a request and what became of it.  Out: AWS's QueryExecution with ISO times, for the history.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.athena.classify import Classified
    from runner.local.athena.errors import AthenaFailure

MOST_BYTES = 262_144
"""Bytes of UTF-8 in a QueryString."""
MOST_PARAMETER = 1024
_TOKEN_LENGTHS = range(32, 129)
_UNKNOWN = ("DML", "")


class Terms(NamedTuple):
    """What a work group adds to a request."""

    location: str
    """Where results go; it wins over the request's."""
    scan_limit: int = 0
    """Bytes that a query may read; 0 for any number."""
    managed: bool = False
    """Whether Athena keeps the results: their place is not told."""
    central: bool = False
    """Whether a table may not choose its place, either."""
    results: Mapping[str, Any] | None = None
    """ResultConfiguration of the execution; the request's if None."""


def check_request(request: Mapping[str, Any]) -> None:
    """Refuse a StartQueryExecution that Athena does not take; raises InvalidRequest."""
    sql = request.get("QueryString")
    token = request.get("ClientRequestToken")
    if not isinstance(sql, str) or not sql.strip():
        raise InvalidRequest("QueryString is required")
    if len(sql.encode()) > MOST_BYTES:
        raise InvalidRequest(
            f"Query string too long: {len(sql.encode())} bytes; the limit is {MOST_BYTES}"
        )
    if token is not None and len(str(token)) not in _TOKEN_LENGTHS:
        raise InvalidRequest("ClientRequestToken must have between 32 and 128 characters")
    for parameter in request.get("ExecutionParameters") or ():
        if not 1 <= len(str(parameter)) <= MOST_PARAMETER:
            raise InvalidRequest(
                f"ExecutionParameters must have between 1 and {MOST_PARAMETER} characters each"
            )


def location_of(request: Mapping[str, Any], default: str) -> str:
    """Give where a request's results go, with one slash at the end; raises InvalidRequest."""
    location = (request.get("ResultConfiguration") or {}).get("OutputLocation") or default
    if not location:
        raise InvalidRequest(
            "No output location provided. An output location is required either through the "
            "Workgroup result configuration setting or as an API input."
        )
    if not location.startswith("s3://") or not location.removeprefix("s3://").strip("/"):
        raise InvalidRequest("outputLocation is not a valid S3 path.")
    return f"{location.rstrip('/')}/"


def new_execution(
    request: Mapping[str, Any], terms: Terms, classified: Classified | None
) -> dict[str, Any]:
    """Make the record; the caller fills in the name of the result file."""
    kind, substatement = classified or _UNKNOWN
    context = dict(request.get("QueryExecutionContext") or {})
    parameters = [str(each) for each in request.get("ExecutionParameters") or ()]
    reuse = request.get("ResultReuseConfiguration")
    given = request.get("ResultConfiguration") if terms.results is None else terms.results
    results = {**(given or {}), "OutputLocation": terms.location}
    managed: dict[str, Any] = {"ManagedQueryResultsConfiguration": {"Enabled": True}}
    return {
        "QueryExecutionId": str(uuid.uuid4()),
        "Query": request["QueryString"],
        "StatementType": kind,
        **({"SubstatementType": substatement} if substatement else {}),
        "ResultConfiguration": results,
        **(managed if terms.managed else {}),
        **({"ResultReuseConfiguration": reuse} if reuse else {}),
        "QueryExecutionContext": {
            "Database": context.get("Database") or "default",
            "Catalog": (context.get("Catalog") or "awsdatacatalog").lower(),
        },
        "Status": {"State": "QUEUED", "SubmissionDateTime": stamp()},
        "Statistics": {
            "DataScannedInBytes": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        },
        **({"ExecutionParameters": parameters} if parameters else {}),
        "WorkGroup": request.get("WorkGroup") or "primary",
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    }


def request_digest(request: Mapping[str, Any]) -> str:
    """Digest what must be the same when a token comes again."""
    context = request.get("QueryExecutionContext") or {}
    results = request.get("ResultConfiguration") or {}
    compared = (
        request.get("QueryString"),
        context.get("Database"),
        context.get("Catalog"),
        results.get("OutputLocation"),
    )
    return sha256(json.dumps(compared).encode()).hexdigest()


def fail(execution: dict[str, Any], failure: AthenaFailure, *, stopped: bool) -> None:
    """Put a failure into the record."""
    execution["Status"] |= {
        "State": "CANCELLED" if stopped else "FAILED",
        "StateChangeReason": failure.reason if not stopped else _stop_reason(failure),
    }
    if not stopped:
        execution["Status"]["AthenaError"] = {
            "ErrorCategory": failure.category(),
            "ErrorType": failure.error_type(),
            "Retryable": False,
            "ErrorMessage": failure.reason,
        }


def _stop_reason(failure: AthenaFailure) -> str:
    if failure.code == "EXCEEDED_SCAN_LIMIT":
        return "Bytes scanned limit was exceeded"
    return "Query cancelled by user"


def end(execution: dict[str, Any], *, queued_s: float, engine_s: float) -> None:
    """Put the times of an execution that has ended into its record."""
    queued = max(1, round(queued_s * 1000))
    engine = max(1, round(engine_s * 1000))
    execution["Status"]["CompletionDateTime"] = stamp()
    execution["Statistics"] |= {
        "EngineExecutionTimeInMillis": engine,
        "TotalExecutionTimeInMillis": queued + engine,
        "QueryQueueTimeInMillis": queued,
        "ServiceProcessingTimeInMillis": 0,
    }


def stamp() -> str:
    """Give the instant as the history keeps it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
