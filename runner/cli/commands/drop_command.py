"""`runner drop`: remove a table of the project from an environment."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import (
    agreed,
    confirm_option,
    find_root,
    project_options,
    read_variables,
    typed_name,
    yes_option,
)
from runner.cli.texts import count, size

if TYPE_CHECKING:
    from runner.app.drop import Dropping


@click.command(name="drop", short_help="Remove a table from an environment.")
@click.argument("table")
@click.option(
    "--data", is_flag=True, help="Also delete the files and records that are proved to be ours."
)
@confirm_option
@yes_option
@project_options
def command(  # noqa: PLR0917 - click hands over every option
    table: str,
    data: bool,  # noqa: FBT001 - click's signature
    confirm: str | None,
    yes: bool,  # noqa: FBT001 - likewise
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> None:
    """Remove TABLE from the catalogue of an environment; its SQL file may be gone already.

    Only a table of this project is removed, never while a run writes it, and a mart keeps what was
    loaded.  Without --data the files stay where they are.

    Example: runner drop marts.daily_carrier_delay --data
    """
    from runner.app.drop import drop, plan_drop  # noqa: PLC0415 - heavy when needed

    root, given = find_root(folder), read_variables(variables)
    plan = plan_drop(root, table, data=data, environment=environment, variables=given)
    click.echo(_text(plan))
    for line in plan.warnings:
        click.echo(f"note: {line}", err=True)
    if agreed(f"Drop {plan.physical}?", yes=yes):
        name = typed_name(root, environment, confirm)
        drop(root, table, data=data, environment=environment, variables=given, confirm=name)
        click.echo(f"dropped {plan.physical}")


def _text(plan: Dropping) -> str:
    where = "in the catalogue" if plan.in_catalogue else "not in the catalogue (any more)"
    lines = [f"{plan.physical}: {where}"]
    lines += [
        f"  {prefix}  {count(objects, 'object')}, {size(number)}"
        for prefix, objects, number in plan.prefixes
    ]
    if plan.records:
        lines.append(f"  {count(plan.records, 'record')}")
    if plan.staged:
        lines.append(f"  {count(plan.staged, 'staged object')}")
    lines += [f"  {prefix} stays: another table uses it" for prefix in plan.kept]
    return "\n".join(lines)
