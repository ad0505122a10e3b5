"""`runner init`: a small project that runs at once."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="init", short_help="Make a small project that runs at once.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", help="Name of the project; made from the folder's if absent.")
def command(folder: Path, name: str | None) -> None:
    """Write a small project into FOLDER: data, SQL, a workflow, a function.

    Example: runner init my_platform
    """
    from runner.app.scaffold import init_project, project_name  # noqa: PLC0415 - heavy

    written = init_project(folder, name=name or project_name(folder.resolve().name))
    for path in written:
        click.echo(str(folder / path))
    click.echo(
        f"\nNext:\n  cd {folder}\n  runner check\n  runner run daily --start 2024-01-01 "
        f"--end 2024-01-03",
        err=True,
    )
