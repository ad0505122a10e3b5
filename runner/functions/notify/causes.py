"""Why an execution ended badly, in plain words.

In: status, error and cause, as Step Functions tells them.  Out: what failed, with its reason, and
what was skipped.  The definitions of runner end in a cause of their own, `<step> failed: <why>;
...; <step> skipped (upstream failed)`; any other is unwrapped: services put JSON into JSON.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS_FAILED = "Runner.StepsFailed"
_NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,200}"
_FAILED = re.compile(rf"(?:\A|; )({_NAME}) failed: ")
_SKIPPED = re.compile(rf"; ({_NAME}) skipped \(upstream failed\)")
_STATE = re.compile(
    r"An error occurred while executing the state '(.*?)' \(entered at the event id #\d+\)\. ",
    re.DOTALL,
)
_INSIDE = (
    "errorMessage", "Cause", "cause", "StateChangeReason", "ErrorMessage", "StoppedReason",
    "FailureReason", "FailureCause", "message", "Reason",
)  # fmt: skip
"""Keys under which services say why."""
_WRAPPERS = ("QueryExecution", "Status", "AthenaError", "JobRun", "Build")
_DEEPEST = 8
_PLAIN = {
    "TIMED_OUT": "it took longer than it may",
    "ABORTED": "somebody stopped it",
    "States.Timeout": "it took longer than it may",
    "States.HeartbeatTimeout": "it gave no sign of life",
    "States.DataLimitExceeded": "a payload was larger than 256 KiB: a smaller window may pass",
    "States.Permissions": "a permission is missing",
    "States.Runtime": "the definition met a value that it cannot work with",
    "States.QueryEvaluationError": "the definition met a value that it cannot work with",
}


class Reason(NamedTuple):
    """What failed, and why."""

    name: str
    """A step or a table; empty for the execution itself."""
    told: str


class Causes(NamedTuple):
    """All of it."""

    reasons: tuple[Reason, ...]
    skipped: tuple[str, ...] = ()


def explain(status: str, error: str, cause: str) -> Causes:
    """Put an end into words."""
    if error == STEPS_FAILED and (found := _steps(cause)) is not None:
        return found
    name, rest = "", cause
    if match := _STATE.match(cause):
        name, rest = match[1], cause[match.end() :]
    told = [*_unique(_PLAIN.get(status, ""), _PLAIN.get(error, ""), _unwrapped(rest))]
    if error and error not in _PLAIN:
        told = [f"{error}: {': '.join(told)}" if told else error]
    return Causes((Reason(name, ": ".join(told) or "nothing more is known"),))


def _steps(cause: str) -> Causes | None:
    """Take apart what a definition's end says; None if it is something else."""
    tail = len(cause)
    skipped: list[str] = []
    while match := _last_skipped(cause, tail):
        skipped.append(match[1])
        tail = match.start()
    starts = list(_FAILED.finditer(cause, 0, tail))
    if not starts or starts[0].start():
        return None
    ends = [*(one.start() for one in starts[1:]), tail]
    reasons = [
        Reason(one[1], _unwrapped(cause[one.end() : end]) or "nothing more is known")
        for one, end in zip(starts, ends, strict=True)
    ]
    return Causes(tuple(reasons), tuple(reversed(skipped)))


def _last_skipped(cause: str, end: int) -> re.Match[str] | None:
    at = cause.rfind("; ", 0, end)
    return _SKIPPED.fullmatch(cause, at, end) if at >= 0 else None


def _unwrapped(text: str, depth: int = 0) -> str:
    """Find the reason inside of JSON inside of JSON."""
    stripped = text.strip()
    if not stripped.startswith("{") or depth == _DEEPEST:
        return stripped
    try:
        said = json.loads(stripped)
    except (ValueError, RecursionError):
        return stripped
    found = next((one for one in _reasons(said) if one.strip()), None)
    return stripped if found is None else _unwrapped(found, depth + 1)


def _reasons(said: object, depth: int = 0) -> Iterator[str]:
    """Give the texts that say why, the nearest first."""
    if not isinstance(said, dict) or depth == _DEEPEST:
        return
    for key in _INSIDE:
        if isinstance(value := said.get(key), str):
            yield value
    for key in _WRAPPERS:
        yield from _reasons(said.get(key), depth + 1)
    for container in said.get("Containers") or ():
        yield from _reasons(container, depth + 1)


def _unique(*texts: str) -> dict[str, None]:
    return dict.fromkeys(text for text in texts if text)
