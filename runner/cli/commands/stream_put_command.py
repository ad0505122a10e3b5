"""`runner stream put`: bring records to S3 as a delivery stream does."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - click's signature
from typing import BinaryIO

import click

from runner.cli.emitting import say, say_causes
from runner.cli.options import (
    decoded,
    find_root,
    instant,
    json_option,
    name_of,
    project_options,
    read_variables,
)


@click.command(name="put", short_help="Put the lines of a file into a stream.")
@click.argument("stream")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--base64", "encoded", is_flag=True, help="Each line is a record in base64.")
@click.option("--at", "arrival", metavar="TIME", help="When they arrived (UTC), if not now.")
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
    """Put each line of FILE into STREAM: changed by its function, then written to S3.

    Without FILE, or with -, lines come from standard input. A record keeps its line's end.
    Functions whose events name a place where an object was written are called with it, and told.
    If one fails, or the stream's own, the exit status is 1; records that the stream's function
    refuses are kept below `errors`, and told.

    Example: runner stream put app_events events.jsonl --at 2024-05-06T07:00:00
    """
    from runner.app.stream_put import PutRequest, check_sizes, put_records  # noqa: PLC0415 - heavy when needed

    request = PutRequest(
        root=find_root(folder),
        environment=environment,
        stream=stream,
        arrival=instant(arrival),
        variables=read_variables(variables),
        file=name_of(file),
    )
    if file.seekable():
        check_sizes(decoded(file) if encoded else iter(file), request.file)
        file.seek(0)
    found = put_records(request, decoded(file) if encoded else iter(file), say=say)
    if as_json:
        told = {"records": found.records, "dropped": found.dropped, "failed": found.failed}
        called = [one._asdict() for one in found.called]
        causes = [one._asdict() for one in found.causes]
        places = {"causes": causes, "objects": found.objects, "called": called}
        click.echo(json.dumps({**told, **places}, indent=1))
    else:
        for uri in found.objects:
            click.echo(uri)
        say(f"{found.records:,} records: {found.dropped:,} dropped, {found.failed:,} failed")
        say_causes(found.causes)
    return int(found.broken or any(one.problem for one in found.called))
