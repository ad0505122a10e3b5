"""What a table has to write: windows of the run or of a backfill, less what is done, in chunks.

In: the run's window, the table's spec, its records.  Out: chunks, each of which one statement may
write (SEMANTICS 22, 23).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import backfills, windows
from .faults import WindowTooLarge
from .records import WHOLE
from .spec import OPEN_WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .core import Attempt
    from .inputs import Inputs
    from .records import Entry
    from .spec import Spec
    from .storage import Storage

Span = tuple[str, str]
"""First and last period, both included."""
SPLIT = 4
"""Into how many pieces a chunk is cut after a statement that was too large for the engine."""


@dataclass(frozen=True)
class Work:
    """What one turn of a table is asked to write."""

    spans: tuple[Span, ...]
    """In the table's own grain, in order; the run's window without time partitions."""
    since: str = ""
    """In a backfill: what any run published after this stamp counts as done."""
    refresh: bool = False
    """Write all of it into a new generation of the table (SEMANTICS 10)."""

    @property
    def start(self) -> str:
        """Give the first period."""
        return self.spans[0][0]

    @property
    def end(self) -> str:
        """Give the last period."""
        return self.spans[-1][1]


def asked(storage: Storage, spec: Spec, window: dict[str, Any]) -> Work:
    """Say what the run's window means for the table; a backfill's plan says it itself."""
    start, end = spec.window(window["start"], window["end"], window["grain"])
    name = window.get("backfill")
    if not name:
        return Work(((start, end),))
    plan = backfills.read(storage, name)
    told = plan["tables"].get(spec.name)
    if told is None or spec.grain is None:
        return Work(((start, end),), plan["created"])
    spans = tuple((first, last) for first, last in told["windows"])
    return Work(spans or ((start, end),), plan["created"], told.get("refresh", False))


def refuse_large(spec: Spec, work: Work) -> None:
    """Leave windows of too many partitions to a backfill (SEMANTICS 23)."""
    count = windows.count_periods(work.start, work.end, spec.grain) if spec.grain else 1
    if count > spec.max_window and not work.since:
        raise WindowTooLarge(
            f"{spec.name}: {work.start}..{work.end} is {count} partitions, more than the "
            f"{spec.max_window} that one run writes; use `runner backfill`"
        )


def pending(
    attempt: Attempt, work: Work, latest: dict[str, Entry], inputs: Inputs
) -> tuple[Span, ...]:
    """Give the runs of neighbouring periods that are not done yet."""
    spec = attempt.spec
    is_done = _done(attempt, work, latest, inputs)
    if spec.grain is None:
        return () if is_done(WHOLE) else work.spans
    return tuple(
        (run[0], run[-1])
        for first, last in work.spans
        for done, group in itertools.groupby(windows.periods(first, last, spec.grain), is_done)
        if not done and (run := list(group))
    )


def _done(
    attempt: Attempt, work: Work, latest: dict[str, Entry], inputs: Inputs
) -> Callable[[str], bool]:
    """Tell whether a period was published by this execution, or since a backfill was planned."""
    fingerprint = attempt.spec.fingerprint[:12]
    run = attempt.siblings

    def is_done(period: str) -> bool:
        entry = latest.get(period)
        if entry is None or not entry.published or entry.fingerprint != fingerprint:
            return False
        if entry.run.startswith(run):  # its inputs were looked at when it was published
            return True
        since = work.since and entry.at > work.since
        return bool(since) and inputs.changed_at(period, period) < entry.at

    return is_done


def cut(spec: Spec, spans: Iterable[Span], *, split: int = 1) -> list[Span]:
    """Cut spans into chunks of whole periods that one statement may write (SEMANTICS 22).

    A table that reads itself is written period by period: each reads the one before it.  `split`
    makes chunks so many times smaller.
    """
    if spec.grain is None:
        return list(spans)
    most = 1 if spec.ordered else max(1, OPEN_WRITERS // spec.combinations)
    chunks = []
    for start, end in spans:
        labels = list(windows.periods(start, end, spec.grain))
        size = max(1, -(-min(most, len(labels)) // split))
        chunks += [
            (labels[first], labels[min(first + size, len(labels)) - 1])
            for first in range(0, len(labels), size)
        ]
    return chunks


def largest(spec: Spec, chunks: Iterable[Span]) -> int:
    """Count the periods of the largest chunk; 1 where a chunk cannot be cut."""
    if spec.grain is None:
        return 1
    return max((windows.count_periods(*chunk, spec.grain) for chunk in chunks), default=1)
