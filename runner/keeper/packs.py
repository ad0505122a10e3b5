"""Packs: a table's old records put together, and which records nobody needs any more.

In: what a table's records say and the time.  Out: the records that count no more, since when, and
a pack.  A pack is written before what it holds is deleted, so that a death at any moment leaves
duplicates, never a loss, and a reader finds each record in one place or the other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import records, windows
from .storage import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .records import Entry
    from .storage import Storage

GRACE = dt.timedelta(hours=1)
"""Age from which a record may be packed: no call that began it is still alive."""
_FEWEST = 2
"""Single records that make a new pack worth writing."""
_GRAINS = {len("2013"): "year", len("2013-01"): "month", len("2013-01-05"): "day"}


def grain_of(entry: Entry) -> str | None:
    """Tell the grain of a record's window from how it is written.

    >>> grain_of(records.Entry("", "2013-01-05T07", "2013-01-05T07", "", "", "", ""))
    'hour'
    """
    if entry.start == records.WHOLE:
        return None
    return _GRAINS.get(len(entry.start), "hour")


def written(entry: Entry) -> dt.datetime:
    """Tell when a record was begun."""
    return records.moment(entry.at)


def superseded(found: Iterable[Entry]) -> dict[Entry, dt.datetime]:
    """Give the records that count for none of their periods, and since when.

    A record is superseded when each of its periods has a newer published one; what was written
    when the table had other partitions, by the first published record of the present ones.
    """
    ordered = sorted(found, reverse=True)
    published = [entry for entry in ordered if entry.published]
    if not published:
        return {}
    present = grain_of(published[0])
    first = min(entry.at for entry in published if grain_of(entry) == present)
    after: dict[str, str] = {}
    result: dict[Entry, dt.datetime] = {}
    for entry in ordered:
        if grain_of(entry) != present:
            if entry.at < first:
                result[entry] = records.moment(first)
            continue
        periods = list(_periods(entry))
        if periods and all(period in after for period in periods):
            result[entry] = records.moment(max(after[period] for period in periods))
        if entry.published:
            after.update(dict.fromkeys(periods, entry.at))
    return result


def _periods(entry: Entry) -> Iterator[str]:
    grain = grain_of(entry)
    if grain is None:
        yield records.WHOLE
        return
    try:
        yield from windows.periods(entry.start, entry.end, grain)
    except ValueError:
        return


@dataclass(frozen=True)
class Pack:
    """A pack to write: what it holds, and what goes when it is there."""

    table: str
    entries: tuple[Entry, ...]
    old: tuple[str, ...]
    """Indexes of the packs whose place it takes."""

    @property
    def singles(self) -> tuple[Entry, ...]:
        """Give the records that are objects of their own so far."""
        return tuple(entry for entry in self.entries if not entry.packed)


def plan_pack(
    table: str, kept: Iterable[Entry], *, keys: Iterable[str], dropped: bool, now: dt.datetime
) -> Pack | None:
    """Decide on a table's pack; None while a new one would be no better than what is there.

    `keys` are all keys below the table's records; `dropped` tells that the packs hold records
    that are to go.
    """
    published = [entry for entry in kept if entry.published]
    entries = [e for e in published if e.packed or now - records.moment(e.at) >= GRACE]
    old = tuple(key for key in keys if records.is_index(key))
    pack = Pack(table, tuple(sorted(entries)), old)
    worthwhile = len(pack.singles) >= _FEWEST or len(old) > 1 or dropped
    return pack if worthwhile else None


def lost_bodies(keys: Iterable[str], *, now: dt.datetime) -> tuple[str, ...]:
    """Find bodies without an index: a pack that was never finished, or that went."""
    have = set(keys)
    return tuple(
        sorted(
            key
            for key in have
            if (at := records.bodies_at(key))
            and key.removesuffix("bodies") + "json" not in have
            and now - records.moment(at) >= GRACE
        )
    )


def write_pack(storage: Storage, pack: Pack, *, now: dt.datetime) -> None:
    """Write a pack, then delete what it holds; every step may be the last one.

    KeyError when a record went since the pack was planned: nothing is changed then.
    """
    place = records.folder(storage, pack.table)
    bodies = records.bodies(storage, pack.entries)
    if pack.entries:
        _write(storage, place, {entry: bodies[entry] for entry in pack.entries}, pack, now)
    singles = [entry.key for entry in pack.singles]
    twins = [key.removesuffix("json") + "writing" for key in singles]
    for keys in (twins, singles, pack.old, tuple(map(records.bodies_key, pack.old))):
        storage.delete_all(keys)


def _write(
    storage: Storage, place: str, bodies: dict[Entry, object], pack: Pack, now: dt.datetime
) -> None:
    newest = max((records.index_at(key) for key in pack.old), default="")
    at = records.stamp(now)
    at = at if at > newest else records.next_stamp(newest)
    while True:
        try:
            storage.create_json(
                f"{place}packed/{at}.bodies", {entry.key: body for entry, body in bodies.items()}
            )
        except Conflict:  # another sweep is at work in this very instant
            at = records.next_stamp(at)
            continue
        break
    rows = ((e.at, e.start, e.end, e.fingerprint, e.run) for e in pack.entries)
    storage.write_json(f"{place}packed/{at}.json", records.write_columns(rows))
