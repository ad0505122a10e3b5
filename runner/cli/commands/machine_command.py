"""`runner machine`: run, validate and test any state machine, without a project."""

from __future__ import annotations

import click

from runner.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    name="machine",
    names=("run", "test-state", "validate"),
    prefix="machine-",
    short_help="Run and check any state machine.",
)
def command() -> None:
    """Run, check and test any definition in Amazon States Language, in JSON or YAML.

    No project is needed, and nothing reaches AWS.

    Example: runner machine run pay.asl.json --input '{"id": 7}' --mocks pay.mocks.yaml
    """
