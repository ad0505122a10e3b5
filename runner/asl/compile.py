"""A workflow becomes a state machine: begin, steps in the order of `needs`, outcome.

In: a loaded `Project`, one of its workflows and the tables that its steps select.  Out: a
`Machine`; `build.render` turns that into the definition's bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.events import MOST_EVENTS, events_of, map_events
from runner.asl.expressions import expression
from runner.asl.flow import Flow, Machine, State, every_state, size_of, state_name
from runner.asl.steps import step_states
from runner.asl.steps.scope import Scope
from runner.asl.tables.common import keeper_task
from runner.asl.target import target_of
from runner.model.durations import seconds
from runner.model.header import Kind
from runner.model.names import BACKFILL, LOAD
from runner.model.steps_flow import needs_of
from runner.model.workflow import (
    CatchUp,
    LastWindow,
    LoadsStep,
    ObjectTrigger,
    TablesStep,
    Workflow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.asl.flow import Child
    from runner.asl.steps.scope import Backfill
    from runner.model.names import TableName
    from runner.model.project import NamedWorkflow, Project
    from runner.model.workflow import AnyStep, Trigger

BEGIN, OUTCOME = "begin", "outcome"
BACKFILL_TIMEOUT = "30d"
NEST_ABOVE_BYTES = 900_000
"""Size of a definition, compact, above which its tables go to executions of their own; the limit
of AWS Step Functions is 1,048,576."""
MANY_TABLES = 80
"""Above so many tables and loads the larger layout is tried first, to save time."""
CHILD_BYTES = 400_000
"""The most bytes of tables in one machine."""
APART_EVENTS = 2_000
"""Of the chunks of one table: above, an execution for each of them may be worth its start."""
_MOST_CAUSE = 30_000


def compile_workflow(
    project: Project,
    named: NamedWorkflow,
    selected: Mapping[str, tuple[TableName, ...]],
) -> Machine:
    """Lay out the state machine of a workflow.

    `selected` holds, for every tables and loads step, its tables in dependency order.  A
    workflow too large for one definition has its tables in `children`.
    """
    scope = Scope(
        project=project,
        target=target_of(project),
        workflow_name=named.name,
        workflow=_with_needs(named.workflow),
        selected=dict(selected),
        following=OUTCOME,
        entries={},
        queries=named.queries,
    )
    return _fitted(scope, many=sum(map(len, selected.values())) > MANY_TABLES)


def _with_needs(workflow: Workflow) -> Workflow:
    """Have steps that a choice decides about need it."""
    needs = needs_of(workflow.steps)
    if all(needs[name] == step.needs for name, step in workflow.steps.items()):
        return workflow
    steps = {
        name: step.model_copy(update={"needs": needs[name]})
        for name, step in workflow.steps.items()
    }
    return workflow.model_copy(update={"steps": steps})


def compile_loads(project: Project) -> Machine:
    """Lay out the machine that only loads: every table with a `load:` header, over a window.

    What is loaded are published records: a table without one for the window fails its load.
    """
    named = tuple(table.name for table in project.tables if table.header.load is not None)
    workflow = Workflow(
        description=f"Loads of {project.config.project}.",
        steps={"loads": LoadsStep(type="loads")},
    )
    scope = Scope(
        project=project,
        target=target_of(project),
        workflow_name=LOAD,
        workflow=workflow,
        selected={"loads": named},
        following=OUTCOME,
        entries={},
    )
    return _fitted(scope, many=len(named) > MANY_TABLES)


def compile_backfill(project: Project, backfill: Backfill) -> Machine:
    """Lay out the machine of a backfill: its tables in waves, then their loads.

    Each table's chunks are a Map, bounded by the DML budget; the chunks themselves come from the
    backfill's plan, which the keeper reads at run time.
    """
    steps: dict[str, AnyStep] = {"tables": TablesStep(type="tables")}
    if backfill.loads:
        steps["loads"] = LoadsStep(type="loads", needs=("tables",))
    workflow = Workflow(
        description=f"Backfill of {project.config.project}.",
        grain=backfill.grain,
        steps=steps,
        timeout=BACKFILL_TIMEOUT,
        concurrency=backfill.concurrency,
    )
    scope = Scope(
        project=project,
        target=target_of(project),
        workflow_name=BACKFILL,
        workflow=workflow,
        selected={
            "tables": backfill.tables,
            **({"loads": backfill.loads} if backfill.loads else {}),
        },
        following=OUTCOME,
        entries={},
        backfill=backfill,
    )
    return _fitted(scope, many=len(backfill.tables) + len(backfill.loads) > MANY_TABLES)


def _fitted(scope: Scope, *, many: bool) -> Machine:
    """Lay out a workflow so that its machines keep within AWS's quotas.

    First as one machine; else with its tables in machines of their own; and where the history of
    one would still be too long, with the chunks of its largest tables in executions of their own.
    With `many` tables the machines come first, to save time.
    """
    machine = _nested(scope) if many else _lay_out(scope)
    if many and _fits(machine, together=True):
        return _lay_out(scope)
    if not many and not _fits(machine):
        machine = _nested(scope)
    apart = _many_chunks(machine)
    if not apart or _fits_history(machine):
        return machine
    return _nested(replace(scope, distributed=apart))


def _fits(machine: Machine, *, together: bool = False) -> bool:
    """Tell whether a machine, with its children's states in it or without, is small enough."""
    size, events = size_of(machine.flow), events_of(machine.flow)
    if together:
        size += sum(child.lanes_bytes for child in machine.children)
        events += sum(events_of(child.machine.flow) for child in machine.children)
    return size <= NEST_ABOVE_BYTES and events <= MOST_EVENTS


def _fits_history(machine: Machine) -> bool:
    machines = (machine, *(child.machine for child in machine.children))
    return all(events_of(one.flow) <= MOST_EVENTS for one in machines)


def _many_chunks(machine: Machine) -> frozenset[str]:
    """Name the tables whose chunks leave most of the events in their machine."""
    machines = (machine, *(child.machine for child in machine.children))
    return frozenset(
        state.subject
        for one in machines
        for state in every_state(one.flow)
        if state.subject and state.most_items > 1 and map_events(state) > APART_EVENTS
    )


def _nested(scope: Scope) -> Machine:
    machine = _lay_out(replace(scope, machine_bytes=CHILD_BYTES))
    return replace(machine, children=tuple(_children(machine.flow)))


def _children(flow: Flow) -> Iterator[Child]:
    for state in flow.states:
        if state.child is not None:
            yield state.child
        for branch in state.fields.get("Branches", ()):
            if isinstance(branch, Flow):
                yield from _children(branch)


def _lay_out(scope: Scope) -> Machine:
    reached = handlers(scope.workflow)
    handling = {name: _step(scope, name) for name in reached}
    scope = replace(scope, entries={name: made[0].name for name, made in handling.items()})
    body = _sequence(scope, levels(scope.workflow.steps, without=reached))
    first = body[0].name if body else OUTCOME
    caught = (state for made in handling.values() for state in made)
    states = (_begin(scope, first), *body, *caught, *_outcome())
    comment = (
        scope.workflow.description or f"{scope.workflow_name} of {scope.project.config.project}"
    )
    return Machine(comment, Flow(states), seconds(scope.workflow.timeout))


def handlers(workflow: Workflow) -> tuple[str, ...]:
    """Name the steps that only a catcher reaches: named by one, needing nothing themselves."""
    named = {one.next for step in workflow.steps.values() for one in step.catch}
    return tuple(n for n, step in workflow.steps.items() if n in named and not step.needs)


def levels(
    steps: Mapping[str, AnyStep], *, without: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], ...]:
    """Group steps so that each group needs only earlier ones; the file's order is kept."""
    level: dict[str, int] = {}
    steps = {name: step for name, step in steps.items() if name not in without}
    while len(level) < len(steps):
        ready = [n for n, s in steps.items() if n not in level and set(s.needs) <= set(level)]
        if not ready:
            raise ValueError(f"steps {sorted(set(steps) - set(level))} need each other")
        for name in ready:
            level[name] = max((level[need] for need in steps[name].needs), default=-1) + 1
    count = max(level.values(), default=-1) + 1
    return tuple(tuple(n for n in steps if level[n] == depth) for depth in range(count))


def _sequence(scope: Scope, groups: tuple[tuple[str, ...], ...]) -> tuple[State, ...]:
    """Lay out the groups from the last to the first, so that each knows what follows."""
    states: tuple[State, ...] = ()
    entries = dict(scope.entries)
    following = scope.following
    for group in reversed(groups):
        here = replace(scope, following=following, entries=dict(entries))
        made = _step(here, group[0]) if len(group) == 1 else _parallel(here, group)
        if made:
            following = made[0].name
            states = (*made, *states)
            entries |= dict.fromkeys(group, following)
    return states


def _step(scope: Scope, name: str) -> tuple[State, ...]:
    return step_states(scope, name, scope.workflow.steps[name])


def _parallel(scope: Scope, group: tuple[str, ...]) -> tuple[State, ...]:
    """Run the steps of a group side by side, each collecting for itself."""
    title = state_name(" and ".join(group[:-1]), f"and {group[-1]}")
    branches = []
    for name in group:
        end = f"{name} end"
        inner = replace(
            scope,
            following=end,
            entries={},
            sink="branch",
            known=f"$append({scope.known}, $branch)",
            depth="branch_",
        )
        body = _step(inner, name)
        start = State(
            f"{name} start",
            {"Type": "Pass", "Assign": {"branch": []}, "Next": body[0].name if body else end},
        )
        output = {"results": expression("$branch")}
        branches.append(
            Flow((start, *body, State(end, {"Type": "Pass", "Output": output, "End": True})))
        )
    collected = expression(f"$append(${scope.sink}, $states.result.results)")
    fields: dict[str, Any] = {
        "Type": "Parallel",
        "Branches": branches,
        "Assign": {scope.sink: collected},
        "Output": {},
        "Next": scope.following,
    }
    return (State(title, fields),)


def _begin(scope: Scope, first: str) -> State:
    """Turn the execution's input into a window; an invalid input fails the execution at once."""
    project, workflow = scope.project, scope.workflow
    tables = dict.fromkeys(
        str(name)
        for step, names in scope.selected.items()
        if isinstance(workflow.steps[step], TablesStep)
        for name in names
    )
    others = dict.fromkeys(str(name) for names in scope.selected.values() for name in names)
    return State(
        BEGIN,
        keeper_task(
            scope.target,
            "begin",
            {
                "input": expression("$states.input"),
                "grain": workflow.grain,
                "timezone": project.config.timezone,
                "schedule": schedule_window(workflow),
                "tables": list(tables | others),
                "max_window": project.config.defaults.max_window,
                **_windowed(scope, list(tables)),
                **_triggers(workflow),
            },
            Assign={
                "window": expression("$states.result.Payload.window"),
                "selected": expression("$states.result.Payload.selected"),
                "results": [],
            },
            Output={},
            Retry=retries.keeper(),
            Next=first,
        ),
    )


def _windowed(scope: Scope, names: list[str]) -> dict[str, Any]:
    """Tell which tables' records show a missed run, if the workflow catches up."""
    if "catch_up" not in (schedule_window(scope.workflow) or {}):
        return {}
    tables = {
        f"{table.database}.{table.name.table}": table.partitioning.grain
        for table in scope.project.tables
        if table.kind is Kind.INSERT and table.partitioning.grain and str(table.name) in names
    }
    return {"windowed": tables}


def schedule_window(workflow: Workflow) -> dict[str, Any] | None:
    """Give the window of a scheduled run as {last, unit, lag}; None without a schedule.

    `catch_up` is there as well unless it is none.
    """
    if workflow.schedule is None:
        return None
    window, policy = workflow.schedule.window, workflow.schedule.catch_up
    more: dict[str, Any] = {}
    if policy != "none":
        more = {"catch_up": {"last": policy.last} if isinstance(policy, CatchUp) else policy}
    return {**_counted(window), **more}


def _triggers(workflow: Workflow) -> dict[str, Any]:
    """Tell the windows of events: counted from their time, or named by the key of an object."""
    if not workflow.triggers:
        return {}
    return {"triggers": {name: trigger_window(one) for name, one in workflow.triggers.items()}}


def trigger_window(trigger: Trigger) -> dict[str, Any]:
    """Give the window of a trigger: {last, unit, lag}, or {period, prefix} of the object's key."""
    if isinstance(trigger, ObjectTrigger) and trigger.period is not None:
        return {"period": trigger.period, "prefix": trigger.prefix}
    return _counted(trigger.window or "previous_day")


def _counted(window: str | LastWindow) -> dict[str, Any]:
    if isinstance(window, LastWindow):
        return {"last": window.last, "unit": window.unit, "lag": window.lag}
    return {"last": 1, "unit": window.removeprefix("previous_"), "lag": 1}


def _outcome() -> tuple[State, ...]:
    failed = '$results[status in ["failed", "skipped"]]'
    listing = (
        '$join($results[status = "failed"].(name & " failed: " & message), "; ") & '
        '$join($results[status = "skipped"].("; " & name & " skipped (upstream failed)"), "")'
    )
    return (
        State(
            OUTCOME,
            {
                "Type": "Choice",
                "Choices": [{"Condition": expression(f"$exists({failed})"), "Next": "failed"}],
                "Default": "succeeded",
            },
        ),
        State(
            "failed",
            {
                "Type": "Fail",
                "Error": "Runner.StepsFailed",
                "Cause": expression(f"$substring({listing}, 0, {_MOST_CAUSE})"),
            },
        ),
        State(
            "succeeded",
            {
                "Type": "Succeed",
                "Output": {
                    "window": expression("$window"),
                    "results": expression("$results"),
                },
            },
        ),
    )
