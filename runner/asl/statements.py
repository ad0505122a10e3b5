"""Run a statement and wait for its end: the one place where `athena_wait` makes a difference.

In: a `Statement`.  Out: its states, the first of which has its name.

    sync   one Task that Step Functions waits in (`startQueryExecution.sync`)
    poll   start -> wait -> look -> ended? -> (wait | what follows | stop)

Both begin with the same token, keep the same variables and, when the statement fails, reach the
same catcher with the same error: `States.TaskFailed` with the QueryExecution as JSON, or
`States.Timeout`.  While a statement is polled, all that is known of it is in the states' input: no
variable has to have a name of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from runner.asl import retries
from runner.asl.expressions import expression
from runner.asl.flow import State, catcher, state_name, task

if TYPE_CHECKING:
    from collections.abc import Mapping

Wait = Literal["sync", "poll"]

SCANNED = "Statistics.DataScannedInBytes"
LOCATION = "ResultConfiguration.OutputLocation"
CALL_TIMEOUT_S = 60
"""Of one call of Athena that waits for no statement."""
ORDINARY_S = 60
"""What a statement is taken to last where events are counted before there is any."""
_ATHENA = "arn:aws:states:::athena:"
_LONGEST_PAUSE_S = 60
_SHORT_PAUSE_S = 5
_GIVEN, _RESULT = "$states.input", "$states.result.QueryExecution"
_STATE = f"{_GIVEN}.execution.Status.State"
_PROBLEM = "$states.errorOutput"
"""What a catcher's `Assign` says of the error; elsewhere something else stands for it."""
_WHOLE_PROBLEM = f'$merge([{{"Cause": ""}}, {_PROBLEM}])'
_RESERVED, _OURS = "States.", "Statement."


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: how it is submitted, what is kept of its end, where it goes on."""

    subject: str
    verb: str
    arguments: Mapping[str, Any]
    """Of StartQueryExecution."""
    timeout_s: int
    keep: Mapping[str, str] = field(default_factory=dict)
    """Variables, and what of the QueryExecution each holds: `SCANNED`, `LOCATION`."""
    output: str = ""
    """What of the QueryExecution is the output of the last state; empty for none."""
    catch: tuple[Mapping[str, Any], ...] = ()
    following: str = ""
    """The next state; empty where the flow ends here."""
    text_bytes: int = 0
    """Of SQL that comes from the lake, as JSON."""

    def name(self, *more: str) -> str:
        """Name a state of it; without more words, the first."""
        return state_name(self.subject, " ".join((self.verb, *more)))


def running(wait: Wait, statement: Statement) -> tuple[State, ...]:
    """Give the states that run a statement and wait for its end."""
    return _polled(statement) if wait == "poll" else (_synchronous(statement),)


def seconds_between(polls: int, spent_s: float) -> int:
    """Give the pause after so many looks in so many seconds, as the definition computes it.

    One second, then one more each time up to five; after fifty seconds a tenth of the time so far,
    a minute at most.  So nobody waits much longer than a tenth for nothing, and the looks at a
    long statement do not fill the history of the execution.

    >>> [seconds_between(0, 0), seconds_between(9, 40), seconds_between(60, 3600)]
    [1, 5, 60]
    """
    short = min(_SHORT_PAUSE_S, polls + 1)
    return min(_LONGEST_PAUSE_S, max(short, int(spent_s // 10)))


def count_looks(spent_s: float) -> int:
    """Count the looks at a statement that takes so many seconds.

    >>> count_looks(1), count_looks(30), count_looks(1800)
    (1, 8, 56)
    """
    looks, passed = 0, 0
    while passed < spent_s:
        passed += seconds_between(looks, passed)
        looks += 1
    return looks


_ORDINARY_LOOKS = count_looks(ORDINARY_S)


def patience(every_s: int, spent_s: str) -> str:
    """Write the pause between two looks at work elsewhere; `spent_s` is JSONata for its time.

    A tenth of the time so far, at least `every_s` and else a minute at most: half a day of looks
    does not fill the history of the execution.
    """
    return f"$max([{every_s}, $min([{_LONGEST_PAUSE_S}, $floor(({spent_s}) / 10)])])"


def _synchronous(statement: Statement) -> State:
    fields: dict[str, Any] = {
        "Output": expression(f"{_RESULT}.{statement.output}") if statement.output else {},
        "Retry": retries.athena(),
        **_kept(statement, _RESULT),
        **({"Catch": list(statement.catch)} if statement.catch else {}),
        **_following(statement),
    }
    return State(
        statement.name(),
        task(
            f"{_ATHENA}startQueryExecution.sync",
            statement.arguments,
            timeout_s=statement.timeout_s,
            **fields,
        ),
        subject=statement.subject,
        text_bytes=statement.text_bytes,
    )


def _polled(statement: Statement) -> tuple[State, ...]:
    ends: list[State] = []
    if not statement.following:
        ends.append(_done(statement))
    if _catcher(statement) is None:
        ends.append(_failed(statement))
    return (
        _start(statement),
        State(
            statement.name("wait"),
            {
                "Type": "Wait",
                "Seconds": expression(f"{_GIVEN}.pause"),
                "Next": statement.name("look"),
            },
            looks=_ORDINARY_LOOKS,
        ),
        _look(statement),
        _ended(statement),
        _stop(statement),
        *ends,
    )


def _start(statement: Statement) -> State:
    """Submit; whether a call came through or not, another one has the same token."""
    return State(
        statement.name(),
        task(
            f"{_ATHENA}startQueryExecution",
            statement.arguments,
            timeout_s=CALL_TIMEOUT_S,
            Output={"id": expression("$states.result.QueryExecutionId"), "looks": 0, "pause": 1},
            Retry=retries.athena_call(),
            **({"Catch": list(statement.catch)} if statement.catch else {}),
            Next=statement.name("wait"),
        ),
        subject=statement.subject,
        text_bytes=statement.text_bytes,
    )


def _look(statement: Statement) -> State:
    """Read what has become of it: without the text, and with the pause until the next look.

    The arithmetic of the pause is `seconds_between`'s.
    """
    entered = "$toMillis($states.context.State.EnteredTime)"
    found = (
        f"( $since := $exists({_GIVEN}.since) ? {_GIVEN}.since : {entered}; "
        f"$spent := ({entered} - $since) / 1000; $looks := {_GIVEN}.looks + 1; "
        f'{{"id": {_GIVEN}.id, "since": $since, "spent": $spent, "looks": $looks, '
        f'"pause": $min([{_LONGEST_PAUSE_S}, '
        f"$max([$min([{_SHORT_PAUSE_S}, $looks + 1]), $floor($spent / 10)])]), "
        f'"execution": $sift({_RESULT}, function($v, $k) {{ $k != "Query" }})}} )'
    )
    noted = {"id": expression(f"{_GIVEN}.id"), "problem": expression(_WHOLE_PROBLEM)}
    return State(
        statement.name("look"),
        task(
            f"{_ATHENA}getQueryExecution",
            {"QueryExecutionId": expression(f"{_GIVEN}.id")},
            timeout_s=CALL_TIMEOUT_S,
            Output=expression(found),
            Retry=retries.athena_call(),
            Catch=[catcher(["States.ALL"], statement.name("stop"), Output=noted)],
            Next=statement.name("ended?"),
        ),
        looks=_ORDINARY_LOOKS,
    )


def _ended(statement: Statement) -> State:
    failure = f'{{"Error": "States.TaskFailed", "Cause": $string({_GIVEN}.execution)}}'
    timed_out = {
        "id": expression(f"{_GIVEN}.id"),
        "problem": {"Error": "States.Timeout", "Cause": ""},
    }
    succeeded: dict[str, Any] = {"Condition": expression(f'{_STATE} = "SUCCEEDED"')}
    if statement.following:
        succeeded |= {**_kept(statement, f"{_GIVEN}.execution"), "Output": {}}
    choices = [
        {**succeeded, "Next": statement.following or statement.name("done")},
        {
            "Condition": expression(f'{_STATE} in ["FAILED", "CANCELLED"]'),
            **_caught(statement, failure),
        },
        {
            "Condition": expression(f"{_GIVEN}.spent >= {statement.timeout_s}"),
            "Output": timed_out,
            "Next": statement.name("stop"),
        },
    ]
    return State(
        statement.name("ended?"),
        {"Type": "Choice", "Choices": choices, "Default": statement.name("wait")},
        looks=_ORDINARY_LOOKS,
    )


def _stop(statement: Statement) -> State:
    """Stop what took too long, or what nobody can look at; then it has failed."""
    caught = _caught(statement, f"{_GIVEN}.problem")
    following = caught.pop("Next")
    return State(
        statement.name("stop"),
        task(
            f"{_ATHENA}stopQueryExecution",
            {"QueryExecutionId": expression(f"{_GIVEN}.id")},
            timeout_s=CALL_TIMEOUT_S,
            **caught,
            Retry=retries.athena_call(),
            Catch=[catcher(["States.ALL"], following, **caught)],
            Next=following,
        ),
    )


def _done(statement: Statement) -> State:
    """End the flow with what is asked of the statement; a Choice cannot."""
    found = f"{_GIVEN}.execution"
    fields: dict[str, Any] = {
        "Type": "Pass",
        "Output": expression(f"{found}.{statement.output}") if statement.output else {},
        **_kept(statement, found),
        "End": True,
    }
    return State(statement.name("done"), fields)


def _failed(statement: Statement) -> State:
    """Fail as the synchronous Task does; whoever is around it catches.

    A Fail state may give no error of a name that begins with `States.`: `problem` gives it back.
    """
    error = f'$replace({_GIVEN}.problem.Error, "{_RESERVED}", "{_OURS}")'
    return State(
        statement.name("failed"),
        {
            "Type": "Fail",
            "Error": expression(error),
            "Cause": expression(f"{_GIVEN}.problem.Cause"),
        },
    )


def problem(wait: Wait) -> str:
    """Give what a catcher around statements assigns: the error, as if they were waited for."""
    if wait == "sync":
        return expression(_PROBLEM)
    error = f'$replace({_PROBLEM}.Error, "{_OURS}", "{_RESERVED}")'
    return expression(f'$merge([{_PROBLEM}, {{"Error": {error}}}])')


def _catcher(statement: Statement) -> Mapping[str, Any] | None:
    """Give the catcher that takes any failure."""
    return next((one for one in statement.catch if "States.ALL" in one["ErrorEquals"]), None)


def _caught(statement: Statement, problem: str) -> dict[str, Any]:
    """Go where the catcher goes, `problem` standing for the error; without one, to the failure."""
    found = _catcher(statement)
    if found is None:
        told = {"problem": expression(problem)}
        return {"Output": told, "Next": statement.name("failed")}
    assigned = {
        name: expression(problem) if _PROBLEM in value else value
        for name, value in found.get("Assign", {}).items()
    }
    return {"Assign": assigned, "Output": {}, "Next": found["Next"]}


def _kept(statement: Statement, execution: str) -> dict[str, Any]:
    if not statement.keep:
        return {}
    return {"Assign": {name: expression(f"{execution}.{p}") for name, p in statement.keep.items()}}


def _following(statement: Statement) -> dict[str, Any]:
    return {"Next": statement.following} if statement.following else {"End": True}
