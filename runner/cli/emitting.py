"""What the commands of `runner emit` have in common: their words, and what they print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, instant, read_variables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from runner.app.emit import EmitRequest, Emitted
    from runner.local.firehose import Cause

at_option = click.option(
    "--at", "arrival", metavar="TIME", help="When they happened (UTC), if not now."
)


def read_request(
    folder: Path | None,
    environment: str,
    *,
    file: str,
    source: str,
    arrival: str | None,
    variables: tuple[str, ...],
    log_stream: str = "",
) -> EmitRequest:
    """Read what is handed to whom."""
    from runner.app.emit import EmitRequest  # noqa: PLC0415 - heavy when needed

    return EmitRequest(
        root=find_root(folder),
        environment=environment,
        source=source,
        arrival=instant(arrival),
        log_stream=log_stream,
        variables=read_variables(variables),
        file=file,
    )


def say(text: str) -> None:
    """Talk on standard error."""
    click.echo(text, err=True)


def say_causes(causes: Iterable[Cause], who: str = "") -> None:
    """Say why a stream kept records aside, below its `errors`."""
    for cause in causes:
        first, ends = ("", "s") if cause.records == 1 else ("the first ", "")
        said = f"{cause.records:,} failed and lie{ends} below its `errors`, {first}from line"
        say(f"{who}{said} {cause.first}: {cause.code}: {cause.message}")


def show(found: Emitted, *, as_json: bool) -> int:
    """Print what came of it; gives the exit status: 1 if something did not get through."""
    if as_json:
        given = [
            {
                **one._asdict(),
                "given_up": [gone._asdict() for gone in one.given_up],
                "causes": [cause._asdict() for cause in one.causes],
            }
            for one in found.given
        ]
        called = [one._asdict() for one in found.called]
        told = {"records": found.records, "given": given, "objects": found.objects}
        click.echo(json.dumps({**told, "called": called}, indent=1))
        return int(found.failed)
    for one in found.given:
        calls = f"{one.calls:,} call{'s' if one.calls != 1 else ''}"
        click.echo(f"{one.reader} ({one.event}): {one.records:,} of {found.records:,}, {calls}")
    for uri in found.objects:
        click.echo(uri)
    for one in found.given:
        for gone in one.given_up:
            say(f"{one.reader} ({one.event}): given up from line {gone.line}: {gone.problem}")
        say_causes(one.causes, f"{one.reader} ({one.event}): ")
    return int(found.failed)
