"""`runner load-task`: what the container of an ECS task runs."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.ports import Json


@click.command(name="load-task", short_help="Run one load inside an ECS task.")
def command() -> int:
    """Run the load that the environment asks for; what the container of an ECS task runs.

    The state machine sets RUNNER_LOAD_MANIFEST and RUNNER_MART; the task definition sets
    RUNNER_MART_HOST, _PORT, _DATABASE, _USER, _TLS (verify or off) and _CA, and
    RUNNER_MART_PASSWORD from a secret.  Files go below RUNNER_WORK.  Progress is one JSON object
    a line; the outcome is written beside the manifest.  Exit status: 0 loaded or done before,
    65 refused, 69 the mart or S3 does not answer, 70 a defect, 75 busy, 78 the task is wrong,
    143 stopped.

    Example: runner load-task
    """
    from runner.app.load_task import run_load_task  # noqa: PLC0415 - heavy
    from runner.aws.s3 import open_s3  # noqa: PLC0415 - boto3 loads here
    from runner.loads.exits import exit_code  # noqa: PLC0415

    environ = dict(os.environ)
    work = Path(environ.get("RUNNER_WORK") or tempfile.gettempdir())
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    with closing(open_s3(region)) as objects:
        return exit_code(run_load_task(environ, objects=objects, work=work, tell=_print))


def _print(line: Mapping[str, Json]) -> None:
    """Print at once: a line that waits in a buffer is lost with a killed task."""
    click.echo(json.dumps(line, ensure_ascii=False))
