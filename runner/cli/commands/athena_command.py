"""`runner athena`: the local Athena for other people's tools."""

from __future__ import annotations

import importlib

import click

SUBCOMMANDS = ("serve",)
"""Each is `command` in `runner.cli.commands.athena_<name>_command`."""


class LazyAthena(click.Group):
    """A group that imports a command only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of that name."""
        del ctx
        if cmd_name not in SUBCOMMANDS:
            return None
        module = f"runner.cli.commands.athena_{cmd_name.replace('-', '_')}_command"
        found: click.Command = importlib.import_module(module).command
        return found


@click.group(cls=LazyAthena, name="athena", short_help="Serve the local Athena to other tools.")
def command() -> None:
    """Let PyAthena, awswrangler, dbt and others talk to the local Athena as if it were AWS.

    Nothing reaches AWS.

    Example: runner athena serve
    """
