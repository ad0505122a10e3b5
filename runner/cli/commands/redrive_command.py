"""`runner redrive`: do what a run left undone."""

from __future__ import annotations

from functools import partial
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import detach_option, find_root, project_options, read_variables


@click.command(name="redrive", short_help="Do what a run left undone.")
@click.argument("execution", default="last")
@detach_option
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines.")
@project_options
def command(  # noqa: PLR0917 - click hands over every option
    execution: str,
    detach: bool,  # noqa: FBT001 - click's signature
    as_json: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> int:
    """Do what EXECUTION left undone; the newest if none is named.

    If steps failed, a new run of the same window writes and loads only the tables that failed or
    were skipped, all of them if none was; other steps run again. A run that was stopped, timed out
    or died goes on where it ended: on this machine from its journal, on AWS by AWS's own redrive,
    within 14 days.

    Example: runner redrive --env prod
    """
    from runner.app.redrive import RedriveRequest, redrive  # noqa: PLC0415 - heavy when needed
    from runner.cli.watching import watched  # noqa: PLC0415

    request = RedriveRequest(
        root=find_root(folder),
        name=execution,
        environment=environment,
        variables=tuple(read_variables(variables).items()),
        detach=detach,
    )
    return watched(partial(redrive, request), as_json=as_json)
