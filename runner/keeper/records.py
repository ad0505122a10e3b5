"""Records: the proof that partitions were published, by which run, from which SQL (SEMANTICS 5).

One object per table and publish:

    _runner/records/<database>/<table>/<start>_<end>/<at>_<fingerprint>_<run>.json      published
    _runner/records/<database>/<table>/<start>_<end>/<at>_<fingerprint>_<run>.writing   begun

A LIST alone answers which periods are published: the newest record wins for each period, and a
`.writing` object without its `.json` twin makes its periods missing.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .storage import Storage

WHOLE = "all"
"""Start and end of a record of a table without time partitions."""
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_KEY = re.compile(
    r"/([^_/]+)_([^_/]+)/([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)_([^_/]+)_([^/]+)\.(json|writing)\Z"
)


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
    """Write an instant (UTC) so that text order is time order: 20130105T030000.123456Z."""
    return moment.strftime(_STAMP)


def folder(storage: Storage, table: str) -> str:
    """Give the prefix of all records of `database.table` (physical name)."""
    database, _, name = table.partition(".")
    return f"{storage.prefix}_runner/records/{database}/{name}/"


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
    match = _KEY.search(key)
    if match is None:
        return None
    start, end, at, fingerprint, run, ending = match.groups()
    return Entry(at, start, end, fingerprint, run, ending == "json", key)


def own(found: Iterable[Entry], *, run: str, start: str, end: str) -> Entry | None:
    """Find what this very attempt began or published for a window."""
    for entry in found:
        if (entry.run, entry.start, entry.end) == (run, start, end):
            return entry
    return None


def newest(found: Iterable[Entry], grain: str | None) -> dict[str, Entry]:
    """Give the entry that counts for each period (`all` for a table without time partitions)."""
    result: dict[str, Entry] = {}
    for entry in sorted(found):
        for period in _periods(entry, grain):
            result[period] = entry
    return result


def _periods(entry: Entry, grain: str | None) -> Iterator[str]:
    """Give an entry's periods; none if the table was partitioned in another way then."""
    if grain is None:
        if entry.start == WHOLE:
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


def begin(storage: Storage, body: dict[str, Any], *, found: list[Entry], now: dt.datetime) -> Entry:
    """Write the `.writing` record of a body, later than every record `found` of its table."""
    at = stamp(now)
    if found and found[-1].at >= at:  # another machine's clock is ahead
        last = dt.datetime.strptime(found[-1].at, _STAMP).replace(tzinfo=dt.UTC)
        at = stamp(last + dt.timedelta(microseconds=1))
    name = f"{at}_{body['fingerprint'][:12]}_{body['run']}"
    window = f"{body['start']}_{body['end']}"
    key = f"{folder(storage, body['table'])}{window}/{name}.writing"
    storage.write_json(key, body)
    return Entry(at, body["start"], body["end"], body["fingerprint"][:12], body["run"], False, key)


def complete(storage: Storage, entry: Entry, body: dict[str, Any]) -> None:
    """Write the `published` record in place of the `.writing` one."""
    storage.write_json(entry.key.removesuffix("writing") + "json", body)
    storage.delete([entry.key])


def tidy(storage: Storage, entry: Entry) -> None:
    """Remove the `.writing` twin that a call which died in `complete` left."""
    storage.delete([entry.key.removesuffix("json") + "writing"])
