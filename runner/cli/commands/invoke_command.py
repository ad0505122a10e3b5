"""`runner invoke`: call one function on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from runner.cli.options import find_root, project_options, read_variables


@click.command(name="invoke", short_help="Call one function on this machine.")
@click.argument("function")
@click.option(
    "--event",
    "event",
    default="-",
    show_default=True,
    metavar="FILE",
    help="JSON file of the event; - reads standard input.",
)
@project_options
def command(
    function: str, event: str, folder: Path | None, environment: str, variables: tuple[str, ...]
) -> int:
    """Call FUNCTION, a folder of lambdas/ or builtin:NAME, with an event and print its answer.

    It runs in a process of its own; what it calls of AWS is this machine's, if its
    function.yaml has permissions. Objects that it writes call the functions whose
    events name their place; if one of these fails, the exit status is 1.

    Example: runner invoke report --event event.json
    """
    from runner.app.invoke import InvokeRequest, invoke  # noqa: PLC0415 - heavy when needed
    from runner.model.ports import ServiceError  # noqa: PLC0415
    from runner.model.raised import traced  # noqa: PLC0415

    request = InvokeRequest(
        root=find_root(folder),
        environment=environment,
        function=function,
        event=_event(event),
        variables=read_variables(variables),
    )
    try:
        found = invoke(request, say=lambda text: click.echo(text, err=True))
    except ServiceError as error:
        click.echo(f"{function} failed with {error.error}: {traced(error.cause)}", err=True)
        raise SystemExit(1) from error
    click.echo(json.dumps(found.answer, indent=1, ensure_ascii=False))
    click.echo(f"its log: {found.log}", err=True)
    return int(any(one.problem for one in found.called))


def _event(name: str) -> object:
    """Read the event; UsageError says where it is no JSON."""
    from runner.errors import Fault, Place, UsageError  # noqa: PLC0415 - as above

    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text()
        return json.loads(text)
    except json.JSONDecodeError as error:
        shown = "standard input" if name == "-" else name
        place = Place(shown, error.lineno, error.colno)
        fault = Fault(place, "not-json", error.msg, "one JSON value, the event", "correct it")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        fault = Fault(
            Place("--event"), "unreadable-file", f"{name}: {why}", "a JSON file", "name one"
        )
    raise UsageError([fault])
