"""`runner list`: the tables of the project."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.texts import columns


@click.command(name="list", short_help="List the tables, in the order of their dependencies.")
@project_options
@json_option
def command(
    folder: Path | None, environment: str, variables: tuple[str, ...], *, as_json: bool
) -> None:
    """List the tables of the project, in the order of their dependencies.

    Example: runner list
    """
    from runner.app.inspect import list_tables  # noqa: PLC0415 - heavy when needed

    found = list_tables(find_root(folder), environment, read_variables(variables))
    if as_json:
        facts = [{k: v for k, v in asdict(table).items() if k != "sql"} for table in found]
        click.echo(json.dumps(facts, indent=1))
        return
    rows = [
        (
            table.name,
            table.kind,
            table.grain or "-",
            f"{table.load_mart}:{table.load_table}" if table.load_mart else "-",
            ", ".join(table.reads) or "-",
        )
        for table in found
    ]
    click.echo(columns(("table", "kind", "grain", "load", "reads"), rows))
