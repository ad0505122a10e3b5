"""What a running flow asks of the scheduler, and what it runs in.

A flow is a generator: it yields a request, and the scheduler sends back the result or throws the
StateError.  Nothing here calls anything; that is what makes a replay possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from runner.machine.chance import seeded_random
from runner.machine.events import EventKind
from runner.machine.failures import TOLERANCE, ReportedError, StateError
from runner.machine.templates import Env

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from runner.machine.events import Event
    from runner.machine.faults import FaultPlan
    from runner.machine.ports import Clock, TaskRequest
    from runner.machine.recorder import Recorder
    from runner.model.ports import Json


class CallTask(NamedTuple):
    """Call a service; the answer is its result."""

    request: TaskRequest


class Sleep(NamedTuple):
    """Wait until an instant."""

    key: str
    state: str
    until: datetime


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tolerance:
    """How many children may fail: a count and a percentage; whichever is exceeded first."""

    count: int = 0
    percentage: float = 0.0
    named: bool = False
    """Whether the error of too many failures is States.ExceedToleratedFailureThreshold."""

    def exceeded(self, failed: int, of: int) -> bool:
        """Tell whether that many failures are too many."""
        if not failed:
            return False
        if self.count == 0 and self.percentage == 0:
            return True
        over_count = self.count > 0 and failed > self.count
        over_percentage = self.percentage > 0 and failed * 100 > self.percentage * of
        return over_count or over_percentage


class Starts(Protocol):
    """What makes the children of a Spawn, one by one; a tuple of functions is one."""

    def __len__(self) -> int:
        """Tell how many children there are."""
        ...

    def __getitem__(self, index: int, /) -> Callable[[], FlowRun]:
        """Give what makes one child; asked once, when the child's turn comes."""
        ...


class Spawn(NamedTuple):
    """Run children, at most `limit` at a time (0: all); the answer is the list of results."""

    starts: Starts
    limit: int = 0
    tolerance: Tolerance = Tolerance()
    weights: Sequence[int] = ()
    """What each child counts against the tolerance; without: one."""

    def weight(self, index: int) -> int:
        """Tell what a child counts."""
        return self.weights[index] if self.weights else 1

    def weight_of_all(self) -> int:
        """Tell what all children count."""
        return sum(self.weights) if self.weights else len(self.starts)

    def failure(self, error: StateError) -> StateError:
        """Give the error of the whole when too many children failed, `error` being the last."""
        if not self.tolerance.named:
            return error
        return ReportedError(TOLERANCE, "The specified tolerated failure threshold was exceeded")


class Failed(NamedTuple):
    """The result of a child whose failure is tolerated."""

    error: str | None
    cause: str | None


Request: TypeAlias = CallTask | Sleep | Spawn
FlowRun: TypeAlias = "Generator[Request, Json, Json]"


class Shared:
    """What all flows of one execution share."""

    __slots__ = (
        "_execution",
        "_make_execution",
        "clock",
        "crash",
        "faults",
        "history",
        "history_limit",
        "recorder",
        "seed",
    )

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        *,
        execution: Mapping[str, Json] | Callable[[], Mapping[str, Json]],
        seed: str,
        faults: FaultPlan,
        crash: Callable[[], None],
        history_limit: int | None,
    ) -> None:
        """Take the execution's fixed facts; `execution` is, or makes, the context's two parts."""
        self.recorder = recorder
        self.clock = clock
        self._execution = None if callable(execution) else execution
        self._make_execution = execution if callable(execution) else None
        self.seed = seed
        self.faults = faults
        self.crash = crash
        self.history = 1
        """Events that AWS's history would have by now; ids in AWS's texts count them."""
        self.history_limit = history_limit

    @property
    def execution(self) -> Mapping[str, Json]:
        """Give the context object's parts `Execution` and `StateMachine`."""
        if self._execution is None:
            assert self._make_execution is not None  # noqa: S101  (one of them is given)
            self._execution = self._make_execution()
        return self._execution

    def of_child(
        self, execution: Callable[[], Mapping[str, Json]], *, history_limit: int | None
    ) -> Shared:
        """Make what a child execution of a distributed Map shares: its history begins anew."""
        return Shared(
            self.recorder,
            self.clock,
            execution=execution,
            seed=self.seed,
            faults=self.faults,
            crash=self.crash,
            history_limit=history_limit,
        )


class Frame:
    """One flow at work: where it is, its variables, and the Map item that it handles."""

    __slots__ = ("item", "prefix", "shared", "variables", "visits")

    def __init__(
        self,
        shared: Shared,
        prefix: str,
        variables: Mapping[str, Json],
        item: Mapping[str, Json] | None = None,
    ) -> None:
        """Begin with the variables of the outer flow; assignments stay inside."""
        self.shared = shared
        self.prefix = prefix
        self.variables = variables
        self.item = item
        self.visits: dict[str, int] = {}

    def enter(self, name: str, data: Json) -> Visit:
        """Enter a state."""
        number = self.visits.get(name, 0) + 1
        self.visits[name] = number
        shared = self.shared
        key = f"{self.prefix}{name}#{number}"
        event = shared.recorder.emit(EventKind.STATE_ENTERED, key, name, {"input": data})
        shared.history += 1
        return Visit(self, event, shared.history)


class Visit:
    """One entering of one state."""

    __slots__ = (
        "attempt",
        "draws",
        "entered",
        "event_id",
        "frame",
        "item",
        "key",
        "retries",
        "state",
        "token",
    )

    def __init__(self, frame: Frame, entered: Event, event_id: int) -> None:
        """Take the event that says so and its number in AWS's history."""
        self.frame = frame
        self.entered = entered.time
        self.key = entered.key
        self.state = entered.state
        self.event_id = event_id
        self.attempt = 0
        self.draws = 0
        self.retries = False
        """Whether the state can be retried; then the context object has its RetryCount."""
        self.token: str | None = None
        self.item = frame.item

    def env(self, data: Json) -> Env:
        """Make what expressions of the state can see."""
        return Env(
            data,
            self.frame.variables,
            make_context=self.context,
            make_random=self.random,
            now=self.frame.shared.recorder.time,
        )

    def env_again(self, env: Env) -> Env:
        """Take the time of the last event: expressions after the work see it as now."""
        env.now = self.frame.shared.recorder.time
        return env

    def after(self, seconds: float) -> datetime:
        """Give the instant so many seconds after the visit's last event."""
        return self.frame.shared.clock.now() + timedelta(seconds=seconds)

    def random(self) -> Random:
        """Make the visit's random numbers: the same in a replay."""
        self.draws += 1
        return seeded_random(self.frame.shared.seed, self.key, self.draws)

    def context(self) -> Mapping[str, Json]:
        """Make the context object."""
        made = dict(self.frame.shared.execution)
        made["State"] = {"Name": self.state, "EnteredTime": iso_millis(self.entered)}
        if self.retries:
            made["State"]["RetryCount"] = self.attempt
        if self.item is not None:
            made["Map"] = {"Item": self.item}
        if self.token is not None:
            made["Task"] = {"Token": self.token}
        return made

    def told(self, cause: str | None) -> str:
        """Put AWS's words about the state before a cause."""
        place = f"'{self.state}' (entered at the event id #{self.event_id})"
        return f"An error occurred while executing the state {place}. {cause}"


def iso_millis(time: datetime) -> str:
    """Write an instant as the context object does.

    >>> from datetime import UTC, datetime
    >>> iso_millis(datetime(2013, 1, 1, tzinfo=UTC))
    '2013-01-01T00:00:00.000Z'
    """
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
