"""Watching what runs, here or on AWS: the display, Ctrl-C, and the exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from runner.cli.interrupts import Interrupts
from runner.cli.texts import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.progress import Progress
    from runner.app.run import RunResult
    from runner.app.stopping import Stopper


class Watched(Protocol):
    """A use case that runs something, and tells of it."""

    def __call__(
        self,
        *,
        tell: Callable[[Progress], None],
        started: Callable[[str, str, str], None],
        say: Callable[[str], None],
        stopper: Stopper,
    ) -> RunResult:
        """Run it to its end, or until the stopper says so."""
        ...


def watched(run: Watched, *, as_json: bool) -> int:
    """Show a run until it ends, or that it runs on AWS; gives the exit status."""
    from runner.app.stopping import Stopper  # noqa: PLC0415 - heavy when needed
    from runner.cli.displays import open_display  # noqa: PLC0415

    display = open_display(as_json=as_json, terminal=sys.stderr.isatty())
    stopper = Stopper()
    with Interrupts(stopper, display.stopping) as interrupts, display:

        def started(name: str, of: str, window: str) -> None:
            display.started(name, of, window)
            interrupts.running()

        result = run(tell=display.tell, started=started, say=display.note, stopper=stopper)
    display.ended(result)
    if result.status == "ABORTED":
        return INTERRUPTED
    return 0 if result.status in {"SUCCEEDED", "RUNNING"} else 1
