"""A live terminal: what is at work now, an overall bar, finished lines above."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from runner.cli.displays.plain import line_of, pace
from runner.cli.displays.summary import summary

if TYPE_CHECKING:
    from types import TracebackType

    from runner.app import progress as changes
    from runner.app.run import RunResult

_COLOURS = {"done": "green", "unchanged": "dim", "failed": "bold red"}
_FRAMES_A_SECOND = 8


class Live:
    """Redraws a small panel on standard error; finished steps scroll up above it."""

    def __init__(self) -> None:
        """Prepare the bar; nothing is drawn before `__enter__`."""
        self._console = Console(stderr=True)
        self._lock = threading.Lock()
        self._running: dict[str, tuple[str, float]] = {}
        """What each subject at work does now, and when it began."""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._task = self._bar.add_task("", total=None)
        self._live = RichLive(
            get_renderable=self._draw,
            console=self._console,
            refresh_per_second=_FRAMES_A_SECOND,
            transient=True,
        )

    def started(self, run: str, workflow: str, window: str) -> None:
        """Say what begins."""
        self._console.print(Text(f"{workflow} {window}", style="bold"), Text(f"run {run}", "dim"))
        self._bar.update(self._task, description=workflow)

    def tell(self, progress: changes.Progress) -> None:
        """Move the bar; print what ended, keep what runs."""
        with self._lock:
            if progress.planned:
                self._bar.update(
                    self._task,
                    total=progress.planned,
                    completed=progress.periods,
                    description=pace(progress),
                )
            else:
                self._bar.update(self._task, total=progress.total, completed=progress.done)
            if progress.phase in _COLOURS:
                self._running.pop(progress.subject, None)
            else:
                began = time.monotonic() - progress.seconds
                began = self._running.get(progress.subject, ("", began))[1]
                self._running[progress.subject] = (progress.verb, began)
        line = line_of(progress)
        if line:
            self._console.print(Text(line, style=_COLOURS.get(progress.phase, "yellow")))

    def note(self, text: str) -> None:
        """Print what else people should know above the bar."""
        self._console.print(Text(text, "dim"))

    def stopping(self, text: str) -> None:
        """Say that Ctrl-C was heard, beside the bar."""
        self._bar.update(self._task, description=text)

    def ended(self, result: RunResult) -> None:
        """Write the summary to standard output."""
        click.echo(summary(result))

    def _draw(self) -> Group:
        grid = Table.grid(padding=(0, 2))
        with self._lock:
            for name, (verb, began) in sorted(self._running.items()):
                seconds = time.monotonic() - began
                grid.add_row(Text(f"  {name}", "cyan"), verb, f"{seconds:.1f} s")
        return Group(grid, self._bar)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop drawing and leave the terminal clean."""
        self._live.__exit__(kind, error, trace)
