"""Records to ledgers: what counts for each period of a table.

In: a table's records as rows (when, start, end, fingerprint, run), in no order.  Out: a `Ledger`.
The newest row wins; a publish that was begun and never ended makes its periods missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.calendar import WHOLE, label, ordinal
from runner.plan.facts import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Row = tuple[str, str, str, str, str]
    Columns = Sequence[Sequence[str]]
    """The same as columns: whens, starts, ends, fingerprints, runs."""


_LENGTHS = {"hour": 13, "day": 10, "month": 7, "year": 4, "": len(WHOLE)}
"""Characters of a grain's labels."""


def make_ledger(
    grain: str,
    published: Sequence[Row],
    begun: Iterable[Row] = (),
    failed: Iterable[Row] = (),
    *,
    packs: Sequence[Columns] = (),
) -> Ledger:
    """Decide what counts.

    >>> row = ("20240102T000000.000000Z", "2024-01-01", "2024-01-01", "ab12", "r")
    >>> make_ledger("day", [row]).at
    {'2024-01-01': '20240102T000000.000000Z'}
    """
    at, prints = _packed(grain, packs)
    _add(grain, published, at, prints)
    known = at.get
    for period, when in _newest(begun, grain).items():
        if known(period, "") < when:
            at.pop(period, None)
            prints.pop(period, None)
    gave_up = {
        period: when for period, when in _newest(failed, grain).items() if known(period, "") < when
    }
    return Ledger(at, prints, gave_up, max(at.values(), default=""))


def _packed(grain: str, packs: Sequence[Columns]) -> tuple[dict[str, str], dict[str, str]]:
    """Read packs; one of single periods, as gc writes them in most tables, as whole columns."""
    if len(packs) == 1:
        whens, starts, ends, prints, _ = packs[0]
        at = dict(zip(starts, whens, strict=True))
        alike = starts == ends and len(at) == len(starts)
        if alike and set(map(len, starts)) == {_LENGTHS[grain]}:
            return at, dict(zip(starts, prints, strict=True))
    found: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for pack in packs:
        _add(grain, zip(*pack, strict=True), *found)
    return found


def _add(
    grain: str, rows: Iterable[tuple[str, ...]], at: dict[str, str], prints: dict[str, str]
) -> None:
    """Take rows that are newer than what is known of their periods."""
    known, length = at.get, _LENGTHS[grain]
    for when, start, end, fingerprint, _ in rows:
        same = start == end and len(start) == length
        for period in (start,) if same else _periods(start, end, grain):
            if known(period, "") < when:
                at[period] = when
                prints[period] = fingerprint


def _newest(rows: Iterable[Row], grain: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for when, start, end, _, _ in rows:
        for period in _periods(start, end, grain):
            if found.get(period, "") < when:
                found[period] = when
    return found


def _periods(start: str, end: str, grain: str) -> Iterator[str]:
    """Give the periods of a window; none if the table was partitioned in another way then."""
    if not grain:
        if start == WHOLE:
            yield WHOLE
        return
    try:
        first, last = ordinal(start, grain), ordinal(end, grain)
    except ValueError:
        return
    for number in range(first, last + 1):
        yield label(number, grain)
