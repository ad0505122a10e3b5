"""Faults on purpose, as words: `<state>:<action>[@<attempt>]`, or from a file.

Actions: `fail=ERROR`, `delay=SECONDS`, `timeout`, `throttle`, `unknown`, `hang`, `crash`, each with
`-after` for after the task's effect: `staging.flights insert:crash-after`, `* publish:delay=30@0`.
`throttle` and `unknown` are the errors by which the task's own service refuses too many calls, and
does not answer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from runner.errors import Fault, Place, RunnerError, UsageError
from runner.machine import Crash, Delay, Fail, FaultPlan, InjectedFault, Meanwhile, When
from runner.machine.faults import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from runner.machine.faults import Action

_AFTER = "-after"
_OPTION = "--fault"


class Strikes:
    """The faults of a run, and which of them struck; safe on any thread."""

    def __init__(
        self,
        faults: Iterable[InjectedFault],
        tell: Callable[[InjectedFault], None] | None = None,
    ) -> None:
        """Take the faults, in the order in which they are tried, and who hears of strikes."""
        self._faults = tuple(faults)
        self._tell = tell
        self._struck: set[InjectedFault] = set()
        self._lock = threading.Lock()

    @property
    def plan(self) -> FaultPlan:
        """Give the interpreter's plan."""
        return FaultPlan(self._faults, self.struck)

    def struck(self, fault: InjectedFault) -> None:
        """Remember a strike."""
        if self._tell is not None:
            self._tell(fault)
        with self._lock:
            self._struck.add(fault)

    def unstruck(self) -> tuple[str, ...]:
        """Describe the faults that never struck."""
        left = (fault for fault in self._faults if fault not in self._struck)
        return tuple(f"{fault.origin or _OPTION}: {describe(fault)}" for fault in left)


def describe(fault: InjectedFault) -> str:
    """Write a fault as a word, with what words cannot say behind it.

    >>> describe(InjectedFault("Load", Delay(2.5), When.AFTER, attempt=0))
    'Load:delay=2.5-after@0'
    """
    names = {type(action): name for name, action in PLAIN.items()}
    match fault.action:
        case Fail():
            action = f"fail={fault.action.error}"
        case Delay():
            action = f"delay={fault.action.seconds:g}"
        case _:
            action = names.get(type(fault.action), "meanwhile")
    after = _AFTER if fault.when is When.AFTER else ""
    attempt = "" if fault.attempt is None else f"@{fault.attempt}"
    visit = "" if fault.visit is None else f" (visit {fault.visit})"
    return f"{fault.state}:{action}{after}{attempt}{visit}"


def collect_faults(words: Iterable[str], file: Path | None) -> Strikes:
    """Read the words of --fault and the file of --faults; all mistakes are reported at once."""
    found: list[InjectedFault] = []
    mistakes: list[Fault] = []
    worst: type[RunnerError] = UsageError
    if file is not None:
        from runner.project.faults_file import read_faults_file  # noqa: PLC0415 - only with a file

        try:
            found += read_faults_file(file, _read)
        except RunnerError as error:
            worst = type(error)
            mistakes += error.faults
    try:
        found[:0] = read_faults(words).faults
    except UsageError as error:
        mistakes += error.faults
    if mistakes:
        raise worst(mistakes)
    return Strikes(found)


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
            faults.append(Fault(Place(_OPTION), "bad-fault", str(error), expected, advice))
    if faults:
        raise UsageError(faults)
    return FaultPlan(tuple(found))


def check_states(plan: FaultPlan, definitions: Iterable[str]) -> None:
    """Refuse a fault whose state is none of the definitions: nothing would happen, in silence."""
    import json  # noqa: PLC0415 - only with faults

    states = [found for one in definitions for found in state_types(json.loads(one))]
    faults = strange_faults(plan, states)
    if faults:
        raise UsageError(faults)


def strange_faults(plan: FaultPlan, states: Collection[tuple[str, str]]) -> list[Fault]:
    """Find the faults that can strike nothing: they name no state, or none that calls anything.

    `states` are names and types.
    """
    if not plan.faults:
        return []
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only with faults

    from runner.model.nearest import suggestion  # noqa: PLC0415

    names = [name for name, _ in states]
    found: list[Fault] = []
    for fault in plan.faults:
        place = Place(fault.origin or _OPTION)
        kinds = {kind for name, kind in states if fnmatchcase(name, fault.state)}
        if "#" in fault.state:
            continue
        if not kinds:
            expected = "a state of the definition, or a pattern of some"
            advice = suggestion(fault.state, names, otherwise="see the states of the definition")
            found.append(Fault(place, "unknown-state", fault.state, expected, advice))
        elif not isinstance(fault.action, Crash | Meanwhile) and not kinds & _CALLING:
            told = f"{describe(fault)}, though {fault.state} is a {' or '.join(sorted(kinds))}"
            expected = "a state that calls something; at others, only a crash strikes"
            advice = "name a Task, or let the process crash there"
            found.append(Fault(place, "bad-fault", told, expected, advice))
    return found


_CALLING = frozenset({"Task", "Map"})
"""States that call a service; a Map does when it reads items or writes results."""


def state_types(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the name and type of each state of a definition, at any depth."""
    for name, state in machine["States"].items():
        yield name, str(state.get("Type"))
        inside = (state.get("ItemProcessor"), state.get("Iterator"), *state.get("Branches", ()))
        for inner in inside:
            if inner is not None:
                yield from state_types(inner)


def _read(word: str) -> InjectedFault:
    state, colon, rest = word.rpartition(":")
    if not colon or not state:
        raise ValueError(f"{word!r} has no state")
    rest, at, attempt = rest.partition("@")
    if at and not attempt.isdigit():
        raise ValueError(f"attempt {attempt!r} in {word!r}")
    is_after = _AFTER in (rest[-len(_AFTER) :], rest.partition("=")[0][-len(_AFTER) :])
    name, _, value = rest.partition("=")
    return InjectedFault(
        state=state,
        action=_action(name.removesuffix(_AFTER), value.removesuffix(_AFTER), word),
        when=When.AFTER if is_after else When.BEFORE,
        attempt=int(attempt) if at else None,
    )


_ACTIONS = ", ".join(("fail=ERROR", "delay=SECONDS", *PLAIN))


def _action(name: str, value: str, word: str) -> Action:
    if name == "fail" and value:
        return Fail(value)
    if name == "delay":
        return Delay(_seconds(value, word))
    if name in PLAIN and not value:
        return PLAIN[name]
    raise ValueError(f"action {name!r} in {word!r}")


def _seconds(text: str, word: str) -> float:
    import re  # noqa: PLC0415 - only with a delay

    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise ValueError(f"seconds {text!r} in {word!r}")
    return float(text)
