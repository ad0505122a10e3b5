"""`runner status`: recent runs, or the partitions of tables."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.app.partitions import Grids
    from runner.app.status import RunStatus


@click.command(name="status", short_help="List recent runs, or the partitions of tables.")
@click.argument("tables", nargs=-1)
@click.option("--tables", "all_tables", is_flag=True, help="A line for every table.")
@click.option("--start", help="First partition to show; the first record's if absent.")
@click.option("--end", help="Last partition to show.")
@click.option("--limit", default=20, show_default=True, help="Most runs to list.")
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    tables: tuple[str, ...],
    all_tables: bool,  # noqa: FBT001 - click's signature
    start: str | None,
    end: str | None,
    limit: int,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """List the newest runs; of TABLES, which partitions are published or stale.

    TABLES are patterns: staging.flights, marts.*, tag:daily, +marts.x.

    Example: runner status staging.flights --start 2013-01-01 --end 2013-03-31
    """
    root, given = find_root(folder), read_variables(variables)
    if not tables and not all_tables:
        from runner.app.status import Wanted, recent_runs  # noqa: PLC0415 - heavy when needed

        wanted = Wanted(limit)
        found = recent_runs(root, environment=environment, variables=given, wanted=wanted)
        _show_runs(found, environment, as_json=as_json)
        return
    from runner.app.partitions import table_grids  # noqa: PLC0415 - heavy when needed

    grids = table_grids(
        root,
        tables or ("*.*",),
        environment=environment,
        variables=given,
        start=start,
        end=end,
    )
    if as_json:
        click.echo(json.dumps(asdict(grids), indent=1))
        return
    _show_tables(grids, brief=all_tables)


def _show_runs(found: tuple[RunStatus, ...], environment: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(run) for run in found], indent=1))
        return
    if not found:
        click.echo("no run yet", err=True)
        return
    from runner.cli.displays.executions import list_text  # noqa: PLC0415 - only here

    click.echo(list_text(found))
    again = _continuing(found, environment)
    if again:
        click.echo(f"continue the newest stopped one: {again}", err=True)


def _continuing(found: Sequence[RunStatus], environment: str) -> str:
    """Write the command that continues the newest stopped run; empty when there is none.

    A backfill that was stopped is continued by its name, unless a later run of it did so.
    """
    seen: set[str] = set()
    where = "" if environment == "local" else f" --env {environment}"
    for run in found:
        if run.backfill in seen:
            continue
        seen |= {run.backfill} - {""}
        if run.status == "ABORTED" and run.backfill:
            return f"runner backfill --name {run.backfill}{where}"
        if run.status == "ABORTED" and run.link:
            return f"runner redrive {run.run}{where}"
        if run.status == "ABORTED":
            return f"runner run --resume {run.run}{where}"
    return ""


def _show_tables(found: Grids, *, brief: bool) -> None:
    from runner.cli.displays.grids import grid_text, grids_text  # noqa: PLC0415 - only here

    if brief:
        click.echo(grids_text(found))
    else:
        colours = sys.stdout.isatty()
        click.echo("\n\n".join(grid_text(grid, colours=colours) for grid in found.tables))
    for name in found.gone if brief else ():
        click.echo(f"{name} is no longer in the project: see `runner drop`")
