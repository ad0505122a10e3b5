"""`runner run`: execute a workflow over a window, on this machine or on AWS."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from runner.cli.options import detach_option, find_root, project_options, read_variables


@click.command(name="run", short_help="Run a workflow over a window, or continue a run.")
@click.argument("workflow", required=False)
@click.option("--start", help="First value of the window, e.g. 2013-01-01.")
@click.option("--end", help="Last value of the window; it belongs to it.")
@click.option("--date", help="A window of one value.")
@click.option(
    "--object",
    "arrived",
    metavar="S3_URI",
    help="An object that a trigger of the workflow waits for: its window is written.",
)
@click.option(
    "--event-time",
    metavar="TIME",
    help="The time of an event that a trigger counts its window from, e.g. 2013-01-06T03:00:00Z.",
)
@click.option("--trigger", metavar="NAME", help="Which trigger, where several fit.")
@click.option("--only", multiple=True, metavar="TABLE", help="Only this table (repeatable).")
@click.option(
    "--resume",
    metavar="RUN",
    help="Continue a run that was killed; `last` for the newest of them.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="STATE:ACTION",
    help="Make a state fail on purpose: fail=ERROR, delay=SECONDS, timeout, throttle, unknown, "
    "hang or crash, before or -after its effect, @ATTEMPT, e.g. "
    "'staging.flights insert:crash-after@0'.",
)
@click.option(
    "--faults",
    "faults_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Faults from a file: `faults:` and a list of such words, or of {state, fail, ...}.",
)
@detach_option
@click.option(
    "--follow",
    metavar="EXECUTION",
    help="Follow an execution on AWS that runs already; `last` for the newest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines.")
@project_options
def command(  # noqa: PLR0917 - click hands over every option
    workflow: str | None,
    start: str | None,
    end: str | None,
    date: str | None,
    arrived: str | None,
    event_time: str | None,
    trigger: str | None,
    only: tuple[str, ...],
    resume: str | None,
    faults: tuple[str, ...],
    faults_file: Path | None,
    detach: bool,  # noqa: FBT001 - click's signature
    follow: str | None,
    as_json: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> int:
    """Run WORKFLOW over a window: every table is written, tested, published and loaded.

    Running the same window again replaces it; nothing is ever doubled.  Without a window, the
    schedule's is used; with --object or --event-time it is the one that a trigger would give.
    With an environment on AWS, what is deployed there runs there and is followed; Ctrl-C stops it
    with its statements.

    Example: runner run daily --start 2013-01-01 --end 2013-01-31
    """
    from runner.app.run import RunRequest, run  # noqa: PLC0415 - heavy when needed
    from runner.cli.watching import watched  # noqa: PLC0415

    happened = None
    if arrived or event_time or trigger:
        from runner.app.triggered import Happened  # noqa: PLC0415 - only for an event

        happened = Happened(arrived or "", event_time or "", trigger or "")
    strikes = None
    if faults or faults_file:
        from runner.app.faults import collect_faults  # noqa: PLC0415 - only with faults

        strikes = collect_faults(faults, faults_file)
    request = RunRequest(
        root=find_root(folder),
        workflow=workflow,
        environment=environment,
        variables=tuple(read_variables(variables).items()),
        start=start,
        end=end,
        date=date,
        only=only,
        resume=resume,
        faults=strikes.plan if strikes is not None else None,
        happened=happened,
        detach=detach,
        follow=follow,
    )
    status = watched(partial(run, request), as_json=as_json)
    for fault in strikes.unstruck() if strikes is not None else ():
        click.echo(f"warning: {fault}: this fault never struck", err=True)
    return status
