"""`runner emit`: events for what waits for them, on this machine."""

from __future__ import annotations

import click

from runner.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    name="emit",
    names=("dynamodb", "kinesis", "logs"),
    prefix="emit-",
    short_help="Hand events of a file to the functions that wait for them.",
)
def command() -> None:
    """Hand the events of a file to what reads them, as AWS would, on this machine.

    A function waits for them by `events` in its function.yaml.

    Example: runner emit logs /shop/web web.log
    """
