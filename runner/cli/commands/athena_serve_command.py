"""`runner athena serve`: Athena's API, with S3 and Glue beside it, on this machine."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables

if TYPE_CHECKING:
    from runner.app.athena_serve import Endpoint

_DATA = Path(".runner/athena")


@click.command(name="serve", short_help="Serve Athena's API on this machine.")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option(
    "--port",
    default=4599,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes a free one.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Serve buckets, catalogue and history of this folder instead of a project; "
    f"{_DATA} outside of a project.",
)
@json_option
@project_options
def command(  # noqa: PLR0917 - click hands over every option
    host: str,
    port: int,
    data: Path | None,
    as_json: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> None:
    """Answer Athena, Glue, S3 and STS on one port until Ctrl-C, for any client of AWS.

    Inside a project it serves the local environment: tables that `runner run` has written can be
    queried at once. Elsewhere, or with --data, a folder is served whose buckets are made when
    they are needed. The endpoint is printed to standard output when it answers, and the variables
    that lead AWS's clients to it to standard error. Ctrl-C ends it and cancels running queries.

    Example: runner athena serve --port 4599
    """
    import gc  # noqa: PLC0415
    import signal  # noqa: PLC0415
    import threading  # noqa: PLC0415

    from runner.app.athena_serve import Serving, serve  # noqa: PLC0415 - heavy when needed

    gc.enable()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    serving = Serving(
        host=host,
        port=port,
        data=data or _DATA,
        root=None if data is not None else _root(folder),
        environment=environment,
        variables=read_variables(variables),
    )
    serve(serving, ready=lambda endpoint: _tell(endpoint, as_json=as_json), stop=stop)


def _root(folder: Path | None) -> Path | None:
    """Give the project's folder, if there is one."""
    from runner.errors import ProjectError  # noqa: PLC0415

    if folder is not None:
        return find_root(folder)
    try:
        return find_root(None)
    except ProjectError:
        return None


def _tell(endpoint: Endpoint, *, as_json: bool) -> None:
    variables = endpoint.variables()
    if as_json:
        told = {
            "endpoint": endpoint.url,
            "results": endpoint.results,
            "folder": str(endpoint.folder),
            "environment": variables,
        }
        click.echo(json.dumps(told))
        return
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}", err=True)
    click.echo(endpoint.url)
