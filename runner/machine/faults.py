"""Faults on purpose: which call or state is to fail, time out, crash or stand still, and when.

A `FaultPlan` is given to `run`; the driver asks it around every call and at every transition.
Errors that every service has under a name of its own are named by the task's resource.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class When(StrEnum):
    """Before the task's effect (or a state's work), or after it and before anyone knows."""

    BEFORE = "before"
    AFTER = "after"


class Fail(NamedTuple):
    """The call fails with this error."""

    error: str
    cause: str = "injected fault"


@dataclass(frozen=True, slots=True)
class TimeOut:
    """The call ends in States.Timeout."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """The service refuses the call because there are too many, under its own name for that."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer arrives: `<Service>.SdkClientException`, as when a connection breaks."""


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer ever arrives; only a timeout ends the task."""


class Delay(NamedTuple):
    """The answer takes so many seconds longer, by the execution's clock.

    Before the effect the call itself is put off: a timeout meanwhile means that it never happens.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Crash:
    """The process dies: the crash port given to `run` is called."""


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """The process stands still while something else happens; then it goes on."""

    act: Callable[[], None]


Action: TypeAlias = Fail | TimeOut | Throttle | Unknown | Hang | Delay | Crash | Meanwhile


PLAIN: Mapping[str, Action] = MappingProxyType(
    {
        "timeout": TimeOut(),
        "throttle": Throttle(),
        "unknown": Unknown(),
        "hang": Hang(),
        "crash": Crash(),
    }
)
"""Actions that need nothing but their word."""


class InjectedFault(NamedTuple):
    """One fault; it strikes every call that all its conditions fit."""

    state: str
    """A pattern (`*`, `?`) for the state's name or the whole key (`Each#1[[]3]/Load#1`)."""
    action: Action
    when: When = When.BEFORE
    visit: int | None = None
    """Which entering of the state within its branch, from 1; None means any."""
    attempt: int | None = None
    """Which retry of a task, from 0; None means any.  States other than tasks have none."""
    first: bool = False
    """Strike only where the state and all that is around it are entered for the first time."""
    origin: str = ""
    """Where it was written, for messages."""


class FaultPlan(NamedTuple):
    """All faults of an execution; the first that fits strikes."""

    faults: tuple[InjectedFault, ...] = ()
    struck: Callable[[InjectedFault], None] | None = None
    """Hears of every strike, before it takes effect, on whatever thread it strikes."""

    def of_call(self, key: str, state: str, *, attempt: int, when: When) -> Action | None:
        """Find what happens to a call; `key` is the state's key, without the attempt."""
        for fault in self.faults:
            fits = fault.when is when and fault.attempt in {None, attempt}
            if fits and _place_fits(fault, key, state, attempt=attempt):
                return self._strike(fault)
        return None

    def of_transition(self, key: str, state: str, *, when: When) -> Crash | Meanwhile | None:
        """Find what happens at a transition of a state that is not a task."""
        for fault in self.faults:
            if not isinstance(fault.action, Crash | Meanwhile) or fault.when is not when:
                continue
            if _place_fits(fault, key, state):
                self._strike(fault)
                return fault.action
        return None

    def _strike(self, fault: InjectedFault) -> Action:
        if self.struck is not None:
            self.struck(fault)
        return fault.action


def _place_fits(fault: InjectedFault, key: str, state: str, *, attempt: int = 0) -> bool:
    from fnmatch import fnmatchcase  # noqa: PLC0415  (only with faults)

    if not (fnmatchcase(state, fault.state) or fnmatchcase(key, fault.state)):
        return False
    if fault.first and (attempt or not _is_first(key)):
        return False
    visit = key.rpartition("#")[2].partition(".")[0]  # a redrive follows it, if any
    return fault.visit is None or visit == str(fault.visit)


def _is_first(key: str) -> bool:
    """Tell whether every visit in a key is the first, and every retry around it number 0.

    >>> _is_first("Each#1.0[3]/Load#1"), _is_first("Each#1.1[3]/Load#1"), _is_first("Load#2")
    (True, False, False)
    >>> _is_first("Each#1.r1.0[3]/Load#1"), _is_first("Load#1.r1")  # after a redrive
    (False, False)
    """
    import re  # noqa: PLC0415  (only with faults)

    return all(
        visit == "1" and not redrive and retry in {"", "0"}
        for visit, redrive, retry in re.findall(r"#(\d+)(\.r\d+)?(?:\.(\d+)\[)?", key)
    )


_THROTTLED = {
    "athena": "Athena.TooManyRequestsException",
    "ecs": "ECS.ThrottlingException",
    "glue": "Glue.ThrottlingException",
    "lambda": "Lambda.TooManyRequestsException",
    "sns": "SNS.ThrottledException",
    "states": "StepFunctions.ThrottlingException",
}
_SDK = "aws-sdk:"
_PREFIXES = {"ecs": "ECS", "sns": "SNS", "states": "StepFunctions"}


def throttled(resource: str) -> str:
    """Name the error by which the service of a task's resource refuses too many calls.

    >>> throttled("arn:aws:states:::aws-sdk:glue:createTable")
    'Glue.ThrottlingException'
    """
    service = _service(resource)
    return _THROTTLED.get(service, f"{_prefix(service)}.ThrottlingException")


def unknown(resource: str) -> str:
    """Name the error of a call whose answer did not arrive.

    >>> unknown("arn:aws:states:::athena:startQueryExecution.sync")
    'Athena.SdkClientException'
    """
    return f"{_prefix(_service(resource))}.SdkClientException"


def _service(resource: str) -> str:
    """Give the service of an integration's ARN; that of a function or an activity by itself."""
    integration = resource.removeprefix("arn:aws:states:::")
    if integration != resource:
        return integration.removeprefix(_SDK).partition(":")[0]
    return (resource.split(":") + [resource] * 2)[2]


def _prefix(service: str) -> str:
    return _PREFIXES.get(service, service[:1].upper() + service[1:])
