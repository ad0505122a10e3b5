"""Why a step failed, and whether trying again can help (SEMANTICS 6).

The error name and cause come from the state machine's catcher.  A failed Athena query arrives as
`States.TaskFailed` with the QueryExecution as JSON, a failed ECS task with the Task, an exception
of a function with its message; texts are those of Athena's error reference and troubleshooting
pages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_HOPELESS_ERRORS = {
    "WindowTooLarge": "Run `runner backfill` for a window of this size.",
    "NotOurs": "Run `runner adopt` after making sure that nothing else writes the table.",
    "SchemaChanged": "Put the column back, or write the table anew with --full-refresh.",
    "TestsFailed": "Look at the rows with `runner preview`, mend the input or the test.",
    "RowsOutsideWindow": "Filter the input by {{ start }} and {{ end }}.",
    "EmptyTable": "Find out why the input is empty, or say allow_empty: true.",
    "OutOfOrder": "Write the earlier periods first.",
    "InvalidInput": "Start the execution again with a valid input.",
    "LeaseHeld": "Wait until the other run has ended, or stop it; then run again.",
    "NothingPublished": "Run the table for this window first.",
    "States.DataLimitExceeded": "Make the window smaller: a payload went over 256 KiB.",
    "States.Permissions": "Give the role the permission that the cause names.",
    "States.QueryEvaluationError": "This is a defect of the definition: please report it.",
    "States.Runtime": "This is a defect of the definition: please report it.",
    "States.Timeout": "Narrow the window, or raise `timeout:`.",
    "Athena.InvalidRequestException": "Athena refused the statement.",
    "Glue.InvalidInputException": "Glue refused the table's description.",
    "Lambda.ResourceNotFoundException": "Deploy the environment: the function is not there.",
}
_PASSING_TEXTS = (
    "Rate exceeded",
    "ThrottlingException",
    "TooManyRequests",
    "SlowDown",
    "Please reduce your request rate",
    "ServiceUnavailable",
)
"""Throttling, also where it comes wrapped in an error that is hopeless otherwise."""
_SQL = "Correct the SQL at the line that Athena names."
_WRITERS = "Write fewer partitions x buckets in one statement."
_PERMISSION = "Give the role the permission that the message names."
_HOPELESS_TEXTS = (
    ("SYNTAX_ERROR", _SQL),
    ("mismatched input", _SQL),
    ("COLUMN_NOT_FOUND", "Correct the column's name, or add it upstream."),
    ("TABLE_NOT_FOUND", "Make the table first, or correct its name."),
    ("SCHEMA_NOT_FOUND", "Make the database first, or correct its name."),
    ("FUNCTION_NOT_FOUND", "Use a function that Athena has."),
    ("TYPE_MISMATCH", "CAST the column to the type of the table."),
    ("MISSING_COLUMN_NAME", "Give every column of the query a name."),
    ("DUPLICATE_COLUMN_NAME", "Give every column of the query a name of its own."),
    ("DIVISION_BY_ZERO", "Guard the divisor with NULLIF(x, 0)."),
    ("NUMERIC_VALUE_OUT_OF_RANGE", "Use a wider type, or filter the value first."),
    ("SUBQUERY_MULTIPLE_ROWS", "Make the subquery give one row."),
    ("INVALID_CAST_ARGUMENT", "Use TRY_CAST, or clean the value first."),
    ("INVALID_FUNCTION_ARGUMENT", "Correct the argument that Athena names."),
    ("INVALID_VIEW", "Make the view again: what it reads has changed."),
    ("CONSTRAINT_VIOLATION", "Filter an injected partition column by equality."),
    ("NOT_SUPPORTED", "Write it in a way that Athena supports."),
    ("HIVE_TOO_MANY_OPEN_PARTITIONS", _WRITERS),
    ("ICEBERG_TOO_MANY_OPEN_PARTITIONS", _WRITERS),
    (
        "MERGE_TARGET_ROW_MULTIPLE_MATCHES",
        "Something else wrote the table: rows share their keys. Remove them, or write it anew.",
    ),
    ("HIVE_BAD_DATA", "Find the file that the message names; its values break the table's types."),
    ("HIVE_PARTITION_SCHEMA_MISMATCH", "The partition's types differ from the table's."),
    ("HIVE_METASTORE_ERROR", "Correct the projection properties that the message names."),
    (
        "Query exhausted resources",
        "Narrow the window or split the query; the same query fails again.",
    ),
    ("Query timeout", "Narrow the window, or raise `timeout:` in the header."),
    ("Bytes scanned limit was exceeded", "Narrow the window, or raise the workgroup's limit."),
    ("Access Denied", _PERMISSION),
    ("AccessDenied", _PERMISSION),
    ("is not authorized to perform", _PERMISSION),
    ("Insufficient permissions", _PERMISSION),
    ("CannotPullContainerError", "Push the image, or give the task's role and network access."),
    ("OutOfMemoryError", "Give the task more memory, or narrow the window."),
)
_HOPELESS_TYPES = {
    1103: "Correct the table's properties.",
    1110: "Make the table first, or correct its name.",
    1301: "Make the database or table first, or correct its name.",
    1306: "Make the bucket first, or correct its name.",
    1500: _PERMISSION,
    1501: _PERMISSION,
}
"""AthenaError.ErrorType, where the text may say it in other words."""
_REASON = re.compile(
    r'"(?:StateChangeReason|StoppedReason|errorMessage)"\s*:\s*("(?:[^"\\]|\\.)*")'
)
"""A cause that was cut (32,768 characters) is no JSON any more."""
_SHOWN = 600
_INTERRUPTED_TEXTS = ("the process that ran the query is gone", "StageAbandoned")
"""Nothing is wrong with the service: a local run was killed, or an execution was redriven."""


@dataclass(frozen=True)
class Diagnosis:
    """What to say about a failure, and whether another attempt makes sense."""

    retry: bool
    message: str
    advice: str
    """Empty when the cause is not known to be hopeless."""
    at_once: bool = False
    """Whether waiting before another attempt is pointless."""


def explain(error: str, cause: str) -> Diagnosis:
    """Classify one failure.

    >>> explain("TestsFailed", '{"errorMessage": "unique: 2 offending"}').retry
    False
    """
    value = _object(cause)
    message = _message(error, cause, value)
    advice = _hopeless(error, message, _query(value))
    at_once = any(text in message for text in _INTERRUPTED_TEXTS)
    return Diagnosis(advice is None, _cut(message), advice or "", at_once)


def _hopeless(error: str, message: str, query: dict[str, Any]) -> str | None:
    """Give the advice for a failure that comes again; None for one that may pass."""
    if error in _HOPELESS_ERRORS:
        return _HOPELESS_ERRORS[error]
    if any(text in message for text in _PASSING_TEXTS):
        return None
    for text, advice in _HOPELESS_TEXTS:
        if text in message:
            return advice
    status = query.get("Status") or {}
    if status.get("State") == "CANCELLED":
        return "Somebody cancelled the query."
    return _HOPELESS_TYPES.get((status.get("AthenaError") or {}).get("ErrorType", 0))


def _object(cause: str) -> dict[str, Any]:
    """Give the JSON object of a cause; empty when it is plain text."""
    try:
        value = json.loads(cause)
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _query(value: dict[str, Any]) -> dict[str, Any]:
    """Give the QueryExecution of a cause, with or without its outer key; empty if none."""
    inner = value.get("QueryExecution", value)
    return inner if isinstance(inner, dict) and isinstance(inner.get("Status"), dict) else {}


def _message(error: str, cause: str, value: dict[str, Any]) -> str:
    """Say what happened, in the words of whoever failed."""
    status = _query(value).get("Status")
    if status:
        text = status.get("StateChangeReason") or (status.get("AthenaError") or {}).get(
            "ErrorMessage"
        )
        return str(text or f"the query is {status.get('State', 'FAILED')}")
    if "errorMessage" in value:
        return f"{error}: {value['errorMessage']}"
    if "StoppedReason" in value or "Containers" in value:
        return _task_message(value)
    reason = _REASON.search(cause) if cause else None
    if reason is not None:
        return f"{error}: {json.loads(reason[1], strict=False)}"
    return f"{error}: {cause}" if cause else error


def _task_message(task: dict[str, Any]) -> str:
    """Say why an ECS task stopped, and how its containers ended."""
    parts = [str(task.get("StoppedReason") or task.get("StopCode") or "the task stopped")]
    for container in task.get("Containers") or ():
        name = container.get("Name", "container")
        if container.get("Reason"):
            parts.append(f"{name}: {container['Reason']}")
        if container.get("ExitCode"):
            parts.append(f"{name}: exit status {container['ExitCode']}")
    return "; ".join(parts)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
