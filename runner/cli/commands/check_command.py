"""`runner check`: every fault of the project, at once."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.texts import count


@click.command(name="check", short_help="Find every fault of the project, at once.")
@project_options
@json_option
def command(
    folder: Path | None, environment: str, variables: tuple[str, ...], *, as_json: bool
) -> int:
    """Find every fault of the project: YAML, names, Jinja, SQL, columns, unsafe combinations.

    Example: runner check
    """
    from runner.app.check import check  # noqa: PLC0415 - heavy only when it is needed

    root = find_root(folder)
    found = check(root, environment=environment, variables=read_variables(variables))
    if as_json:
        click.echo(json.dumps([asdict(fault) for fault in found.faults], indent=1))
    elif found.faults:
        click.echo(found.text())
    else:
        tables, workflows = count(found.tables, "table"), count(found.workflows, "workflow")
        click.echo(f"{tables} and {workflows}: no faults in {environment}")
    return 1 if found.faults else 0
