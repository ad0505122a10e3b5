"""Who watches an operation on a stack from a terminal or a pipe: plain lines on standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

import click

from runner.app.guards import is_protected
from runner.cli.deploy_interrupts import DeployInterrupts
from runner.cli.displays.differences import show_difference
from runner.cli.displays.stacks import event_line, pending_text
from runner.cli.options import agreed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from runner.app.cloud import Cloud
    from runner.app.stack_changes import Pending
    from runner.app.stack_following import Wish
    from runner.model.stacks import StackEvent
    from runner.plan.stack.difference import Difference

_LOOK_S = 2.0
"""Between two looks at a stack."""
_ENDINGS = {
    1: "this goes on at AWS; Ctrl-C again cancels an update and rolls it back, once more leaves "
    "without waiting",
    2: "asking AWS to cancel; Ctrl-C again leaves without waiting",
}


class StackWatcher:
    """Shows and asks on standard error; listens to Ctrl-C."""

    def __init__(
        self,
        cloud: Cloud,
        *,
        yes: bool,
        confirm: str | None,
        clock: Callable[[], float] = time.monotonic,
        look_s: float = _LOOK_S,
        difference: Difference | None = None,
    ) -> None:
        """Take how to ask, a clock that only moves on, and what is shown before the question."""
        self._difference = difference
        self._cloud = cloud
        self._yes = yes
        self._confirm = confirm
        self._clock = clock
        self._look_s = look_s
        self._stack_id = ""
        self._begun = clock()
        self._interrupts = DeployInterrupts(self._interrupted)

    def agreed(self, pending: Pending) -> bool:
        """Show what would change, and ask."""
        if self._difference is not None and self._difference.changes:
            show_difference(self._difference, whole=False, colour=sys.stderr.isatty(), err=True)
            click.echo("", err=True)
        click.echo(pending_text(pending), err=True)
        return self.allowed(f"Deploy {pending.stack}?")

    def allowed(self, question: str) -> bool:
        """Ask; of a protected environment the name is to be typed, unless it was given."""
        name = self._cloud.bundle.environment_name
        if not is_protected(self._cloud) or self._confirm is not None:
            return agreed(question, yes=self._yes)
        if not sys.stdin.isatty():
            return False
        typed: str = click.prompt(f"{question} Type the environment's name", err=True)
        if typed.strip() != name:
            click.echo(f"that is not {name}", err=True)
        return typed.strip() == name

    def began(self, stack_id: str) -> None:
        """Count Ctrl-C from now on: the stack is being changed."""
        self._stack_id, self._begun = stack_id, self._clock()
        self._interrupts.began()

    def stored(self, uploaded: tuple[str, ...], kept: int) -> None:
        """Say what was uploaded."""
        click.echo(f"uploaded {len(uploaded)}, {kept} there already", err=True)

    def note(self, text: str) -> None:
        """Say something."""
        click.echo(text, err=True)

    def event(self, event: StackEvent) -> None:
        """Show an event."""
        click.echo(event_line(event, self._clock() - self._begun), err=True)

    def wait(self) -> Wish:
        """Wait until the next look; give what Ctrl-C wishes."""
        time.sleep(self._look_s)
        return self._interrupts.wish()

    def _interrupted(self, count: int) -> None:
        from runner.app.stack_changes import stack_link  # noqa: PLC0415 - loaded by then

        text = _ENDINGS.get(count)
        if text is None:
            return
        click.echo(text, err=True)
        if count == 1:
            click.echo(f"follow it: {stack_link(self._cloud, self._stack_id)}", err=True)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._interrupts.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave Ctrl-C as it was."""
        self._interrupts.__exit__(kind, error, trace)
