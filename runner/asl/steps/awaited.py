"""Steps that start something, look at it until it ends, and fail if it did: one Parallel each.

All states of such a step stand in the one branch of a Parallel.  A Fail among them is an error of
the Parallel, so that the step's `retry` and `catch` are for every way in which it can fail.  What
is known of the thing is in the states' input: no variable has to have a name of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl.expressions import expression, quote
from runner.asl.flow import Flow, State, state_name
from runner.asl.statements import count_looks
from runner.asl.steps.scope import entry, gated, step_failing, step_retriers

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.workflow import AnyStep

GIVEN = "$states.input"
RESULT = "$states.result"
PASSED_ON = expression(GIVEN)
"""Output of a state that adds nothing."""
CALL_TIMEOUT_S = 60
"""Of one call that waits for nothing."""
_ENTERED = "$toMillis($states.context.State.EnteredTime)"
_LONGEST_PAUSE_S = 60
_SHORT_PAUSE_S = 5
_ORDINARY_S = 600
"""What such a thing is taken to last where events are counted before there is any."""
LOOKS = count_looks(_ORDINARY_S)


def awaited(
    scope: Scope, name: str, step: AnyStep, *, states: tuple[State, ...], value: str = ""
) -> tuple[State, ...]:
    """Put a step's states into a Parallel, behind a gate if other steps are needed.

    `value` is a path below what the branch gives, which is noted as the step's result.
    """
    kind = step.type
    catchers, explained = step_failing(scope, name, kind, step)
    more = f', "value": {RESULT}[0].{value}' if value else ""
    fields: dict[str, Any] = {
        "Type": "Parallel",
        "Branches": [Flow(states)],
        "Assign": scope.collect(entry(name, name, kind, "succeeded", more)),
        "Output": {},
        "Catch": catchers,
        "Next": scope.following,
    }
    retriers = step_retriers(step.retry, [])
    if retriers:
        fields["Retry"] = retriers
    run = State(state_name(name, "run"), fields)
    return (*gated(scope, name, step, kind), run, *explained)


def begin(name: str, following: str, *, more: str = "") -> State:
    """Note when it begins; `more` is further JSONata fields of what the states hand on."""
    output = f'{{"since": {_ENTERED}, "looks": 0, "spent": 0, "pause": 1{more}}}'
    return State(
        state_name(name, "begin"),
        {"Type": "Pass", "Output": expression(output), "Next": following},
    )


def looked(found: str) -> str:
    """Write the output of a look: what was found, and the pause until the next look.

    One second, then one more each time up to five; after fifty seconds a tenth of the time so far,
    a minute at most.
    """
    return expression(
        f"( $spent := ({_ENTERED} - {GIVEN}.since) / 1000; $looks := {GIVEN}.looks + 1; "
        f'$merge([{GIVEN}, {found}, {{"looks": $looks, "spent": $spent, '
        f'"pause": $min([{_LONGEST_PAUSE_S}, '
        f"$max([$min([{_SHORT_PAUSE_S}, $looks + 1]), $floor($spent / 10)])])}}]) )"
    )


def pause(name: str, verb: str, following: str) -> State:
    """Wait until the next look."""
    fields = {"Type": "Wait", "Seconds": expression(f"{GIVEN}.pause"), "Next": following}
    return State(state_name(name, verb), fields, looks=LOOKS)


def has_taken(timeout_s: int) -> str:
    """Ask whether it has taken too long."""
    return expression(f"{GIVEN}.spent >= {timeout_s}")


def done(name: str, output: str) -> State:
    """End the branch with what is known."""
    fields = {"Type": "Pass", "Output": expression(output), "End": True}
    return State(state_name(name, "done"), fields)


def failed(name: str, error: str, cause: str) -> State:
    """Fail; `cause` is JSONata."""
    return State(
        state_name(name, "failed"),
        {"Type": "Fail", "Error": error, "Cause": expression(cause)},
    )


def timed_out(name: str, error: str, *, what: str, timeout_s: int) -> State:
    """Fail because it took too long."""
    cause = f"{what} has not ended within {timeout_s} s; it may still be at work"
    return State(
        state_name(name, "timeout"),
        {"Type": "Fail", "Error": error, "Cause": expression(quote(cause))},
    )
