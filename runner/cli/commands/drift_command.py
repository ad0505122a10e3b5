"""`runner drift`: what was changed in the account beside the deploys."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import env_option, find_root, json_option, project_option

_LOOK_S = 2.0


@click.command(name="drift", short_help="Find what was changed beside the deploys.")
@env_option
@project_option
@json_option
def command(environment: str, folder: Path | None, *, as_json: bool) -> int:
    """Compare every deployed resource with what was deployed.

    Exit status 1 when one differs, or could not be looked at.  Nothing is changed.  The next deploy
    does not undo a drift by itself: CloudFormation changes only what the files change.

    Example: runner drift --env prod
    """
    from runner.app.cloud import open_cloud  # noqa: PLC0415 - heavy when needed
    from runner.app.drift import find_drift  # noqa: PLC0415
    from runner.cli.displays.stacks import drift_text  # noqa: PLC0415

    cloud = open_cloud(find_root(folder), environment)
    found = find_drift(cloud, pause=lambda: time.sleep(_LOOK_S))
    click.echo(json.dumps(asdict(found), indent=1) if as_json else drift_text(found))
    if found.incomplete:
        click.echo(f"note: not everything could be compared: {found.incomplete}", err=True)
    return 1 if found.drifted or found.incomplete else 0
