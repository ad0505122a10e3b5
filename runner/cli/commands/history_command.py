"""`runner history`: what an execution did, event by event."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables


@click.command(name="history", short_help="Show what an execution did, event by event.")
@click.argument("execution", default="last")
@project_options
@json_option
def command(
    execution: str,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Show the events of EXECUTION as Step Functions numbers them; of the newest if none is named.

    EXECUTION is a run's name, `last`, or the ARN of an execution that a run started. With --json
    it is what the API's GetExecutionHistory answers, also for a run on this machine: tools that
    read AWS's history read it.

    Example: runner history last --json
    """
    from runner.app.execution_history import execution_history  # noqa: PLC0415 - heavy

    root, given = find_root(folder), read_variables(variables)
    found = execution_history(root, execution, environment=environment, variables=given)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
        return
    from runner.cli.displays.histories import history_text  # noqa: PLC0415 - only here

    click.echo(history_text(found))
