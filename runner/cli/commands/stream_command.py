"""`runner stream`: delivery streams on this machine."""

from __future__ import annotations

import click

from runner.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    name="stream",
    names=("put",),
    prefix="stream-",
    short_help="Put records into a delivery stream.",
)
def command() -> None:
    """Work with the delivery streams of config.yaml on this machine.

    Example: runner stream put app_events events.jsonl
    """
