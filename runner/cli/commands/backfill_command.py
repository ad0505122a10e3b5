"""`runner backfill`: find what is missing or stale, show what writing it takes, and write it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import (
    detach_option,
    find_root,
    json_option,
    project_options,
    read_variables,
)
from runner.cli.watching import watched

if TYPE_CHECKING:
    from runner.app.backfill_plan import BackfillPlan, BackfillRequest


@click.command(name="backfill", short_help="Write what is missing, stale or failed.")
@click.argument("targets", nargs=-1, metavar="[WORKFLOW | TABLES]...")
@click.option(
    "--start", help="First period, e.g. 2013-01-01 or 2013-01; the tables' history if absent."
)
@click.option("--end", help="Last period; it belongs to the range.")
@click.option("--only", multiple=True, metavar="TABLES", help="Of those, only these (repeatable).")
@click.option("--exclude", multiple=True, metavar="TABLES", help="Leave these out (repeatable).")
@click.option("--all", "everything", is_flag=True, help="Write everything, fresh or not.")
@click.option("--gaps", is_flag=True, help="Only what is missing or failed, not what is stale.")
@click.option(
    "--full-refresh",
    multiple=True,
    metavar="TABLE",
    help="Write the table's whole history into a new generation (repeatable).",
)
@click.option("--no-loads", is_flag=True, help="Leave the marts as they are.")
@click.option("--dml", type=click.IntRange(1, 200), help="Most statements that write, at once.")
@click.option("--ddl", type=click.IntRange(1, 200), help="Most statements that define, at once.")
@click.option("--name", help="Name of the backfill; an old one is continued.")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@detach_option
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    targets: tuple[str, ...],
    start: str | None,
    end: str | None,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
    everything: bool,  # noqa: FBT001 - click's signature
    gaps: bool,  # noqa: FBT001
    full_refresh: tuple[str, ...],
    no_loads: bool,  # noqa: FBT001
    dml: int | None,
    ddl: int | None,
    name: str | None,
    dry_run: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
    detach: bool,  # noqa: FBT001
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
) -> int:
    """Plan what is missing, stale or failed, show windows, bytes and money, ask, and write it.

    TABLES are patterns: staging.*, tag:daily, +marts.x with all that it reads, staging.x+ with all
    that reads it.  The same command continues a backfill that was stopped.  In an environment on
    AWS the deployed machine writes.

    Example: runner backfill daily --start 2013-01-01 --end 2013-12-31
    """
    from runner.app.backfill_plan import BackfillRequest, plan_backfill  # noqa: PLC0415 - heavy

    _refuse_both(everything=everything, gaps=gaps)
    request = BackfillRequest(
        root=find_root(folder),
        environment=environment,
        variables=tuple(read_variables(variables).items()),
        name=name,
        targets=targets,
        start=start,
        end=end,
        only=only,
        exclude=exclude,
        everything=everything,
        gaps=gaps,
        full_refresh=full_refresh,
        dml=dml,
        ddl=ddl,
        loads=not no_loads,
    )
    plan = plan_backfill(request, now=datetime.now(UTC))
    _show(plan, as_json=as_json)
    if dry_run or not (plan.tables or plan.loads):
        return 0
    if not yes and not _agreed():
        return 1
    return _go(request, plan, detach=detach, as_json=as_json)


def _refuse_both(*, everything: bool, gaps: bool) -> None:
    if everything and gaps:
        from runner.errors import Fault, Place, UsageError  # noqa: PLC0415 - only for a mistake

        found, advice = "--all together with --gaps", "leave one of them away"
        raise UsageError([Fault(Place("--gaps"), "bad-option", found, "one or neither", advice)])


def _show(plan: BackfillPlan, *, as_json: bool) -> None:
    if as_json:
        value = {**asdict(plan), "bytes": plan.bytes, "usd": round(plan.money, 4)}
        click.echo(json.dumps(value, indent=1))
        return
    from runner.cli.displays.plans import plan_text  # noqa: PLC0415 - heavy when needed

    click.echo(plan_text(plan))


def _agreed() -> bool:
    """Ask; UsageError when nobody can answer."""
    if sys.stdin.isatty():
        return click.confirm("Run it?", default=False, err=True)
    from runner.errors import Fault, Place, UsageError  # noqa: PLC0415 - only for a mistake

    found = "nobody who could be asked (standard input is no terminal)"
    advice = "add --yes to run it, or --dry-run to look only"
    raise UsageError([Fault(Place("--yes"), "not-asked", found, "an answer, or --yes", advice)])


def _go(request: BackfillRequest, plan: BackfillPlan, *, detach: bool, as_json: bool) -> int:
    from runner.app.backfill_run import carry_out  # noqa: PLC0415
    from runner.app.backfill_store import keep_plan  # noqa: PLC0415 - heavy when needed

    keep_plan(request, plan, now=datetime.now(UTC))
    return watched(partial(carry_out, request, plan, detach=detach), as_json=as_json)
