"""Which periods of one table are missing, failed or stale, and why (SEMANTICS 19, 20, 21).

In: a table, its ledger, its inputs' ledgers and what of them is going to be rewritten.  Out: a
reason for each period that is not fresh.  Most tables of a large project are fresh, so whole
ranges are compared at once.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Literal

from runner.plan.calendar import WHOLE, widen
from runner.plan.facts import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.plan.calendar import Calendar
    from runner.plan.facts import Input, Ledger, Node

State = Literal["missing", "failed", "stale", "asked"]
KEY_DIGITS = 12
"""Digits of the fingerprint in a record's key."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a period is written."""

    state: State
    why: str


MISSING = Reason("missing", "missing")
FAILED = Reason("failed", "failed")
CHANGED = Reason("stale", "SQL changed")
ITSELF = Reason("stale", "its earlier periods are newer")
ASKED = Reason("asked", "asked for")


@dataclass(frozen=True, slots=True)
class Span:
    """A range of periods of a table, both ends included."""

    first: int
    last: int

    def __len__(self) -> int:
        """Count the periods."""
        return max(0, self.last - self.first + 1)


@dataclass(frozen=True, slots=True)
class World:
    """What is known of all tables while one is judged."""

    nodes: Mapping[str, Node]
    ledgers: Mapping[str, Ledger]
    calendar: Calendar
    rewritten: Mapping[str, Sequence[tuple[int, int]]]
    """Ranges of periods that the plan writes, of the tables judged before."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants written."""

    everything: bool = False
    """Every period, whatever the records say."""
    gaps: bool = False
    """Only what is missing or failed."""


def judge(
    node: Node, span: Span, inputs: Sequence[Input], world: World, wish: Wish
) -> dict[int, Reason]:
    """Give the periods to write and why, in order.

    Periods outside the span are among them when they are published and read, by look-back,
    something within it that is going to be written.
    """
    if node.is_definition:
        return _definition(node, world)
    ledger = world.ledgers.get(node.name, NOTHING)
    labels = world.calendar.labels(span.first, span.last, node.grain)
    ats = list(map(ledger.at.get, labels, repeat("")))
    found: list[Reason | None] = [None] * len(labels)
    _absent(found, labels, ats, ledger)
    if not wish.gaps:
        _changed(found, node, labels, ledger)
        for one in inputs:
            _published_later(found, ats, one, (node, span), world)
    outside: dict[int, Reason] = {}
    if not wish.gaps:
        for one in inputs:
            _rewritten(found, outside, one, (node, span), world)
    if node.ordered and not wish.gaps:
        _in_order(found, ats, node)
    if wish.everything:
        found = [reason or ASKED for reason in found]
    if not any(found) and not outside:
        return {}
    inside = {span.first + n: reason for n, reason in enumerate(found) if reason is not None}
    return dict(sorted({**outside, **inside}.items()))


def _definition(node: Node, world: World) -> dict[int, Reason]:
    """Judge a view or ddl: it is made when missing or changed; nothing else matters."""
    ledger = world.ledgers.get(node.name, NOTHING)
    if not ledger.at.get(WHOLE):
        return {0: FAILED if ledger.failed.get(WHOLE) else MISSING}
    same = ledger.fingerprint.get(WHOLE) == node.fingerprint[:KEY_DIGITS]
    return {} if same else {0: CHANGED}


def _absent(
    found: list[Reason | None], labels: Sequence[str], ats: Sequence[str], ledger: Ledger
) -> None:
    if "" in ats:
        for number, at in enumerate(ats):
            if not at:
                found[number] = MISSING
    if ledger.failed:
        for number, label in enumerate(labels):
            if label in ledger.failed:
                found[number] = FAILED


def _changed(found: list[Reason | None], node: Node, labels: Sequence[str], ledger: Ledger) -> None:
    wanted = node.fingerprint[:KEY_DIGITS]
    if {wanted}.issuperset(ledger.fingerprint.values()):
        return
    prints = map(ledger.fingerprint.get, labels, repeat(wanted))
    for number, one in enumerate(prints):
        if one != wanted and found[number] is None:
            found[number] = CHANGED


def _published_later(
    found: list[Reason | None],
    ats: Sequence[str],
    one: Input,
    where: tuple[Node, Span],
    world: World,
) -> None:
    """Mark what was published before the input that it reads was."""
    ledger = world.ledgers.get(one.table, NOTHING)
    if one.flow == "none" or not ledger.newest or not ats or ledger.newest <= min(ats):
        return
    node, span = where
    if one.flow == "whole" or not node.grain:
        newest: Sequence[str] = [ledger.newest] * len(ats)
    else:
        newest = _newest_read(one, node, span, world)
    if not any(map(operator.gt, newest, ats)):
        return
    reason = Reason("stale", f"{one.table} published later")
    for number, (theirs, ours) in enumerate(zip(newest, ats, strict=True)):
        if theirs > ours and ours and found[number] is None:
            found[number] = reason


def _newest_read(one: Input, node: Node, span: Span, world: World) -> list[str]:
    """Give, for each period of the reader, the newest publish of what it reads of the input."""
    upstream = world.nodes[one.table]
    at = world.ledgers[one.table].at
    first = span.first - one.lookback
    if not upstream.grain:
        return [at.get(WHOLE, "")] * len(span)
    low, high = widen(first, span.last, node.grain, upstream.grain)
    theirs = list(map(at.get, world.calendar.labels(low, high, upstream.grain), repeat("")))
    if upstream.grain == node.grain:
        return sliding_maximum(theirs, one.lookback + 1)
    covered = []
    for period in range(first, span.last + 1):
        begin, end = widen(period, period, node.grain, upstream.grain)
        covered.append(max(theirs[begin - low : end - low + 1]))
    return sliding_maximum(covered, one.lookback + 1)


def sliding_maximum(values: list[str], width: int) -> list[str]:
    """Give the greatest of each `width` neighbours, by doubling: cost grows with log(width).

    >>> sliding_maximum(["a", "c", "b", "a"], 2)
    ['c', 'c', 'b']
    """
    reached = 1
    while reached < width:
        step = min(reached, width - reached)
        values = list(map(max, values, values[step:]))
        reached += step
    return values


def _rewritten(
    found: list[Reason | None],
    outside: dict[int, Reason],
    one: Input,
    where: tuple[Node, Span],
    world: World,
) -> None:
    """Mark what reads periods that the plan writes."""
    ranges = world.rewritten.get(one.table, ())
    if one.flow == "none" or not ranges:
        return
    node, span = where
    reason = Reason("stale", f"{one.table} is written by this backfill")
    upstream = world.nodes[one.table]
    if one.flow == "whole" or not node.grain or not upstream.grain:
        for number in range(len(found)):
            found[number] = found[number] or reason
        return
    at = world.ledgers.get(node.name, NOTHING).at
    for begin, end in ranges:
        low, high = widen(begin, end, upstream.grain, node.grain)
        high += one.lookback
        for number in range(max(low, span.first), min(high, span.last) + 1):
            place = number - span.first
            found[place] = found[place] or reason
        for first, last in ((low, min(high, span.first - 1)), (max(low, span.last + 1), high)):
            labels = world.calendar.labels(first, last, node.grain)
            outside |= {first + n: reason for n, text in enumerate(labels) if text in at}


def _in_order(found: list[Reason | None], ats: Sequence[str], node: Node) -> None:
    """Mark, in a table that reads itself, what stands after something older than its reader."""
    lookback = max(read.lookback for read in node.reads if read.table == node.name)
    published = [number for number, at in enumerate(ats) if at]
    newest = published[-1] if published else -1
    start = next((n for n, reason in enumerate(found) if reason is not None), len(found))
    for number in range(newest + 1):
        if found[number] is None:
            earlier = max(ats[max(0, number - lookback) : number], default="")
            if number > start or earlier > ats[number]:
                found[number] = ITSELF
                start = min(start, number)
