"""`runner emit kinesis`: put the lines of a file into a Kinesis stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from runner.cli.emitting import at_option, read_request, say, show
from runner.cli.options import decoded, json_option, name_of, project_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="kinesis", short_help="Put the lines of a file into a Kinesis stream.")
@click.argument("stream")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--base64", "encoded", is_flag=True, help="Each line is a record in base64.")
@at_option
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    stream: str,
    file: BinaryIO,
    encoded: bool,  # noqa: FBT001 - click's signature
    arrival: str | None,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> int:
    """Put each line of FILE into the Kinesis stream STREAM, an ARN or a name.

    Functions that read it get batches; delivery streams whose `source` it is bring it to S3. A
    record keeps its line's end. A batch that fails is halved and tried again; what is given up is
    told, and the exit status is 1.

    Example: runner emit kinesis clicks clicks.jsonl
    """
    from runner.app.emit import emit_kinesis  # noqa: PLC0415 - heavy when needed

    request = read_request(
        folder,
        environment,
        file=name_of(file),
        source=stream,
        arrival=arrival,
        variables=variables,
    )
    return show(
        emit_kinesis(request, decoded(file) if encoded else iter(file), say=say), as_json=as_json
    )
