"""`runner destroy`: delete what was deployed of an environment, and nothing that is data."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import env_option, find_root, json_option, project_option, yes_option
from runner.cli.texts import INTERRUPTED

if TYPE_CHECKING:
    from runner.app.cloud import Cloud
    from runner.app.destroy import Destroying
    from runner.app.stack_following import Followed


@click.command(name="destroy", short_help="Delete what was deployed, and keep the data.")
@env_option
@yes_option
@click.option(
    "--confirm", metavar="NAME", help="The environment's name, which a protected one wants."
)
@project_option
@json_option
def command(
    environment: str,
    yes: bool,  # noqa: FBT001 - click's signature
    confirm: str | None,
    folder: Path | None,
    *,
    as_json: bool,
) -> int:
    """List what would be deleted and what stays, ask, and delete the environment's stack.

    State machines, schedules, functions, roles, log groups and images go.  The lake with its
    tables and records, databases, query results and artifacts stay: the next deploy finds them.

    Example: runner destroy --env dev
    """
    from runner.app.cloud import open_cloud  # noqa: PLC0415 - heavy when needed
    from runner.app.destroy import plan_destroy  # noqa: PLC0415
    from runner.cli.displays.stacks import destroying_text  # noqa: PLC0415

    cloud = open_cloud(find_root(folder), environment)
    can_ask = not as_json and sys.stdin.isatty()
    plan = plan_destroy(cloud, confirm=confirm, can_ask=can_ask)
    click.echo(destroying_text(plan), err=True)
    ended = _destroy(cloud, plan, yes=yes, confirm=confirm)
    if as_json:
        done = asdict(ended) if ended else {"status": "DECLINED", "causes": []}
        click.echo(json.dumps({"plan": asdict(plan), **done}, indent=1))
    if ended is None:
        return 1
    return _status(plan, ended, quiet=as_json)


def _destroy(cloud: Cloud, plan: Destroying, *, yes: bool, confirm: str | None) -> Followed | None:
    """Ask and delete; None when the answer is no."""
    from runner.app.destroy import destroy  # noqa: PLC0415 - loaded by then
    from runner.cli.displays.stack_watcher import StackWatcher  # noqa: PLC0415

    with StackWatcher(cloud, yes=yes, confirm=confirm) as watcher:
        if not watcher.allowed(f"Destroy {plan.stack.name}?"):
            return None
        watcher.began(plan.stack.id)
        return destroy(cloud, plan, watcher=watcher)


def _status(plan: Destroying, ended: Followed, *, quiet: bool) -> int:
    from runner.app.deploy import MEANINGS  # noqa: PLC0415 - loaded by then
    from runner.app.stack_following import LEFT  # noqa: PLC0415
    from runner.cli.displays.stacks import causes_text  # noqa: PLC0415

    if not quiet:
        meaning = "the deletion goes on at AWS" if ended.status == LEFT else ""
        said = meaning or MEANINGS.get(ended.status, ended.status)
        click.echo(f"stack {plan.stack.name}: {said}")
    if ended.causes:
        click.echo(causes_text(ended.causes), err=True)
    if ended.status == LEFT:
        return INTERRUPTED
    return 0 if ended.status == "DELETE_COMPLETE" else 1
