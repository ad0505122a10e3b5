"""Redrive: an execution that ended badly goes on where it failed (`RedriveExecution` of AWS).

In: the journal of an execution that failed, timed out or was aborted.  Out: the same journal with
one event more; `run` continues it.  States that had succeeded keep their outputs; states that were
open at the end begin again, with their retriers reset; of a Parallel or a Map only the branches
and iterations that failed or were aborted do.  A Parallel or Map whose own work failed, after all
its children, begins again whole.  (Step Functions guide, "Restarting state machine executions with
redrive".)
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from runner.errors import Fault, Place
from runner.machine.events import Event, EventKind
from runner.machine.failures import NotRedrivable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from runner.machine.events import Journal
    from runner.machine.ports import Clock

MOST_REDRIVES = 1000
"""Redrives of one execution (RedriveExecution, API reference)."""
REDRIVABLE = timedelta(days=14)
"""How long after its end an execution can be redriven."""

_RETRY = re.compile(r"(.*#\d+)(\.r\d+)?\.(\d+)~retry\Z", re.DOTALL)


def redrive(journal: Journal, clock: Clock) -> Event:
    """Mark the execution in a journal as redriven, and give the mark; raises NotRedrivable."""
    events = tuple(journal.events())
    now = clock.now()
    _check(events, now - REDRIVABLE)
    count = 1 + sum(event.kind is EventKind.EXECUTION_REDRIVEN for event in events)
    mark = Event(EventKind.EXECUTION_REDRIVEN, "", "", now, {"redriveCount": count})
    journal.append_all([mark])
    return mark


def _check(events: Sequence[Event], oldest: datetime) -> None:
    ended = events[-1] if events else None
    if ended is None or ended.kind is not EventKind.EXECUTION_ENDED:
        raise _refused("an execution that has not ended", "an end; a stopped one is resumed")
    if ended.data["status"] == "SUCCEEDED":
        raise _refused("an execution that succeeded", "FAILED, TIMED_OUT or ABORTED")
    if ended.time < oldest:
        told = f"an execution that ended at {ended.time:%Y-%m-%d %H:%M}Z"
        raise _refused(told, f"an end within the last {REDRIVABLE.days} days")
    count = sum(event.kind is EventKind.EXECUTION_REDRIVEN for event in events)
    if count >= MOST_REDRIVES:
        raise _refused(f"{count} redrives", f"at most {MOST_REDRIVES} of one execution")


def _refused(found: str, expected: str) -> NotRedrivable:
    advice = "start a new execution"
    code = "execution-not-redrivable"
    fault = Fault(Place("journal"), code=code, found=found, expected=expected, advice=advice)
    return NotRedrivable([fault])


class Redrives:
    """Which redrive an execution is at, and what was open for good before the next one."""

    __slots__ = ("_attempts", "_events", "_map_runs", "_within", "count", "live")

    def __init__(self, recorded: Sequence[Event]) -> None:
        """Take what the journal holds."""
        redriven = any(event.kind is EventKind.EXECUTION_REDRIVEN for event in recorded)
        self._events = iter(recorded if redriven else ())
        self._attempts: dict[str, str] = {}
        """Open visits, parents first, and the attempt that each is at."""
        self._within: dict[str, str] = {}
        self._map_runs: set[str] = set()
        """Attempts with a Map Run: their children are executions of their own."""
        self.count = 0
        self.live: frozenset[str] = self._read()
        """Keys of visits, and of attempts with children, that were open when all ended."""

    def passed(self, count: int, again: Iterable[str]) -> None:
        """Go past a redrive, at which the visits of the given keys begin again."""
        self.count = count
        self._attempts = {key: at for key, at in self._attempts.items() if key in self.live}
        for visit in again:
            self._attempts[visit] = f"{visit}.r{count}.0"
        self.live = self._read()

    def _read(self) -> frozenset[str]:
        """Read on to the next redrive."""
        attempts = self._attempts
        for event in self._events:
            if event.kind is EventKind.STATE_ENTERED:
                attempts[event.key] = f"{event.key}.0"
                self._within[event.key] = within_of(event.key, event.state)
            elif event.kind is EventKind.STATE_EXITED:
                del attempts[event.key]
            elif event.kind is EventKind.MAP_RUN_STARTED:
                self._map_runs.add(event.key)
            elif event.kind is EventKind.TIMER_SET:
                retry = _RETRY.match(event.key)
                if retry is not None:
                    attempts[retry[1]] = f"{retry[1]}{retry[2] or ''}.{int(retry[3]) + 1}"
            elif event.kind is EventKind.EXECUTION_REDRIVEN:
                return frozenset(self._live())
        return frozenset()

    def _live(self) -> set[str]:
        """Give the visits whose parents are all open and at the attempt that they belong to.

        Those in a Map Run are left out: it begins again itself, and knows which succeeded.
        """
        live: set[str] = set()
        for visit, attempt in self._attempts.items():
            within = self._within[visit]
            if not within or within in live:
                live |= {visit} if attempt in self._map_runs else {visit, attempt}
        return live


def within_of(visit: str, state: str) -> str:
    """Give the attempt of the Parallel or Map that a visit belongs to; empty at the top.

    >>> within_of("Each#1.r1.0[0]/Both#1.0[1]/A#1", "A")
    'Each#1.r1.0[0]/Both#1.0'
    """
    prefix = visit.rpartition("#")[0].removesuffix(state)
    return prefix[: prefix.rindex("[")] if prefix else ""
