"""`runner logs`: what the parts of an environment on AWS wrote down."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_option


@click.command(name="logs", short_help="Read the logs of an environment on AWS.")
@click.argument("execution", required=False)
@click.option("--function", metavar="NAME", help="A function of lambdas/, or `keeper`.")
@click.option("--load", metavar="MART", help="The tasks that load this mart.")
@click.option("--since", default="1h", show_default=True, help="How far back: 30m, 2h, 1d.")
@click.option("--follow", is_flag=True, help="Print new lines as they come, until Ctrl-C.")
@click.option("--env", "environment", required=True, help="Environment of config.yaml.")
@project_option
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    execution: str | None,
    function: str | None,
    load: str | None,
    since: str,
    follow: bool,  # noqa: FBT001 - click's signature
    environment: str,
    folder: Path | None,
    *,
    as_json: bool,
) -> None:
    """Read CloudWatch logs: of EXECUTION, of a function, or of the tasks that load a mart.

    Without any of them: of every workflow's state machine and of the keeper. EXECUTION is a name,
    or `last`.

    Example: runner logs --function keeper --since 2h --env prod
    """
    from runner.app.logs import LogRequest, read_logs  # noqa: PLC0415 - heavy when needed

    request = LogRequest(
        root=find_root(folder),
        environment=environment,
        execution=execution,
        function=function,
        load=load,
        since=since,
        follow=follow,
    )
    empty = True
    for line in read_logs(request):
        empty = False
        when = line.time.isoformat(timespec="milliseconds")
        if as_json:
            told = {"time": when, "group": line.group, "stream": line.stream}
            click.echo(json.dumps({**told, "message": line.message}, ensure_ascii=False))
        else:
            click.echo(f"{when}  {line.group.rpartition('/')[2]}  {line.message}")
    if empty:
        click.echo(
            "nothing was logged; state machines log what `log_level` of the environment says, "
            "errors only if it says nothing",
            err=True,
        )
