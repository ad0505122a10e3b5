"""`run` for an environment on AWS: start an execution of what is deployed, follow it, stop it.

In: the same request as for a run on this machine.  Out: the same `RunResult`.  The window is chosen
here, so that what is shown is what is run; everything else happens where the machine is.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.app.compiled import find_workflow
from runner.app.deployed import Deployed
from runner.app.execution_watch import Watch, follow
from runner.app.refused_options import raise_any, refused, refused_there
from runner.app.run import RunResult, input_of
from runner.aws.executions import not_deployed
from runner.aws.refusals import refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from runner.app.bundle import WorkflowFacts
    from runner.app.cloud import Cloud
    from runner.app.progress import Progress
    from runner.app.run import RunRequest
    from runner.app.stopping import Stopper
    from runner.aws.executions import Execution

_SUFFIX_BYTES = 3
_MOST_OF_NAME = 50
"""Characters of a workflow's name in that of an execution: 80 with time, chance and redrives."""


@dataclass(frozen=True, slots=True)
class CloudHooks:
    """Who hears of an execution."""

    tell: Callable[[Progress], None] | None = None
    started: Callable[[str, str, str], None] | None = None
    """Hears the execution's name, workflow and window."""
    say: Callable[[str], None] | None = None
    """Hears what else people should know: links, a warning."""
    stopper: Stopper | None = None
    chance: random.Random = field(default_factory=random.SystemRandom)
    sleep: Callable[[float], None] | None = None

    planned: int = 0
    """Partitions that a backfill is to publish."""

    def watch(self, redrives: int = 0) -> Watch:
        """Give what following needs."""
        more: dict[str, Any] = {"sleep": self.sleep} if self.sleep else {}
        tell = self.tell or _ignore
        return Watch(tell, self.chance, self.stopper, self.planned, redrives, **more)

    def note(self, text: str) -> None:
        """Say something, if anybody listens."""
        if self.say:
            self.say(text)


def run_on_aws(
    request: RunRequest, cloud: Cloud, *, now: Callable[[], datetime], hooks: CloudHooks
) -> RunResult:
    """Start an execution and follow it, or follow one that was started already.

    The options are checked already.  Raises UsageError for a window that is none, CloudRefused when
    nothing is deployed.
    """
    deployed = Deployed(cloud)
    if request.follow is not None:
        return attach(deployed, deployed.find(request.follow), hooks=hooks)
    workflow = find_workflow(cloud.bundle, request.workflow)
    with refusals("read the records that show which runs were missed"):
        given = input_of(request, cloud.bundle, workflow, now=now(), records=cloud.storage)
    warn(deployed, workflow, hooks)
    name = new_name(workflow.name, now())
    return start(deployed, workflow, (name, given), hooks=hooks, detach=request.detach)


def start(
    deployed: Deployed,
    workflow: WorkflowFacts,
    order: tuple[str, dict[str, Any]],
    *,
    hooks: CloudHooks,
    detach: bool = False,
) -> RunResult:
    """Start an execution by its name with an input, and follow it unless `detach`.

    It is told of before it is started: from then on a Ctrl-C stops it, however early it comes.
    """
    name, given = order
    machine = deployed.machine(workflow.name)
    arn = deployed.console.execution_arn(machine, name)
    if not detach:
        _announce(deployed, arn, workflow.name, given, hooks)
    deployed.executions.start(machine, name, given)
    execution = deployed.executions.describe(arn) or _young(arn, given)
    if detach:
        return detached(deployed, workflow, execution)
    return follow(deployed, workflow, execution, watch=hooks.watch())


def attach(
    deployed: Deployed, execution: Execution, *, hooks: CloudHooks, redrives: int = 0
) -> RunResult:
    """Follow an execution until it ends, for the time that it was redriven so often."""
    workflow = deployed.workflow(execution.machine)
    _announce(deployed, execution.arn, workflow.name, execution.input, hooks)
    return follow(deployed, workflow, execution, watch=hooks.watch(redrives))


def _announce(
    deployed: Deployed, arn: str, workflow: str, given: Mapping[str, Any], hooks: CloudHooks
) -> None:
    """Say which execution is followed, and where it can be looked at."""
    name = arn.rpartition(":")[2]
    if hooks.stopper:
        again = _following(name, deployed.cloud.bundle.environment_name)
        hooks.stopper.left = f"left; AWS goes on without you: {again}"
    if hooks.started:
        hooks.started(name, workflow, _window(given))
    hooks.note(f"console: {deployed.console.execution(arn)}")


def warn(deployed: Deployed, workflow: WorkflowFacts, hooks: CloudHooks) -> None:
    """Say so if what is deployed is not what the checkout says; CloudRefused if nothing is."""
    differs = deployed.differs(workflow)
    name = deployed.cloud.bundle.environment_name
    if differs is None:
        raise not_deployed(deployed.machine(workflow.name), name)
    if differs:
        hooks.note(
            f"warning: what is deployed of {workflow.name} is not what these files say; "
            f"the deployed one runs (see `runner plan --env {name}`)"
        )


def new_name(workflow: str, now: datetime) -> str:
    """Name an execution: the workflow, the time, chance.

    Asked for twice by the same name, AWS starts it once.
    """
    return f"{workflow[:_MOST_OF_NAME]}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(_SUFFIX_BYTES)}"


def check_options(request: RunRequest) -> None:
    """Refuse what only a run on this machine can do, each with its reason."""
    name = request.environment
    with_follow = {
        "WORKFLOW": request.workflow,
        "--start": request.start,
        "--end": request.end,
        "--date": request.date,
        "--only": request.only,
        "--object": request.happened,
        "--detach": request.detach,
    }
    raise_any(
        (
            *refused_there(
                name,
                {"--fault": request.faults},
                expected="a run on this machine: a deployed definition cannot be made to fail",
                advice="leave it away, or run on this machine (without --env)",
            ),
            *refused_there(
                name,
                {"--resume": request.resume},
                expected="a run on this machine: AWS goes on with an execution itself",
                advice=f"runner redrive {request.resume or ''} --env {name}",
            ),
            *refused(
                with_follow if request.follow is not None else {},
                "not-with-follow",
                beside="together with --follow",
                expected="an execution that runs already",
                advice="leave {option} away, or start a new execution without --follow",
            ),
        )
    )


def _following(name: str, environment: str) -> str:
    return f"runner run --follow {name} --env {environment}"


def _window(given: Mapping[str, Any]) -> str:
    if "start" in given:
        return f"{given.get('start')}..{given.get('end')}"
    return f"scheduled for {given.get('scheduled_time', 'an unknown time')}"


def _young(arn: str, given: dict[str, Any]) -> Execution:
    """Describe an execution that was started a moment ago, where AWS does not know it yet."""
    from datetime import UTC, datetime  # noqa: PLC0415 - hardly ever

    from runner.aws.executions import Execution  # noqa: PLC0415 - likewise

    machine, name = arn.split(":")[-2:]
    return Execution(arn, machine, name, "RUNNING", datetime.now(UTC), None, given)


def detached(deployed: Deployed, workflow: WorkflowFacts, execution: Execution) -> RunResult:
    """Say what was started, for whoever does not wait for it."""
    given = execution.input
    name = deployed.cloud.bundle.environment_name
    return RunResult(
        run=execution.name,
        workflow=workflow.name,
        status=execution.status,
        start=str(given.get("start", "")),
        end=str(given.get("end", "")),
        ended=(),
        error="",
        cause="",
        message="",
        advice="",
        environment=name,
        seconds=0.0,
        marts=(),
        backfill=str(given.get("backfill", "")),
        again=_following(execution.name, name),
        links=(("execution", deployed.console.execution(execution.arn)),),
    )


def _ignore(progress: Progress) -> None:
    del progress
