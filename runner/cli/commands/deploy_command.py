"""`runner deploy`: make an environment on AWS what the project's files say."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import env_option, find_root, json_option, project_option, yes_option
from runner.cli.texts import INTERRUPTED

if TYPE_CHECKING:
    from runner.app.cloud import Cloud
    from runner.app.deploy import Deployed, DeployRequest
    from runner.model.stacks import ResourceChange


@click.command(name="deploy", short_help="Make an environment on AWS what the files say.")
@env_option
@yes_option
@click.option(
    "--confirm", metavar="NAME", help="The environment's name, which a protected one wants."
)
@click.option(
    "--any-checkout",
    is_flag=True,
    help="Deploy a protected environment from files that are not committed, older than what is "
    "deployed, or not in Git.",
)
@project_option
@json_option
def command(
    environment: str,
    yes: bool,  # noqa: FBT001 - click's signature
    confirm: str | None,
    any_checkout: bool,  # noqa: FBT001 - likewise
    folder: Path | None,
    *,
    as_json: bool,
) -> int:
    """Show what would change, ask, and make the environment's stack what the files say.

    Only what changed is uploaded.  The events of the stack are shown as they happen; if one
    resource fails, everything is rolled back and what was deployed before stays.  No deploy
    deletes a table, an object or a database.  Without a terminal, --yes is needed.

    Example: runner deploy --env prod
    """
    from runner.app.cloud import open_cloud  # noqa: PLC0415 - heavy when needed
    from runner.app.deploy import DeployRequest  # noqa: PLC0415

    cloud = open_cloud(find_root(folder), environment)
    can_ask = not as_json and sys.stdin.isatty()
    request = DeployRequest(confirm, can_ask=can_ask, any_checkout=any_checkout)
    result = _deploy(cloud, request, yes=yes)
    if as_json:
        value = {**asdict(result), "succeeded": result.succeeded, "meaning": result.meaning}
        click.echo(json.dumps(value, indent=1))
    else:
        _show(cloud, result)
    if result.status == "LEFT":
        return INTERRUPTED
    return 0 if result.succeeded else 1


def _deploy(cloud: Cloud, request: DeployRequest, *, yes: bool) -> Deployed:
    from runner.app.deploy import deploy  # noqa: PLC0415 - heavy when needed
    from runner.app.desired import desired  # noqa: PLC0415
    from runner.app.guards import existing_databases  # noqa: PLC0415
    from runner.app.plan_changes import differences  # noqa: PLC0415
    from runner.cli.displays.stack_watcher import StackWatcher  # noqa: PLC0415
    from runner.project.checkout import look  # noqa: PLC0415

    checkout = look(cloud.root)
    commit = checkout.commit if checkout else ""
    wanted = desired(
        cloud.root,
        cloud.bundle,
        values=cloud.values,
        existing=existing_databases(cloud),
        commit=commit,
        tell=lambda text: click.echo(text, err=True),
    )
    for warning in wanted.warnings:
        click.echo(f"warning: {warning}", err=True)
    with StackWatcher(
        cloud,
        yes=yes,
        confirm=request.confirm,
        clock=time.monotonic,
        difference=differences(cloud, wanted),
    ) as watcher:
        return deploy(cloud, wanted, request, watcher=watcher)


def _show(cloud: Cloud, result: Deployed) -> None:
    from runner.app.stack_changes import stack_link  # noqa: PLC0415 - loaded by then
    from runner.cli.displays.stacks import causes_text  # noqa: PLC0415

    click.echo(f"stack {result.stack}: {result.meaning}")
    if result.causes:
        click.echo(causes_text(result.causes), err=True)
    if result.stack_id and result.status not in {"DECLINED", "NO_CHANGES"}:
        click.echo(f"see {stack_link(cloud, result.stack_id)}", err=True)
    if result.succeeded and any(_is_new_repository(change) for change in result.changes):
        name = cloud.bundle.environment_name
        image = f"runner image {cloud.environment['loader']} --env {name}"
        click.echo(f"next: loads need their image in the new repository: {image}", err=True)


def _is_new_repository(change: ResourceChange) -> bool:
    return (change.action, change.type) == ("Add", "AWS::ECR::Repository")
