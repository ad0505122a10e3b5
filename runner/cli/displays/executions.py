"""Runs as text: a list of them, and one in detail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.displays.summary import summary
from runner.cli.texts import columns, count, duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.app.statements import Statement
    from runner.app.status import Detail, RunStatus


def list_text(found: Sequence[RunStatus]) -> str:
    """Write one line for each run, and the console's pages of those on AWS."""
    rows = [(one.run, one.workflow, _status(one), _window(one), one.started_at) for one in found]
    lines = [columns(("run", "workflow", "status", "window", "started"), rows)]
    lines += [f"{one.run}: {one.link}" for one in found if one.link]
    return "\n".join(lines)


def _status(one: RunStatus) -> str:
    return f"{one.status} (redriven)" if one.redrives else one.status


def _window(one: RunStatus) -> str:
    return f"{one.start}..{one.end}" if one.end else f"at {one.start}"


def detail_text(detail: Detail) -> str:
    """Write all that is known of one run."""
    about, result = detail.about, detail.result
    redriven = f", redriven {count(about.redrives, 'time')}" if about.redrives else ""
    head = f"{about.run}: {about.status}, started {about.started_at}"
    head += f", {duration(result.seconds)}{redriven}"
    lines = [head, summary(result), *_statements(result.statements)]
    if result.links:
        lines += ["", *(f"{what}: {url}" for what, url in result.links)]
    return "\n".join(lines)


def _statements(found: Sequence[Statement]) -> Iterator[str]:
    if not found:
        return
    head = ("statement of", "status", "scanned", "time", "query id")
    rows = [
        (one.state, one.status, size(one.scanned), f"{one.seconds:.1f} s", one.query)
        for one in found
    ]
    yield ""
    yield columns(head, rows, right=(2, 3))
    for one in found:
        if one.status not in ("SUCCEEDED", "RUNNING", "QUEUED"):
            yield f"{one.state}: {one.reason or one.status}"
            yield f"  look: {one.link}"
