"""Three ways to watch a run: a live terminal, plain lines, JSON events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from types import TracebackType

    from runner.app.progress import Progress
    from runner.app.run import RunResult


class Display(Protocol):
    """What the run command talks to."""

    def started(self, run: str, workflow: str, window: str) -> None:
        """Say that a run begins."""
        ...

    def tell(self, progress: Progress) -> None:
        """Say what changed."""
        ...

    def note(self, text: str) -> None:
        """Say what else people should know: a link, a warning."""
        ...

    def stopping(self, text: str) -> None:
        """Say that Ctrl-C was heard; called from a signal handler."""
        ...

    def ended(self, result: RunResult) -> None:
        """Say how it ended: the table of what was published and loaded."""
        ...

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        ...


def open_display(*, as_json: bool, terminal: bool) -> Display:
    """Choose the display: JSON if asked for, live on a terminal, else plain lines."""
    if as_json:
        from runner.cli.displays.json_lines import JsonLines  # noqa: PLC0415 - only the one used

        return JsonLines()
    if terminal:
        from runner.cli.displays.live import Live  # noqa: PLC0415 - rich loads here

        return Live()
    from runner.cli.displays.plain import Plain  # noqa: PLC0415 - only the one used

    return Plain()
