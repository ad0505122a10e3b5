"""`runner status`: recent runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.texts import columns


@click.command(name="status", short_help="List recent runs.")
@click.option("--limit", default=20, show_default=True, help="Most runs to list.")
@project_options
@json_option
def command(
    limit: int, folder: Path | None, environment: str, variables: tuple[str, ...], *, as_json: bool
) -> None:
    """List the newest runs of this machine, and which of them can be resumed.

    Example: runner status
    """
    from runner.app.status import recent_runs  # noqa: PLC0415 - heavy when needed

    found = recent_runs(
        find_root(folder),
        environment=environment,
        variables=read_variables(variables),
        limit=limit,
    )
    if as_json:
        click.echo(json.dumps([asdict(run) for run in found], indent=1))
        return
    if not found:
        click.echo("no run yet", err=True)
        return
    rows = [
        (run.run, run.workflow, run.status, f"{run.start}..{run.end}", run.started_at)
        for run in found
    ]
    click.echo(columns(("run", "workflow", "status", "window", "started"), rows))
    stopped = [run.run for run in found if run.status == "ABORTED"]
    if stopped:
        click.echo(f"continue the newest stopped one: runner run --resume {stopped[0]}", err=True)
