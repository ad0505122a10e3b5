"""A `loads` step: every selected table with a `load:` header goes into its mart, by ECS.

Each load: choose -> plan (the keeper writes the manifest) -> load (`ecs:runTask.sync`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import expression, quote
from runner.asl.flow import Flow, State, retrier, state_name, task
from runner.asl.steps.scope import catch_to_explain, entry, explaining, failure, step_retriers
from runner.asl.steps.tables import lanes
from runner.asl.tables.common import keeper_task
from runner.asl.tablespec import file_format, keeper_spec
from runner.model.durations import seconds
from runner.model.header import LoadMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.asl.steps.scope import Scope
    from runner.model.header import Load
    from runner.model.names import TableName
    from runner.model.project import Table
    from runner.model.workflow import LoadsStep

_APPENDING = frozenset({LoadMode.INSERT, LoadMode.INSERT_DIRECT})
_CONTAINER = "load"


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
    if needed:
        skipped = scope.collect(entry(name, name, "loads", "skipped"))
        result.append(scope.gate(name, needed, start=title, skipped=skipped, whole=True))
    inside = replace(scope, depth="")
    branches = [
        _lane(inside, name, f"{name} lane {number}", lane, step)
        for number, lane in enumerate(lanes(loaded, scope.concurrency.loads), start=1)
    ]
    collected = {scope.sink: expression(f"$append(${scope.sink}, $states.result.results)")}
    if branches:
        fields: dict[str, Any] = {"Type": "Parallel", "Branches": branches, "Assign": collected}
    else:
        fields = {"Type": "Pass"}
    caught = scope.catching(name, step, scope.following)
    following = caught[0].name if caught else scope.following
    result.append(State(title, {**fields, "Output": {}, "Next": following}))
    return (*result, *caught)


def _lane(
    scope: Scope, step_name: str, title: str, names: Sequence[TableName], step: LoadsStep
) -> Flow:
    end = f"{title} end"
    first = state_name(f"{names[0]} load", "choose")
    result = [State(f"{title} start", {"Type": "Pass", "Assign": {"done": []}, "Next": first})]
    for position, name in enumerate(names):
        last = position + 1 == len(names)
        following = end if last else state_name(f"{names[position + 1]} load", "choose")
        result += _load(scope, step_name, scope.project.table(name), step, following)
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

    loaded = ', "result": {"rows": $manifest.rows, "mart": '
    loaded += f'{quote(load.mart)}, "table": {quote(load.table or table.name.table)}}}'
    return (
        _choose(scope, name, subject, result("skipped"), following),
        _plan(scope, table, load, subject),
        State(
            state_name(subject, "run"),
            task(
                "arn:aws:states:::ecs:runTask.sync",
                _run_task(scope, load),
                timeout_s=seconds(step.timeout or scope.project.config.defaults.load_timeout),
                Assign=result("loaded", loaded),
                Output={},
                Retry=_retriers(table, load, step),
                Catch=[catch_to_explain(scope, subject)],
                Next=following,
            ),
        ),
        *explaining(scope, subject, result("failed", failure(scope)), following=following),
    )


def _choose(
    scope: Scope, name: str, subject: str, skipped: dict[str, str], following: str
) -> State:
    down = f'{scope.known}[name = {quote(name)} and status in ["failed", "skipped"]]'
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
                    "Condition": expression(f"$exists({down})"),
                    "Assign": skipped,
                    "Next": following,
                },
            ],
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
        },
    }
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
            Next=state_name(subject, "run"),
        ),
    )


def _run_task(scope: Scope, load: Load) -> dict[str, Any]:
    target = scope.target
    engine = load.engine or scope.project.environment.loader
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
    arguments["Overrides"] = {
        "ContainerOverrides": [{"Name": _CONTAINER, "Environment": environment}]
    }
    return arguments


def _retriers(table: Table, load: Load, step: LoadsStep) -> list[dict[str, Any]]:
    """Retry a failed task only in modes that make a repeat harmless (SEMANTICS 38)."""
    default = [retrier(retries.ECS, interval_s=10, attempts=6)]
    if load_mode(table, load) not in _APPENDING:
        default.append(retrier(["States.TaskFailed"], interval_s=5, attempts=2))
    return step_retriers(step.retry, default)
