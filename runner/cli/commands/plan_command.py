"""`runner plan`: what a deploy would change."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import env_option, find_root, json_option, project_option

if TYPE_CHECKING:
    from runner.app.plan_changes import Plan

_LOOK_S = 2.0


@click.command(name="plan", short_help="Show what a deploy would change.")
@env_option
@project_option
@click.option(
    "--change-set/--no-change-set",
    default=True,
    show_default=True,
    help="Let CloudFormation compute what it would do; without, nothing is stored in the account.",
)
@click.option("--all", "whole", is_flag=True, help="Show every line of long lists and of SQL.")
@json_option
def command(
    environment: str,
    folder: Path | None,
    *,
    change_set: bool,
    whole: bool,
    as_json: bool,
) -> int:
    """Compare the files with what is deployed, by table, state, SQL, permission and schedule.

    Nothing is changed.  The exit status is 0 for no change, 4 for changes, and 5 when a deploy
    would destroy something: histories of a workflow that is gone, logs, images, subscriptions.

    Example: runner plan --env prod
    """
    from runner.app.cloud import open_cloud  # noqa: PLC0415 - heavy when needed
    from runner.app.desired import desired  # noqa: PLC0415
    from runner.app.guards import existing_databases  # noqa: PLC0415
    from runner.app.plan_changes import plan  # noqa: PLC0415
    from runner.project.checkout import look  # noqa: PLC0415

    cloud = open_cloud(find_root(folder), environment)
    checkout = look(cloud.root)
    wanted = desired(
        cloud.root,
        cloud.bundle,
        values=cloud.values,
        existing=existing_databases(cloud),
        commit=checkout.commit if checkout else "",
        tell=lambda text: click.echo(text, err=True),
    )
    for warning in wanted.warnings:
        click.echo(f"warning: {warning}", err=True)
    found = plan(cloud, wanted, pause=lambda: time.sleep(_LOOK_S), change_set=change_set)
    if as_json:
        click.echo(json.dumps(_value(found), indent=1))
    else:
        _show(found, whole=whole)
    return int(found.verdict)


def _value(found: Plan) -> dict[str, object]:
    pending = found.pending
    return {
        "verdict": found.verdict.name.lower(),
        "changes": [asdict(change) for change in found.difference.changes],
        "resources": [asdict(change) for change in pending.changes] if pending else None,
        "uploads": list(pending.uploads) if pending else None,
    }


def _show(found: Plan, *, whole: bool) -> None:
    from runner.cli.displays.differences import show_difference  # noqa: PLC0415 - loaded by then
    from runner.cli.displays.stacks import pending_text  # noqa: PLC0415

    show_difference(found.difference, whole=whole, colour=sys.stdout.isatty(), err=False)
    if found.pending is not None and found.pending.changes:
        click.echo("")
        click.echo(pending_text(found.pending))
