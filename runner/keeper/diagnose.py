"""Why a step failed, and whether trying again can help (SEMANTICS 6).

The error name and cause come from the state machine's catcher.  A failed Athena query arrives as
`States.TaskFailed` with the QueryExecution as JSON, a failed ECS task with the Task, an exception
of a function with its message; texts are those of Athena's error reference and troubleshooting
pages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from .causes import (
    BROAD,
    BUSY,
    CATALOGUE,
    DEFECT,
    ERRORS,
    EXHAUSTED,
    INTERRUPTED,
    LATER,
    PASSING,
    PERMISSION,
    REFUSED,
    TEXTS,
    THROTTLED,
    THROTTLING,
    TYPES,
    USER,
)

__all__ = [
    "BUSY",
    "CATALOGUE",
    "DEFECT",
    "EXHAUSTED",
    "INTERRUPTED",
    "PASSING",
    "PERMISSION",
    "REFUSED",
    "THROTTLED",
    "USER",
    "Diagnosis",
    "explain",
]

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
    later: str = ""
    """What to do when no further attempt is made; for failures that might have passed."""

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
    if "ExecutionArn" in value and value.get("Error"):
        return _nested(value)
    message = _message(error, cause, value)
    kind, advice = _classify(error, message, _query(value))
    later = "" if advice else _find_later(f"{error} {value.get('StopCode', '')} {message}")
    return Diagnosis(not advice, _cut(message), advice, kind in _AT_ONCE, kind, later)


def _nested(execution: dict[str, Any]) -> Diagnosis:
    """Explain an execution that failed inside of another by its own error."""
    found = explain(str(execution["Error"]), str(execution.get("Cause") or ""))
    name = str(execution["ExecutionArn"]).rpartition(":")[2]
    return replace(found, message=_cut(f"execution {name}: {found.message}"))


def _find_later(text: str) -> str:
    return next((advice for sign, advice in LATER if sign in text), "")


def _classify(error: str, message: str, query: dict[str, Any]) -> tuple[str, str]:
    """Give the kind of a failure, and the advice for one that comes again."""
    if error in ERRORS and error not in BROAD:
        return ERRORS[error]
    if _throttled(message):
        return THROTTLED, ""
    told = next(((kind, advice) for text, kind, advice in TEXTS if text in message), None)
    return told or ERRORS.get(error) or _by_status(query)


def _by_status(query: dict[str, Any]) -> tuple[str, str]:
    """Give the kind and advice by what Athena says beside the text."""
    status = query.get("Status") or {}
    told = status.get("AthenaError") or {}
    if status.get("State") == "CANCELLED":
        return INTERRUPTED, "Somebody cancelled the query."
    if told.get("Retryable") is True:
        return PASSING, ""
    return TYPES.get(told.get("ErrorType", -1), (PASSING, ""))


def _throttled(message: str) -> bool:
    return any(text in message for text in THROTTLING)


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
    work = _work_message(value)
    if work:
        return work
    reason = _REASON.search(cause) if cause else None
    if reason is not None:
        return f"{error}: {json.loads(reason[1], strict=False)}"
    return f"{error}: {cause}" if cause else error


def _work_message(value: dict[str, Any]) -> str:
    """Say how a task, a job or a build ended; nothing if it is none of these."""
    if "StoppedReason" in value or "Containers" in value:
        return _task_message(value)
    if "JobRunState" in value:
        told = f": {value['ErrorMessage']}" if value.get("ErrorMessage") else ""
        return f"job {value.get('JobName', '')} ended {value['JobRunState']}{told}"
    build = value.get("Build") or value
    if "BuildStatus" in build:
        return f"build {build.get('Id', '')} ended {build['BuildStatus']}"
    return ""


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
