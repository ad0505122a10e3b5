"""`runner compile`: definitions and rendered SQL, as files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.texts import columns

if TYPE_CHECKING:
    from runner.asl.quotas import Usage


@click.command(name="compile", short_help="Write the ASL definitions and the rendered SQL.")
@click.argument("workflow", required=False)
@project_options
@click.option("--quotas", is_flag=True, help="Print what each machine takes of AWS's quotas.")
@json_option
def command(
    workflow: str | None,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    quotas: bool,
    as_json: bool,
) -> None:
    """Write the definition of one workflow, or of all, and the SQL that it sends.

    With --quotas, see how large the definitions are and what the largest run takes of an
    execution's history and of the 256 KiB of a payload.

    Example: runner compile daily --env prod
    """
    from runner.app.compiled import compile_project  # noqa: PLC0415 - heavy when needed

    root = find_root(folder)
    files = compile_project(
        root, workflow, environment=environment, variables=read_variables(variables)
    )
    for warning in files.warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        told = {"definitions": files.definitions, "sql": files.sql, "assets": files.assets}
        usage = {"quotas": [asdict(one) for one in files.usage]} if quotas else {}
        click.echo(json.dumps({**told, **usage}, indent=1))
        return
    if quotas:
        click.echo(_table(files.usage))
        return
    for path in files.definitions:
        click.echo(path)
    click.echo(f"and {len(files.sql)} SQL files beside them", err=True)


def _table(usage: tuple[Usage, ...]) -> str:
    """Write a line for each machine, and the quotas as the last."""
    title = ("machine", "states", "definition", "events", "payload", "statement", "in the lake")
    rows = [
        (
            one.machine,
            f"{one.states:,}",
            f"{one.definition_bytes:,}",
            f"{one.events:,}",
            f"{one.payload_bytes:,}",
            f"{one.statement_bytes:,}",
            str(one.assets),
        )
        for one in usage
    ]
    most = ("at most", "", "1,048,576", "25,000", "262,144", "262,144", "")
    return columns(title, [*rows, most], right=(1, 2, 3, 4, 5, 6))
