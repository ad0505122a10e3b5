"""What a run of any state machine is asked for, who hears of it, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.machine import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.app.faults import Strikes
    from runner.app.machine_definition import Source
    from runner.app.machine_failure import Reason
    from runner.app.machine_trace import Step, Trace
    from runner.app.stopping import Stopper
    from runner.machine import Definition, Event, FaultPlan, TaskService
    from runner.machine.mocks import Mocks

Json = Any


class Unset:
    """Stands for an input that was not given."""


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class MachineRequest:
    """What to run, and how."""

    definition: Source
    """A file of JSON or YAML, or a definition as a mapping."""
    input: Json = UNSET
    """The execution's input; if not given `{}`, or that of the execution that is continued."""
    name: str = ""
    """The execution's name; made up if empty."""
    express: bool = False
    """Whether it is an EXPRESS machine."""
    mocks: Path | Mocks | None = None
    """A file of mocks, or mocks as values."""
    test_case: str | None = None
    """Which test case of a file in the format of Step Functions Local."""
    service: TaskService | None = None
    """Answers tasks that have neither a mock nor a local service."""
    lambdas: Mapping[str, str] = field(default_factory=dict)
    """Handlers by the names of their functions: `pay/handler.py`, or `pay/app.py:main`."""
    machines: Mapping[str, Source] = field(default_factory=dict)
    """Definitions of machines that the execution may start, by name."""
    s3: Path | None = None
    """A folder that stands for S3; the folders in it are buckets."""
    faults: Strikes | FaultPlan | None = None
    """What is to go wrong."""
    time: str = "skip"
    """`real`, `skip` (no wait takes time) or `x60` (a minute passes in a second)."""
    journal: Path | None = None
    """A SQLite file from which a killed execution is continued."""
    resume: bool = False
    """Continue the execution that the journal holds."""
    redrive: bool = False
    """Do again what failed in the execution that the journal holds, as RedriveExecution does."""
    context: Mapping[str, Json] = field(default_factory=dict)
    """Of the context object: Execution {Id, Name, RoleArn, StartTime}, StateMachine {Id, Name}."""
    seed: int | None = None
    """Makes random numbers, jitter and names the same each time."""
    stops: tuple[str, ...] = ()
    """States at which the caller stands still; they must be there."""
    calls: int | None = None
    """Most task calls at once: 8, or 1 when all are mocked, so that replies come in an order."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who hears of an execution while it goes on."""

    step: Callable[[Step, Trace], None] | None = None
    """Hears of each step, one at a time, on the thread that makes it: it may pause that."""
    stopper: Stopper | None = None
    """Used by whoever wants the execution to stop; with a journal it can be continued."""
    crash: Callable[[], None] | None = None
    """Makes the process die, for injected crashes; raises SimulatedCrash if None."""


@dataclass(frozen=True, slots=True)
class MachineResult:
    """How an execution ended."""

    name: str
    arn: str
    machine_arn: str
    status: str
    """SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
    input: Json
    output: Json
    error: str | None
    cause: str | None
    started: datetime
    ended: datetime
    reasons: tuple[Reason, ...]
    """Why it failed, from the whole to the field that was wrong."""
    definition: Definition
    express: bool
    events: tuple[Event, ...]
    """The interpreter's events, also those of a journal that was continued."""
    unused_mocks: tuple[str, ...]
    """Where mocks stand that answered nothing."""
    unstruck_faults: tuple[str, ...]
    """Faults that never struck."""

    def described(self) -> dict[str, Json]:
        """Describe the execution as `aws stepfunctions describe-execution` does."""
        import json  # noqa: PLC0415 - only when asked

        def text(value: Json) -> str:
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

        told: dict[str, Json] = {
            "executionArn": self.arn,
            "stateMachineArn": self.machine_arn,
            "name": self.name,
            "status": self.status,
            "startDate": self.started.isoformat(timespec="milliseconds"),
            "stopDate": self.ended.isoformat(timespec="milliseconds"),
            "input": text(self.input),
            "inputDetails": {"included": True},
            **self._redriven(),
        }
        if self.status == "SUCCEEDED":
            return told | {"output": text(self.output), "outputDetails": {"included": True}}
        named = {"error": self.error, "cause": self.cause}
        return told | {name: value for name, value in named.items() if value is not None}

    def _redriven(self) -> dict[str, Json]:
        """Tell of redrives, of which an EXPRESS execution has none."""
        if self.express:
            return {}
        marks = [one for one in self.events if one.kind is EventKind.EXECUTION_REDRIVEN]
        if self.status == "SUCCEEDED":
            status = {
                "redriveStatus": "NOT_REDRIVABLE",
                "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
            }
        else:
            status = {"redriveStatus": "REDRIVABLE"}
        when = {"redriveDate": marks[-1].time.isoformat(timespec="milliseconds")} if marks else {}
        return {"redriveCount": len(marks), **when, **status}
