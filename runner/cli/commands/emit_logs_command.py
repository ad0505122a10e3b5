"""`runner emit logs`: hand lines of a log to the functions that subscribe to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from runner.cli.emitting import at_option, read_request, say, show
from runner.cli.options import json_option, name_of, project_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="logs", short_help="Hand lines of a log to the functions that subscribe to it.")
@click.argument("group")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--log-stream", default="local", show_default=True, help="Name of the log stream.")
@at_option
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    group: str,
    file: BinaryIO,
    log_stream: str,
    arrival: str | None,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> int:
    """Hand each line of FILE to the functions that subscribe to the log group GROUP.

    They get what passes their filter, packed as CloudWatch Logs packs it. Without FILE, or with -,
    lines come from standard input. The exit status is 1 if a function fails.

    Example: runner emit logs /shop/web web.log
    """
    from runner.app.emit import emit_logs  # noqa: PLC0415 - heavy when needed

    request = read_request(
        folder,
        environment,
        file=name_of(file),
        source=group,
        arrival=arrival,
        variables=variables,
        log_stream=log_stream,
    )
    return show(emit_logs(request, iter(file), say=say), as_json=as_json)
