"""Watching what runs: the display, Ctrl-C, and the exit status; on AWS also what was only begun."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

import click

from runner.cli.interrupts import Interrupts
from runner.cli.texts import INTERRUPTED
from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.app.begun import Begun, Follow, Listeners
    from runner.app.run import RunResult
    from runner.app.stopping import Stopper
    from runner.cli.displays import Display

    Started = Callable[[str, str, str], None]

_Result = TypeVar("_Result")


def watch(start: Callable[[Listeners], Begun | RunResult], *, as_json: bool) -> int:
    """Start something and show it until it ends; gives the exit status."""
    from runner.app.begun import Begun, Listeners  # noqa: PLC0415 - heavy when needed
    from runner.app.stopping import Stopper  # noqa: PLC0415
    from runner.cli.displays import open_display  # noqa: PLC0415

    display = open_display(as_json=as_json, terminal=sys.stderr.isatty())
    stopper = Stopper()
    result = _shown(
        display,
        stopper,
        lambda started: start(Listeners(display.tell, started, stopper, say=display.note)),
    )
    if isinstance(result, Begun):
        _say_begun(result, as_json=as_json)
        return 0
    return _status(display, result)


def watched(display: Display, stopper: Stopper, run: Callable[[Started], RunResult]) -> int:
    """Show a run, started by `run`, which says so when it has begun; gives the exit status."""
    return _status(display, _shown(display, stopper, run))


def _shown(display: Display, stopper: Stopper, run: Callable[[Started], _Result]) -> _Result:
    with Interrupts(stopper, display.stopping) as interrupts, display:

        def started(name: str, of: str, window: str) -> None:
            display.started(name, of, window)
            interrupts.running()

        return run(started)


def _status(display: Display, result: RunResult) -> int:
    display.ended(result)
    if result.status == "ABORTED":
        return INTERRUPTED
    return 0 if result.status in {"SUCCEEDED", "RUNNING"} else 1


def follower(root: Path, environment: str, *, detach: bool) -> Follow | None:
    """Give what follows an execution on AWS; none on this machine, or where nobody waits.

    Raises UsageError for `detach` on this machine.
    """
    from runner.app.places import is_on_aws  # noqa: PLC0415 - heavy when needed

    on_aws = is_on_aws(root, environment)
    if detach and not on_aws:
        found = f"--detach for {environment}, which is on this machine"
        expected = "an environment with engine: aws"
        advice = "leave --detach away, or name an environment on AWS with --env"
        raise UsageError([Fault(Place("--detach"), "not-local", found, expected, advice)])
    if detach or not on_aws:
        return None
    from runner.app.following_begun import follow_begun  # noqa: PLC0415 - boto3 loads there

    return follow_begun


def _say_begun(begun: Begun, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(begun)))
        return
    click.echo(f"{begun.run} runs on AWS: {begun.arn}")
