"""Watching a run from its start to its exit status, with Ctrl-C on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.interrupts import Interrupts
from runner.cli.texts import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.run import RunResult
    from runner.app.stopping import Stopper
    from runner.cli.displays import Display

    Started = Callable[[str, str, str], None]


def watched(display: Display, stopper: Stopper, run: Callable[[Started], RunResult]) -> int:
    """Show a run, started by `run`, which says so when it has begun; gives the exit status."""
    with Interrupts(stopper, display.stopping) as interrupts, display:

        def started(name: str, of: str, window: str) -> None:
            display.started(name, of, window)
            interrupts.running()

        result = run(started)
    display.ended(result)
    if result.status == "ABORTED":
        return INTERRUPTED
    return 0 if result.status in ("SUCCEEDED", "RUNNING") else 1
