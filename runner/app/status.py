"""`status` and `executions`: the runs of an environment, the newest first, and one of them.

On this machine runs are folders; on AWS they are executions of what is deployed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.deployed import Deployed
    from runner.app.run import RunResult
    from runner.aws.executions import Execution

STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE")


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run."""

    run: str
    workflow: str
    status: str
    """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED (killed: it can be resumed)."""
    start: str
    end: str
    started_at: str
    error: str
    cause: str
    backfill: str = ""
    """Name of the backfill that it carries out."""
    stopped_at: str = ""
    redrives: int = 0
    link: str = ""
    """Page of AWS's console."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs to list."""

    limit: int = 20
    workflow: str | None = None
    status: str | None = None


def recent_runs(
    root: Path,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    wanted: Wanted | None = None,
) -> tuple[RunStatus, ...]:
    """List the newest runs of an environment."""
    wanted = wanted or Wanted()
    bundle = open_bundle(root, environment, variables)
    _check(wanted, bundle)
    if bundle.environment["engine"] == "aws":
        from runner.app.cloud import open_cloud  # noqa: PLC0415 - boto3 is for AWS only
        from runner.app.deployed import Deployed  # noqa: PLC0415

        return recent_executions(Deployed(open_cloud(root, environment, written=bundle)), wanted)
    return tuple(islice(_runs(root, bundle, wanted), wanted.limit))


def _check(wanted: Wanted, bundle: Bundle) -> None:
    from runner.model.names import BACKFILL, LOAD  # noqa: PLC0415 - small

    faults = []
    if wanted.status is not None and wanted.status not in STATUSES:
        expected = f"one of {', '.join(STATUSES)}"
        advice = "name one of them"
        faults.append(Fault(Place("--status"), "unknown-status", wanted.status, expected, advice))
    names = [*(workflow.name for workflow in bundle.workflows), BACKFILL, LOAD]
    if wanted.workflow is not None and wanted.workflow not in names:
        from runner.model.nearest import listed, suggestion  # noqa: PLC0415 - for a mistake

        advice = suggestion(wanted.workflow, names, otherwise="name one of them")
        place = Place("--workflow")
        expected = f"one of {listed(names)}"
        faults.append(Fault(place, "unknown-workflow", repr(wanted.workflow), expected, advice))
    if faults:
        raise UsageError(faults)


def _runs(root: Path, bundle: Bundle, wanted: Wanted) -> Iterator[RunStatus]:
    from runner.app.local_places import open_places  # noqa: PLC0415 - for this machine only

    local = open_places(root, bundle, now=lambda: datetime.now(UTC))
    for run in local.runs.runs():
        if wanted.workflow not in (None, run.workflow):
            continue
        status = local.runs.status(run.name).value
        if wanted.status not in (None, status):
            continue
        end = local.runs.end(run.name)
        given = run.input if isinstance(run.input, dict) else {}
        yield RunStatus(
            run=run.name,
            workflow=run.workflow,
            status=status,
            start=str(given.get("start", "")),
            end=str(given.get("end", "")),
            started_at=run.started_at.isoformat(timespec="seconds"),
            error=end.error if end else "",
            cause=end.cause if end else "",
            backfill=str(given.get("backfill", "")),
            stopped_at=end.at.isoformat(timespec="seconds") if end else "",
        )


def recent_executions(deployed: Deployed, wanted: Wanted) -> tuple[RunStatus, ...]:
    """List the newest executions of an environment on AWS, each with its window."""
    listed = islice(deployed.list(wanted.workflow, wanted.status), wanted.limit)
    found = (deployed.executions.describe(one.arn) for one in listed)
    return tuple(_execution(deployed, one) for one in found if one is not None)


def _execution(deployed: Deployed, one: Execution) -> RunStatus:
    given = one.input
    return RunStatus(
        run=one.name,
        workflow=deployed.machines.get(one.machine, one.machine),
        status=one.status,
        start=str(given.get("start", given.get("scheduled_time", ""))),
        end=str(given.get("end", "")),
        started_at=one.started.isoformat(timespec="seconds"),
        error=one.error,
        cause=one.cause,
        backfill=str(given.get("backfill", "")),
        stopped_at=one.stopped.isoformat(timespec="seconds") if one.stopped else "",
        redrives=one.redrives,
        link=deployed.console.execution(one.arn),
    )


@dataclass(frozen=True, slots=True)
class Detail:
    """One run with all that is known of it."""

    about: RunStatus
    result: RunResult


def run_detail(
    root: Path, name: str, *, environment: str = "local", variables: Mapping[str, str] | None = None
) -> Detail:
    """Read one run, running or ended; UsageError when there is none of that name."""
    bundle = open_bundle(root, environment, variables)
    if bundle.environment["engine"] == "aws":
        from runner.app.cloud import open_cloud  # noqa: PLC0415 - boto3 is for AWS only
        from runner.app.deployed import Deployed  # noqa: PLC0415

        return execution_detail(Deployed(open_cloud(root, environment, written=bundle)), name)
    from runner.app.local_places import open_places  # noqa: PLC0415 - for this machine only
    from runner.app.run_journal import find_run, result_of  # noqa: PLC0415

    local = open_places(root, bundle, now=lambda: datetime.now(UTC))
    run = find_run(local, name)
    every = Wanted(workflow=None)
    about = next(one for one in _runs(root, bundle, every) if one.run == run.name)
    return Detail(about, result_of(local, run))


def execution_detail(deployed: Deployed, name: str) -> Detail:
    """Read one execution on AWS."""
    from runner.app.execution_watch import look  # noqa: PLC0415 - the interpreter's events load here

    execution = deployed.find(name)
    result = look(deployed, deployed.workflow(execution.machine), execution)
    return Detail(_execution(deployed, execution), result)
