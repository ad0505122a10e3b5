"""Records: the proof that partitions were published, by which run, from which SQL (SEMANTICS 5).

One object per table and publish, and one for each failure to publish:

    _runner/records/<database>/<table>/<start>_<end>/<at>_<fingerprint>_<run>.json      published
    _runner/records/<database>/<table>/<start>_<end>/<at>_<fingerprint>_<run>.writing   begun
    _runner/records/<database>/<table>/<start>_<end>/<at>_<fingerprint>_<run>.failed    failed

A LIST alone answers which periods are published: the newest record wins for each period, and a
`.writing` object without its `.json` twin makes its periods missing.  A `.failed` object tells that
a run gave up on a window; what is published stays so.

Old records are put together (`runner gc`), so that a table with years of them is two objects:

    _runner/records/<database>/<table>/packed/<stamp>.json      what their keys said, by column
    _runner/records/<database>/<table>/packed/<stamp>.bodies    their bodies, by key
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from . import windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .storage import Storage

WHOLE = "all"
"""Start and end of a record of a table without time partitions."""
PUBLISHED, WRITING, FAILED = "published", "writing", "failed"
"""States of a record."""
_TRIES = 5
"""Times that packs are listed again when one of them was replaced while it was read."""
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_AT = r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z"
_KEY = re.compile(rf"/([^_/]+)_([^_/]+)/({_AT})_([^_/]+)_([^/]+)\.(json|writing|failed)\Z")
_PACKED = re.compile(rf"/packed/({_AT})\.(json|bodies)\Z")
_ENDINGS = {"json": PUBLISHED, "writing": WRITING, "failed": FAILED}


class Entry(NamedTuple):
    """What a record's key says."""

    at: str
    start: str
    end: str
    fingerprint: str
    run: str
    state: str
    """published, writing or failed."""
    key: str
    packed: str = ""
    """Key of the bodies that hold this record's; empty when it is an object of its own."""

    @property
    def published(self) -> bool:
        """Tell whether the publish was completed."""
        return self.state == PUBLISHED

    @property
    def publish_id(self) -> str:
        """Name this publish within its table."""
        return f"{self.start}_{self.end}_{self.at}_{self.run}"


def stamp(instant: dt.datetime) -> str:
    """Write an instant (UTC) so that text order is time order: 20130105T030000.123456Z."""
    return instant.strftime(_STAMP)


def folder(storage: Storage, table: str) -> str:
    """Give the prefix of all records of `database.table` (physical name)."""
    database, _, name = table.partition(".")
    return f"{storage.prefix}_runner/records/{database}/{name}/"


def entries(storage: Storage, table: str) -> list[Entry]:
    """List what was published or begun, oldest first; a begun publish that ended shows once."""
    return [entry for entry in history(storage, table) if entry.state != FAILED]


def history(storage: Storage, table: str) -> list[Entry]:
    """List every record of a table, failures too, oldest first."""
    place = folder(storage, table)
    return collect(storage, place, (stored.key for stored in storage.list(place)))


def everything(storage: Storage) -> dict[str, list[Entry]]:
    """List the records of every table of the lake by `database.table`, by one LIST."""
    base = f"{storage.prefix}_runner/records/"
    keys: dict[str, list[str]] = {}
    for stored in storage.list(base):
        database, _, rest = stored.key[len(base) :].partition("/")
        keys.setdefault(f"{database}.{rest.partition('/')[0]}", []).append(stored.key)
    return {table: collect(storage, folder(storage, table), keys[table]) for table in keys}


def collect(storage: Storage, place: str, keys: Iterable[str]) -> list[Entry]:
    """Make the entries of one table from the keys below its folder, in any order."""
    found: dict[str, Entry] = {}
    packs: list[str] = []
    for key in keys:
        entry = parse_key(key)
        if entry is not None:
            base = key.rpartition(".")[0]
            if base not in found or entry.published:
                found[base] = entry
        elif is_index(key):
            packs.append(key)
    for entry in _unpacked(storage, place, packs):
        base = entry.key.rpartition(".")[0]
        if base not in found or not found[base].published:
            found[base] = entry
    return sorted(found.values())


def _unpacked(storage: Storage, place: str, packs: list[str]) -> Iterator[Entry]:
    """Give the entries of the packs; of the newer ones when they have just taken their places."""
    done: set[str] = set()
    while missing := [key for key in packs if key not in done]:
        gone = False
        for key in missing:
            done.add(key)
            index = storage.read_json(key)
            if index is None:
                gone = True
                continue
            for at, start, end, fingerprint, run in zip(*read_columns(index[0]), strict=True):
                name = f"{place}{start}_{end}/{at}_{fingerprint}_{run}.json"
                yield Entry(at, start, end, fingerprint, run, PUBLISHED, name, bodies_key(key))
        if gone:
            packs = indexes(storage, place)


def bodies_key(index: str) -> str:
    """Give the key of the bodies that belong to a pack's index."""
    return index.removesuffix("json") + "bodies"


def indexes(storage: Storage, place: str) -> list[str]:
    """List the packs of a table's folder, the oldest first."""
    found = storage.list(f"{place}packed/")
    return [stored.key for stored in found if is_index(stored.key)]


def write_columns(rows: Iterable[tuple[str, ...]]) -> dict[str, list[str]]:
    r"""Make the index of a pack from rows of at, start, end, fingerprint, run.

    Each column is one text with a line a record: years of records are read in a millisecond.

    >>> write_columns([("t1", "a", "a", "f", "r"), ("t2", "b", "b", "f", "r")])
    {'columns': ['t1\nt2', 'a\nb', 'a\nb', 'f\nf', 'r\nr']}
    """
    return {"columns": ["\n".join(column) for column in zip(*rows, strict=True)]}


def read_columns(index: dict[str, list[str]]) -> list[list[str]]:
    """Read the columns of a pack's index: at, start, end, fingerprint, run."""
    return [text.split("\n") for text in index["columns"]]


def is_index(key: str) -> bool:
    """Tell whether a key is that of a pack's index."""
    return bool(index_at(key))


def index_at(key: str) -> str:
    """Give the instant of a pack by its index; empty for any other key."""
    return _packed_at(key, "json")


def bodies_at(key: str) -> str:
    """Give the instant of a pack by its bodies; empty for any other key."""
    return _packed_at(key, "bodies")


def _packed_at(key: str, ending: str) -> str:
    match = _PACKED.search(key)
    return match[1] if match is not None and match[2] == ending else ""


@functools.lru_cache(maxsize=1 << 16)  # the same keys are listed at every step of a run
def parse_key(key: str) -> Entry | None:
    """Read a record's key; None for any other object."""
    match = _KEY.search(key)
    if match is None:
        return None
    start, end, at, fingerprint, run, ending = match.groups()
    return Entry(at, start, end, fingerprint, run, _ENDINGS[ending], key)


def own(found: Iterable[Entry], *, run: str, start: str, end: str) -> Entry | None:
    """Find what this very attempt began or published for a window."""
    for entry in found:
        if (entry.run, entry.start, entry.end) == (run, start, end):
            return entry
    return None


def newest(found: Iterable[Entry], grain: str | None) -> dict[str, Entry]:
    """Give the entry that counts for each period (`all` for a table without time partitions)."""
    result: dict[str, Entry] = {}
    seen: set[tuple[str, str]] = set()
    for entry in sorted(found, reverse=True):
        window = (entry.start, entry.end)
        if window not in seen and entry.state != FAILED:
            seen.add(window)
            for period in _periods(entry, grain):
                result.setdefault(period, entry)
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


def bodies(storage: Storage, chosen: Iterable[Entry]) -> dict[Entry, dict[str, Any]]:
    """Read the bodies of many records, several at once; a pack is read once."""
    wanted = list(chosen)
    places = list(dict.fromkeys(entry.packed for entry in wanted if entry.packed))
    read = storage.each(storage.read_json, places)
    packs = {
        place: {} if found is None else found[0] for place, found in zip(places, read, strict=True)
    }
    found = storage.each(lambda entry: _body(storage, entry, packs), wanted)
    return dict(zip(wanted, found, strict=True))


def read(storage: Storage, entry: Entry) -> dict[str, Any]:
    """Read a record's body, wherever it lies by now; KeyError when it is gone."""
    return _body(storage, entry, {})


def _body(storage: Storage, entry: Entry, packs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Read one body; `packs` keeps those that were read. It may have been packed meanwhile."""
    place = entry.packed or entry.key
    if place not in packs:
        found = storage.read_json(place)
        if not entry.packed and found is not None:
            body: dict[str, Any] = found[0]
            return body
        packs[place] = {} if found is None else found[0]
    if entry.key in packs[place]:
        return cast("dict[str, Any]", packs[place][entry.key])
    return _moved(storage, entry.key, packs)


def _moved(storage: Storage, key: str, packs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Find the body of a record that was packed, or packed anew, after it was listed."""
    published = f"{key.rpartition('.')[0]}.json"
    single = None if key == published else storage.read_json(published)
    if single is not None:  # it was completed meanwhile
        return cast("dict[str, Any]", single[0])
    for _ in range(_TRIES):
        indexed = indexes(storage, f"{key.rsplit('/', 2)[0]}/")
        for place in map(bodies_key, reversed(indexed)):
            if not packs.get(place):
                found = storage.read_json(place)
                packs[place] = {} if found is None else found[0]
            if published in packs[place]:
                return cast("dict[str, Any]", packs[place][published])
        if all(packs[bodies_key(index)] for index in indexed):
            break
    raise KeyError(key)


def begin(
    storage: Storage,
    body: dict[str, Any],
    *,
    found: list[Entry],
    now: dt.datetime,
    place: str = "",
) -> Entry:
    """Write the `.writing` record of a body, later than every record `found` of its table.

    `place` is the folder, if not the one of the table's records.
    """
    where = place or folder(storage, body["table"])
    entry = _new(body, WRITING, at=_later(found, now), place=where)
    storage.write_json(entry.key, body)
    return entry


def fail(storage: Storage, body: dict[str, Any], *, found: list[Entry], now: dt.datetime) -> None:
    """Note that a run gave up on a window; `body` tells why."""
    place = folder(storage, body["table"])
    storage.write_json(_new(body, FAILED, at=_later(found, now), place=place).key, body)


def _later(found: list[Entry], now: dt.datetime) -> str:
    """Write the present so that it comes after every record found."""
    at = stamp(now)
    if not found or found[-1].at < at:
        return at
    return next_stamp(found[-1].at)  # another machine's clock is ahead


def next_stamp(at: str) -> str:
    """Write the instant after another."""
    return stamp(moment(at) + dt.timedelta(microseconds=1))


def moment(at: str) -> dt.datetime:
    """Read an instant that `stamp` wrote."""
    return dt.datetime.strptime(at, _STAMP).replace(tzinfo=dt.UTC)


def _new(body: dict[str, Any], state: str, *, at: str, place: str) -> Entry:
    start, end, fingerprint, run = body["start"], body["end"], body["fingerprint"][:12], body["run"]
    ending = next(name for name, told in _ENDINGS.items() if told == state)
    name = f"{start}_{end}/{at}_{fingerprint}_{run}.{ending}"
    return Entry(at, start, end, fingerprint, run, state, place + name)


def publish(
    storage: Storage, body: dict[str, Any], *, found: list[Entry], now: dt.datetime
) -> Entry:
    """Write the `published` record of what lies there already, later than every record `found`."""
    place = folder(storage, body["table"])
    entry = _new(body, PUBLISHED, at=_later(found, now), place=place)
    storage.write_json(entry.key, body)
    return entry


def complete(storage: Storage, entry: Entry, body: dict[str, Any]) -> None:
    """Write the `published` record in place of the `.writing` one."""
    storage.write_json(entry.key.removesuffix("writing") + "json", body)
    storage.delete([entry.key])


def tidy(storage: Storage, entry: Entry) -> None:
    """Remove the `.writing` twin that a call which died in `complete` left."""
    storage.delete([entry.key.removesuffix("json") + "writing"])
