"""What the turn of every table has: the gate, the look at the target, the diagnosis.

Variables of a lane: `done` (results so far), and for the table in turn `spec`, `attempt`, `target`,
`plan`, `problem`, `diagnosis`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.asl import retries, sql_texts
from runner.asl.expressions import expression, names_in, quote, sql_terms
from runner.asl.flow import State, catcher, state_name, task
from runner.asl.statements import Statement, problem, running
from runner.asl.tablespec import keeper_spec, mark_names
from runner.model.durations import seconds
from runner.model.names import STAGE_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.asl.target import Target
    from runner.model.config import Defaults, Retry
    from runner.model.project import Project, Table
    from runner.model.sqltext import SqlText

KEEPER_TIMEOUT_S = 900
CATALOGUE_TIMEOUT_S = 60
NO_OUTPUT: dict[str, Any] = {}
REDRIVE = "$states.context.Execution.RedriveCount"


@dataclass(frozen=True, slots=True)
class Lane:
    """Where a table's states stand: the workflow's settings and the variables around them."""

    project: Project
    target: Target
    step: str
    grain: str
    retry: Retry
    chunks: int
    upstreams: dict[str, tuple[str, ...]]
    """Tables of this workflow that each table reads."""
    known: str
    """JSONata for the results of everything that ran before this lane; or, in an execution of its
    own, empty: it knows the names in `$down`."""
    sink: str = "done"
    """The variable that collects this lane's results."""
    refreshed: frozenset[str] = frozenset()
    """Tables that a full refresh may write anew (SEMANTICS 10)."""
    distributed: frozenset[str] = frozenset()
    """Tables with so many chunks that these are executions of their own."""

    def is_down(self, names: Sequence[str]) -> str:
        """Ask in JSONata whether one of these failed or was skipped."""
        if not self.known:
            return " or ".join(f"{quote(name)} in $down" for name in names)
        down = f'{self.known}[status in ["failed", "skipped"] and name in '
        return f"$exists({down}{names_in(list(names))}])"

    @property
    def defaults(self) -> Defaults:
        """Give the project's defaults."""
        return self.project.config.defaults


class Turn:
    """Names and building blocks of one table's states."""

    def __init__(self, lane: Lane, table: Table, following: str, own: str = "") -> None:
        """Take the table, and the state that comes after its turn.

        `own` begins the names of the turn's variables inside an execution of its own, which cannot
        see those around it and may not take their names.
        """
        self.own = own
        self.lane = lane
        self.table = table
        self.following = following
        self.subject = str(table.name)

    def name(self, verb: str) -> str:
        """Name a state of this table."""
        return state_name(self.subject, verb)

    @property
    def stage_database(self) -> str:
        """Give the database of stage tables."""
        return f"{self.table.database}{STAGE_SUFFIX}"

    @property
    def query_timeout_s(self) -> int:
        """Give the longest time of one statement, in seconds."""
        return seconds(self.table.header.timeout or self.lane.defaults.query_timeout)

    def entering(self) -> tuple[State, ...]:
        """Skip the table if it is not selected or an upstream failed; else set its variables."""
        choices: list[dict[str, Any]] = [
            {
                "Condition": expression(f"$not({quote(self.subject)} in $selected)"),
                "Next": self.following,
            }
        ]
        reads = self.lane.upstreams.get(self.subject, ())
        if reads:
            choices.append(
                {
                    "Condition": expression(self.lane.is_down(reads)),
                    "Assign": self.result("skipped", ""),
                    "Next": self.following,
                }
            )
        spec = keeper_spec(self.lane.project, self.table, self.lane.grain) | {
            "execution": expression("$states.context.Execution.Id"),
            "redrive": expression(REDRIVE),
        }
        return (
            State(
                self.name("choose"),
                {"Type": "Choice", "Choices": choices, "Default": self.name("start")},
            ),
            State(
                self.name("start"),
                {
                    "Type": "Pass",
                    "Assign": {"spec": spec, "attempt": 1, "split": 1, "largest": 1},
                    "Next": self.name("read"),
                },
            ),
            self.read_target(),
        )

    def result(self, status: str, more: str) -> dict[str, str]:
        """Assign the lane's results plus this table's; `more` is further JSONata fields."""
        fields = (
            f'"step": {quote(self.lane.step)}, "name": {quote(self.subject)}, '
            f'"kind": "table", "status": {quote(status)}{more}'
        )
        sink = self.lane.sink
        return {sink: expression(f"$append(${sink}, [{{{fields}}}])")}

    def read_target(self) -> State:
        """Look at the published table; `target` is null when there is none."""
        return State(
            self.name("read"),
            task(
                "arn:aws:states:::aws-sdk:glue:getTable",
                {"DatabaseName": self.table.database, "Name": self.table.name.table},
                timeout_s=CATALOGUE_TIMEOUT_S,
                Assign={"target": expression("$states.result.Table")},
                Output=NO_OUTPUT,
                Retry=retries.glue(),
                Catch=[
                    catcher(
                        ["Glue.EntityNotFoundException"],
                        self.name("prepare"),
                        Assign={"target": None},
                    ),
                    self.catch_all(),
                ],
                Next=self.name("prepare"),
            ),
        )

    def catch_all(self) -> dict[str, Any]:
        """Send any other error to the diagnosis."""
        return catcher(
            ["States.ALL"],
            self.name("diagnose"),
            Assign={"problem": self.problem},
        )

    @property
    def problem(self) -> str:
        """Give what is noted of an error that a statement may have caused."""
        return problem(self.lane.project.environment.athena_wait)

    def keeper(self, verb: str, op: str, payload: dict[str, Any], **rest: Any) -> State:  # noqa: ANN401
        """Call the keeper about this table; `Catch=[]` leaves errors to the state around it."""
        fields: dict[str, Any] = {
            "Output": NO_OUTPUT,
            "Retry": retries.keeper(),
            "Catch": [self.catch_all()],
            **rest,
        }
        if not fields["Catch"]:
            del fields["Catch"]
        return State(
            self.name(verb), keeper_task(self.lane.target, op, self.context() | payload, **fields)
        )

    def context(self) -> dict[str, Any]:
        """Give what every table operation of the keeper needs."""
        return {
            "attempt": expression(f"${self.own}attempt"),
            "table": expression(f"${self.own}spec"),
        }

    def statement(
        self,
        verb: str,
        query: str,
        *,
        salt: str = "",
        keep: Mapping[str, str] | None = None,
        output: str = "",
        catch: Sequence[dict[str, Any]] = (),
        following: str = "",
        texts: Sequence[SqlText] = (),
    ) -> tuple[State, ...]:
        """Run a statement and wait for it; `salt` is JSONata that tells chunks apart.

        `texts` are the SQL that it holds, if that is of the table's file.
        """
        stored = bool(texts) and self.is_stored(*texts)
        return running(
            self.lane.project.environment.athena_wait,
            Statement(
                self.subject,
                verb,
                athena_arguments(self.lane.target, query, token=self.token(salt)),
                self.query_timeout_s,
                keep=keep or {},
                output=output,
                catch=tuple(catch),
                following=following,
                text_bytes=sql_texts.text_bytes(*texts) if stored else 0,
            ),
        )

    def is_stored(self, *texts: SqlText) -> bool:
        """Tell whether the table's SQL is read from the lake at run time."""
        return any(sql_texts.is_large(text) for text in texts or (self.table.sql,))

    def entry(self, verb: str) -> str:
        """Name the state that a statement with the table's SQL begins with."""
        return self.name(sql_texts.verb(verb) if self.is_stored() else verb)

    def reading(
        self, verb: str, values: str, *, catch: Sequence[dict[str, Any]] = ()
    ) -> tuple[list[str], tuple[State, ...]]:
        """Give the table's SQL as terms of a statement, and the states that read it before."""
        sql, names = self.table.sql, mark_names(self.table)
        if not self.is_stored():
            return sql_terms(sql, names, values), ()
        stored = sql_texts.Reading(self.subject, verb, values, tuple(catch))
        return [sql_texts.READ], (sql_texts.reading(self.lane.target, stored, ((sql, names),)),)

    def token(self, salt: str) -> str:
        """Write the client request token: one per execution, redrive, state, chunk, attempt."""
        parts = [
            "$states.context.Execution.Id",
            REDRIVE,
            "$states.context.State.Name",
            *([salt] if salt else []),
            f"${self.own}attempt",
        ]
        return expression(f"""$hash({' & "|" & '.join(parts)}, "SHA-256")""")

    def glue(self, verb: str, action: str, arguments: dict[str, Any], **rest: Any) -> State:  # noqa: ANN401
        """Call the catalogue."""
        fields: dict[str, Any] = {"Output": NO_OUTPUT, "Retry": retries.glue(), **rest}
        return State(
            self.name(verb),
            task(
                f"arn:aws:states:::aws-sdk:glue:{action}",
                arguments,
                timeout_s=CATALOGUE_TIMEOUT_S,
                **fields,
            ),
        )

    def failing(self) -> tuple[State, ...]:
        """Diagnose, then try again from a new stage, or fail the table and go on."""
        retry = self.lane.retry
        again = {
            "Condition": expression("$diagnosis.retry"),
            "Next": self.name("wait"),
        }
        return (
            self.keeper(
                "diagnose",
                "diagnose",
                {
                    "error": expression("$problem.Error"),
                    "cause": expression('$exists($problem.Cause) ? $problem.Cause : ""'),
                    "window": expression("$window"),
                    "split": expression("$split"),
                    "largest": expression("$largest"),
                    "max_attempts": retry.max_attempts,
                    "interval": seconds(retry.interval),
                    "backoff": retry.backoff,
                    "max_delay": seconds(retry.max_delay),
                },
                Assign={"diagnosis": expression("$states.result.Payload")},
                Catch=[
                    catcher(
                        ["States.ALL"],
                        self.name("fail"),
                        Assign={"diagnosis": {"message": "", "advice": ""}},
                    )
                ],
                Next=self.name("again?"),
            ),
            State(
                self.name("again?"),
                {"Type": "Choice", "Choices": [again], "Default": self.name("fail")},
            ),
            State(
                self.name("wait"),
                {
                    "Type": "Wait",
                    "Seconds": expression("$diagnosis.wait"),
                    "Assign": {
                        "attempt": expression("$attempt + 1"),
                        "split": expression("$diagnosis.split"),
                        "spec": expression(f'$merge([$spec, {{"redrive": {REDRIVE}}}])'),
                    },
                    "Next": self.name("read"),
                },
            ),
            State(
                self.name("fail"),
                {
                    "Type": "Pass",
                    "Assign": self.result(
                        "failed",
                        ', "error": $problem.Error, "message": $diagnosis.message, '
                        '"advice": $diagnosis.advice',
                    ),
                    "Next": self.following,
                },
            ),
        )


def keeper_task(target: Target, op: str, payload: dict[str, Any], **rest: Any) -> dict[str, Any]:  # noqa: ANN401
    """Make the fields of a Task that calls the keeper."""
    return task(
        "arn:aws:states:::lambda:invoke",
        {"FunctionName": target.keeper, "Payload": {"op": op, **payload}},
        timeout_s=KEEPER_TIMEOUT_S,
        **rest,
    )


def athena_arguments(target: Target, query: str, *, token: str) -> dict[str, Any]:
    """Give the arguments of StartQueryExecution; the key also encrypts what a statement writes."""
    result: dict[str, Any] = {"OutputLocation": target.results}
    if target.data_key:
        encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": target.data_key}
        result["EncryptionConfiguration"] = encryption
    return {
        "QueryString": query,
        "ClientRequestToken": token,
        "WorkGroup": target.workgroup,
        "ResultConfiguration": result,
    }


def names(columns: Sequence[str]) -> str:
    """Write a list of quoted SQL names."""
    return ", ".join(f'"{column}"' for column in columns)
