"""`runner athena`: the local Athena for other people's tools."""

from __future__ import annotations

import click

from runner.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    name="athena",
    names=("serve",),
    prefix="athena-",
    short_help="Serve the local Athena to other tools.",
)
def command() -> None:
    """Let PyAthena, awswrangler, dbt and others talk to the local Athena as if it were AWS.

    Nothing reaches AWS.

    Example: runner athena serve
    """
