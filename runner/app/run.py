"""`run`: execute a compiled definition on this machine, watch it, say what came of it.

The interpreter is given the definition's bytes and the input JSON, nothing else of the project;
services answer in place of AWS.  A run that was killed goes on from its journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.bundle import open_bundle
from runner.app.compiled import find_workflow
from runner.app.refused_options import raise_any, refused, refused_here
from runner.errors import Fault, Place, UsageError
from runner.keeper import windows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.app.progress import Progress
    from runner.app.results import Ended
    from runner.app.statements import Statement
    from runner.app.stopping import Stopper
    from runner.app.triggered import Happened
    from runner.keeper.storage import Storage
    from runner.machine import FaultPlan


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run."""

    run: str
    workflow: str
    status: str
    """SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
    start: str
    end: str
    ended: tuple[Ended, ...]
    error: str
    cause: str
    message: str
    """What `error` and `cause` say, for people; empty after a success."""
    advice: str
    environment: str
    seconds: float
    marts: tuple[tuple[str, str], ...]
    """Marts by name, and how to look at them."""
    backfill: str = ""
    """Name of the backfill that was carried out."""
    again: str = ""
    """The command that does what is left, where it is not `run`."""
    links: tuple[tuple[str, str], ...] = ()
    """Pages of AWS's console, by what they show."""
    statements: tuple[Statement, ...] = ()
    """Statements of Athena, of an execution on AWS."""
    cost: float = 0.0
    """What Athena charges for them, in USD."""


@dataclass(frozen=True, slots=True)
class Window:
    """What to write: an inclusive range of civil values."""

    start: str
    end: str


def choose_window(
    workflow: WorkflowFacts,
    timezone: str,
    *,
    start: str | None,
    end: str | None,
    date: str | None,
    now: datetime,
) -> Window:
    """Decide the window: start and end, one date, or the schedule's at the given clock."""
    if date is not None:
        if start or end:
            raise _usage("--date", "--date together with --start or --end", "one or the other")
        _check("--date", date, workflow.grain)
        start = end = date
    if start is None and end is None:
        return _scheduled(workflow, timezone, now)
    if start is None or end is None:
        missing = "--start" if start is None else "--end"
        raise _usage(missing, f"no {missing}", "both ends of the window, or --date")
    for option, value in (("--start", start), ("--end", end)):
        _check(option, value, workflow.grain)
    if start > end:
        raise _usage(
            "--start", f"{start}, after --end {end}", "a window that begins before it ends"
        )
    return Window(start, end)


def _check(option: str, value: str, grain: str) -> None:
    try:
        windows.parse_civil(value, grain)
    except ValueError as error:
        raise _usage(option, str(error), f"a {grain} that exists") from error


def _scheduled(workflow: WorkflowFacts, timezone: str, now: datetime) -> Window:
    schedule = workflow.schedule
    if schedule is None:
        expected = f"--start and --end, since {workflow.name} has no schedule"
        raise _usage("--start", "no window", expected)
    start, end = windows.scheduled_window(
        now.isoformat(),
        timezone,
        last=schedule["last"],
        unit=schedule["unit"],
        lag=schedule["lag"],
    )
    if schedule["unit"] != workflow.grain:
        start, end = windows.regrain(start, end, schedule["unit"], workflow.grain)
    return Window(start, end)


def _usage(option: str, found: str, expected: str) -> UsageError:
    advice = "for example --start 2013-01-01 --end 2013-01-31, or --date 2013-01-01"
    return UsageError([Fault(Place(option), "bad-window", found, expected, advice)])


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run, and how."""

    root: Path
    workflow: str | None = None
    environment: str = "local"
    variables: tuple[tuple[str, str], ...] = ()
    start: str | None = None
    end: str | None = None
    date: str | None = None
    only: tuple[str, ...] = ()
    resume: str | None = None
    """Name of a run to continue, or `last`."""
    faults: FaultPlan | None = None
    happened: Happened | None = None
    """An event that starts the workflow: it decides the window."""
    detach: bool = False
    """Start an execution on AWS, and do not wait for it."""
    follow: str | None = None
    """Name of an execution on AWS to follow, or `last`."""


def run(
    request: RunRequest,
    *,
    tell: Callable[[Progress], None] | None = None,
    started: Callable[[str, str, str], None] | None = None,
    now: Callable[[], datetime] | None = None,
    stopper: Stopper | None = None,
    say: Callable[[str], None] | None = None,
) -> RunResult:
    """Run a workflow over a window, or continue a run that was killed.

    `tell` hears of progress, `started` of the run's name, workflow and window, `say` of what else
    people should know; once `stopper` is told so the run stops as ABORTED and can be resumed.  In
    an environment on AWS an execution is started and followed.  Raises ProjectError and UsageError
    before anything starts; a failed run is a result, not an exception.
    """
    clock = now or (lambda: datetime.now(UTC))
    bundle = open_bundle(request.root, request.environment, dict(request.variables))
    if bundle.environment["engine"] == "aws":
        from runner.app.cloud import open_cloud  # noqa: PLC0415 - boto3 is for AWS only
        from runner.app.cloud_run import CloudHooks, check_options, run_on_aws  # noqa: PLC0415

        check_options(request)
        cloud = open_cloud(request.root, request.environment, written=bundle)
        told = CloudHooks(tell, started, say, stopper)
        return run_on_aws(request, cloud, now=clock, hooks=told)
    raise_any(
        refused_here(
            request.environment,
            {"--detach": request.detach, "--follow": request.follow is not None},
        )
    )
    from runner.app.local_run import Hooks, execute  # noqa: PLC0415 - the interpreter and the services

    hooks = Hooks(tell, started, stopper, say=say)
    if request.resume is not None:
        _check_resume(request)
        return execute(request, bundle, None, None, clock=clock, hooks=hooks)
    workflow = find_workflow(bundle, request.workflow)
    if request.faults is not None:
        from runner.app.faults import check_states  # noqa: PLC0415 - only with faults
        from runner.app.functions import definitions_of  # noqa: PLC0415

        every = (workflow, *bundle.run_by(workflow))
        check_states(request.faults, [text for one in every for text in definitions_of(one)])

    def records() -> Storage:
        from runner.app.local_places import open_places  # noqa: PLC0415 - only to catch up

        return open_places(request.root, bundle, now=clock).storage()

    given = input_of(request, bundle, workflow, now=clock(), records=records)
    return execute(request, bundle, workflow, given, clock=clock, hooks=hooks)


def input_of(
    request: RunRequest,
    bundle: Bundle,
    workflow: WorkflowFacts,
    *,
    now: datetime,
    records: Callable[[], Storage],
) -> dict[str, Any]:
    """Give the input of an execution: its window, and the tables that were named.

    The window is what was asked for, what an event stands for, or what the schedule would write
    now; `records` opens the lake where a schedule makes up for runs that did not happen.
    """
    if request.happened is not None:
        window = _triggered(workflow, request, request.happened, now=now)
    else:
        window = choose_window(
            workflow,
            bundle.timezone,
            start=request.start,
            end=request.end,
            date=request.date,
            now=now,
        )
    scheduled = not (request.happened or request.start or request.end or request.date)
    if scheduled and "catch_up" in (workflow.schedule or {}):
        window = Window(_widened(bundle, workflow, window, records()), window.end)
    given: dict[str, Any] = {"start": window.start, "end": window.end}
    if request.only:
        given["only"] = _known(request.only, workflow)
    return given


def _triggered(
    workflow: WorkflowFacts, request: RunRequest, happened: Happened, *, now: datetime
) -> Window:
    """Give the window that an event stands for."""
    from runner.app import triggered  # noqa: PLC0415 - only then

    if request.start or request.end or request.date:
        found = "--object or --event-time together with a window"
        raise _usage("--object", found, "an event or a window")
    given = triggered.input_of(workflow, happened, now=now)
    return Window(*triggered.window_of(workflow, given))


def _widened(bundle: Bundle, workflow: WorkflowFacts, window: Window, storage: Storage) -> str:
    """Give the start of a scheduled window that makes up for runs that did not happen."""
    from runner.keeper import catch_up  # noqa: PLC0415 - only to catch up

    schedule = workflow.schedule or {}
    tables = {
        f"{table.database}.{table.name.partition('.')[2]}": table.grain
        for table in bundle.tables
        if table.kind == "insert" and table.grain and table.name in workflow.tables
    }
    return catch_up.widen(
        storage,
        tables,
        (window.start, window.end, workflow.grain),
        policy=schedule["catch_up"],
        unit=schedule["unit"],
        max_window=bundle.max_window,
    )


def _check_resume(request: RunRequest) -> None:
    """Refuse whatever would be ignored: a resumed run has its window and tables already."""
    given = {
        "WORKFLOW": request.workflow,
        "--start": request.start,
        "--end": request.end,
        "--date": request.date,
        "--only": request.only,
        "--object": request.happened,
    }
    raise_any(
        refused(
            given,
            "not-with-resume",
            beside="together with --resume",
            expected="the run's own workflow, window and tables",
            advice="leave {option} away, or start a new run without --resume",
        )
    )


def _known(only: tuple[str, ...], workflow: WorkflowFacts) -> list[str]:
    """Give the tables that --only names, each once; UsageError for others than the workflow's."""
    from runner.model.nearest import suggestion  # noqa: PLC0415 - difflib, only for --only

    names = list(dict.fromkeys((*workflow.tables, *workflow.loads, *workflow.exports)))
    faults = [
        Fault(
            Place("--only"),
            "unknown-table",
            name,
            f"a table of workflow {workflow.name}",
            suggestion(name, names, otherwise="see `runner list`"),
        )
        for name in only
        if name not in names
    ]
    if faults:
        raise UsageError(faults)
    return list(dict.fromkeys(only))
