"""Following an execution on AWS until it ends, and stopping it with all that it started.

In: an execution's ARN and who listens.  Out: a `RunResult`, gathered from the history by what
gathers it from a journal on this machine.  Reads less often while nothing happens, a little
irregularly, and slower the more executions there are to read: the API's rate is the account's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.progress import Tracker
from runner.app.results import Gatherer, located
from runner.app.run import RunResult
from runner.app.statements import Statements, Tasks
from runner.keeper.diagnose import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from runner.app.bundle import WorkflowFacts
    from runner.app.deployed import Deployed
    from runner.app.progress import Progress
    from runner.app.statements import Statement
    from runner.app.stopping import Stopper
    from runner.aws.executions import Execution
    from runner.aws.history import Histories
    from runner.machine import Event

_SOON_S, _LATE_S = 1.0, 10.0
_SLOWER = 1.5
_SHARE_S = 0.2
"""Seconds between two reads of histories: 5 a second, of 20 that the API allows an account."""
_LOOK = 5
"""Reads that bring nothing before the execution itself is asked whether it has ended."""
_TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class Watch:
    """Who hears of an execution while it goes on, and how time passes."""

    tell: Callable[[Progress], None]
    random: Random
    stopper: Stopper | None = None
    planned: int = 0
    """Partitions that a backfill is to publish."""
    redrives: int = 0
    """How often it was redriven at least: AWS may show an end that is of before."""
    sleep: Callable[[float], None] = time.sleep

    @property
    def stopping(self) -> bool:
        """Tell whether it is to be stopped."""
        return self.stopper is not None and self.stopper.is_set()

    def pause(self, seconds: float, *, ignoring_stop: bool) -> None:
        """Wait, but not for a Ctrl-C."""
        left = seconds
        while left > 0 and (ignoring_stop or not self.stopping):
            self.sleep(min(_TICK_S, left))
            left -= _TICK_S


@dataclass(slots=True)
class Pace:
    """How long to wait before the next read."""

    random: Random
    idle: int = 0
    """Reads that brought nothing, one after the other."""

    def next(self, news: int, histories: int) -> float:
        """Give the seconds, told how many events the last read brought."""
        self.idle = 0 if news else self.idle + 1
        wanted = min(_LATE_S, _SOON_S * _SLOWER**self.idle)
        return max(wanted, histories * _SHARE_S) * self.random.uniform(0.8, 1.2)


@dataclass(slots=True)
class _Follower:
    """One execution that is followed."""

    deployed: Deployed
    workflow: WorkflowFacts
    arn: str
    watch: Watch
    histories: Histories
    gatherer: Gatherer
    tracker: Tracker
    statements: Statements = field(default_factory=Statements)
    tasks: Tasks = field(default_factory=Tasks)
    asked: bool = False
    """Whether the execution was asked to stop."""
    stopped: set[str] = field(default_factory=set)
    """Children and statements that were asked to stop."""

    def read(self) -> int:
        """Take what is new; gives the number of events."""
        events = self.histories.read()
        for event in events:
            self.observe(event)
        return len(events)

    def observe(self, event: Event) -> None:
        """Take one event."""
        self.tracker.observe(event)
        self.gatherer.observe(event)
        self.statements.observe(event)
        self.tasks.observe(event)

    def stop(self) -> None:
        """Stop the execution first, so that nothing new begins, then what it left at work."""
        executions, cause = self.deployed.executions, "stopped from the command line"
        if not self.asked:
            executions.stop(self.arn, cause)
            self.asked = True
        for child in self.histories.children:
            if child not in self.stopped:
                executions.stop(child, cause)
                self.stopped.add(child)
        for statement in self.statements.open():
            if statement.query not in self.stopped:
                executions.stop_query(statement.query)
                self.stopped.add(statement.query)
                self.statements.stopped(statement.query)

    def over(self, found: Execution) -> bool:
        """Tell whether an execution has ended for good."""
        return not found.going_on and found.redrives >= self.watch.redrives

    def until_it_ends(self) -> Execution:
        """Read, stop if that is wanted, wait; gives the execution as it ended."""
        pace = Pace(self.watch.random)
        while True:
            news = self.read()
            if self.watch.stopping:
                self.stop()
            if self.histories.ended or (not news and pace.idle % _LOOK == _LOOK - 1):
                found = self.deployed.executions.describe(self.arn)
                if found is not None and self.over(found):
                    break
            seconds = pace.next(news, self.histories.open)
            self.watch.pause(seconds, ignoring_stop=self.asked)
        self.read()
        if self.asked:
            self.stop()  # what was started between the last read and the end
        return found


def follow(
    deployed: Deployed, workflow: WorkflowFacts, execution: Execution, *, watch: Watch
) -> RunResult:
    """Follow an execution until it ends, and say what came of it; one that has ended is read."""
    follower = _open(deployed, workflow, execution.arn, watch)
    ended = follower.until_it_ends()
    return result_of(follower, ended)


def look(deployed: Deployed, workflow: WorkflowFacts, execution: Execution) -> RunResult:
    """Read what an execution did so far, once."""
    from random import Random  # noqa: PLC0415 - nothing waits here

    watch = Watch(_nothing, Random(0))  # noqa: S311 - not used
    follower = _open(deployed, workflow, execution.arn, watch)
    follower.read()
    return result_of(follower, execution)


def _open(deployed: Deployed, workflow: WorkflowFacts, arn: str, watch: Watch) -> _Follower:
    machines = frozenset(child.machine for child in workflow.children)
    return _Follower(
        deployed,
        workflow,
        arn,
        watch,
        deployed.executions.histories(arn, machines),
        Gatherer(workflow, deployed.cloud.bundle),
        Tracker(workflow, watch.tell, watch.planned),
    )


def result_of(follower: _Follower, execution: Execution) -> RunResult:
    """Say what came of an execution, or what it did so far."""
    from runner.plan.sizes import money  # noqa: PLC0415 - only at the end

    deployed, gatherer = follower.deployed, follower.gatherer
    bundle = deployed.cloud.bundle
    given = execution.input
    start, end = gatherer.window
    found = explain(execution.error, execution.cause)
    statements = tuple(follower.statements.all())
    scanned = sum(one.charged for one in statements)
    name = bundle.environment_name
    unsuccessful = execution.status != "SUCCEEDED" and not execution.going_on
    until = execution.stopped or datetime.now(UTC)
    return RunResult(
        run=execution.name,
        workflow=follower.workflow.name,
        status=execution.status,
        start=start or str(given.get("start", "")),
        end=end or str(given.get("end", "")),
        ended=located(deployed.cloud.root, bundle, gatherer.ended(), variables={}),
        error=execution.error,
        cause=execution.cause,
        message=found.message,
        advice=found.advice or found.later,
        environment=name,
        seconds=(until - execution.started).total_seconds(),
        marts=(),
        backfill=str(given.get("backfill", "")),
        again=f"runner redrive {execution.name} --env {name}" if unsuccessful else "",
        links=tuple(_links(follower, execution)),
        statements=tuple(_linked(deployed, one) for one in statements),
        cost=money(scanned, bundle.price_per_tb),
    )


def _links(follower: _Follower, execution: Execution) -> Iterator[tuple[str, str]]:
    """Give the pages that tell more: the execution first."""
    deployed, console = follower.deployed, follower.deployed.console
    yield "execution", console.execution(execution.arn)
    for child in follower.histories.children:
        yield f"execution of {child.split(':')[6]}", console.execution(child)
    for task in follower.tasks.all():
        yield f"task of {task.state}", console.task(task.cluster, task.task)
    for family in dict.fromkeys(task.family for task in follower.tasks.all() if task.family):
        yield f"log of {family}", console.log_group(f"/ecs/{family}")
    yield (
        "log of the state machine",
        console.log_group(f"/aws/vendedlogs/states/{execution.machine}"),
    )
    yield "log of the keeper", console.log_group(log_group(deployed, "keeper"))


def log_group(deployed: Deployed, function: str) -> str:
    """Name the log group of a function of the environment."""
    return f"/aws/lambda/{deployed.cloud.bundle.prefix}-{function.replace(':', '-')}"


def _linked(deployed: Deployed, one: Statement) -> Statement:
    return replace(one, link=deployed.console.query(one.query))


def _nothing(progress: Progress) -> None:
    del progress
