"""Why a table failed, and whether trying again can help (SEMANTICS 6).

The error name and cause come from the state machine's catcher.  A failed Athena query arrives as
`States.TaskFailed` with the QueryExecution as JSON; texts are those of Athena's error reference
and troubleshooting pages.
"""

from __future__ import annotations

import json
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
    "States.DataLimitExceeded": "Make the window smaller: a payload went over 256 KiB.",
    "States.Permissions": "Give the role the permission that the cause names.",
}
_HOPELESS_TEXTS = (
    ("SYNTAX_ERROR", "Correct the SQL at the line that Athena names."),
    ("mismatched input", "Correct the SQL at the line that Athena names."),
    ("COLUMN_NOT_FOUND", "Correct the column's name, or add it upstream."),
    ("TABLE_NOT_FOUND", "Make the table first, or correct its name."),
    ("SCHEMA_NOT_FOUND", "Make the database first, or correct its name."),
    ("FUNCTION_NOT_FOUND", "Use a function that Athena has."),
    ("TYPE_MISMATCH", "CAST the column to the type of the table."),
    ("DIVISION_BY_ZERO", "Guard the divisor with NULLIF(x, 0)."),
    ("INVALID_CAST_ARGUMENT", "Use TRY_CAST, or clean the value first."),
    ("INVALID_FUNCTION_ARGUMENT", "Correct the argument that Athena names."),
    ("NOT_SUPPORTED", "Write it in a way that Athena supports."),
    ("HIVE_TOO_MANY_OPEN_PARTITIONS", "Write fewer partitions x buckets in one statement."),
    ("ICEBERG_TOO_MANY_OPEN_PARTITIONS", "Write fewer partitions x buckets in one statement."),
    ("HIVE_BAD_DATA", "Find the file that the message names; its values break the table's types."),
    ("HIVE_PARTITION_SCHEMA_MISMATCH", "The partition's types differ from the table's."),
    ("HIVE_METASTORE_ERROR", "Correct the projection properties that the message names."),
    (
        "Query exhausted resources",
        "Narrow the window or split the query; the same query fails again.",
    ),
    ("Query timeout", "Narrow the window, or raise `timeout:` in the header."),
    ("Bytes scanned limit was exceeded", "Narrow the window, or raise the workgroup's limit."),
    ("Access Denied", "Give the role the permission that the message names."),
    ("AccessDenied", "Give the role the permission that the message names."),
    ("is not authorized to perform", "Give the role the permission that the message names."),
    ("Insufficient permissions", "Give the role the permission that the message names."),
)
_RETRY_ADVICE = "It is tried again from a new stage."
_SHOWN = 600


@dataclass(frozen=True)
class Diagnosis:
    """What to say about a failure, and whether another attempt makes sense."""

    retry: bool
    message: str
    advice: str


def explain(error: str, cause: str) -> Diagnosis:
    """Classify one failure.

    >>> explain("TestsFailed", '{"errorMessage": "unique: 2 offending"}').retry
    False
    """
    query = _query_of(cause)
    message = _message(error, cause, query)
    if error in _HOPELESS_ERRORS:
        return Diagnosis(retry=False, message=message, advice=_HOPELESS_ERRORS[error])
    for text, advice in _HOPELESS_TEXTS:
        if text in message:
            return Diagnosis(retry=False, message=message, advice=advice)
    if error == "States.Timeout":
        advice = "Narrow the window, or raise `timeout:` in the header."
        return Diagnosis(retry=False, message=message, advice=advice)
    if error == "Athena.InvalidRequestException":
        return Diagnosis(retry=False, message=message, advice="Athena refused the statement.")
    if query.get("Status", {}).get("State") == "CANCELLED":
        return Diagnosis(retry=False, message=message, advice="Somebody cancelled the query.")
    return Diagnosis(retry=True, message=message, advice=_RETRY_ADVICE)


def _query_of(cause: str) -> dict[str, Any]:
    """Give the QueryExecution inside the cause, with or without its outer key; empty if none."""
    try:
        value = json.loads(cause)
    except (TypeError, ValueError):
        return {}
    if not isinstance(value, dict):
        return {}
    inner = value.get("QueryExecution", value)
    return inner if isinstance(inner, dict) and "Status" in inner else {}


def _message(error: str, cause: str, query: dict[str, Any]) -> str:
    if query:
        status = query["Status"]
        text = status.get("StateChangeReason") or status.get("AthenaError", {}).get("ErrorMessage")
        return _cut(str(text or f"the query {status.get('State', 'failed')}"))
    try:
        value = json.loads(cause)
    except (TypeError, ValueError):
        value = None
    if isinstance(value, dict) and "errorMessage" in value:
        return _cut(f"{error}: {value['errorMessage']}")
    if isinstance(value, dict) and "StoppedReason" in value:
        reasons = [c["Reason"] for c in value.get("Containers", ()) if c.get("Reason")]
        return _cut("; ".join([value["StoppedReason"], *reasons]))
    return _cut(f"{error}: {cause}" if cause else error)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
