"""How many events an execution leaves in its history, by the longest way through its states.

In: a flow.  Out: a number.  Events are counted as Step Functions writes them: a state is entered
and left, a task scheduled, started and ended (and submitted, where one waits for it), an iteration
started and ended.  Ways back to an earlier state are loops: those that wait for a statement count
as often as an ordinary one needs, those that try again are left to the margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl.flow import inner_flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.asl.flow import Flow, State

MOST_EVENTS = 20_000
"""Of 25,000; the rest is for retries."""
_EXECUTION = 2
_TASK, _WAITED_TASK = 5, 6
_FAIL = 1
_PARALLEL = _MAP = 4
_ITERATION = 2
_MAP_RUN = 2
_OTHER = 2
_UNKNOWN_ITEMS = 100
"""Of a Map that is not ours."""


def events_of(flow: Flow, *, chunks: int | None = None) -> int:
    """Count the events of an execution; `chunks` is the most that a Map of ours gets, if given."""
    return _EXECUTION + _flow(flow, chunks)


def map_events(state: State) -> int:
    """Count the events of one state, all iterations included."""
    return _state(state, None)


def _flow(flow: Flow, chunks: int | None) -> int:
    place = {state.name: position for position, state in enumerate(flow.states)}
    longest = [0] * len(flow.states)
    for position in range(len(flow.states) - 1, -1, -1):
        state = flow.states[position]
        ahead = (place.get(name, -1) for name in _next(state.fields))
        rest = max((longest[there] for there in ahead if there > position), default=0)
        longest[position] = _state(state, chunks) + rest
    return longest[0] if longest else 0


def _state(state: State, chunks: int | None) -> int:
    fields = state.fields
    match fields.get("Type"):
        case "Task":
            waits = str(fields.get("Resource")).partition(".sync")[1]
            count = _WAITED_TASK if waits else _TASK
        case "Fail":
            count = _FAIL
        case "Parallel":
            count = _PARALLEL + sum(_flow(one, chunks) for one in inner_flows(state))
        case "Map":
            count = _map(state, chunks)
        case _:
            count = _OTHER
    return count * max(1, state.looks)


def _map(state: State, chunks: int | None) -> int:
    processors = inner_flows(state)
    if any(one.distributed for one in processors):
        return _MAP + _MAP_RUN
    items = state.most_items or _UNKNOWN_ITEMS
    if chunks is not None and state.most_items:
        items = min(items, chunks)
    return _MAP + items * (_ITERATION + sum(_flow(one, chunks) for one in processors))


def _next(fields: Any) -> Iterator[str]:  # noqa: ANN401 - the fields of a state
    for name in ("Next", "Default"):
        if name in fields:
            yield fields[name]
    for one in (*fields.get("Choices", ()), *fields.get("Catch", ())):
        if "Next" in one:
            yield one["Next"]
