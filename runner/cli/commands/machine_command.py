"""`runner machine`: run, validate and test any state machine, without a project."""

from __future__ import annotations

import importlib

import click

SUBCOMMANDS = ("run", "test-state", "validate")
"""Each is `command` in `runner.cli.commands.machine_<name>_command`."""


class LazyMachine(click.Group):
    """A group that imports a command only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of that name."""
        del ctx
        if cmd_name not in SUBCOMMANDS:
            return None
        module = f"runner.cli.commands.machine_{cmd_name.replace('-', '_')}_command"
        found: click.Command = importlib.import_module(module).command
        return found


@click.group(cls=LazyMachine, name="machine", short_help="Run and check any state machine.")
def command() -> None:
    """Run, check and test any definition in Amazon States Language, in JSON or YAML.

    No project is needed, and nothing reaches AWS.

    Example: runner machine run pay.asl.json --input '{"id": 7}' --mocks pay.mocks.yaml
    """
