"""`runner pii`: where personal data is."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.texts import columns

if TYPE_CHECKING:
    from runner.app.personal import PersonalData


@click.command(name="pii", short_help="Show where personal data is, and what is masked.")
@project_options
@json_option
def command(
    folder: Path | None, environment: str, variables: tuple[str, ...], *, as_json: bool
) -> None:
    """Show the columns tagged `pii`, the columns that hold them unmasked, and every mask.

    Example: runner pii
    """
    from runner.app.personal import find_personal_data  # noqa: PLC0415 - heavy when needed

    found = find_personal_data(find_root(folder), environment, read_variables(variables))
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
    elif not found.tagged and not found.masked:
        click.echo("no column is tagged `pii` or masked", err=True)
    else:
        click.echo(_text(found))


def _text(found: PersonalData) -> str:
    rows = [
        (tagged.column, holder.column if holder else "-", " -> ".join(holder.way if holder else ()))
        for tagged in found.tagged
        for holder in tagged.held_by or (None,)
    ]
    lines = [columns(("tagged", "unmasked in", "way"), rows)] if rows else []
    masks = [(masked.column, masked.mask, masked.place) for masked in found.masked]
    if masks:
        lines += ["", columns(("column", "mask", "file"), masks)]
    allowed = "every database" if found.databases is None else ", ".join(found.databases) or "none"
    return "\n".join([*lines, "", f"may hold it unmasked: {allowed}"]).lstrip("\n")
