"""What an execution tells while it goes on: the interpreter's events as steps for people.

In: events, in order, and the definition.  Out: `Step`s: where each happens (inside which branch or
item), how long things took, which retry it is, where a catcher leads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from runner.machine import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runner.machine import Event

Json = Any


class What(Enum):
    """What happened."""

    STARTED = "started"
    RESUMED = "resumed"
    ENTERED = "entered"
    CALLED = "called"
    ANSWERED = "answered"
    FAILED = "failed"
    RETRYING = "retrying"
    WAITING = "waiting"
    CAUGHT = "caught"
    LEFT = "left"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    what: What
    at: datetime
    state: str = ""
    kind: str = ""
    """The state's type."""
    within: tuple[str, ...] = ()
    """The branches and items around the state, from the outermost: `Each[3]`."""
    value: Json = None
    """Input, arguments, result or output."""
    assigned: Mapping[str, Json] = field(default_factory=dict)
    resource: str = ""
    error: str | None = None
    cause: str | None = None
    status: str = ""
    seconds: float = 0.0
    """How long it took, or will take: a delay or a wait."""
    number: int = 0
    """Which retry, from 1."""
    target: str = ""
    """Where a catcher leads."""
    machine: str = ""
    """Of a child execution: its machine and name."""


@dataclass(slots=True)
class Open:
    """A state that was entered and not left."""

    state: str
    key: str
    prefix: str
    """What keys of states beside it begin with."""
    entered: datetime
    called: datetime
    resource: str = ""
    failed: tuple[str | None, str | None] | None = None
    """The error and cause of its newest attempt."""
    attempts: int = 0


@dataclass(slots=True)
class Trace:
    """Follows the events of one execution."""

    definition: Mapping[str, Json]
    machine: str = ""
    open: dict[str, Open] = field(default_factory=dict)
    """By key, in the order of entering."""
    newest_failure: str = ""
    """The key of the state whose task failed last."""
    _states: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    _left: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """By prefix, the state with catchers that was left last, and whether its last call failed;
    where it leads is known when the next state is entered."""
    _variables: dict[str, dict[str, Json]] = field(default_factory=dict)
    _started: datetime | None = None

    def __post_init__(self) -> None:
        """Look the states up once."""
        self._states.update(states_of(self.definition))

    def follow(self, events: Iterable[Event]) -> None:
        """Take events that were told before."""
        for event in events:
            for _ in self.steps(event):
                pass

    def steps(self, event: Event) -> Iterator[Step]:
        """Give what an event means; most mean one step, a few none or two."""
        match event.kind:
            case EventKind.EXECUTION_STARTED:
                self._started = event.time
                yield self._step(What.STARTED, event, value=event.data.get("input"))
            case EventKind.EXECUTION_RESUMED:
                yield self._step(What.RESUMED, event)
            case EventKind.STATE_ENTERED:
                yield from self._entered(event)
            case EventKind.STATE_EXITED:
                yield self._exited(event)
            case EventKind.TASK_SCHEDULED:
                yield self._called(event)
            case EventKind.TASK_SUCCEEDED | EventKind.TASK_FAILED | EventKind.TASK_TIMED_OUT:
                yield self._answered(event)
            case EventKind.TIMER_SET:
                yield self._waiting(event)
            case EventKind.EXECUTION_ENDED:
                yield self._ended(event)
            case _:
                return

    def kind(self, state: str) -> str:
        """Give a state's type."""
        return str(self._states.get(state, {}).get("Type", ""))

    def within(self, prefix: str) -> tuple[str, ...]:
        """Name the branches and items around a state, from the outermost."""
        found: list[str] = []
        while prefix:
            parent, index = parent_of(prefix)
            outer = self.open.get(parent)
            name = outer.state if outer else parent.rpartition("#")[0]
            found.append(f"{name}[{index}]")
            prefix = outer.prefix if outer else ""
        return tuple(reversed(found))

    def variables(self, key: str) -> dict[str, Json]:
        """Give the variables that a state sees."""
        chain: list[dict[str, Json]] = []
        found = self.open.get(key)
        while found is not None:
            chain.append(self._variables.get(found.prefix, {}))
            found = self.open.get(parent_of(found.prefix)[0]) if found.prefix else None
        return {name: value for one in reversed(chain) for name, value in one.items()}

    # -- events -----------------------------------------------------------------------------

    def _step(self, what: What, event: Event, **told: Any) -> Step:  # noqa: ANN401 - fields of Step
        return Step(what, event.time, machine=self.machine, **told)

    def _of(self, what: What, event: Event, found: Open, **told: Any) -> Step:  # noqa: ANN401
        where = self.within(found.prefix)
        kind = self.kind(found.state)
        return self._step(what, event, state=found.state, kind=kind, within=where, **told)

    def _entered(self, event: Event) -> Iterator[Step]:
        prefix = event.key.rpartition("#")[0].removesuffix(event.state)
        before, failed = self._left.pop(prefix, ("", False))
        if before and (failed or self._states[before].get("Next") != event.state):
            where, kind = self.within(prefix), self.kind(before)
            told = {"state": before, "kind": kind, "within": where, "target": event.state}
            yield self._step(What.CAUGHT, event, **told)
        found = Open(event.state, event.key, prefix, event.time, event.time)
        self.open[event.key] = found
        yield self._of(What.ENTERED, event, found, value=event.data["input"])

    def _exited(self, event: Event) -> Step:
        found = self._found(event)
        assigned = event.data.get("assigned", {})
        step = self._of(
            What.LEFT,
            event,
            found,
            value=event.data["output"],
            assigned=assigned,
            seconds=(event.time - found.entered).total_seconds(),
        )
        if self._states.get(found.state, {}).get("Catch"):
            self._left[found.prefix] = (found.state, found.failed is not None)
        if assigned:
            self._variables[found.prefix] = {**self._variables.get(found.prefix, {}), **assigned}
        if step.kind in {"Map", "Parallel"}:
            for key in [key for key in self.open if key.startswith(f"{event.key}.")]:
                del self.open[key]  # what a failed branch left behind
        self.open.pop(event.key, None)
        return step

    def _called(self, event: Event) -> Step:
        found = self._found(event)
        found.called, found.resource = event.time, event.data["resource"]
        found.failed = None
        found.attempts += 1
        told = {"resource": found.resource, "value": event.data["arguments"]}
        return self._of(What.CALLED, event, found, **told)

    def _answered(self, event: Event) -> Step:
        found = self._found(event)
        took = (event.time - found.called).total_seconds()
        if event.kind is EventKind.TASK_SUCCEEDED:
            return self._of(What.ANSWERED, event, found, value=event.data["result"], seconds=took)
        found.failed = (event.data["error"], event.data["cause"])
        self.newest_failure = found.key
        error, cause = found.failed
        return self._of(What.FAILED, event, found, error=error, cause=cause, seconds=took)

    def _waiting(self, event: Event) -> Step:
        found = self._found(event)
        seconds = (datetime.fromisoformat(event.data["until"]) - event.time).total_seconds()
        if not event.key.endswith("~retry"):
            return self._of(What.WAITING, event, found, seconds=seconds)
        number = event.key.rpartition(".")[2].partition("~")[0]
        retry = int(number) + 1 if number.isdigit() else 0
        return self._of(What.RETRYING, event, found, seconds=seconds, number=retry)

    def _ended(self, event: Event) -> Step:
        told = event.data
        return self._step(
            What.ENDED,
            event,
            value=told["output"],
            error=told["error"],
            cause=told["cause"],
            status=told["status"],
            seconds=(event.time - (self._started or event.time)).total_seconds(),
        )

    def _found(self, event: Event) -> Open:
        """Find the state that an event belongs to; its key may have more behind."""
        key = event.key
        while key and key not in self.open:
            key = key.rpartition(".")[0]
        return self.open.get(key) or Open(event.state, event.key, "", event.time, event.time)


def parent_of(prefix: str) -> tuple[str, str]:
    """Split what keys inside a branch or item begin with: the key of the state around, the index.

    >>> parent_of("Each#1.0[3]/")
    ('Each#1', '3')
    """
    head, _, index = prefix.removesuffix("]/").rpartition("[")
    return head.rpartition(".")[0], index


def states_of(definition: Mapping[str, Json]) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Give the states of a definition, at any depth, by their names."""
    for name, state in definition["States"].items():
        yield name, state
        inside = (state.get("ItemProcessor"), state.get("Iterator"), *state.get("Branches", ()))
        for inner in inside:
            if inner is not None:
                yield from states_of(inner)
