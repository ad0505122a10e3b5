"""Tables in executions of their own: a definition that would be too large is cut (SEMANTICS 36).

In: the lanes of a wave, as flows.  Out: the branches of the parent's Parallel state, which start
child machines and collect their results, and the machines themselves.  A child is told the window,
the selected tables, and the names of what is down; it gives {"results": [...]}.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runner.asl import retries
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


def nested_branches(
    scope: Scope,
    step: str,
    title: str,
    number: int,
    dealt: Sequence[Sequence[TableName]],
    *,
    make: MakeLane,
) -> list[Flow]:
    """Give a wave's branches; lanes share a machine as long as it stays small.

    A lane that is too long for one machine goes to several, one after the other.
    """
    most = scope.machine_bytes
    chains: list[list[list[_Lane]]] = []
    room = 0
    for position, names in enumerate(dealt, start=1):
        pieces = list(_pieces(make, f"{title} lane {position}", tuple(names), most))
        size = pieces[0].size
        if len(pieces) == 1 and size <= room:
            chains[-1][0].append(pieces[0])
            room -= size
        else:
            chains.append([[piece] for piece in pieces])
            room = most - size if len(pieces) == 1 else 0
    result = []
    part = 0
    for chain in chains:
        parts = [
            _part(scope, step, title, (number, part + more), lanes)
            for more, lanes in enumerate(chain, start=1)
        ]
        part += len(chain)
        result.append(_branch(scope, step, parts))
    return result


def _pieces(make: MakeLane, title: str, names: tuple[TableName, ...], most: int) -> Iterator[_Lane]:
    """Make a lane's flow, or several where it would be too large."""
    flow = make(title, names)
    size = size_of(flow)
    count = min(len(names), -(-size // most))
    if count == 1:
        yield _Lane(names, flow, size)
        return
    for first in range(count):
        few = names[first * len(names) // count : (first + 1) * len(names) // count]
        yield _Lane(few, make(title, few), size // count)


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
        "Assign": {"done": expression("$append($done, $states.result.Output.results)")},
        "Output": {},
        "Retry": retries.executions(),
        "Catch": [catch_to_explain(scope, part.subject)],
        "Next": following,
    }
    timeout_s = part.machine.timeout_s
    return State(_executing(part), task(START, arguments, timeout_s=timeout_s, **fields), part)


def _failed(scope: Scope, step: str, part: Child) -> dict[str, str]:
    """Count every selected table of a child as failed: nobody knows how far it came."""
    fields = f'"step": {quote(step)}, "name": $, "kind": "table", "status": "failed"'
    chosen = f"$selected[$ in {names_in(list(part.tables))}]"
    found = f"{chosen}.{{{fields}{failure(scope)}}}"
    return {scope.sink: expression(f"$append(${scope.sink}, {found})")}
