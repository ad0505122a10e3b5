"""`runner gc`: delete what dead runs and old publishes left behind."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import (
    agreed,
    confirm_option,
    find_root,
    json_option,
    project_options,
    read_variables,
    typed_name,
    yes_option,
)
from runner.cli.texts import columns, size

if TYPE_CHECKING:
    from runner.app.gc import Garbage


@click.command(name="gc", short_help="Delete what nobody needs any more.")
@click.option(
    "--older-than",
    default="7d",
    show_default=True,
    metavar="DURATION",
    help="How long what is no longer used is kept: for readers that began before it was replaced, "
    "and for runs that will be resumed.",
)
@click.option(
    "--orphans",
    is_flag=True,
    help="Also delete files in published partitions that no record lists.",
)
@confirm_option
@yes_option
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    older_than: str,
    orphans: bool,  # noqa: FBT001 - click's signature
    confirm: str | None,
    yes: bool,  # noqa: FBT001 - likewise
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """List what dead runs, old publishes and superseded records left behind, and delete it.

    Nothing goes before the question is answered, or --yes is given.  What a record that counts
    lists, what the catalogue uses, and what a running run wrote always stays.

    Example: runner gc --older-than 7d
    """
    from runner.app.gc import clean, find_garbage, read_keep  # noqa: PLC0415 - heavy when needed

    found = find_garbage(
        find_root(folder),
        environment=environment,
        variables=read_variables(variables),
        keep=read_keep(older_than),
        orphans=orphans,
    )
    if not as_json:
        click.echo(_text(found))
    gone = None
    if found.deletes and agreed("Delete this?", yes=yes, ask=not as_json):
        gone = clean(found, confirm=typed_name(found.places.root, environment, confirm))
        if not as_json:
            click.echo("deleted:\n" + _text(gone) if gone.items else "nothing was deleted")
    if as_json:
        click.echo(
            json.dumps({"found": _facts(found), "deleted": _facts(gone) if gone else []}, indent=1)
        )


def _facts(garbage: Garbage) -> list[dict[str, object]]:
    return [asdict(one) for one in garbage.classes]


def _text(garbage: Garbage) -> str:
    if not garbage.items:
        return "nothing to delete"
    rows = [
        (
            one.kind if one.deleted else f"{one.kind} (stays)",
            f"{one.objects:,}",
            size(one.bytes) if one.bytes else "-",
            one.meaning,
            one.example,
        )
        for one in garbage.classes
    ]
    head = ("class", "objects", "size", "what it is", "example")
    return columns(head, rows, right=(1, 2))
