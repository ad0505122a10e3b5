"""`runner graph`: the tables and what they read."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables


@click.command(name="graph", short_help="Draw the tables and what they read.")
@project_options
@click.option("--mermaid", is_flag=True, help="Print a Mermaid flowchart.")
@json_option
def command(
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    mermaid: bool,
    as_json: bool,
) -> None:
    """Draw the dependencies of the tables, as a tree of text or as Mermaid.

    Example: runner graph --mermaid
    """
    from runner.app.inspect import graph_mermaid, graph_text, list_tables  # noqa: PLC0415

    tables = list_tables(find_root(folder), environment, read_variables(variables))
    if as_json:
        click.echo(json.dumps({table.name: table.reads for table in tables}, indent=1))
    else:
        click.echo(graph_mermaid(tables) if mermaid else graph_text(tables))
