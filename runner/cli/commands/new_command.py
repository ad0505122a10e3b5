"""`runner new`: one more file of the project, that already works."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, project_option


@click.group(name="new", short_help="Write a new SQL file, workflow or function that works.")
def command() -> None:
    """Write a new file that already works, for you to change.

    Example: runner new sql marts.my_table
    """


@command.command(name="sql", short_help="Write sql/<database>/<table>.sql.")
@click.argument("table")
@project_option
def new_sql(table: str, folder: Path | None) -> None:
    """Write a commented SQL file for TABLE (database.table); it can be run as it is.

    Example: runner new sql marts.my_table
    """
    from runner.app import scaffold  # noqa: PLC0415 - heavy

    root = find_root(folder)
    path = scaffold.new_sql(root, table)
    _say(path, root)
    click.echo(f"Look at its rows: runner preview {table}", err=True)
    click.echo(f"Test its SQL: tests/sql/{table}.yaml, runner test {table}", err=True)


@command.command(name="workflow", short_help="Write workflows/<name>.yaml.")
@click.argument("name")
@project_option
def new_workflow(name: str, folder: Path | None) -> None:
    """Write a workflow file.

    Example: runner new workflow hourly
    """
    from runner.app import scaffold  # noqa: PLC0415 - heavy

    root = find_root(folder)
    _say(scaffold.new_workflow(root, name), root)


@command.command(name="lambda", short_help="Write lambdas/<name>/handler.py.")
@click.argument("name")
@project_option
def new_lambda(name: str, folder: Path | None) -> None:
    """Write a function that a workflow's lambda step can call.

    Example: runner new lambda notify_team
    """
    from runner.app import scaffold  # noqa: PLC0415 - heavy

    root = find_root(folder)
    _say(scaffold.new_lambda(root, name), root)


def _say(path: Path, root: Path) -> None:
    whole = path if path.is_absolute() else root / path
    click.echo(whole.relative_to(root).as_posix())
