"""Faults on purpose, as words: `<state>:<action>[@<attempt>]`.

Actions: `fail=ERROR`, `timeout`, `throttle`, `unknown`, `crash`, each with `-after` for after the
task's effect: `staging.flights insert:crash-after`, `* publish:fail=Lambda.Unknown@0`.  `throttle`
and `unknown` are the errors by which the task's own service refuses too many calls, and does not
answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.errors import Fault, Place, UsageError
from runner.machine import Crash, Fail, FaultPlan, InjectedFault, Throttle, TimeOut, Unknown, When

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.machine.faults import Action


def read_faults(words: Iterable[str]) -> FaultPlan:
    """Read the words of --fault; UsageError lists every one that is not understood."""
    found: list[InjectedFault] = []
    faults: list[Fault] = []
    for word in words:
        try:
            found.append(_read(word))
        except ValueError as error:
            expected = f"STATE:ACTION[@ATTEMPT], ACTION one of {_ACTIONS}, each with -after or not"
            advice = "for example 'staging.flights insert:crash-after'"
            faults.append(Fault(Place("--fault"), "bad-fault", str(error), expected, advice))
    if faults:
        raise UsageError(faults)
    return FaultPlan(tuple(found))


def check_states(plan: FaultPlan, definitions: Iterable[str]) -> None:
    """Refuse a fault whose state is none of the definitions: nothing would happen, in silence."""
    import json  # noqa: PLC0415 - only with faults
    from fnmatch import fnmatchcase  # noqa: PLC0415

    from runner.model.nearest import suggestion  # noqa: PLC0415

    names = [name for one in definitions for name in _state_names(json.loads(one))]
    faults = [
        Fault(
            Place("--fault"),
            "unknown-state",
            fault.state,
            "a state of the workflow's definition, or a pattern of some",
            suggestion(fault.state, names, otherwise="see the definition that `compile` writes"),
        )
        for fault in plan.faults
        if "#" not in fault.state and not any(fnmatchcase(name, fault.state) for name in names)
    ]
    if faults:
        raise UsageError(faults)


def _state_names(machine: dict[str, Any]) -> Iterator[str]:
    for name, state in machine["States"].items():
        yield name
        for inner in (*state.get("Branches", ()), state.get("ItemProcessor")):
            if inner is not None:
                yield from _state_names(inner)


def _read(word: str) -> InjectedFault:
    state, colon, rest = word.rpartition(":")
    if not colon or not state:
        raise ValueError(f"{word!r} has no state")
    rest, at, attempt = rest.partition("@")
    if at and not attempt.isdigit():
        raise ValueError(f"attempt {attempt!r} in {word!r}")
    name, _, error = rest.partition("=")
    when = When.AFTER if name.endswith("-after") else When.BEFORE
    return InjectedFault(
        state=state,
        action=_action(name.removesuffix("-after"), error.removesuffix("-after"), word),
        when=When.AFTER if error.endswith("-after") else when,
        attempt=int(attempt) if at else None,
    )


_PLAIN: dict[str, Action] = {
    "timeout": TimeOut(),
    "throttle": Throttle(),
    "unknown": Unknown(),
    "crash": Crash(),
}
_ACTIONS = ", ".join(("fail=ERROR", *_PLAIN))


def _action(name: str, error: str, word: str) -> Action:
    if name == "fail" and error:
        return Fail(error)
    if name in _PLAIN:
        return _PLAIN[name]
    raise ValueError(f"action {name!r} in {word!r}")
