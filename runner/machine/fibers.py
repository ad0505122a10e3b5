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
from runner.machine.ledger import STATE_ENTERED
from runner.machine.templates import Env

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from runner.machine.definition import State
    from runner.machine.events import Event
    from runner.machine.faults import FaultPlan
    from runner.machine.ledger import Fork, Ledger
    from runner.machine.map_runs import MapRun
    from runner.machine.ports import Clock, TaskRequest
    from runner.machine.recorder import Recorder
    from runner.machine.redrive import Redrives
    from runner.machine.task_notes import TaskNotes
    from runner.model.ports import Json


class CallTask(NamedTuple):
    """Call a service; the answer is its result."""

    visit: Visit
    request: TaskRequest
    notes: TaskNotes | None = None
    """What hears how far the call is; None for a call that AWS's history does not tell."""


class Sleep(NamedTuple):
    """Wait until an instant."""

    visit: Visit
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

    visit: Visit
    """The state that the children belong to."""
    within: str
    """Its attempt: what the keys of their states begin with."""
    starts: Starts
    limit: int = 0
    tolerance: Tolerance = Tolerance()
    weights: Sequence[int] = ()
    """What each child counts against the tolerance; without: one."""
    fork: Fork | None = None
    """Tells AWS's history of the children; None for those that are executions of their own."""

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


class Park(NamedTuple):
    """Stay here until the redrive that the journal tells of: the state failed for good."""

    visit: Visit
    error: ReportedError


class BeginAgain(Exception):
    """Thrown into a flow at a redrive: the state that it is at begins again."""


Request: TypeAlias = CallTask | Sleep | Spawn | Park
FlowRun: TypeAlias = "Generator[Request, Json, Json]"


def _unheard(key: str, output: Json) -> None:
    del key, output


class Shared:
    """What all flows of one execution share."""

    __slots__ = (
        "_execution",
        "_make_execution",
        "clock",
        "crash",
        "faults",
        "ledger",
        "recorder",
        "redrives",
        "report",
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
        redrives: Redrives,
        ledger: Ledger,
        report: Callable[[str, Json], None] = _unheard,
    ) -> None:
        """Take the execution's fixed facts; `execution` is, or makes, the context's two parts."""
        self.recorder = recorder
        self.redrives = redrives
        self.clock = clock
        self._execution = None if callable(execution) else execution
        self._make_execution = execution if callable(execution) else None
        self.seed = seed
        self.faults = faults
        self.crash = crash
        self.ledger = ledger
        self.report = report
        """Takes the first answer of a call that is still waited for, by the call's key."""

    def pass_redrive(self, previous: int, again: Sequence[Visit]) -> None:
        """Go past a redrive, at which the given visits begin again.

        `previous` is the last event of AWS's history in the chain of the whole execution.
        """
        ended = self.ledger.ended(self.recorder.pass_end().data, previous)
        event = self.recorder.pass_redrive()
        count: int = event.data["redriveCount"]
        number = self.ledger.redriven(count, ended)
        for visit in again:
            if visit.frame.shared is self:
                visit.frame.last = number
        self.redrives.passed(count, [visit.key for visit in again])
        told = {"RedriveCount": count, "RedriveTime": iso_millis(event.time)}
        self._execution = {
            **self.execution,
            "Execution": {**self.execution["Execution"], **told},
        }

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
            redrives=self.redrives,
            ledger=self.ledger.of_child(history_limit),
            report=self.report,
        )


class Frame:
    """One flow at work: where it is, its variables, and the Map item that it handles."""

    __slots__ = (
        "_aside",
        "inside",
        "is_branch",
        "item",
        "last",
        "prefix",
        "shared",
        "variables",
        "visits",
    )

    def __init__(
        self,
        shared: Shared,
        prefix: str,
        variables: Mapping[str, Json],
        item: Mapping[str, Json] | None = None,
        *,
        after: int = 0,
    ) -> None:
        """Begin with the variables of the outer flow; assignments stay inside.

        `after` is the event that a branch or an iteration comes after; 0 for a whole execution.
        """
        self.last = after
        """The last event of the flow's chain in AWS's history: the next one comes after it."""
        self._aside = 0
        self.inside: State | None = None
        """The state that was entered and not left."""
        self.is_branch = after > 0
        self.shared = shared
        self.prefix = prefix
        self.variables = variables
        self.item = item
        self.visits: dict[str, int] = {}

    @property
    def tail(self) -> int:
        """Give the last event of the flow, those beside its chain included."""
        return max(self.last, self._aside)

    def add_aside(self, kind: str, told: tuple[object, ...]) -> None:
        """Tell of an event that the next one does not come after."""
        self._aside = self.shared.ledger.add_quietly(kind, self.tail, told)

    def enter(self, state: State, data: Json) -> Visit:
        """Enter a state."""
        name = state.name
        number = self.visits.get(name, 0) + 1
        self.visits[name] = number
        shared = self.shared
        key = f"{self.prefix}{name}#{number}"
        event = shared.recorder.emit(EventKind.STATE_ENTERED, key, name, {"input": data})
        self.inside = state
        ledger = shared.ledger
        event_id = ledger.count + 1
        if event_id < ledger.quiet_below:
            ledger.count = event_id
        else:
            ledger.add(STATE_ENTERED, self.last, (state, data))
        self.last = event_id
        return Visit(self, event, event_id)


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
        "map_run",
        "retries",
        "round",
        "state",
        "token",
        "used",
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
        self.used: dict[int, int] = {}
        """How often each retrier was used."""
        self.round = 0
        """The redrive at which the state began again, 0 if at none."""
        self.token: str | None = None
        self.map_run: MapRun | None = None
        """The Map Run of this attempt, which a redrive goes on with."""
        self.item = frame.item

    @property
    def place(self) -> str:
        """Give the key of the visit with its redrive, if any: what timers are called."""
        return f"{self.key}.r{self.round}" if self.round else self.key

    @property
    def attempt_key(self) -> str:
        """Give the key of the present attempt: what calls and children are called."""
        return f"{self.place}.{self.attempt}"

    def begin_again(self) -> None:
        """Be as if the state were entered at the redrive: times count from it."""
        self.redriven()
        self.entered = self.frame.shared.recorder.time

    def redriven(self) -> None:
        """Reset the retriers, as a redrive does."""
        self.round = self.frame.shared.redrives.count
        self.attempt = 0
        self.used = {}
        self.token = None

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
