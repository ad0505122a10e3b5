"""A message in words: what, which window, why, where to look, what to do.

In: what is to be told, and the names of the environment.  Out: subject and text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING or __package__:
    from .causes import explain
    from .events import Ended
else:  # in Lambda the folder itself is on the path
    from causes import explain
    from events import Ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .events import Called

_BAD = ("FAILED", "TIMED_OUT", "ABORTED")
_WENT_ON = ("TIMED_OUT", "ABORTED")
_MOST_REASONS = 20
_MOST_LETTERS = 600
"""Of one reason."""
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


class Names(NamedTuple):
    """What the environment's parts are called."""

    prefix: str
    """What the names of machines begin with: <project>-<environment>."""
    environment: str
    """What `--env` takes."""

    def workflow(self, machine: str) -> str:
        """Name the workflow of a machine."""
        return machine.removeprefix(f"{self.prefix}-")


def write(told: Ended | Called, names: Names) -> tuple[str, str]:
    """Write a message."""
    return _of_end(told, names) if isinstance(told, Ended) else _of_call(told, names)


def is_bad(told: Ended | Called) -> bool:
    """Tell whether something failed."""
    if isinstance(told, Ended):
        return told.status in _BAD
    return any(one.get("status") in {"failed", "skipped"} for one in told.results)


# --- an execution --------------------------------------------------------------------------------


def _of_end(told: Ended, names: Names) -> tuple[str, str]:
    workflow, ended = names.workflow(told.machine), told.status.lower().replace("_", " ")
    subject = f"{workflow} {ended}"
    lines = [f"Workflow: {workflow}, environment {names.environment}, {ended}"]
    if told.window:
        lines.append(f"Window: {told.window}")
        subject += f" ({told.window})"
    lines.append(f"Execution: {told.name}")
    if told.status in _BAD:
        causes = explain(told.status, told.error, told.cause)
        pairs = [(one.name, one.told) for one in causes.reasons]
        lines += ["", "Why:", *_reasons(pairs, causes.skipped)]
    where = link(told.arn)
    lines += ["", *([f"Look: {where}"] if where else []), *_advice(told, names)]
    return subject, "\n".join(lines)


def _reasons(pairs: list[tuple[str, str]], skipped: tuple[str, ...]) -> Iterator[str]:
    for name, why in pairs[:_MOST_REASONS]:
        line = " ".join(why.split())
        shown = line if len(line) <= _MOST_LETTERS else f"{line[:_MOST_LETTERS]}..."
        yield f"  {name}: {shown}" if name else f"  {shown}"
    if len(pairs) > _MOST_REASONS:
        yield f"  and {len(pairs) - _MOST_REASONS} more"
    if skipped:
        more = f" and {len(skipped) - _MOST_REASONS} more" if len(skipped) > _MOST_REASONS else ""
        yield f"  skipped, for they read what failed: {', '.join(skipped[:_MOST_REASONS])}{more}"


def _advice(told: Ended, names: Names) -> list[str]:
    if told.status not in _BAD:
        return []
    done = (
        "it goes on where it ended"
        if told.status in _WENT_ON
        else "it writes what failed or was skipped, in the same window"
    )
    return [
        f"Ask more: runner executions {told.name} --env {names.environment}",
        f"When the cause is gone: runner redrive {told.name} --env {names.environment}  ({done})",
    ]


def link(arn: str) -> str:
    """Lead to an execution in the console; empty for one of this machine, which has none.

    >>> link("arn:aws:states:eu-west-1:1:execution:m:x")[:49]
    'https://eu-west-1.console.aws.amazon.com/states/h'
    """
    _, partition, _, region, *_ = f"{arn}:::".split(":")
    if region in {"", "local"}:
        return ""
    host = f"{region}.{_CONSOLES.get(partition, 'console.aws.amazon.com')}"
    return f"https://{host}/states/home?region={region}#/v2/executions/details/{arn}"


# --- a step's call --------------------------------------------------------------------------------


def _of_call(told: Called, names: Names) -> tuple[str, str]:
    bad = [one for one in told.results if one.get("status") == "failed"]
    skipped = tuple(str(one.get("name")) for one in told.results if one.get("status") == "skipped")
    ended = "failed" if bad or skipped else "done"
    where = f" ({told.window})" if told.window else ""
    subject = told.subject or f"{told.workflow} {ended}{where}"
    lines = [told.text, ""] if told.text else []
    lines.append(f"Workflow: {told.workflow}, environment {names.environment}")
    if told.window:
        lines.append(f"Window: {told.window}")
    if bad or skipped:
        pairs = [(str(one.get("name")), _why(one)) for one in bad]
        lines += ["", "Why:", *_reasons(pairs, skipped)]
    if told.results:
        lines += ["", *_report(told.results)]
    if bad or skipped:
        lines += ["", f"When the cause is gone: runner redrive --env {names.environment}"]
    return subject, "\n".join(lines)


def _why(result: Mapping[str, object]) -> str:
    told = (str(result.get(key) or "") for key in ("message", "advice"))
    return " ".join(text for text in told if text) or str(result.get("error") or "unknown")


def _report(results: tuple[Mapping[str, object], ...]) -> Iterator[str]:
    """List what was done; what a function returned as `text` is its own report."""
    for one in results:
        rows = _inner(one, "result").get("rows")
        count = f"  {rows:,} rows" if isinstance(rows, int) else ""
        yield f"  {one.get('kind', ''):6}  {one.get('status', ''):9}  {one.get('name', '')}{count}"
        text = _inner(one, "value").get("text")
        if isinstance(text, str):
            yield from (f"    {line}" for line in text.splitlines())


def _inner(result: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = result.get(key)
    return value if isinstance(value, dict) else {}
