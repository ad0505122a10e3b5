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

REFUSED = "refused"
"""Nothing was started: the statement or call is not acceptable as it stands."""
THROTTLED = "throttled"
"""The service asks for less; the same again, later."""
EXHAUSTED = "exhausted"
"""More than the engine, its limits or its time allow: only a smaller window can pass."""
USER = "user error"
"""The SQL, the data or the project's files have to be changed."""
PERMISSION = "permission"
CATALOGUE = "catalogue conflict"
"""Somebody else changed the table meanwhile: read again, try again."""
INTERRUPTED = "interrupted"
"""Nothing is wrong: a process died, an execution was redriven, somebody cancelled."""
BUSY = "busy"
"""Another run of ours holds the table."""
PASSING = "passing"
"""Internal errors and all that is not known: a whole new attempt may pass."""
DEFECT = "defect"
"""What only a change of this program mends."""

_ERRORS = {
    "WindowTooLarge": (USER, "Run `runner backfill` for a window of this size."),
    "NotOurs": (USER, "Run `runner adopt` after making sure that nothing else writes the table."),
    "SchemaChanged": (USER, "Put the column back, or write the table anew with --full-refresh."),
    "TestsFailed": (USER, "Look at the rows with `runner preview`, mend the input or the test."),
    "RowsOutsideWindow": (USER, "Filter the input by {{ start }} and {{ end }}."),
    "EmptyTable": (USER, "Find out why the input is empty, or say allow_empty: true."),
    "TooFewRows": (USER, "Find out why the table has so few rows, or lower `min_rows`."),
    "LoadNotReconciled": (USER, "Look for a second writer of the mart's table, or a trigger."),
    "OutOfOrder": (USER, "Write the earlier periods first."),
    "InvalidInput": (USER, "Start the execution again with a valid input."),
    "LeaseHeld": (BUSY, "Wait until the other run has ended, or stop it; then run again."),
    "NothingPublished": (USER, "Run the table for this window first."),
    "InputUnfinished": (USER, "Run the table that the message names for that window first."),
    "InputChanged": (INTERRUPTED, ""),
    "StageAbandoned": (INTERRUPTED, ""),
    "LeaseLost": (INTERRUPTED, ""),
    "PromotionFailed": (PASSING, ""),
    "States.DataLimitExceeded": (USER, "Make the window smaller: a payload went over 256 KiB."),
    "States.Permissions": (PERMISSION, "Give the role the permission that the cause names."),
    "States.QueryEvaluationError": (
        DEFECT,
        "This is a defect of the definition: please report it.",
    ),
    "States.Runtime": (DEFECT, "This is a defect of the definition: please report it."),
    "States.Timeout": (EXHAUSTED, "Narrow the window, or raise `timeout:`."),
    "Athena.InvalidRequestException": (REFUSED, "Athena refused the statement."),
    "Glue.InvalidInputException": (REFUSED, "Glue refused the table's description."),
    "Lambda.ResourceNotFoundException": (
        REFUSED,
        "Deploy the environment: the function is not there.",
    ),
    "S3.NoSuchKeyException": (
        REFUSED,
        "Deploy the environment again: a text that the workflow reads is not in the lake.",
    ),
    "Glue.ConcurrentModificationException": (CATALOGUE, ""),
    "Glue.AlreadyExistsException": (CATALOGUE, ""),
}
"""Error names: their kind, and advice; empty advice where trying again is the thing to do."""
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
_NARROW = "Narrow the window or split the query; the same query fails again."
_TEXTS = (
    ("SYNTAX_ERROR", USER, _SQL),
    ("mismatched input", USER, _SQL),
    ("COLUMN_NOT_FOUND", USER, "Correct the column's name, or add it upstream."),
    ("TABLE_NOT_FOUND", USER, "Make the table first, or correct its name."),
    ("SCHEMA_NOT_FOUND", USER, "Make the database first, or correct its name."),
    ("FUNCTION_NOT_FOUND", USER, "Use a function that Athena has."),
    ("TYPE_MISMATCH", USER, "CAST the column to the type of the table."),
    ("MISSING_COLUMN_NAME", USER, "Give every column of the query a name."),
    ("DUPLICATE_COLUMN_NAME", USER, "Give every column of the query a name of its own."),
    ("DIVISION_BY_ZERO", USER, "Guard the divisor with NULLIF(x, 0)."),
    ("NUMERIC_VALUE_OUT_OF_RANGE", USER, "Use a wider type, or filter the value first."),
    ("SUBQUERY_MULTIPLE_ROWS", USER, "Make the subquery give one row."),
    ("INVALID_CAST_ARGUMENT", USER, "Use TRY_CAST, or clean the value first."),
    ("INVALID_FUNCTION_ARGUMENT", USER, "Correct the argument that Athena names."),
    ("INVALID_VIEW", USER, "Make the view again: what it reads has changed."),
    ("CONSTRAINT_VIOLATION", USER, "Filter an injected partition column by equality."),
    (
        "MERGE_TARGET_ROW_MULTIPLE_MATCHES",
        USER,
        "Something else wrote the table: rows share their keys. Remove them, or write it anew.",
    ),
    ("NOT_SUPPORTED", USER, "Write it in a way that Athena supports."),
    ("TOO_MANY_ARGUMENTS", USER, "Give the function at most 127 arguments."),
    ("INVALID_TABLE_PROPERTY", USER, "Correct the table's properties."),
    ("HIVE_TOO_MANY_OPEN_PARTITIONS", USER, _WRITERS),
    ("ICEBERG_TOO_MANY_OPEN_PARTITIONS", USER, _WRITERS),
    (
        "HIVE_BAD_DATA",
        USER,
        "Find the file that the message names; its values break the table's types.",
    ),
    (
        "HIVE_PARTITION_SCHEMA_MISMATCH",
        USER,
        "The partition's types differ from the table's.",
    ),
    (
        "HIVE_METASTORE_ERROR",
        USER,
        "Correct the projection properties that the message names.",
    ),
    ("Query exhausted resources", EXHAUSTED, _NARROW),
    ("EXCEEDED_LOCAL_MEMORY_LIMIT", EXHAUSTED, _NARROW),
    ("EXCEEDED_MEMORY_LIMIT", EXHAUSTED, _NARROW),
    ("EXCEEDED_TIME_LIMIT", EXHAUSTED, _NARROW),
    ("Query timeout", EXHAUSTED, "Narrow the window, or raise `timeout:` in the header."),
    (
        "Bytes scanned limit was exceeded",
        EXHAUSTED,
        "Narrow the window, or raise the workgroup's limit.",
    ),
    ("Access Denied", PERMISSION, _PERMISSION),
    ("AccessDenied", PERMISSION, _PERMISSION),
    ("is not authorized to perform", PERMISSION, _PERMISSION),
    ("Insufficient permissions", PERMISSION, _PERMISSION),
    (
        "CannotPullContainerError",
        REFUSED,
        "Push the image, or give the task's role and network access.",
    ),
    ("OutOfMemoryError", EXHAUSTED, "Give the task more memory, or narrow the window."),
    ("HIVE_PATH_ALREADY_EXISTS", PASSING, ""),
    ("ICEBERG_COMMIT_ERROR", CATALOGUE, ""),
    ("the process that ran the query is gone", INTERRUPTED, ""),
    ("StageAbandoned", INTERRUPTED, ""),
)
"""Texts of causes: their kind, and advice; the first that is found counts."""
_TYPES = {
    **dict.fromkeys(range(9), (EXHAUSTED, _NARROW)),
    206: (EXHAUSTED, _NARROW),
    210: (EXHAUSTED, _NARROW),
    1006: (USER, _SQL),
    1011: (INTERRUPTED, "Somebody cancelled the query."),
    1014: (INTERRUPTED, "Somebody cancelled the query."),
    1103: (USER, "Correct the table's properties."),
    1110: (USER, "Make the table first, or correct its name."),
    1301: (USER, "Make the database or table first, or correct its name."),
    1306: (USER, "Make the bucket first, or correct its name."),
    **dict.fromkeys(range(1400, 1407), (THROTTLED, "")),
    1500: (PERMISSION, _PERMISSION),
    1501: (PERMISSION, _PERMISSION),
    1602: (THROTTLED, ""),
}
"""AthenaError.ErrorType, where the text may say it in other words.

Source: Athena user guide, "Athena error catalog".
"""
_AT_ONCE = frozenset({INTERRUPTED})
"""Kinds of failures after which waiting before another attempt is pointless."""
_REASON = re.compile(
    r'"(?:StateChangeReason|StoppedReason|errorMessage)"\s*:\s*("(?:[^"\\]|\\.)*")'
)
"""A cause that was cut (32,768 characters) is no JSON any more."""
_SHOWN = 600


@dataclass(frozen=True)
class Diagnosis:
    """What to say about a failure, and whether another attempt makes sense."""

    retry: bool
    message: str
    advice: str
    """Empty when the cause is not known to be hopeless."""
    at_once: bool = False
    """Whether waiting before another attempt is pointless."""
    kind: str = PASSING
    """One of the kinds above."""

    @property
    def smaller(self) -> bool:
        """Tell whether the same may pass for a smaller window."""
        return self.kind == EXHAUSTED


def explain(error: str, cause: str) -> Diagnosis:
    """Classify one failure.

    >>> explain("TestsFailed", '{"errorMessage": "unique: 2 offending"}').kind
    'user error'
    """
    value = _object(cause)
    message = _message(error, cause, value)
    kind, advice = _classify(error, message, _query(value))
    return Diagnosis(not advice, _cut(message), advice, kind in _AT_ONCE, kind)


def _classify(error: str, message: str, query: dict[str, Any]) -> tuple[str, str]:
    """Give the kind of a failure, and the advice for one that comes again."""
    if error in _ERRORS and not (error == "Athena.InvalidRequestException" and _throttled(message)):
        return _ERRORS[error]
    if _throttled(message):
        return THROTTLED, ""
    for text, kind, advice in _TEXTS:
        if text in message:
            return kind, advice
    status = query.get("Status") or {}
    told = status.get("AthenaError") or {}
    if status.get("State") == "CANCELLED":
        return INTERRUPTED, "Somebody cancelled the query."
    if told.get("Retryable") is True:
        return PASSING, ""
    return _TYPES.get(told.get("ErrorType", -1), (PASSING, ""))


def _throttled(message: str) -> bool:
    return any(text in message for text in _PASSING_TEXTS)


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
