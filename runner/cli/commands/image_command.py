"""`runner image`: the Docker build context of the image that loads marts."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.options import find_root, project_option


@click.command(name="image", short_help="Write the build context of the image that loads marts.")
@click.argument("kind", type=click.Choice(("native", "embulk")))
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    help="Folder to write into; image-native or image-embulk if absent.",
)
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@click.option(
    "--env", "environment", help="Also write the task definition of a mart of this environment."
)
@click.option("--mart", help="The mart, where the environment has several.")
@project_option
def command(
    kind: str,
    target: Path | None,
    environment: str | None,
    mart: str | None,
    folder: Path | None,
    *,
    force: bool,
) -> None:
    """Write all that `docker build` needs for the image that an ECS task runs.

    native is the built-in loader; embulk has Embulk beside it.  README.md in the folder says how
    to build, push and register it.  With --env, the task definition of a mart and the policies of
    its two roles stand there too; the password is named by its secret's ARN only.

    Example: runner image native --to build/image --env prod --mart main
    """
    from runner.app.image import MartChoice, write_image  # noqa: PLC0415 - heavy when needed

    into = target or Path(f"image-{kind}")
    choice = None
    if environment is not None or mart is not None:
        choice = MartChoice(find_root(folder), environment or "local", mart)
    written = write_image(kind, into, force=force, choice=choice)
    for path in written:
        if not path.startswith(("runner/", f"{kind}/")):
            click.echo(str(into / path))
    click.echo(f"and {len(written)} files in all; next: {into / 'README.md'}", err=True)
