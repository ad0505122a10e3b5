"""What a table reads of tables that we write: never half-written, never changed while it reads.

No step of a run reads a partition that is being published (SEMANTICS 3).  Before a table is
written, its inputs are looked at: what a dead run left half-way is finished, a living one is waited
for.  Before it is published, they are looked at again: if one was published meanwhile, the rows are
of no known state and the attempt is made anew.  So "published later than what it reads" is exact,
and a table whose input was published after it is stale.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import records, windows
from .faults import InputChanged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .core import Attempt, Keeper
    from .records import Entry
    from .spec import Spec

ATOMIC = ("ctas", "iceberg")
"""Kinds that readers see either before or after a publish, never between."""


@dataclass(frozen=True)
class Input:
    """One table that is read, and what its records say."""

    name: str
    kind: str
    grain: str | None
    lookback: int
    """Periods of the reader before its window that are read too."""
    windowed: bool
    """Whether only the window is read, and not all of it."""
    latest: dict[str, Entry]

    def read_by(self, spec: Spec, start: str, end: str) -> Iterator[Entry]:
        """Give the records of the periods that a span of the reader reads."""
        if not self.windowed or self.grain is None or spec.grain is None:
            yield from dict.fromkeys(self.latest.values())
            return
        first = windows.parse_civil(start, spec.grain)
        first = windows.add(first, spec.grain + "s", -self.lookback)
        before = windows.write_civil(first, spec.grain)
        for period in windows.periods(
            *windows.regrain(before, end, spec.grain, self.grain), self.grain
        ):
            entry = self.latest.get(period)
            if entry is not None:
                yield entry


@dataclass(frozen=True)
class Inputs:
    """Everything of ours that a table reads."""

    spec: Spec
    found: tuple[Input, ...]

    def token(self, start: str, end: str) -> str:
        """Name the state of all that a span reads; another one when any of it was published."""
        keys = [
            f"{one.name} {entry.publish_id} {entry.state}"
            for one in self.found
            for entry in dict.fromkeys(one.read_by(self.spec, start, end))
        ]
        return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:16] if keys else ""

    def changed_at(self, start: str, end: str) -> str:
        """Give the stamp of the newest publish of what a span reads by its window; empty for none.

        Inputs that are read whole make nothing stale (SEMANTICS 20).
        """
        inputs = [one for one in self.found if one.windowed and one.grain is not None]
        return max((e.at for one in inputs for e in one.read_by(self.spec, start, end)), default="")

    def unfinished(self, start: str, end: str) -> Iterator[tuple[Input, Entry]]:
        """Give the begun publishes that a reader of the span would meet half-way."""
        for one in self.found:
            if one.kind not in ATOMIC:
                for entry in dict.fromkeys(one.read_by(self.spec, start, end)):
                    if entry.state == records.WRITING:
                        yield one, entry


def look(keeper: Keeper, spec: Spec) -> Inputs:
    """List the records of every table that the table reads."""
    return Inputs(spec, tuple(_input(keeper, read) for read in spec.reads))


def _input(keeper: Keeper, read: dict[str, Any]) -> Input:
    grain = read.get("grain") or None
    found = records.entries(keeper.storage, read["table"])
    return Input(
        read["table"],
        read["kind"],
        grain,
        int(read.get("lookback") or 0),
        bool(read.get("windowed")),
        records.newest(found, grain),
    )


def check(keeper: Keeper, attempt: Attempt, chunk: dict[str, Any]) -> None:
    """Raise InputChanged when what a chunk read was published since it was planned."""
    spec = attempt.spec
    if not spec.reads or "inputs" not in chunk:
        return
    found = look(keeper, spec)
    if found.token(chunk["start"], chunk["end"]) != chunk["inputs"]:
        raise InputChanged(
            f"{spec.name}: an input of {chunk['start']}..{chunk['end']} was published while it "
            f"was read. Nothing was published"
        )
