"""Options that several commands share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    _Command = TypeVar("_Command", bound=Callable[..., Any])

project_option = click.option(
    "--project",
    "-p",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the project; the nearest one upward with a config.yaml if absent.",
)
env_option = click.option(
    "--env", "environment", default="local", show_default=True, help="Environment of config.yaml."
)
var_option = click.option(
    "--var", "variables", multiple=True, metavar="NAME=VALUE", help="Override a variable."
)
detach_option = click.option(
    "--detach",
    is_flag=True,
    help="In an environment on AWS: start the execution, and do not wait for it.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

confirm_option = click.option(
    "--confirm", metavar="NAME", help="The environment's name, which a protected one wants."
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")


def agreed(question: str, *, yes: bool, ask: bool = True) -> bool:
    """Ask whether to go on, on standard error; without a terminal only --yes means yes."""
    if yes:
        return True
    if ask and sys.stdin.isatty():
        return click.confirm(question, err=True)
    click.echo("nothing was changed; --yes does it without asking", err=True)
    return False


def typed_name(root: Path, environment: str, given: str | None) -> str | None:
    """Give --confirm; at a terminal a protected environment's name is asked for."""
    from runner.app.places import is_protected  # noqa: PLC0415 - only for what changes things

    if given is not None or not sys.stdin.isatty() or not is_protected(root, environment):
        return given
    return str(click.prompt(f"{environment} is protected; type its name", err=True))


def project_options(command: _Command) -> _Command:
    """Add --project, --env and --var."""
    return project_option(env_option(var_option(command)))


def find_root(folder: Path | None) -> Path:
    """Give the project's folder: the one named, or the nearest upward with a config.yaml."""
    if folder is not None and (folder / "config.yaml").is_file():
        return folder.resolve()
    if folder is not None:
        advice = "name the folder that holds config.yaml, or make one with `runner init FOLDER`"
        fault = Fault(Place(str(folder)), "no-project", "no config.yaml", "a project", advice)
        raise UsageError([fault])
    from runner.project import find_root as find  # noqa: PLC0415 - only when a command runs

    return find(Path.cwd())


def read_variables(words: tuple[str, ...]) -> dict[str, str]:
    """Read `NAME=VALUE` words; UsageError for anything else."""
    faults = [
        Fault(Place("--var"), "bad-variable", repr(word), "NAME=VALUE", "write --var name=value")
        for word in words
        if "=" not in word
    ]
    if faults:
        raise UsageError(faults)
    return dict(word.split("=", 1) for word in words)


def name_of(file: BinaryIO) -> str:
    """Name what lines are read from, for messages."""
    name = str(getattr(file, "name", "<stdin>"))
    return "standard input" if name.startswith("<") else name


def decoded(file: BinaryIO) -> Iterator[bytes]:
    """Decode lines of base64; UsageError says which is none."""
    import base64  # noqa: PLC0415 - only with --base64
    import binascii  # noqa: PLC0415

    for number, line in enumerate(file, start=1):
        try:
            yield base64.b64decode(line.strip(), validate=True)
        except binascii.Error as error:
            place = Place(name_of(file), number, 1)
            fault = Fault(place, "not-base64", str(error), "a line of base64", "correct the line")
            raise UsageError([fault]) from error


def instant(text: str | None) -> datetime | None:
    """Read an instant, in UTC if it does not say; UsageError if it is none."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only with --at

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        expected, advice = "an instant such as 2024-05-06T07:00:00", "write it so; UTC is meant"
        raise UsageError([Fault(Place("--at"), "bad-time", text, expected, advice)]) from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
