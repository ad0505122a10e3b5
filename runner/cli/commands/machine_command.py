"""`runner machine`: run, validate and test any state machine, without a project."""

from __future__ import annotations

import importlib
import importlib.util

import click

SUBCOMMANDS = ("run", "test-state", "validate")
"""Each is the object of its name (`test_state`) in `runner.cli.commands.machine_<name>_command`."""


class LazyMachine(click.Group):
    """A group that imports a command only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands that are there."""
        return [name for name in SUBCOMMANDS if importlib.util.find_spec(_module(name))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = getattr(
            importlib.import_module(_module(cmd_name)), _attribute(cmd_name)
        )
        return found


def _attribute(name: str) -> str:
    return name.replace("-", "_")


def _module(name: str) -> str:
    return f"runner.cli.commands.machine_{_attribute(name)}_command"


@click.group(cls=LazyMachine, name="machine", short_help="Run and check any state machine.")
def command() -> None:
    """Run, check and test any definition in Amazon States Language, in JSON or YAML.

    No project is needed, and nothing reaches AWS.

    Example: runner machine run pay.asl.json --input '{"id": 7}' --mocks pay.mocks.yaml
    """
