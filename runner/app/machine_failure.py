"""Why an execution failed, in plain words: from the whole down to the field that was wrong.

In: the trace of an execution that ended badly, its error and cause.  Out: `Reason`s, from the
outermost state to the innermost cause.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runner.app.machine_trace import parent_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.app.machine_trace import Open, Trace

Json = Any

_TOLD_OF = re.compile(
    r"An error occurred while executing the state '(.*?)' \(entered at the event id #\d+\)\. ",
    re.DOTALL,
)
_PATTERNS = (
    (
        re.compile(
            r"The JSONPath '(?P<what>.*)' specified for the field '(?P<field>.*?)' could not be"
            r" found in (?P<place>the input|the context object) '(?P<found>.*)'\Z",
            re.DOTALL,
        ),
        "the path {what} leads nowhere in {place}: {found}",
    ),
    (
        re.compile(
            r"The JSONata expression '(?P<what>.*)' specified for the field '(?P<field>.*?)' threw"
            r" an error during evaluation\. (?P<found>.*)\Z",
            re.DOTALL,
        ),
        "{what} fails: {found}",
    ),
    (
        re.compile(
            r"The JSONata expression '(?P<what>.*)' specified for the field '(?P<field>.*?)'"
            r" returned an unexpected result type\. Expected '(?P<wanted>.*?)', but was"
            r" '(?P<found>.*?)' for value: (?P<value>.*)\Z",
            re.DOTALL,
        ),
        "{what} gives {value}: {found}, where {wanted} is wanted",
    ),
    (
        re.compile(
            r"The JSONata expression '(?P<what>.*)' specified for the field '(?P<field>.*?)'"
            r" returned nothing \(undefined\)\.\Z",
            re.DOTALL,
        ),
        "{what} gives nothing: no value is there",
    ),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One link of the chain."""

    place: str
    """Which state; empty for what lies behind the one before."""
    field: str
    """Which field of the state; empty where it is none's."""
    told: str


def explain(trace: Trace, error: str | None, cause: str | None) -> tuple[Reason, ...]:
    """Give the chain of causes of an execution that ended badly."""
    chain = _chain(trace, cause)
    found = [_around(trace, outer) for outer in chain[:-1]]
    causes = list(_causes(error, cause))
    if chain:
        inner = chain[-1]
        if inner.resource and inner.failed == (error, cause):
            found.append(_called(trace, inner))
        elif inner.failed is not None:
            # The Map's own error hides that of its child.
            found.append(_called(trace, inner) if inner.resource else _around(trace, inner))
            found.extend(_causes(*inner.failed))
            causes[0] = replace(causes[0], place=_place(trace, chain[-2] if chain[1:] else inner))
        else:
            causes[0] = replace(causes[0], place=_place(trace, inner))
    return (*found, *causes)


def _chain(trace: Trace, cause: str | None) -> list[Open]:
    """Find the state that failed among those still open, and what is around it."""
    opened = tuple(trace.open.values())
    if not opened:
        return []
    named = _TOLD_OF.match(cause or "")
    fits = [one for one in opened if named and one.state == named[1]]
    fits = fits or [one for one in opened if one.key == trace.newest_failure]
    fits = fits or [one for one in opened if trace.kind(one.state) == "Fail"]
    found: Open | None = (fits or list(opened))[-1]
    chain: list[Open] = []
    while found is not None:
        chain.insert(0, found)
        found = trace.open.get(parent_of(found.prefix)[0]) if found.prefix else None
    return chain


def _around(trace: Trace, outer: Open) -> Reason:
    inside = "an item" if trace.kind(outer.state) == "Map" else "a branch"
    return Reason(_place(trace, outer), "", f"{inside} of it failed")


def _called(trace: Trace, state: Open) -> Reason:
    calls = "its call" if state.attempts == 1 else f"the last of {state.attempts} calls"
    return Reason(_place(trace, state), "", f"{calls} of {state.resource} failed")


def _place(trace: Trace, state: Open) -> str:
    inside = "".join(f"{one} / " for one in trace.within(state.prefix))
    return f"{inside}{state.state} ({trace.kind(state.state)})"


def _causes(error: str | None, cause: str | None) -> Iterator[Reason]:
    """Take a cause apart: AWS's sentences, a function's error, an execution that failed."""
    name = error or "an error without a name"
    document = _document(cause)
    if "errorMessage" in document:
        yield Reason("", "", f"{name}: {document['errorMessage']}")
        trace = document.get("stackTrace")
        if isinstance(trace, list) and trace:
            yield Reason("", "", " ".join(str(trace[-1]).split()))
        return
    if "ExecutionArn" in document and ("Error" in document or "Cause" in document):
        yield Reason("", "", f"{name}: the execution {document['ExecutionArn']} failed")
        yield from _causes(document.get("Error"), document.get("Cause"))
        return
    words = _TOLD_OF.sub("", cause or "", count=1)
    for pattern, text in _PATTERNS:
        match = pattern.match(words)
        if match is not None:
            parts = match.groupdict()
            yield Reason("", parts["field"], f"{name}: {text.format(**parts)}")
            return
    yield Reason("", "", f"{name}: {words}" if words else name)


def _document(cause: str | None) -> dict[str, Json]:
    try:
        found = json.loads(cause or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
