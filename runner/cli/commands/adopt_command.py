"""`runner adopt`: take over a table that this project did not make."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import agreed, find_root, project_options, read_variables, yes_option
from runner.cli.texts import count, size

if TYPE_CHECKING:
    from runner.app.adopt import Adoption


@click.command(name="adopt", short_help="Take over a table that this project did not make.")
@click.argument("table")
@click.option("--from", "owner", metavar="PROJECT", help="The project that gives the table away.")
@yes_option
@project_options
def command(  # noqa: PLR0917 - click hands over every option
    table: str,
    owner: str | None,
    yes: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> None:
    """Take over TABLE, which exists and has a SQL file: runs may write it from then on.

    Columns, partitions, paths, format and location are compared with the file first, and every
    difference is listed.  Its partitions then count as published from the present SQL.

    Example: runner adopt marts.daily_carrier_delay
    """
    from runner.app.adopt import adopt, plan_adopt  # noqa: PLC0415 - heavy when needed

    root, given = find_root(folder), read_variables(variables)
    plan = plan_adopt(root, table, environment=environment, variables=given, owner=owner)
    click.echo(_text(plan))
    if not plan.known_types and plan.periods:
        click.echo("note: the query's types are not known; its next run compares them", err=True)
    if agreed(f"Adopt {table}?", yes=yes):
        done = adopt(root, table, environment=environment, variables=given, owner=owner)
        click.echo(f"adopted {table}" + (f": {count(done.rows, 'row')}" if done.periods else ""))


def _text(plan: Adoption) -> str:
    owner = f"project {plan.owner}" if plan.owner else "nobody"
    lines = [f"{plan.table} ({plan.kind}) belongs to {owner}"]
    if plan.location:
        lines.append(f"  {plan.location}")
    if plan.periods:
        files = sum(files for _, files, _ in plan.periods)
        total = size(sum(number for _, _, number in plan.periods))
        lines.append(
            f"  {count(len(plan.periods), 'partition')} from {plan.periods[0][0]} to "
            f"{plan.periods[-1][0]}: {count(files, 'file')}, {total}"
        )
    return "\n".join(lines)
