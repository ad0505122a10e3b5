"""JSON lines on standard output: started, progress, ended."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from types import TracebackType

    from runner.app.progress import Progress
    from runner.app.run import RunResult


class JsonLines:
    """One JSON object a line, with `event` telling which."""

    def started(self, run: str, workflow: str, window: str) -> None:
        """Say what begins."""
        self._write({"event": "started", "run": run, "workflow": workflow, "window": window})

    def tell(self, progress: Progress) -> None:
        """Write the change."""
        self._write({"event": "progress", **asdict(progress)})

    def note(self, text: str) -> None:
        """Say what else people should know."""
        self._write({"event": "note", "text": text})

    def stopping(self, text: str) -> None:
        """Say that Ctrl-C was heard, past the buffers: the handler may have interrupted a write."""
        os.write(2, f"{text}\n".encode())

    def ended(self, result: RunResult) -> None:
        """Write the result."""
        self._write({"event": "ended", **asdict(result)})

    def _write(self, value: dict[str, object]) -> None:
        click.echo(json.dumps(value, ensure_ascii=False))

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
