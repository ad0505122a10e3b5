"""Stepping through an execution at a terminal: it stands still at a state until told to go on.

Enter: the next state; c: go on to the next break; i, o, v: show the state's input, the output of
the state before, the variables; q: leave it; a journal can be continued.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from runner.app.machine_trace import What

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.machine_trace import Step, Trace

_HELP = "Enter: next state; c: continue; i: input; o: output before; v: variables; q: leave"


class Stepper:
    """Shows each step and asks at the states that it breaks at."""

    def __init__(
        self,
        show: Callable[[Step, Trace], None],
        *,
        breaks: tuple[str, ...],
        every: bool,
    ) -> None:
        """Take what shows steps, and where to stand still."""
        self._show = show
        self._breaks = breaks
        self._every = every
        self._output: Any = None

    def step(self, step: Step, trace: Trace) -> None:
        """Show a step; stand still where a state is entered that it breaks at."""
        self._show(step, trace)
        if step.what is What.LEFT:
            self._output = step.value
        if step.what is What.ENTERED and self._is_break(step):
            self._ask(step, trace)

    def _is_break(self, step: Step) -> bool:
        return self._every or any(fnmatchcase(step.state, name) for name in self._breaks)

    def _ask(self, step: Step, trace: Trace) -> None:
        while True:
            word = click.prompt(
                f"at {step.state}", prompt_suffix="> ", default="", show_default=False, err=True
            ).strip()
            match word:
                case "":
                    self._every = True
                    return
                case "c":
                    self._every = False
                    return
                case "q":
                    raise click.Abort
                case _:
                    click.echo(self._shown(word, step, trace), err=True)

    def _shown(self, word: str, step: Step, trace: Trace) -> str:
        if word not in {"i", "o", "v"}:
            return _HELP
        newest = next(reversed(trace.open), "")
        values = {"i": step.value, "o": self._output, "v": trace.variables(newest)}
        return json.dumps(values[word], indent=2, ensure_ascii=False)
