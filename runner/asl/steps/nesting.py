"""Tables in executions of their own: what would be too large for one is cut (SEMANTICS 36).

A machine is too large by its definition's bytes or by the events that its history would hold.

In: the lanes of a wave, or of loads, as flows.  Out: the branches of the parent's Parallel state,
which start child machines and collect their results, and the machines themselves.  A child is told
the window, the selected tables, and the names of what is down; it gives {"results": [...]}.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from runner.asl import retries
from runner.asl.events import MOST_EVENTS, events_of
from runner.asl.expressions import expression, names_in, quote
from runner.asl.flow import Child, Flow, Machine, State, size_of, state_name, task
from runner.asl.steps.scope import catch_to_explain, explaining, failure
from runner.model.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runner.asl.steps.scope import Scope
    from runner.model.names import TableName

    MakeLane = Callable[[str, Sequence[TableName]], Flow]

START = "arn:aws:states:::states:startExecution.sync:2"
RECEIVE = "receive"
_MOST_COMMENT = 1000
_SHORT_MESSAGE = 100
"""Of a failure, in the results of very many tables; the child's own has all of it."""
_EXECUTION = "$states.context.Execution"
_NAME = (
    f"{_EXECUTION}.RedriveCount = 0 ? {_EXECUTION}.Name : "
    f'{_EXECUTION}.Name & "-" & {_EXECUTION}.RedriveCount'
)
"""The same when the call is repeated, so that no execution is started twice."""


@dataclass(frozen=True, slots=True)
class _Lane:
    """Tables one after the other, and their flow."""

    names: tuple[TableName, ...]
    flow: Flow
    size: int
    weight: int
    """Its share of a machine: its size, or more where its events are more of the history."""


def nested_branches(
    scope: Scope,
    step: str,
    title: str,
    number: int,
    dealt: Sequence[Sequence[TableName]],
    *,
    make: MakeLane,
    kind: Literal["table", "load"] = "table",
) -> list[Flow]:
    """Give a wave's branches; lanes share a machine as long as it stays small.

    A lane that is too long for one machine goes to several, one after the other.
    """
    most = scope.machine_bytes
    chains: list[list[list[_Lane]]] = []
    room = 0
    for position, names in enumerate(dealt, start=1):
        pieces = list(_pieces(make, f"{title} lane {position}", tuple(names), most))
        weight = pieces[0].weight
        if len(pieces) == 1 and weight <= room:
            chains[-1][0].append(pieces[0])
            room -= weight
        else:
            chains.append([[piece] for piece in pieces])
            room = most - weight if len(pieces) == 1 else 0
    result = []
    part = 0
    for chain in chains:
        parts = [
            replace(_part(scope, step, title, (number, part + more), lanes), kind=kind)
            for more, lanes in enumerate(chain, start=1)
        ]
        part += len(chain)
        result.append(_branch(scope, step, parts))
    return result


def _pieces(make: MakeLane, title: str, names: tuple[TableName, ...], most: int) -> Iterator[_Lane]:
    """Make a lane's flow, or several where it would be too large."""
    flow = make(title, names)
    size = size_of(flow)
    weight = _weight(flow, size, most)
    count = min(len(names), -(-weight // most))
    if count == 1:
        yield _Lane(names, flow, size, weight)
        return
    for first in range(count):
        few = names[first * len(names) // count : (first + 1) * len(names) // count]
        yield _Lane(few, make(title, few), size // count, weight // count)


def _weight(flow: Flow, size: int, most: int) -> int:
    """Measure a lane in bytes of a definition; events count as the bytes of an equal share."""
    return max(size, events_of(flow) * most // MOST_EVENTS)


def _part(
    scope: Scope, step: str, title: str, number: tuple[int, int], lanes: Sequence[_Lane]
) -> Child:
    wave, part = number
    tables = tuple(str(name) for lane in lanes for name in lane.names)
    name = f"{step}-{wave}-{part}"
    subject = state_name(title, f"part {part}")
    comment = f"{subject} of {scope.workflow_name}: {', '.join(tables)}"
    given = "$states.input"
    flow = Flow(
        (
            State(
                RECEIVE,
                {
                    "Type": "Pass",
                    "Assign": {
                        "window": expression(f"{given}.window"),
                        "selected": expression(f"{given}.selected"),
                        "down": expression(f"{given}.down"),
                    },
                    "Output": {},
                    "Next": title,
                },
            ),
            State(
                title,
                {
                    "Type": "Parallel",
                    "Branches": [lane.flow for lane in lanes],
                    "Output": {"results": expression("$append([], $states.result.results)")},
                    "End": True,
                },
                results_bytes=scope.results_bytes([n for lane in lanes for n in lane.names]),
            ),
        )
    )
    machine = Machine(comment[:_MOST_COMMENT], flow, seconds(scope.workflow.timeout))
    deployed = scope.target.machine(scope.workflow_name, name)
    return Child(name, deployed, subject, tables, machine, sum(lane.size for lane in lanes))


def _branch(scope: Scope, step: str, parts: Sequence[Child]) -> Flow:
    """Start the executions of a branch one after the other; whatever happens, go on."""
    inner = replace(scope, depth="part_", sink="done")
    end = f"{parts[-1].subject} end"
    failing = expression(f'$append([], {scope.known}[status in ["failed", "skipped"]])')
    states = [
        State(
            f"{parts[0].subject} begin",
            {
                "Type": "Pass",
                "Assign": {"done": [], "failing": failing},
                "Next": _executing(parts[0]),
            },
        )
    ]
    for position, part in enumerate(parts, start=1):
        following = end if position == len(parts) else _executing(parts[position])
        states.append(_execute(inner, part, following))
        failed = _failed(inner, step, part)
        states += explaining(inner, part.subject, failed, following=following)
    output = {"results": expression("$done")}
    states.append(State(end, {"Type": "Pass", "Output": output, "End": True}))
    return Flow(tuple(states))


def _executing(part: Child) -> str:
    return state_name(part.subject, "execute")


def _execute(scope: Scope, part: Child, following: str) -> State:
    arguments = {
        "StateMachineArn": scope.target.machine_arn(part.deployed),
        "Name": expression(_NAME),
        "Input": {
            "window": expression("$window"),
            "selected": expression("$selected"),
            "down": expression("$append([], $failing.name)"),
            # The console links both executions by this name.
            "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": expression(f"{_EXECUTION}.Id"),
        },
    }
    fields: dict[str, Any] = {
        "Assign": {"done": expression(f"$append($done, {_told(scope)})")},
        "Output": {},
        "Retry": retries.executions(),
        "Catch": [catch_to_explain(scope, part.subject)],
        "Next": following,
    }
    timeout_s = part.machine.timeout_s
    return State(_executing(part), task(START, arguments, timeout_s=timeout_s, **fields), part)


def _told(scope: Scope) -> str:
    """Give JSONata for a child's results: brief ones, where all together would be too many."""
    told = "$states.result.Output.results"
    if not scope.is_brief:
        return told
    kept = names_in(["step", "name", "kind", "status", "error"])
    short = f'$exists(message) ? {{"message": $substring(message, 0, {_SHORT_MESSAGE})}}'
    brief = f"$sift($, function($v, $k) {{ $k in {kept} }})"
    return f"$append([], {told}.$merge([{brief}, {short}]))"


def _failed(scope: Scope, step: str, part: Child) -> dict[str, str]:
    """Count every selected table of a child as failed: nobody knows how far it came."""
    kind = quote(part.kind)
    fields = f'"step": {quote(step)}, "name": $, "kind": {kind}, "status": "failed"'
    chosen = f"$selected[$ in {names_in(list(part.tables))}]"
    found = f"{chosen}.{{{fields}{failure(scope)}}}"
    return {scope.sink: expression(f"$append(${scope.sink}, {found})")}
