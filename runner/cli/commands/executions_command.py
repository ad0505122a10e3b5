"""`runner executions`: the runs of an environment, or one of them in detail."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables


@click.command(name="executions", short_help="List executions, or show one in detail.")
@click.argument("execution", required=False)
@click.option("--workflow", help="Only this workflow's; `backfill` and `load` are ours.")
@click.option("--status", help="Only those: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED.")
@click.option("--limit", default=20, show_default=True, help="Most executions to list.")
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    execution: str | None,
    workflow: str | None,
    status: str | None,
    limit: int,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """List the newest executions; of EXECUTION, how every table, load and step ended, and why.

    EXECUTION is a name, or `last`. On AWS the statements are shown too, with what they scanned and
    cost, and the pages of the console. On this machine the runs are listed.

    Example: runner executions last --env prod
    """
    from runner.app.status import Wanted, recent_runs, run_detail  # noqa: PLC0415 - heavy

    root, given = find_root(folder), read_variables(variables)
    if execution is not None:
        detail = run_detail(root, execution, environment=environment, variables=given)
        if as_json:
            click.echo(json.dumps(asdict(detail), indent=1))
            return
        from runner.cli.displays.executions import detail_text  # noqa: PLC0415 - only here

        click.echo(detail_text(detail))
        return
    wanted = Wanted(limit, workflow, status)
    found = recent_runs(root, environment=environment, variables=given, wanted=wanted)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    from runner.cli.displays.executions import list_text  # noqa: PLC0415 - only here

    if not found:
        click.echo("no execution yet", err=True)
        return
    click.echo(list_text(found))
