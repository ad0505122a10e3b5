"""A `bigquery_transfer` step: tables are exported one after the other, then a transfer runs.

For each table: choose -> plan (the keeper says what to unload) -> unload (a Map: one statement for
each period) -> settle (the keeper writes the schema and removes what the window had before).  Then
call (a function starts the run) -> wait -> look (it tells the state, and fails if the run did) ->
ended?.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import concatenation, expression, quote
from runner.asl.flow import Flow, State, retrier, state_name, task
from runner.asl.statements import Statement, patience, problem, running
from runner.asl.steps.scope import entry, gated, step_failing, step_retriers
from runner.asl.tables.common import REDRIVE, athena_arguments, keeper_task
from runner.asl.tablespec import keeper_spec
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.names import TableName
    from runner.model.project import Table
    from runner.model.steps_sinks import BigqueryTransferStep

KIND = "bigquery_transfer"
_MANIFEST = "Statistics.DataManifestLocation"
_CODEC = "SNAPPY"
_TRANSFER_TIMEOUT = "12h"
_CALL_TIMEOUT_S = 300
_LOOKS = 20
"""At an ordinary transfer."""
_INPUT = "$states.input"


def states(scope: Scope, name: str, step: BigqueryTransferStep) -> tuple[State, ...]:
    """Give the states of the step, behind a gate if other steps are needed."""
    tables = scope.selected.get(name, ())
    catchers, explained = step_failing(scope, name, KIND, step)
    begin_name, done = state_name(name, "begin"), state_name(name, "done")
    transfer = _transfer(scope, name, step, catchers, done) if step.transfer else ()
    after = transfer[0].name if transfer else done
    firsts = [state_name(f"{name} {table}", "choose") for table in tables]
    followings = [*firsts[1:], after]
    exports = [
        state
        for table, following in zip(tables, followings, strict=False)
        for state in _Export(scope, name, step, table, catchers).states(following)
    ]
    begin: dict[str, Any] = {
        "Type": "Pass",
        "Assign": {_exports(scope): [], f"{scope.depth}run": None},
        "Output": {},
        "Next": firsts[0] if firsts else after,
    }
    return (
        *gated(scope, name, step, KIND, start=begin_name),
        State(begin_name, begin),
        *exports,
        *transfer,
        _done(scope, name),
        *explained,
    )


def export_folder(workflow: str, name: str, step: BigqueryTransferStep) -> str:
    """Give the folder of a step's exports below the lake, with its slash."""
    return (step.folder or f"exports/{workflow}/{name}").rstrip("/") + "/"


def _exports(scope: Scope) -> str:
    return f"{scope.depth}exports"


def _done(scope: Scope, name: str) -> State:
    value = f', "value": {{"exports": ${_exports(scope)}, "run": ${scope.depth}run}}'
    fields = {
        "Type": "Pass",
        "Assign": scope.collect(entry(name, name, KIND, "succeeded", value)),
        "Output": {},
        "Next": scope.following,
    }
    return State(state_name(name, "done"), fields)


class _Export:
    """The states of one table's export."""

    def __init__(
        self,
        scope: Scope,
        step_name: str,
        step: BigqueryTransferStep,
        name: TableName,
        catchers: list[dict[str, Any]],
    ) -> None:
        self._scope = scope
        self._step_name = step_name
        self._step = step
        self._table: Table = scope.project.table(name)
        self._catch = {"Catch": catchers}
        self._subject = f"{step_name} {name}"
        self._plan = f"{scope.depth}export"

    def states(self, following: str) -> tuple[State, ...]:
        return (
            self._choose(following),
            self._planned(),
            self._unload(),
            self._settle(following),
        )

    def _name(self, verb: str) -> str:
        return state_name(self._subject, verb)

    def _choose(self, following: str) -> State:
        condition = expression(f"{quote(str(self._table.name))} in $selected")
        chosen = {"Condition": condition, "Next": self._name("plan")}
        return State(
            self._name("choose"), {"Type": "Choice", "Choices": [chosen], "Default": following}
        )

    def _planned(self) -> State:
        scope, step, name = self._scope, self._step, str(self._table.name)
        below = export_folder(scope.workflow_name, self._step_name, step)
        payload = {
            "window": expression("$window"),
            "table": keeper_spec(scope.project, self._table, scope.workflow.grain)
            | {
                "execution": expression("$states.context.Execution.Id"),
                "redrive": expression(REDRIVE),
            },
            "export": {
                "folder": f"{below}{name}/",
                "columns": list(step.columns.get(name, ())),
                "timestamps": step.timestamps,
            },
        }
        return self._keeper(
            "plan",
            "export",
            payload,
            Assign={self._plan: expression("$states.result.Payload")},
            Next=self._name("unload"),
        )

    def _unload(self) -> State:
        """Unload each period into a folder of this run; a redriven one takes another folder."""
        wait = self._scope.project.environment.athena_wait
        place = (
            f"${self._plan}.folder & {_INPUT}.period & "
            f'"/" & ${self._plan}.run & "/" & $string({REDRIVE}) & "/"'
        )
        terms = [
            quote("UNLOAD ("),
            f"${self._plan}.select",
            f"{_INPUT}.where",
            quote(") TO '"),
            f"{place}",
            quote(f"' WITH (format = 'PARQUET', compression = '{_CODEC}')"),
        ]
        salt = ["$states.context.Execution.Id", REDRIVE, "$states.context.State.Name"]
        token = ' & "|" & '.join([*salt, f"{_INPUT}.period"])
        defaults = self._scope.project.config.defaults
        statement = Statement(
            self._subject,
            "write",
            athena_arguments(
                self._scope.target,
                expression(concatenation(terms)),
                token=expression(f'$hash({token}, "SHA-256")'),
            ),
            seconds(self._table.header.timeout or defaults.query_timeout),
            output=_MANIFEST,
        )
        fields: dict[str, Any] = {
            "Type": "Map",
            "Items": expression(f"${self._plan}.parts"),
            "MaxConcurrency": self._scope.concurrency.chunks,
            "ItemProcessor": Flow(running(wait, statement)),
            "Assign": {f"{self._scope.depth}written": expression("$states.result")},
            "Output": {},
            "Catch": [self._caught(one) for one in self._catch["Catch"]],
            "Next": self._name("settle"),
        }
        most = defaults.max_window if self._table.partitioning.grain else 1
        return State(self._name("unload"), fields, subject=str(self._table.name), most_items=most)

    def _caught(self, one: dict[str, Any]) -> dict[str, Any]:
        """Give a catcher of errors that a statement may have caused."""
        told = problem(self._scope.project.environment.athena_wait)
        whole = expression("$states.errorOutput")
        assigned = {
            key: told if value == whole else value for key, value in one.get("Assign", {}).items()
        }
        return {**one, "Assign": assigned} if assigned else one

    def _settle(self, following: str) -> State:
        told = f'$merge([$states.result.Payload, {{"table": {quote(str(self._table.name))}}}])'
        collected = expression(f"$append(${_exports(self._scope)}, [{told}])")
        return self._keeper(
            "settle",
            "exported",
            {
                "export": expression(f"${self._plan}"),
                "written": expression(f"${self._scope.depth}written"),
            },
            Assign={_exports(self._scope): collected},
            Next=following,
        )

    def _keeper(self, verb: str, op: str, payload: dict[str, Any], **rest: Any) -> State:  # noqa: ANN401
        fields = {"Output": {}, "Retry": retries.keeper(), **self._catch, **rest}
        return State(self._name(verb), keeper_task(self._scope.target, op, payload, **fields))


# --- the transfer ---------------------------------------------------------------------------------


def _transfer(
    scope: Scope,
    name: str,
    step: BigqueryTransferStep,
    catchers: list[dict[str, Any]],
    done: str,
) -> tuple[State, ...]:
    """Start a run and look at it until it has ended."""
    run, ended = f"${scope.depth}run", state_name(name, "ended?")
    wait, look = state_name(name, "wait"), state_name(name, "look")
    retry = {
        "Retry": step_retriers(
            step.retry, [retrier((*retries.KEEPER, "Unavailable"), interval_s=5, attempts=6)]
        ),
        "Catch": catchers,
        "Output": {},
    }

    def call(payload: dict[str, Any], following: str) -> dict[str, Any]:
        return task(
            "arn:aws:states:::lambda:invoke",
            {"FunctionName": scope.target.function(step.function), "Payload": payload},
            timeout_s=_CALL_TIMEOUT_S,
            Assign={f"{scope.depth}run": expression("$states.result.Payload")},
            **retry,
            Next=following,
        )

    begin = {"op": "start", "transfer": step.transfer, "run_time": _run_time(step)}
    asked = {
        "op": "look",
        "run": expression(f"{run}.name"),
        "started": expression(f"{run}.started"),
        "timeout_s": seconds(step.timeout or _TRANSFER_TIMEOUT),
    }
    spent = f"$toMillis($states.context.State.EnteredTime) / 1000 - {run}.started"
    every = expression(patience(seconds(step.poll), spent))
    over = {"Condition": expression(f"{run}.ended"), "Next": done}
    return (
        State(state_name(name, "call"), call(begin, wait)),
        State(wait, {"Type": "Wait", "Seconds": every, "Next": look}, looks=_LOOKS),
        State(look, call(asked, ended), looks=_LOOKS),
        State(ended, {"Type": "Choice", "Choices": [over], "Default": wait}, looks=_LOOKS),
    )


def _run_time(step: BigqueryTransferStep) -> str:
    return expression(f"$window.{step.run_time}")
