"""Groups of commands that are imported when they are asked for: start-up time is a feature."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


class LazyGroup(click.Group):
    """A group that imports a command only when it is asked for."""

    def __init__(self, *, names: Sequence[str], prefix: str = "", **settings: Any) -> None:  # noqa: ANN401 - click's
        """Take the commands in their order.

        Each is the object `command` of `runner.cli.commands.<prefix><name>_command`; a hyphen of
        the name is an underscore there.
        """
        super().__init__(**settings)
        self._names = tuple(names)
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in a fixed order."""
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command; None when there is none of that name."""
        if cmd_name not in self._names:
            return None
        name = f"{self._prefix}{cmd_name}".replace("-", "_")
        found: click.Command = importlib.import_module(
            f"runner.cli.commands.{name}_command"
        ).command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest commands when the word is none."""
        if args and args[0] not in self._names and not args[0].startswith("-"):
            import difflib  # noqa: PLC0415 - only for a mistake

            near = difflib.get_close_matches(args[0], self._names, n=2)
            hint = f" Nearest: {', '.join(near)}." if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)
