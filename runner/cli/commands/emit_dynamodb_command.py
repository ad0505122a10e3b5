"""`runner emit dynamodb`: hand changes of a DynamoDB table to what reads its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from runner.cli.emitting import at_option, read_request, say, show
from runner.cli.options import json_option, name_of, project_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    name="dynamodb", short_help="Hand changes of a DynamoDB table to what reads its stream."
)
@click.argument("table")
@click.argument("file", type=click.File("rb"), default="-")
@at_option
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    table: str,
    file: BinaryIO,
    arrival: str | None,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> int:
    """Hand each line of FILE, a change of TABLE, to the functions that read its stream.

    TABLE is a table's name or its stream's ARN. A line is a record of DynamoDB Streams; what it
    leaves out beside the images is put in. A batch that fails is halved and tried again; what is
    given up is told, and the exit status is 1.

    Example: runner emit dynamodb orders changes.jsonl
    """
    from runner.app.emit import emit_changes  # noqa: PLC0415 - heavy when needed

    request = read_request(
        folder,
        environment,
        file=name_of(file),
        source=table,
        arrival=arrival,
        variables=variables,
    )
    return show(emit_changes(request, iter(file), say=say), as_json=as_json)
