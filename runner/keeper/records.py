"""Records: the proof that partitions were published, by which run, from which SQL (SEMANTICS 5).

One object per table and publish:

    _runner/records/<database>/<table>/<start>_<end>/<at>_<fingerprint>_<run>.json      published
    _runner/records/<database>/<table>/<start>_<end>/<at>_<fingerprint>_<run>.writing   begun

A LIST alone answers which periods are published: the newest record wins for each period, and a
`.writing` object without its `.json` twin makes its periods missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import windows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from .storage import Storage

WHOLE = "all"
"""Start and end of a record of a table without time partitions."""


@dataclass(frozen=True, order=True)
class Entry:
    """What a record's key says."""

    at: str
    start: str
    end: str
    fingerprint: str
    run: str
    published: bool
    key: str

    @property
    def publish_id(self) -> str:
        """Name this publish within its table."""
        return f"{self.start}_{self.end}_{self.at}_{self.run}"


def stamp(moment: dt.datetime) -> str:
    """Write an instant so that text order is time order: 20130105T030000.123456Z."""
    return moment.strftime("%Y%m%dT%H%M%S.%fZ")


def folder(storage: Storage, table: str) -> str:
    """Give the prefix of all records of `database.table` (physical name)."""
    database, _, name = table.partition(".")
    return f"{storage.prefix}_runner/records/{database}/{name}/"


def stem(storage: Storage, table: str, *, start: str, end: str, rest: str) -> str:
    """Give a record's key without its ending."""
    return f"{folder(storage, table)}{start}_{end}/{rest}"


def entries(storage: Storage, table: str) -> list[Entry]:
    """List the records of a table, oldest first; a begun publish that ended shows once."""
    found: dict[str, Entry] = {}
    for stored in storage.list(folder(storage, table)):
        entry = parse_key(stored.key)
        if entry is not None:
            base = entry.key.rpartition(".")[0]
            if entry.published or base not in found:
                found[base] = entry
    return sorted(found.values())


def parse_key(key: str) -> Entry | None:
    """Read a record's key; None for any other object."""
    base, _, ending = key.rpartition(".")
    if ending not in ("json", "writing"):
        return None
    window, _, rest = base.rpartition("/")
    start, _, end = window.rpartition("/")[2].partition("_")
    at, _, rest = rest.partition("_")
    fingerprint, _, run = rest.partition("_")
    return Entry(at, start, end, fingerprint, run, ending == "json", key)


def newest(found: Iterable[Entry], grain: str | None) -> dict[str, Entry]:
    """Give the entry that counts for each period (`all` for a table without time partitions)."""
    result: dict[str, Entry] = {}
    for entry in sorted(found):
        for period in _periods(entry, grain):
            result[period] = entry
    return result


def _periods(entry: Entry, grain: str | None) -> Iterator[str]:
    if grain is None or entry.start == WHOLE:
        yield WHOLE
        return
    try:
        yield from windows.periods(entry.start, entry.end, grain)
    except ValueError:
        return


def read(storage: Storage, entry: Entry) -> dict[str, Any]:
    """Read a record's body."""
    found = storage.read_json(entry.key)
    if found is None:
        raise KeyError(entry.key)
    body: dict[str, Any] = found[0]
    return body
