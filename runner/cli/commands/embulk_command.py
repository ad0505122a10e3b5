"""`runner embulk`: the configuration with which Embulk loads a table."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables


@click.command(name="embulk", short_help="Print Embulk's configuration for a table's load.")
@click.argument("table")
@click.option("--date", help="A window of one value, e.g. 2013-01-05.")
@click.option("--start", help="First value of the window.")
@click.option("--end", help="Last value of the window.")
@click.option(
    "--published", is_flag=True, help="The form for Embulk 0.9, which asks Athena (Liquid)."
)
@json_option
@project_options
def command(  # noqa: PLR0917 - click hands over every option
    table: str,
    date: str | None,
    start: str | None,
    end: str | None,
    published: bool,  # noqa: FBT001 - click's signature
    as_json: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> None:
    """Print the configuration with which Embulk would load TABLE for a published window.

    Without a window it is the newest published period.  Secrets are placeholders; the types are
    those of a table that the load makes.

    Example: runner embulk marts.daily_carrier_delay --date 2013-01-05 > daily_carrier_delay.yml
    """
    from runner.app.embulk_config import embulk_config  # noqa: PLC0415 - heavy when needed

    found = embulk_config(
        find_root(folder),
        table,
        environment=environment,
        variables=read_variables(variables),
        start=date or start,
        end=date or end,
        as_published=published,
    )
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
        return
    click.echo(found.text, nl=False)
    window = "whole table" if found.start == found.end == "all" else f"{found.start}..{found.end}"
    click.echo(f"{found.table}, {window}; save it as {found.file}", err=True)
