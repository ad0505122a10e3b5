"""Plain lines for pipes and CI: one line when a table, load or step begins or ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

import click

from runner.cli.displays.summary import summary
from runner.cli.texts import duration, size

if TYPE_CHECKING:
    from types import TracebackType

    from runner.app.progress import Progress
    from runner.app.run import RunResult


class Plain:
    """Writes to standard error while running, the summary to standard output."""

    def started(self, run: str, workflow: str, window: str) -> None:
        """Say what begins."""
        click.echo(f"{workflow} {window} (run {run})", err=True)

    def tell(self, progress: Progress) -> None:
        """Write a line when something ended, waits, or met an error."""
        line = line_of(progress)
        if line:
            click.echo(line, err=True)

    def note(self, text: str) -> None:
        """Say what else people should know."""
        click.echo(text, err=True)

    def stopping(self, text: str) -> None:
        """Say that Ctrl-C was heard, past the buffers: the handler may have interrupted a write."""
        os.write(2, f"{text}\n".encode())

    def ended(self, result: RunResult) -> None:
        """Write the summary."""
        click.echo(summary(result))

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Have nothing to put away."""


def pace(progress: Progress) -> str:
    """Write how far a backfill is, how fast, and how long it will take."""
    text = f"{progress.periods:,} of {progress.planned:,} partitions"
    if progress.rate:
        text += f"  {progress.rate:,.1f}/s"
    if progress.left_s is not None:
        text += f"  {duration(progress.left_s)} left"
    return text


def line_of(progress: Progress) -> str:
    """Write one line of progress; empty for what is only worth a live display."""
    count = f"[{progress.done:>{len(str(progress.total))}}/{progress.total}]"
    if progress.phase in ("done", "unchanged", "failed"):
        facts: list[str] = [progress.phase]
        if progress.rows is not None and (progress.rows or progress.bytes):
            facts.append(f"{progress.rows:,} rows")
        if progress.bytes:
            facts.append(size(progress.bytes))
        return f"{count} {progress.subject}  {'  '.join(facts)}  {progress.seconds:.2f} s"
    if progress.planned and progress.verb == "published":
        return f"{count} {progress.subject}  {pace(progress)}"
    if progress.note:
        return f"{count} {progress.subject}  {progress.verb}: {progress.note}"
    if progress.phase == "waiting":
        return f"{count} {progress.subject}  waits to try again"
    return ""
