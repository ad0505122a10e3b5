"""A `redshift` step: statements by the Data API, each waited for.

One Parallel of one branch: begin (a token) -> execute -> wait -> look -> ended? -> what follows, or
a Fail that the Parallel's catchers see.  The token is made when a statement's turn begins, so that
a call that is made again finds the statement of the first.  More statements that are no
transaction follow each other in the branch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl.expressions import expression
from runner.asl.flow import Flow, State, retrier, state_name, task
from runner.asl.statements import ORDINARY_S, count_looks, patience
from runner.asl.steps.scope import entry, gated, step_failing, step_retriers
from runner.asl.steps.values import is_jsonata, jsonata_of, seeing
from runner.model.durations import seconds
from runner.model.spectrum import schema_ddl
from runner.model.sqlparameters import parameters_of

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.steps_sinks import RedshiftStep

_SERVICE = "arn:aws:states:::aws-sdk:redshiftdata:"
_TIMEOUT = "12h"
_CALL_TIMEOUT_S = 60
_LOOKS = count_looks(ORDINARY_S)
_ERRORS = (
    "RedshiftData.ActiveStatementsExceededException",
    "RedshiftData.ActiveSessionsExceededException",
    "RedshiftData.InternalServerException",
    "RedshiftData.ThrottlingException",
    "RedshiftData.RedshiftDataException",
    "RedshiftData.SdkClientException",
    "States.Timeout",
)


def states(scope: Scope, name: str, step: RedshiftStep) -> tuple[State, ...]:
    """Give the states of the step, behind a gate if other steps are needed."""
    start = state_name(name, "run")
    catchers, explained = step_failing(scope, name, "redshift", step)
    fields: dict[str, Any] = {
        "Type": "Parallel",
        "Branches": [_branch(scope, name, step)],
        "Assign": scope.collect(
            entry(name, name, "redshift", "succeeded", ', "value": $states.result[0]')
        ),
        "Output": {},
        "Catch": catchers,
        "Next": state_name(name, "done"),
    }
    if step.retry:
        fields["Retry"] = step_retriers(step.retry, [])
    done = {"Type": "Pass", "Output": {}, "Next": scope.following}
    return (
        *gated(scope, name, step, "redshift", start=start),
        State(start, fields),
        State(state_name(name, "done"), done),
        *explained,
    )


def batches(scope: Scope, step: RedshiftStep) -> tuple[tuple[str, ...], ...]:
    """Group the step's statements: each group is one call, one transaction."""
    given = (step.sql,) if isinstance(step.sql, str) else step.sql
    groups = [given] if step.transaction and given else [(one,) for one in given]
    if step.external_schema is not None:
        external = step.external_schema
        database = _physical(scope, external.database)
        groups = [(schema_ddl(external.name, database, external.role),), *groups]
    return tuple(groups)


def _branch(scope: Scope, name: str, step: RedshiftStep) -> Flow:
    groups = batches(scope, step)
    subjects = [name if len(groups) == 1 else f"{name} {n}" for n in range(1, len(groups) + 1)]
    end = state_name(name, "called")
    followings = [*(state_name(one, "begin") for one in subjects[1:]), end]
    made = [
        state
        for subject, statements, following in zip(subjects, groups, followings, strict=True)
        for state in _Call(scope, subject, step, statements).states(following)
    ]
    return Flow((*made, State(end, {"Type": "Pass", "End": True})))


class _Call:
    """The states of one call of the Data API."""

    def __init__(
        self, scope: Scope, subject: str, step: RedshiftStep, statements: tuple[str, ...]
    ) -> None:
        self._scope = scope
        self._step = step
        self._subject = subject
        self._statements = statements
        self._database = _database(step)
        self._token, self._since = f"{scope.depth}token", f"{scope.depth}since"

    def states(self, following: str) -> tuple[State, ...]:
        step = self._step
        spent = f"($toMillis($states.context.State.EnteredTime) - ${self._since}) / 1000"
        every = expression(patience(seconds(step.poll), spent))
        pause = {"Type": "Wait", "Seconds": every, "Next": self._name("look")}
        return (
            self._begin(),
            self._execute(),
            State(self._name("wait"), pause, looks=_LOOKS),
            self._look(),
            self._ended(following),
            self._cancel(),
            self._fail("late", "Redshift.StatementTimedOut", f"not ended in {self._longest} s"),
            self._fail(
                "lost", "Redshift.StatementFailed", expression("$states.input.cause"), plain=False
            ),
        )

    @property
    def _longest(self) -> int:
        return seconds(self._step.timeout or _TIMEOUT)

    def _name(self, verb: str) -> str:
        return state_name(self._subject, verb)

    def _begin(self) -> State:
        parts = ["$states.context.Execution.Id", "$states.context.State.Name"]
        told = ' & "|" & '.join([*parts, "$states.context.State.EnteredTime"])
        token = f"{told}{self._scope.item_tag}"
        assign = {
            self._token: expression(f'$hash({token}, "SHA-256")'),
            self._since: expression("$toMillis($states.context.State.EnteredTime)"),
        }
        fields = {"Type": "Pass", "Assign": assign, "Output": {}, "Next": self._name("execute")}
        return State(self._name("begin"), fields)

    def _execute(self) -> State:
        one = len(self._statements) == 1
        action = "executeStatement" if one else "batchExecuteStatement"
        sql = {"Sql": self._statements[0]} if one else {"Sqls": list(self._statements)}
        arguments: dict[str, Any] = {
            **self._database,
            **sql,
            "StatementName": self._subject,
            "ClientToken": expression(f"${self._token}"),
        }
        used = parameters_of(self._statements)
        if used:
            arguments["Parameters"] = [{"Name": name, "Value": self._value(name)} for name in used]
        return self._call(
            "execute",
            action,
            arguments,
            Output={"Id": expression("$states.result.Id")},
            Next=self._name("wait"),
        )

    def _value(self, name: str) -> str:
        given = self._step.parameters
        if name in given:
            value = given[name]
            if is_jsonata(value):
                return expression(f"$string({seeing(self._scope, jsonata_of(str(value)))})")
            return str(value).lower() if isinstance(value, bool) else str(value)
        return expression(f"{self._scope.window}.{name}")

    def _look(self) -> State:
        kept = ["Id", "Status", "Duration", "ResultRows"]
        told = ", ".join(f'"{key}": $states.result.{key}' for key in kept)
        error = '"Error": $exists($states.result.Error) ? $states.result.Error : ""'
        return self._call(
            "look",
            "describeStatement",
            {"Id": expression("$states.input.Id")},
            Output=expression(f"{{{told}, {error}}}"),
            Next=self._name("ended?"),
        )

    def _ended(self, following: str) -> State:
        status = "$states.input.Status"
        cause = f'{status} & ": " & $states.input.Error'
        spent = f"$toMillis($states.context.State.EnteredTime) - ${self._since}"
        choices = [
            {"Condition": expression(f'{status} = "FINISHED"'), "Next": following},
            {
                "Condition": expression(f'{status} in ["FAILED", "ABORTED"]'),
                "Output": {"cause": expression(cause)},
                "Next": self._name("lost"),
            },
            {
                "Condition": expression(f"{spent} >= {self._longest * 1000}"),
                "Next": self._name("cancel"),
            },
        ]
        fields = {"Type": "Choice", "Choices": choices, "Default": self._name("wait")}
        return State(self._name("ended?"), fields, looks=_LOOKS)

    def _cancel(self) -> State:
        """Cancel what takes too long; whether that comes through or not, it has failed."""
        late = self._name("late")
        return self._call(
            "cancel",
            "cancelStatement",
            {"Id": expression("$states.input.Id")},
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": late}],
            Next=late,
        )

    def _call(self, verb: str, action: str, arguments: dict[str, Any], **rest: Any) -> State:  # noqa: ANN401
        fields = task(
            f"{_SERVICE}{action}",
            arguments,
            timeout_s=_CALL_TIMEOUT_S,
            Retry=[retrier(_ERRORS, interval_s=2, attempts=6)],
            **rest,
        )
        return State(self._name(verb), fields, looks=_LOOKS if verb == "look" else 0)

    def _fail(self, verb: str, error: str, cause: str, *, plain: bool = True) -> State:
        told = f"{self._subject}: {cause}" if plain else cause
        return State(self._name(verb), {"Type": "Fail", "Error": error, "Cause": told})


def _physical(scope: Scope, database: str) -> str:
    """Give the database as the environment has it."""
    tables = scope.project.tables
    found = (table.database for table in tables if table.name.database == database)
    return next(found, database)


def _database(step: RedshiftStep) -> dict[str, str]:
    """Give the arguments that say where, and who."""
    named = {
        "ClusterIdentifier": step.cluster,
        "WorkgroupName": step.workgroup,
        "Database": step.database,
        "DbUser": step.user,
        "SecretArn": step.secret,
    }
    return {key: value for key, value in named.items() if value}
