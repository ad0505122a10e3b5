"""A `loads` step: every selected table with a `load:` header goes into its mart, by ECS.

Each load: choose -> plan (the keeper writes the manifest) -> extract (Embulk only: Athena writes a
CSV) -> run (`ecs:runTask.sync`, told names and S3 paths only) -> confirm (rows of lake and mart are
compared).  What fails is explained; what may pass is planned anew.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.events import MOST_EVENTS, events_of
from runner.asl.expressions import expression, quote
from runner.asl.flow import Flow, State, catcher, retrier, size_of, state_name, task
from runner.asl.statements import LOCATION, Statement, running
from runner.asl.steps.nesting import nested_branches
from runner.asl.steps.scope import catch_to_explain, entry, failure, step_retriers
from runner.asl.steps.tables import lanes
from runner.asl.tables.common import athena_arguments, keeper_task
from runner.asl.tablespec import file_format, keeper_spec
from runner.model.durations import seconds
from runner.model.header import LoadMode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.asl.steps.scope import Scope
    from runner.model.header import Load
    from runner.model.names import TableName
    from runner.model.project import Table
    from runner.model.workflow import LoadsStep

_APPENDING = frozenset({LoadMode.INSERT, LoadMode.INSERT_DIRECT})
_CONTAINER = "load"
_MANY = 100
"""Loads that are too many for one machine anyway."""
_MOST_BYTES = 560_000
"""Of loads in a machine that starts others: those states take up to 400 KB more."""
_TRIES = 3
"""Of a load whose failure may pass, each with a manifest of its own."""


def load_mode(table: Table, load: Load) -> LoadMode:
    """Apply the default: replace_window for a table with time partitions, else replace."""
    if load.mode is not None:
        return load.mode
    return LoadMode.REPLACE_WINDOW if table.partitioning.time else LoadMode.REPLACE


def states(scope: Scope, name: str, step: LoadsStep) -> tuple[State, ...]:
    """Give one Parallel state whose lanes hold the loads, behind a gate if others are needed."""
    loaded = [
        table
        for table in scope.selected[name]
        if scope.project.table(table).header.load is not None
    ]
    result: list[State] = []
    title = state_name(name, "lanes")
    needed = scope.needs(step, tables_too=False)
    if needed or scope.left_out(name):
        skipped = scope.collect(entry(name, name, "loads", "skipped"))
        result.append(scope.gate(name, needed, start=title, skipped=skipped, whole=True))
    branches = _branches(scope, name, step, loaded)
    collected = {scope.sink: expression(f"$append(${scope.sink}, $states.result.results)")}
    if branches:
        fields: dict[str, Any] = {"Type": "Parallel", "Branches": branches, "Assign": collected}
    else:
        fields = {"Type": "Pass"}
    caught = scope.catching(name, step, scope.following)
    following = caught[0].name if caught else scope.following
    size = scope.results_bytes(loaded, brief=scope.is_brief)
    fields |= {"Output": {}, "Next": following}
    result.append(State(title, fields, results_bytes=size))
    return (*result, *caught)


def _branches(scope: Scope, name: str, step: LoadsStep, loaded: Sequence[TableName]) -> list[Flow]:
    """Lay out the lanes; where they are too large for the machine, in executions of their own."""
    dealt = lanes(loaded, scope.concurrency.loads)
    inside = replace(scope, depth="")

    def one(table: TableName, following: str) -> tuple[State, ...]:
        return _load(inside, name, scope.project.table(table), step, following)

    if not scope.machine_bytes or len(loaded) <= _MANY:
        branches = [
            _lane(f"{name} lane {number}", lane, one) for number, lane in enumerate(dealt, start=1)
        ]
        if not scope.machine_bytes or _is_small(branches):
            return branches
    apart = replace(inside, known="")

    @cache  # a lane that is cut has its loads made once
    def load(table: TableName, following: str) -> tuple[State, ...]:
        return _load(apart, name, scope.project.table(table), step, following)

    def make(title: str, names: Sequence[TableName]) -> Flow:
        return _lane(title, names, load)

    return nested_branches(scope, name, name, 1, dealt, make=make, kind="load")


def _is_small(branches: Sequence[Flow]) -> bool:
    """Tell whether loads fit into the machine that starts the others."""
    events = sum(map(events_of, branches))
    return sum(map(size_of, branches)) <= _MOST_BYTES and events <= MOST_EVENTS


def _lane(
    title: str,
    names: Sequence[TableName],
    load: Callable[[TableName, str], tuple[State, ...]],
) -> Flow:
    """Give loads one after the other; `load` gives the states of one, and what follows them."""
    end = f"{title} end"
    first = state_name(f"{names[0]} load", "choose")
    result = [State(f"{title} start", {"Type": "Pass", "Assign": {"done": []}, "Next": first})]
    for position, name in enumerate(names):
        last = position + 1 == len(names)
        following = end if last else state_name(f"{names[position + 1]} load", "choose")
        result += load(name, following)
    result.append(
        State(
            end,
            {"Type": "Pass", "Output": {"results": expression("$done")}, "End": True},
        )
    )
    return Flow(tuple(result))


def _load(
    scope: Scope, step_name: str, table: Table, step: LoadsStep, following: str
) -> tuple[State, ...]:
    load = table.header.load
    if load is None:  # pragma: no cover - the caller selects tables with a load
        raise AssertionError(table.name)
    name = str(table.name)
    subject = f"{name} load"

    def result(status: str, more: str = "") -> dict[str, str]:
        return scope.collect(entry(step_name, name, "load", status, more), sink="done")

    place = f'"mart": {quote(load.mart)}, "table": {quote(load.table or table.name.table)}'
    loaded = f', "result": $merge([$states.result.Payload, {{{place}}}])'
    engine = load_engine(scope, load)
    repeatable = engine != "embulk" or load_mode(table, load) not in _APPENDING
    return (
        _choose(scope, name, subject, result("skipped"), following),
        _plan(scope, table, load, subject),
        *(_extract(scope, subject) if engine == "embulk" else ()),
        _run(scope, load, step, subject, repeatable=repeatable),
        _confirm(scope, subject, result("loaded", loaded), following),
        *_failing(
            scope,
            subject,
            result("failed", failure(scope)),
            repeatable=repeatable,
            following=following,
        ),
    )


def _choose(
    scope: Scope, name: str, subject: str, skipped: dict[str, str], following: str
) -> State:
    down = f"{quote(name)} in $down"
    if scope.known:
        known = f'{scope.known}[name = {quote(name)} and status in ["failed", "skipped"]]'
        down = f"$exists({known})"
    return State(
        state_name(subject, "choose"),
        {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": expression(f"$not({quote(name)} in $selected)"),
                    "Next": following,
                },
                {
                    "Condition": expression(down),
                    "Assign": skipped,
                    "Next": following,
                },
            ],
            "Assign": {"manifest": None, "tries": 1},
            "Default": state_name(subject, "plan"),
        },
    )


def _plan(scope: Scope, table: Table, load: Load, subject: str) -> State:
    payload = {
        "window": expression("$window"),
        "name": str(table.name),
        "table": keeper_spec(scope.project, table, scope.workflow.grain)
        | {
            "execution": expression("$states.context.Execution.Id"),
            "redrive": expression("$states.context.Execution.RedriveCount"),
        },
        "load": {
            "table": load.table or table.name.table,
            "mode": load_mode(table, load).value,
            "keys": list(load.keys),
            "columns": list(load.columns),
            "types": dict(load.types),
            "format": file_format(table),
            "min_rows": load.min_rows,
            "engine": load_engine(scope, load),
            "create": load.create,
            "before": load.before,
            "after": load.after,
        },
    }
    following = "extract" if load_engine(scope, load) == "embulk" else "run"
    return State(
        state_name(subject, "plan"),
        keeper_task(
            scope.target,
            "load",
            payload,
            Assign={"manifest": expression("$states.result.Payload")},
            Output={},
            Retry=retries.keeper(),
            Catch=[catch_to_explain(scope, subject)],
            Next=state_name(subject, following),
        ),
    )


def load_engine(scope: Scope, load: Load) -> str:
    """Give the loader: the header's, or the environment's."""
    return load.engine or scope.project.environment.loader


def _extract(scope: Scope, subject: str) -> tuple[State, ...]:
    """Let Athena write the window's rows as a CSV for Embulk."""
    parts = ("Execution.Id", "Execution.RedriveCount", "State.Name")
    once = ' & "|" & '.join((*(f"$states.context.{part}" for part in parts), "$tries"))
    arguments = athena_arguments(
        scope.target,
        expression("$manifest.select"),
        token=expression(f'$hash({once}, "SHA-256")'),
    )
    return running(
        scope.project.environment.athena_wait,
        Statement(
            subject,
            "extract",
            arguments,
            seconds(scope.project.config.defaults.query_timeout),
            keep={"csv": LOCATION},
            catch=(catch_to_explain(scope, subject),),
            following=state_name(subject, "run"),
        ),
    )


def _run(scope: Scope, load: Load, step: LoadsStep, subject: str, *, repeatable: bool) -> State:
    """Start the container; where two at once would double rows, only if none can have started."""
    errors = retries.ECS if repeatable else retries.ECS_REFUSED
    return State(
        state_name(subject, "run"),
        task(
            "arn:aws:states:::ecs:runTask.sync",
            _run_task(scope, load),
            timeout_s=seconds(step.timeout or scope.project.config.defaults.load_timeout),
            Output={},
            Retry=step_retriers(step.retry, [retrier(errors, interval_s=10, attempts=6)]),
            Catch=[catch_to_explain(scope, subject)],
            Next=state_name(subject, "confirm"),
        ),
    )


def _confirm(scope: Scope, subject: str, loaded: dict[str, str], following: str) -> State:
    """Read what the load did, and compare the rows of lake and mart."""
    return State(
        state_name(subject, "confirm"),
        keeper_task(
            scope.target,
            "loaded",
            {"manifest": expression("$manifest.manifest")},
            Assign=loaded,
            Output={},
            Retry=retries.keeper(),
            Catch=[catch_to_explain(scope, subject)],
            Next=following,
        ),
    )


def _failing(
    scope: Scope, subject: str, failed: dict[str, str], *, repeatable: bool, following: str
) -> tuple[State, ...]:
    """Say why, then plan the load anew if another attempt can help, or note it and go on."""
    problem = f"${scope.depth}problem"
    return (
        State(
            state_name(subject, "explain"),
            keeper_task(
                scope.target,
                "load_failed",
                {
                    "manifest": expression("$manifest"),
                    "error": expression(f"{problem}.Error"),
                    "cause": expression(f'$exists({problem}.Cause) ? {problem}.Cause : ""'),
                    "tries": expression("$tries"),
                    "max_tries": _TRIES,
                    "repeatable": repeatable,
                },
                Assign={f"{scope.depth}diagnosis": expression("$states.result.Payload")},
                Output={},
                Retry=retries.keeper(),
                Catch=[
                    catcher(
                        ["States.ALL"],
                        state_name(subject, "fail"),
                        Assign={f"{scope.depth}diagnosis": {"message": "", "advice": ""}},
                    )
                ],
                Next=state_name(subject, "again?"),
            ),
        ),
        State(
            state_name(subject, "again?"),
            {
                "Type": "Choice",
                "Choices": [
                    {
                        "Condition": expression(f"${scope.depth}diagnosis.retry"),
                        "Next": state_name(subject, "wait"),
                    }
                ],
                "Default": state_name(subject, "fail"),
            },
        ),
        State(
            state_name(subject, "wait"),
            {
                "Type": "Wait",
                "Seconds": expression(f"${scope.depth}diagnosis.wait"),
                # What the next try fails by is not the outcome of this one.
                "Assign": {"tries": expression("$tries + 1"), "manifest": None},
                "Next": state_name(subject, "plan"),
            },
        ),
        State(state_name(subject, "fail"), {"Type": "Pass", "Assign": failed, "Next": following}),
    )


def _run_task(scope: Scope, load: Load) -> dict[str, Any]:
    target = scope.target
    engine = load_engine(scope, load)
    arguments: dict[str, Any] = {
        "Cluster": target.cluster,
        "TaskDefinition": target.load_task(load.mart, engine),
        "LaunchType": "FARGATE",
    }
    if target.network is not None:
        arguments["NetworkConfiguration"] = {
            "AwsvpcConfiguration": {
                "Subnets": list(target.network.subnets),
                "SecurityGroups": list(target.network.security_groups),
                "AssignPublicIp": "ENABLED" if target.network.assign_public_ip else "DISABLED",
            }
        }
    environment = [
        {"Name": "RUNNER_LOAD_MANIFEST", "Value": expression("$manifest.manifest")},
        {"Name": "RUNNER_MART", "Value": load.mart},
    ]
    if engine == "embulk":
        environment.append({"Name": "RUNNER_LOAD_ROWS", "Value": expression("$csv")})
    arguments["Overrides"] = {
        "ContainerOverrides": [{"Name": _CONTAINER, "Environment": environment}]
    }
    return arguments
