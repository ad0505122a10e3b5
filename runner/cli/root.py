"""The root command, its lazy sub-commands, and the one place where errors become exit statuses."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import click

import runner
from runner.cli.lazy import LazyGroup
from runner.cli.texts import INTERRUPTED
from runner.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    "adopt",
    "athena",
    "backfill",
    "check",
    "compile",
    "deploy",
    "destroy",
    "drift",
    "drop",
    "embulk",
    "emit",
    "executions",
    "export",
    "gc",
    "graph",
    "history",
    "image",
    "init",
    "invoke",
    "list",
    "load",
    "load-task",
    "logs",
    "machine",
    "new",
    "pii",
    "plan",
    "preview",
    "records",
    "redrive",
    "run",
    "show",
    "spectrum",
    "status",
    "stream",
    "test",
)
"""Every command; each is the object `command` of `runner.cli.commands.<name>_command`.

A hyphen in a command's name is an underscore in its module's.
"""
DEFECT = 70


@click.group(
    cls=LazyGroup,
    names=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(runner.__version__, prog_name="runner")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def root(*, debug: bool) -> None:
    """One SQL file per table: compiled to Athena and Step Functions, run anywhere.

    Example: runner run daily --start 2013-01-01 --end 2013-01-31
    """
    del debug  # read from the words in run_command_line, where errors end


def run_command_line(words: Sequence[str]) -> int:
    """Run one command line and give its exit status; nothing escapes as a traceback.

    `--debug` may stand anywhere.
    """
    given = [word for word in words if word != "--debug"]
    try:
        result = root.main(args=given, prog_name="runner", standalone_mode=False)
    except SystemExit as end:  # click leaves so when nobody reads its output any more
        return end.code if isinstance(end.code, int) else 1
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the process's edge
        if "--debug" in words:
            traceback.print_exc()
        return _explain(error)
    return result if isinstance(result, int) else 0


def _explain(error: BaseException) -> int:
    """Say what went wrong on standard error; gives the exit status."""
    match error:
        case click.exceptions.Abort() | KeyboardInterrupt():
            click.echo(str(error) or "stopped", err=True)
            return INTERRUPTED
        case click.ClickException():
            error.show()
            return error.exit_code
        case RunnerError():
            click.echo(str(error), err=True)
            return error.exit_status
        case BrokenPipeError():
            return 1
        case _:
            click.echo(
                f"runner met a defect of its own: {type(error).__name__}: {error}\n"
                "Please report it, with what the same command prints after `runner --debug`.",
                err=True,
            )
            return DEFECT
