"""`redrive`: do what a run left undone (SEMANTICS 34).

A run whose steps failed has ended properly: a new one is started for the same window, of only what
failed or was skipped.  A run that was stopped, timed out or died is continued: on this machine
from its journal, on AWS by AWS's own redrive.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.bundle import open_bundle
from runner.app.refused_options import raise_any, refused_here
from runner.app.run import RunRequest, run
from runner.errors import Fault, Place, UsageError
from runner.model.names import BACKFILL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.cloud_run import CloudHooks
    from runner.app.deployed import Deployed
    from runner.app.progress import Progress
    from runner.app.results import Ended
    from runner.app.run import RunResult
    from runner.app.stopping import Stopper
    from runner.aws.executions import Execution

STEPS_FAILED = "Runner.StepsFailed"
"""The error of a machine that went to its end, and lists what failed."""
_LEFT = ("failed", "skipped", "unfinished")


@dataclass(frozen=True, slots=True)
class RedriveRequest:
    """Which run."""

    root: Path
    name: str = "last"
    environment: str = "local"
    variables: tuple[tuple[str, str], ...] = ()
    detach: bool = False


def redrive(
    request: RedriveRequest,
    *,
    tell: Callable[[Progress], None] | None = None,
    started: Callable[[str, str, str], None] | None = None,
    say: Callable[[str], None] | None = None,
    stopper: Stopper | None = None,
) -> RunResult:
    """Do what a run left undone; UsageError when nothing is left or it still runs."""
    bundle = open_bundle(request.root, request.environment, dict(request.variables))
    if bundle.environment["engine"] == "aws":
        from runner.app.cloud import open_cloud  # noqa: PLC0415 - boto3 is for AWS only
        from runner.app.cloud_run import CloudHooks  # noqa: PLC0415
        from runner.app.deployed import Deployed  # noqa: PLC0415

        cloud = open_cloud(request.root, request.environment, written=bundle)
        deployed = Deployed(cloud)
        hooks = CloudHooks(tell, started, say, stopper)
        return redrive_on_aws(request, deployed, hooks=hooks, now=datetime.now(UTC))
    raise_any(refused_here(request.environment, {"--detach": request.detach}))
    again = _here(request, bundle)
    return run(again, tell=tell, started=started, say=say, stopper=stopper)


def _here(request: RedriveRequest, bundle: Bundle) -> RunRequest:
    """Say which run does what is left of one on this machine."""
    from runner.app.local_places import open_places  # noqa: PLC0415 - for this machine only
    from runner.app.run_journal import find_run, result_of  # noqa: PLC0415

    local = open_places(request.root, bundle, now=lambda: datetime.now(UTC))
    found = find_run(local, request.name)
    status = local.runs.status(found.name).value
    _check(found.name, status)
    if found.workflow == BACKFILL:
        name = found.input.get("backfill", "NAME")
        advice = f"runner backfill --name {name}"
        raise _usage("not-redrivable", f"{found.name}, a backfill", "a run of a workflow", advice)
    shared: dict[str, Any] = {
        "root": request.root,
        "environment": request.environment,
        "variables": request.variables,
    }
    if status == "ABORTED":
        return RunRequest(**shared, resume=found.name)
    window = {"start": found.input["start"], "end": found.input["end"]}
    only = left(result_of(local, found).ended) or tuple(found.input.get("only", ()))
    return RunRequest(**shared, workflow=found.workflow, only=only, **window)


def redrive_on_aws(
    request: RedriveRequest, deployed: Deployed, *, hooks: CloudHooks, now: datetime
) -> RunResult:
    """Start what an execution left undone, or let AWS go on with it, and follow that."""
    from runner.app.cloud_run import attach, detached, new_name, start, warn  # noqa: PLC0415
    from runner.app.execution_watch import look  # noqa: PLC0415
    from runner.aws.executions import not_redrivable  # noqa: PLC0415

    execution = deployed.find(request.name)
    _check(execution.name, execution.status)
    workflow = deployed.workflow(execution.machine)
    if execution.error == STEPS_FAILED:
        given = _again(execution, look(deployed, workflow, execution))
        warn(deployed, workflow, hooks)
        name = new_name(workflow.name, now)
        return start(deployed, workflow, (name, given), hooks=hooks, detach=request.detach)
    if execution.not_redrivable:
        raise not_redrivable(execution.name, execution.not_redrivable)
    deployed.executions.redrive(execution.arn, _token(execution))
    hooks.note(f"AWS goes on with {execution.name} where it ended, with the definition it had")
    if request.detach:
        return detached(deployed, workflow, deployed.find(execution.arn))
    return attach(deployed, execution, hooks=hooks, redrives=execution.redrives + 1)


def left(ended: Sequence[Ended]) -> tuple[str, ...]:
    """Name the tables of which something is left to do, each once."""
    names = (one.name for one in ended if one.status in _LEFT and one.kind != "step")
    return tuple(dict.fromkeys(names))


def _again(execution: Execution, result: RunResult) -> dict[str, Any]:
    """Give the input of the execution that does what is left."""
    given: dict[str, Any] = {"start": result.start, "end": result.end}
    if not result.start:  # what it said of its window was cut
        given = {"scheduled_time": execution.input["scheduled_time"]}
    only = list(left(result.ended)) or execution.input.get("only")
    if only:
        given["only"] = only
    if result.backfill:
        given["backfill"] = result.backfill
    return given


def _token(execution: Execution) -> str:
    """Give what makes two requests for the same redrive one."""
    text = f"{execution.arn}/{execution.redrives}"
    return hashlib.sha256(text.encode()).hexdigest()


def _check(name: str, status: str) -> None:
    if status in ("RUNNING", "PENDING_REDRIVE"):
        raise _usage(
            "not-redrivable", f"{name}, which is running", "a run that has ended", "wait for it"
        )
    if status == "SUCCEEDED":
        raise _usage(
            "not-redrivable",
            f"{name}, which succeeded",
            "a run of which something is left to do",
            "to rewrite its window, `runner run WORKFLOW --start ... --end ...`",
        )


def _usage(code: str, found: str, expected: str, advice: str) -> UsageError:
    return UsageError([Fault(Place("EXECUTION"), code, found, expected, advice)])
