"""An execution of a state machine, step by step, for terminals and pipes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from runner.app.machine_trace import What
from runner.cli.texts import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.machine_failure import Reason
    from runner.app.machine_request import MachineResult
    from runner.app.machine_trace import Step, Trace

_SHORT = 100
_SECONDS_SHOWN = 0.001
_MINUTE_S = 60
_ARN = "arn:aws:states:::"


class TraceText:
    """Writes each step as a line or two on standard error."""

    def __init__(self, *, full: bool) -> None:
        """Take whether values are written in full."""
        self._full = full

    def step(self, step: Step, _: Trace) -> None:
        """Write a step."""
        for line in self.lines(step):
            click.echo(line, err=True)

    def lines(self, step: Step) -> list[str]:
        """Give a step's lines; those of states inside others are indented."""
        write = _WRITERS[step.what]
        indent = "  " * len(step.within)
        clock = f"{step.at:%H:%M:%S}.{step.at.microsecond // 1000:03d}"
        machine = f"{step.machine}: " if step.machine else ""
        return [f"{clock}  {machine}{indent}{line}" for line in write(self._short, step)]

    def _short(self, value: Any) -> str:  # noqa: ANN401 - JSON
        text = value if isinstance(value, str) else compact(value)
        text = " ".join(text.split()) if not self._full else text
        return text if self._full or len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."


def compact(value: Any) -> str:  # noqa: ANN401 - JSON
    """Write JSON on one line.

    >>> compact({"a": [1, None]})
    '{"a": [1, null]}'
    """
    return json.dumps(value, ensure_ascii=False)


def took(seconds: float) -> str:
    """Write a duration as finely as it deserves.

    >>> took(0.0123), took(2.5), took(90)
    ('12 ms', '2.5 s', '1 min 30 s')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.3g} s" if seconds < _MINUTE_S else duration(seconds)


def reasons_text(reasons: tuple[Reason, ...]) -> str:
    """Write why an execution failed, the cause last."""
    lines: list[str] = []
    for reason in reasons:
        about = f"{reason.place}: " if reason.place else ""
        about += f"field {reason.field}: " if reason.field else ""
        lines.append(f"{'  ' * len(lines)}{about}{reason.told}")
    return "\n".join(lines)


def ending_text(result: MachineResult) -> str:
    """Say how an execution ended, and why if it failed."""
    seconds = (result.ended - result.started).total_seconds()
    head = click.style(result.status, fg="green" if result.status == "SUCCEEDED" else "red")
    lines = [f"{head} after {took(seconds)}"]
    if result.reasons:
        lines += [f"  {line}" for line in reasons_text(result.reasons).split("\n")]
    return "\n".join(lines)


# --- one writer for each kind of step -------------------------------------------------------------


def _name(step: Step) -> str:
    inside = f"{step.within[-1]} " if step.within else ""
    return f"{inside}{click.style(step.state, bold=True)}"


def _started(short: Callable[[Any], str], step: Step) -> list[str]:
    return [f"start {short(step.value)}"]


def _resumed(short: Callable[[Any], str], step: Step) -> list[str]:
    del short, step
    return ["continued from the journal"]


def _entered(short: Callable[[Any], str], step: Step) -> list[str]:
    return [f"{_name(step)} ({step.kind}) {short(step.value)}"]


def _called(short: Callable[[Any], str], step: Step) -> list[str]:
    return [f"  call {step.resource.removeprefix(_ARN)} {short(step.value)}"]


def _answered(short: Callable[[Any], str], step: Step) -> list[str]:
    lasted = f" ({took(step.seconds)})" if step.seconds >= _SECONDS_SHOWN else ""
    return [f"  result {short(step.value)}{lasted}"]


def _failed(short: Callable[[Any], str], step: Step) -> list[str]:
    lasted = f" ({took(step.seconds)})" if step.seconds >= _SECONDS_SHOWN else ""
    error = click.style(step.error or "an error without a name", fg="red")
    return [f"  failed {error}{lasted}{': ' + short(step.cause) if step.cause else ''}"]


def _retrying(short: Callable[[Any], str], step: Step) -> list[str]:
    del short
    return [f"  retry {step.number} of {_name(step)} in {took(step.seconds)}"]


def _waiting(short: Callable[[Any], str], step: Step) -> list[str]:
    del short
    return [f"  wait {took(step.seconds)}"]


def _caught(short: Callable[[Any], str], step: Step) -> list[str]:
    del short
    return [f"  caught in {_name(step)}, goes to {step.target}"]


def _left(short: Callable[[Any], str], step: Step) -> list[str]:
    lines = [f"  assign ${name} = {short(value)}" for name, value in step.assigned.items()]
    lasted = f" ({took(step.seconds)})" if step.seconds >= _SECONDS_SHOWN else ""
    return [*lines, f"  out of {_name(step)} {short(step.value)}{lasted}"]


def _ended(short: Callable[[Any], str], step: Step) -> list[str]:
    if not step.machine:
        return []  # the command says it at the end
    told = short(step.value) if step.error is None else f"{step.error}: {short(step.cause or '')}"
    return [f"{step.status} {told}"]


_WRITERS: dict[What, Callable[[Callable[[Any], str], Step], list[str]]] = {
    What.STARTED: _started,
    What.RESUMED: _resumed,
    What.ENTERED: _entered,
    What.CALLED: _called,
    What.ANSWERED: _answered,
    What.FAILED: _failed,
    What.RETRYING: _retrying,
    What.WAITING: _waiting,
    What.CAUGHT: _caught,
    What.LEFT: _left,
    What.ENDED: _ended,
}
