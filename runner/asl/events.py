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
    longest: dict[str, int] = {}
    """From each state that stands behind the one in turn."""
    count = 0
    for state in reversed(flow.states):
        rest = max((longest.get(name, 0) for name in _next(state.fields)), default=0)
        count = longest[state.name] = _state(state, chunks) + rest
    return count


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


def _next(fields: Any) -> list[str]:  # noqa: ANN401 - the fields of a state
    found = [fields[name] for name in ("Next", "Default") if name in fields]
    for name in ("Choices", "Catch"):
        if name in fields:
            found += [one["Next"] for one in fields[name] if "Next" in one]
    return found
