"""The parts of a definition as values: states in order, and flows of states.

A `Flow` is a list of states and the name of the first.  A state's fields are JSON in the shape of
Amazon States Language, but for `Branches` and `ItemProcessor`, which hold flows.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_NAME = 80
DEFAULT_BACKOFF = 2.0
_HASH = 8


@dataclass(frozen=True, slots=True)
class Asset:
    """An object that a machine reads at run time, named by its content."""

    key: str
    """Below the lake's prefix."""
    text: str


@dataclass(frozen=True, slots=True)
class State:
    """One state: its name and its fields."""

    name: str
    fields: Mapping[str, Any]
    child: Child | None = None
    """The machine whose execution this state starts, where it is one of ours."""
    assets: tuple[Asset, ...] = ()
    """What it reads in the lake."""
    subject: str = ""
    """The table that it is about, where that matters for what it takes of quotas."""
    text_bytes: int = 0
    """Of SQL that it is given at run time, as JSON."""
    results_bytes: int = 0
    """What it adds to the results of its machine, at most."""
    most_items: int = 0
    """The most items that a Map of ours gets; 0 where that is not known."""
    looks: int = 0
    """How often a statement of ordinary length passes here, in a loop that waits for it; 0 for a
    state that is not in one."""


@dataclass(frozen=True, slots=True)
class Flow:
    """States and where they start."""

    states: tuple[State, ...]
    distributed: bool = False
    """Whether a Map runs this as executions of their own, with histories of their own."""

    @property
    def start(self) -> str:
        """Name the first state."""
        return self.states[0].name


@dataclass(frozen=True, slots=True)
class Machine:
    """A whole state machine."""

    comment: str
    flow: Flow
    timeout_s: int
    children: tuple[Child, ...] = ()
    """Machines that this one starts executions of."""

    @property
    def assets(self) -> dict[str, str]:
        """Give what it reads in the lake at run time, text by key; not what its children read."""
        states = every_state(self.flow)
        return {asset.key: asset.text for state in states for asset in state.assets}


@dataclass(frozen=True, slots=True)
class Child:
    """A machine that another one starts, and which tables it writes."""

    name: str
    """Unique in the workflow: `<step>-<wave>-<part>`."""
    deployed: str
    """What the machine is called where it is deployed."""
    subject: str
    """What the names of the parent's states about it begin with."""
    tables: tuple[str, ...]
    machine: Machine
    lanes_bytes: int
    """Size of its lanes."""
    kind: Literal["table", "load"] = "table"
    """What it does with its tables."""


def inner_flows(state: State) -> tuple[Flow, ...]:
    """Give the flows inside a state: branches of a Parallel, the processor of a Map.

    Those of a raw state are taken as they are written.
    """
    fields = state.fields
    if "Branches" not in fields and "ItemProcessor" not in fields:
        return ()
    inner = (fields.get("ItemProcessor"), *(fields.get("Branches") or ()))
    return tuple(one if isinstance(one, Flow) else _raw_flow(one) for one in inner if one)


def _raw_flow(written: Mapping[str, Any]) -> Flow:
    states = written.get("States") or {}
    names = sorted(states, key=lambda name: name != written.get("StartAt"))  # else as written
    mode = (written.get("ProcessorConfig") or {}).get("Mode")
    return Flow(tuple(State(name, states[name]) for name in names), mode == "DISTRIBUTED")


def every_state(flow: Flow) -> Iterator[State]:
    """Give every state, those inside Parallel and Map included."""
    for state in flow.states:
        yield state
        for inner in inner_flows(state):
            yield from every_state(inner)


def size_of(flow: Flow) -> int:
    """Give the bytes of a flow as compact JSON, a few braces more or less."""
    return len(_ENCODER.encode(flow).encode())


def content_of(machine: Machine) -> str:
    """Write everything of a machine that decides its definition and what it takes of quotas.

    Machines that it starts are not part of it: its states name them.
    """
    return _WHOLE.encode([machine.comment, machine.timeout_s, machine.flow])


def _whole(value: object) -> object:
    match value:
        case Flow(states, distributed):
            return [distributed, *states]
        case State():
            own = (value.text_bytes, value.results_bytes, value.most_items, value.looks)
            assets = [asset.key for asset in value.assets]  # named by content
            return [value.name, value.fields, assets, value.subject, *own]
    raise TypeError(type(value).__name__)


def _plain(value: object) -> object:
    if isinstance(value, Flow):
        states = {state.name: state.fields for state in value.states}
        return {"StartAt": value.start, "States": states}
    raise TypeError(type(value).__name__)


_ENCODER = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, default=_plain, check_circular=False
)
_WHOLE = json.JSONEncoder(separators=(",", ":"), default=_whole, check_circular=False)


def state_name(subject: str, verb: str) -> str:
    """Name a state `<subject> <verb>`; over 80 characters it is cut and ends in a hash.

    >>> state_name("marts.daily", "insert")
    'marts.daily insert'
    """
    name = f"{subject} {verb}"
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name[: MAX_NAME - _HASH - 1]}~{digest}"


def task(
    resource: str,
    arguments: Mapping[str, Any],
    *,
    timeout_s: int,
    **rest: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Make the fields of a Task; `rest` holds further fields (Next, Assign, Retry, Catch, ...)."""
    return {
        "Type": "Task",
        "Resource": resource,
        "Arguments": dict(arguments),
        "TimeoutSeconds": timeout_s,
        **rest,
    }


def catcher(errors: Sequence[str], to: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401
    """Make a catcher; `rest` may hold Assign and Output."""
    return {"ErrorEquals": list(errors), "Next": to, **rest}


def retrier(
    errors: Sequence[str],
    *,
    interval_s: int,
    attempts: int,
    backoff: float = 2.0,
    max_delay_s: int | None = None,
) -> dict[str, Any]:
    """Make a retrier with full jitter; a back-off rate of 2 is the language's default."""
    fields: dict[str, Any] = {
        "ErrorEquals": list(errors),
        "IntervalSeconds": interval_s,
        "MaxAttempts": attempts,
        "JitterStrategy": "FULL",
    }
    if backoff != DEFAULT_BACKOFF:
        fields["BackoffRate"] = backoff
    if max_delay_s is not None:
        fields["MaxDelaySeconds"] = max(max_delay_s, interval_s + 1)
    return fields
