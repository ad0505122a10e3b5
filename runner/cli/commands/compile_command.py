"""`runner compile`: definitions and rendered SQL, as files."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables


@click.command(name="compile", short_help="Write the ASL definitions and the rendered SQL.")
@click.argument("workflow", required=False)
@project_options
@json_option
def command(
    workflow: str | None,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Write the definition of one workflow, or of all, and the SQL that it sends.

    Example: runner compile daily --env prod
    """
    from runner.app.compiled import compile_project  # noqa: PLC0415 - heavy when needed

    root = find_root(folder)
    files = compile_project(
        root, workflow, environment=environment, variables=read_variables(variables)
    )
    if as_json:
        click.echo(json.dumps({"definitions": files.definitions, "sql": files.sql}, indent=1))
        return
    for path in files.definitions:
        click.echo(path)
    click.echo(f"and {len(files.sql)} SQL files beside them", err=True)
